"""A new plugin: one module, its metadata and its test, that works before a line is changed."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from toolhaft.errors import UnknownNameError, UsageError
from toolhaft.hooks.scaffold_modules import MODULES

_NAME = re.compile(r"[a-z][a-z0-9]+(?:-[a-z0-9]+)*")

_PYPROJECT = Template("""\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "toolhaft-$name"
version = "0.1.0"
description = "Toolhaft plugin: the $kind $name."
requires-python = ">=3.11"
dependencies = ["toolhaft==$series.*"]

[project.entry-points.toolhaft]
$name = "$module"

[tool.hatch.build.targets.wheel]
only-include = ["$module.py"]
""")

_HOOK = Template("""\


@hookimpl
def $hook():
    \"\"\"Name what this plugin brings.\"\"\"
    return {"$name": "$module:$class_name"}
""")

_TEST = Template("""\
from toolhaft.testing import check_in_child


def test_the_plugin_loads_and_its_factories_work():
    assert check_in_child("$name") == []
""")

SCAFFOLD_KINDS = tuple(sorted(MODULES))


def scaffold_plugin(name: str, folder: Path, *, kind: str = "retriever") -> list[Path]:
    """Write a new plugin distribution, ``toolhaft-<name>``.

    Args:
        name: One word, lower case: what the plugin adds, and what it is called.
        folder: Where its folder is put; that must not exist.
        kind: One of `SCAFFOLD_KINDS`.

    Returns:
        The files written.

    Raises:
        UsageError: The name is not legal, or its folder exists.
        UnknownNameError: There is no scaffold for the kind.
    """
    from toolhaft import __version__

    if not _NAME.fullmatch(name) or len(name) > 40:
        raise UsageError(
            f"{name[:80]!r} is no name for a plugin",
            hint="Use 2 to 40 lower-case letters, digits and hyphens, a letter first, as in 'mcts'",
        )
    if kind not in MODULES:
        raise UnknownNameError("scaffold", kind, SCAFFOLD_KINDS)
    root = folder / f"toolhaft-{name}"
    if root.exists():
        raise UsageError("the folder exists already", where=str(root), hint="Choose another name or folder")
    hook, template = MODULES[kind]
    module = f"toolhaft_{name.replace('-', '_')}"
    words = {
        "name": name,
        "kind": kind,
        "module": module,
        "hook": hook,
        "series": ".".join(__version__.split(".")[:2]),
        "class_name": _target(name, kind),
    }
    texts = {
        root / "pyproject.toml": _PYPROJECT.substitute(words),
        root / f"{module}.py": template.substitute(words) + _HOOK.substitute(words),
        root / "tests" / f"test_{module}.py": _TEST.substitute(words),
    }
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(texts)


def _target(name: str, kind: str) -> str:
    """Return what a plugin's class is called, or its function where it is a command."""
    if kind == "command":
        return f"run_{name.replace('-', '_')}"
    return "".join(part.capitalize() for part in name.split("-"))
