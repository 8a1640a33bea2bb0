"""The module of a new plugin, by kind: each works before a line is changed."""

from __future__ import annotations

from string import Template

MODULES: dict[str, tuple[str, Template]] = {
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
    "reranker": (
        "register_rerankers",
        Template('''\
"""Toolhaft plugin: the re-ranker $name."""

from __future__ import annotations

from collections.abc import Sequence

from toolhaft.hooks import hookimpl
from toolhaft.retrievers.reranker import Reranker
from toolhaft.types import Scored


class $class_name(Reranker):
    """Puts tools first whose names and descriptions hold most words of the query."""

    name = "$name"

    def __init__(self, *, weight: float = 1.0) -> None:
        self._weight = weight

    async def rerank(self, query: str, hits: Sequence[Scored]) -> list[Scored]:
        """Return the same tools, those first that share most words with the query."""
        wanted = set(query.lower().split())
        scored = [
            Scored(hit.item, self._weight * len(wanted & set(_words(hit.item.name, hit.item.description))))
            for hit in hits
        ]
        return sorted(scored, key=lambda hit: -hit.score)


def _words(name: str, description: str) -> list[str]:
    return f"{name.replace('_', ' ')} {description}".lower().replace(".", " ").split()
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
    "generator": (
        "register_generators",
        Template('''\
"""Toolhaft plugin: the generator $name."""

from __future__ import annotations

from collections.abc import AsyncIterator

from toolhaft.generators.base import Drops, Environment, Generator
from toolhaft.hooks import hookimpl
from toolhaft.tools.catalog import Catalog
from toolhaft.types import Gold, Task, ToolCall


class $class_name(Generator):
    """Makes a task of each tool that can be called without arguments."""

    name = "$name"

    async def generate(
        self,
        catalog: Catalog,
        *,
        n: int,
        seed: int = 0,
        environment: Environment | None = None,
        drops: Drops | None = None,
    ) -> AsyncIterator[Task]:
        """Yield a task for each such tool, the call that solves it as gold."""
        made = 0
        for spec in catalog.specs():
            if spec.required:
                if drops is not None:
                    drops.add("needs arguments", spec.name)
            elif made < n:
                made += 1
                gold = Gold(tools=(spec.name,), calls=(ToolCall(id="1", name=spec.name),))
                yield Task(id=f"$name-{made}", instruction=spec.description, gold=gold)
'''),
    ),
    "planner": (
        "register_planners",
        Template('''\
"""Toolhaft plugin: the planner $name."""

from __future__ import annotations

from toolhaft.hooks import hookimpl
from toolhaft.planners.react import ReAct

SYSTEM = """\\
Say in one sentence what you will do. Then call tools, one step after the other.
Answer from what they return.
"""


class $class_name(ReAct):
    """ReAct with a system prompt of its own. A search of another kind derives from `Planner` itself."""

    name = "$name"

    def __init__(self, *, system: str = SYSTEM, repeats: int = 3) -> None:
        super().__init__(system=system, repeats=repeats)
'''),
    ),
    "command": (
        "register_commands",
        Template('''\
"""Toolhaft plugin: the command $name, as in ``toolhaft $name``."""

from __future__ import annotations

from typing import Annotated

import typer

from toolhaft import open_catalog
from toolhaft.hooks import hookimpl


def $class_name(location: Annotated[str, typer.Argument(help="Of a catalog.")]) -> None:
    """Say how many tools a catalog has."""
    with open_catalog(location) as catalog:
        typer.echo(f"{len(catalog)} tools")
'''),
    ),
}
"""Hook and module text by kind."""
