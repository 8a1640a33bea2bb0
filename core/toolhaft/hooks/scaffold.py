"""A new plugin: one module, its metadata and its test, that works before a line is changed."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from toolhaft.errors import UnknownNameError, UsageError

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

_MODULES = {
    "retriever": (
        "register_retrievers",
        Template('''\
"""Toolhaft plugin: the retriever $name."""

from __future__ import annotations

from collections.abc import Sequence

from toolhaft.hooks import hookimpl
from toolhaft.retrievers.base import Retriever
from toolhaft.types import Scored, ToolSpec


class $class_name(Retriever):
    """Finds tools by the words they share with the query."""

    name = "$name"

    def __init__(self, *, weight: float = 1.0) -> None:
        self._weight = weight
        self._specs: tuple[ToolSpec, ...] = ()

    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Keep the tools."""
        self._specs = tuple(specs)

    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return the tools that share most words with the query."""
        wanted = set(query.lower().split())
        hits = [
            Scored(spec, self._weight * len(wanted & set(spec.description.lower().split())))
            for spec in self._specs
        ]
        found = [hit for hit in hits if hit.score > 0]
        return sorted(found, key=lambda hit: -hit.score)[:k]
'''),
    ),
    "evaluator": (
        "register_evaluators",
        Template('''\
"""Toolhaft plugin: the evaluator $name."""

from __future__ import annotations

from toolhaft.evaluators.base import Evaluator
from toolhaft.hooks import hookimpl
from toolhaft.types import Score, Task, Trajectory


class $class_name(Evaluator):
    """Scores 1 where there is an answer."""

    name = "$name"

    async def evaluate(self, task: Task, trajectory: Trajectory) -> Score:
        """Return whether the rollout ended with an answer."""
        answered = trajectory.status == "answered"
        reason = "there is an answer" if answered else f"it ended with {trajectory.status}"
        return Score(name="answered", value=float(answered), reason=reason, evaluator=self.name)
'''),
    ),
    "model": (
        "register_models",
        Template('''\
"""Toolhaft plugin: the model scheme $name, as in ``$name:small``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from toolhaft.hooks import hookimpl
from toolhaft.models.base import Model
from toolhaft.types import Completion, Message, ToolCall, ToolSpec


class $class_name(Model):
    """Answers with what it was told last."""

    origin = "scripted"

    def __init__(self, *, name: str = "echo") -> None:
        self.name = f"$name:{name}"

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        avoid: Sequence[ToolCall] = (),
        on_delta: Callable[[str], None] | None = None,
        seed: int | None = None,
        max_tokens: int | None = None,
    ) -> Completion:
        """Return the text of the last message."""
        text = messages[-1].text if messages else ""
        return Completion(text=text, model=self.name, origin=self.origin)
'''),
    ),
    "source": (
        "register_tool_sources",
        Template('''\
"""Toolhaft plugin: the tool source $name, as in ``$name:anywhere``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolhaft.hooks import hookimpl
from toolhaft.tools.base import CallContext, Tool
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.source import ToolSource
from toolhaft.types import ToolSpec


class Greet(Tool):
    """One tool of the source."""

    def __init__(self, location: str) -> None:
        self.spec = ToolSpec(
            name="greet",
            description="Greet a person by name.",
            parameters={
                "type": "object",
                "properties": {"name": {"type": "string", "description": "Whom to greet."}},
                "required": ["name"],
                "additionalProperties": False,
            },
            effect="read",
            source=f"$name:{location}",
        )

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> str:
        """Return the greeting."""
        return f"Hello {arguments['name']}!"


class $class_name(ToolSource):
    """Makes a catalog from what stands behind the colon."""

    async def load(self, location: Any) -> Catalog:
        """Return the tools at a location."""
        return Catalog([Greet(str(location))], name=f"$name:{location}")
'''),
    ),
}
"""Hook and module text by kind."""

SCAFFOLD_KINDS = tuple(sorted(_MODULES))


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
    if kind not in _MODULES:
        raise UnknownNameError("scaffold", kind, SCAFFOLD_KINDS)
    root = folder / f"toolhaft-{name}"
    if root.exists():
        raise UsageError("the folder exists already", where=str(root), hint="Choose another name or folder")
    hook, template = _MODULES[kind]
    module = f"toolhaft_{name.replace('-', '_')}"
    words = {
        "name": name,
        "kind": kind,
        "module": module,
        "hook": hook,
        "series": ".".join(__version__.split(".")[:2]),
        "class_name": "".join(part.capitalize() for part in name.split("-")),
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
