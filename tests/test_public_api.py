"""The front door: few names, all there, each imported when first used, and cheap to enter."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import toolhaft

HEAVY = (
    "numpy",
    "torch",
    "httpx",
    "httpx2",
    "pydantic",
    "uvicorn",
    "starlette",
    "jsonschema",
    "yaml",
    "rich",
    "typer",
)


def test_there_are_few_names():
    assert 1 < len(toolhaft.__all__) <= 35
    assert len(set(toolhaft.__all__)) == len(toolhaft.__all__)


@pytest.mark.parametrize("name", toolhaft.__all__)
def test_each_name_is_there(name):
    found = getattr(toolhaft, name)
    assert getattr(found, "__name__", name) in (name, "UnionType", "Union")
    assert name in dir(toolhaft)
    scope = {}
    assert getattr(__import__("toolhaft", scope, scope, [name]), name) is found


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(toolhaft.__file__).read_text())
    seen = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.If)
        for statement in node.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    assert seen == set(toolhaft.__all__)


def test_other_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'Agnet'"):
        toolhaft.Agnet  # noqa: B018
    with pytest.raises(ImportError):
        from toolhaft import Agnet  # noqa: F401


def in_a_fresh_process(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.split()


def test_importing_the_package_imports_nothing_else_of_it():
    loaded = in_a_fresh_process("import sys, toolhaft; print(*sys.modules)")
    assert [name for name in loaded if name.startswith("toolhaft")] == ["toolhaft"]


def test_a_name_brings_only_its_own_home():
    loaded = in_a_fresh_process("import sys; from toolhaft import ToolSpec; print(*sys.modules)")
    assert not any(
        name.startswith(("toolhaft.agent", "toolhaft.tools", "toolhaft.models")) for name in loaded
    )


@pytest.mark.parametrize(
    "statement",
    [
        "from toolhaft import Agent, open_catalog, tool",
        "from toolhaft import *",
        "from toolhaft import tool\n@tool\ndef order(item: str) -> str:\n    'Order.'",
    ],
    ids=["the first line of every program", "everything", "a decorated function"],
)
def test_the_front_door_is_light(statement):
    loaded = set(in_a_fresh_process(f"import sys\n{statement}\nprint(*sys.modules)"))
    assert loaded.isdisjoint(HEAVY)


def test_the_version_is_the_distributions():
    from importlib.metadata import version

    assert toolhaft.__version__ == version("toolhaft")
