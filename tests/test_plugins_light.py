"""The project's own plugins cost nothing until they are used."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # a process each

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))
HEAVY = {
    *("numpy", "torch", "transformers", "peft", "accelerate", "safetensors", "tokenizers", "datasets"),
    *("sentence_transformers", "llguidance", "cv2", "skimage", "PIL", "scipy", "starlette", "uvicorn"),
}

LOADED = """
import json, sys
from toolhaft.hooks import Registry
registry = Registry.load()
names = [each.name for kind in ("source", "retriever", "model", "generator", "evaluator", "command")
         for each in registry.registrations(kind) if each.plugin == PLUGIN]
print(json.dumps({"names": names, "modules": sorted(module.split(".")[0] for module in sys.modules)}))
"""
"""What a process prints that has read every plugin's entries."""


def python(code, **variables):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, env=None
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_is_listed_and_imports_nothing_heavy_until_it_is_used(plugin):
    found = python(f"PLUGIN = {plugin!r}\n{LOADED}")
    assert found["names"], f"{plugin} brings nothing"
    assert sorted(set(found["modules"]) & HEAVY) == []


def test_what_an_unknown_name_says_to_install_is_what_the_plugins_bring():
    from toolhaft.hooks import Registry
    from toolhaft.hooks.first_party import FIRST_PARTY

    registry = Registry.load()
    kinds = (
        *("source", "retriever", "reranker", "model", "planner"),
        *("generator", "evaluator", "executor", "command"),
    )
    brought = {}
    for kind in kinds:
        for each in registry.registrations(kind):
            if each.plugin in PLUGINS:
                brought.setdefault(f"toolhaft-{each.plugin}", {}).setdefault(kind, []).append(each.name)
    assert {
        name: {kind: sorted(names) for kind, names in kinds.items()} for name, kinds in FIRST_PARTY.items()
    } == {name: {kind: sorted(names) for kind, names in kinds.items()} for name, kinds in brought.items()}


@pytest.mark.parametrize(
    ("words", "distribution"),
    [
        (["train", "sft"], "toolhaft-finetune"),
        (["loop"], "toolhaft-finetune"),
        (["eval", "bfcl"], "toolhaft-evals"),
        (["rapidapi", "serve"], "toolhaft-rapidapi"),
    ],
)
def test_a_command_of_a_plugin_that_is_switched_off_says_so(words, distribution):
    environment = {**os.environ, "TOOLHAFT_DISABLE_PLUGINS": distribution}
    command = [sys.executable, "-m", "toolhaft", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert done.returncode == 2
    assert f"toolhaft plugins enable {distribution.split('-')[1]}" in done.stderr
