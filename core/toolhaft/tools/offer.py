"""The tools that are offered in a rollout that searches for more: how the offer grows, and what leaves it.

Providers keep what they computed of a prompt for as long as its beginning stays what it was, byte for byte,
and tools stand at its beginning. So what is found comes last, what is found again stays where it is, and
what leaves does so in batches: each costs one prompt that is read anew from there on, and not one each step.

Source: the caching of prompt prefixes is that of the providers (OpenAI and Anthropic, "Prompt caching"). What
was found least recently leaves first, as in P. Denning, "The working set model for program behavior", CACM
11(5), 1968; here what was called stays whatever its age, and tools leave from a high mark down to a low one,
as operating systems free pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from toolhaft.errors import UsageError
from toolhaft.tools.base import Tool
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.memory import canonical
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import Observation, ToolCall, ToolSpec

SEARCH = "toolhaft:find_tools"
"""``ToolSpec.source`` of every tool that searches for tools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferLimit:
    """How much may be offered at once.

    Attributes:
        tools: Most tools, the one that searches left out, at least 1.
        characters: Most characters that they take up in a prompt, about four to a token.
        left: Share of both that is left when some have to go, above 0 and below 1.

    Raises:
        UsageError: A value is out of range.
    """

    tools: int = 48
    characters: int = 64_000
    left: float = 0.5

    def __post_init__(self) -> None:
        if self.tools < 1 or self.characters < 1 or not 0 < self.left < 1:
            raise UsageError(
                "a limit of what is offered is out of range",
                where=f"{self}",
                hint="tools and characters are at least 1, left lies between 0 and 1",
            )


class GrowingTools(ToolSet):
    """Tools that are offered at first, the one that searches before them, and what it finds behind them.

    What a call of the searching tool returned is offered from the next step on. It is read from the
    observation alone, so that a rollout which is replayed, or reuses an earlier answer, is offered the same.

    Where more would be offered than the limit allows, the least recently found tools leave until its share
    is left; those of the first offer leave only where that makes too little room, and no more of them than
    have to. A tool that was called on this path, one that was found in the step before, and the searching
    tool never leave. The order of those that stay is what it was.

    Args:
        catalog: Where the tools are.
        names: Which are offered at first.
        finder: The tool that searches; its name must be none of the catalog's.
        limit: How much may be offered.

    Raises:
        UsageError: The catalog has a tool of the finder's name.
    """

    def __init__(
        self, catalog: Catalog, names: Iterable[str], *, finder: Tool, limit: OfferLimit | None = None
    ) -> None:
        if finder.spec.name in catalog:
            raise UsageError(
                f"the catalog has a tool named {finder.spec.name!r} itself",
                hint="Give the one that searches another name",
            )
        super().__init__(catalog, names)
        self.finder = finder
        self.limit = limit if limit is not None else OfferLimit()
        self._first = frozenset(self._offered)
        self._turn = 0
        self._found_at: dict[str, int] = {}
        self._called: set[str] = set()
        self._waiting: list[str] = []
        self._sizes: dict[str, int] = {}

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """Specs of the offered tools, the one that searches first; the same object until they change."""
        if self._specs is None:
            self._specs = (self.finder.spec, *self._read())
        return self._specs

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the offered tools, the one that searches first."""
        return (self.finder.spec.name, *self._offered)

    def get(self, name: str) -> Tool | None:
        """Return an offered tool, or None if no tool of this name is offered."""
        return self.finder if name == self.finder.spec.name else super().get(name)

    def __len__(self) -> int:
        return len(self._offered) + 1

    def note(self, call: ToolCall, observation: Observation) -> None:
        """Take what a call returned; see `ToolSet.note`."""
        if call.name == self.finder.spec.name:
            self._waiting += found_names(observation)
        elif call.name in self._offered:
            self._called.add(call.name)

    def grow(self) -> None:
        """Offer what was found since the last time, and let go of what there is no room for."""
        found = [name for name in dict.fromkeys(self._waiting) if name in self._catalog]
        self._waiting.clear()
        if not found:
            return
        self._turn += 1
        self._found_at.update(dict.fromkeys(found, self._turn))
        self.add(*found)
        leaving = self._leaving()
        self.remove(*leaving)
        for name in leaving:
            self._found_at.pop(name, None)

    def branch(self) -> GrowingTools:
        """Return a copy that grows by itself."""
        copy = GrowingTools(self._catalog, (), finder=self.finder, limit=self.limit)
        copy._offered = dict(self._offered)
        copy._specs = self._specs
        copy._first = self._first
        copy._turn = self._turn
        copy._found_at = dict(self._found_at)
        copy._called = set(self._called)
        copy._waiting = list(self._waiting)
        copy._sizes = self._sizes
        return copy

    def _leaving(self) -> Sequence[str]:
        """Return the names of the tools that have to go, none where all have room."""
        limit = self.limit
        tools, characters = len(self._offered), sum(map(self._size, self._offered))
        if tools <= limit.tools and characters <= limit.characters:
            return ()
        order = {name: position for position, name in enumerate(self._offered)}
        free = [name for name in order if name not in self._called and self._found_at.get(name) != self._turn]
        # Of one search, the last hits go first: that leaves more of the prompt what it was.
        free.sort(key=lambda name: (name in self._first, self._found_at.get(name, 0), -order[name]))
        leaving = []
        for name in free:
            share = 1.0 if name in self._first else limit.left
            if tools <= limit.tools * share and characters <= limit.characters * share:
                break
            leaving.append(name)
            tools -= 1
            characters -= self._size(name)
        return leaving

    def _size(self, name: str) -> int:
        if name not in self._sizes:
            self._sizes[name] = prompt_size(self.spec(name))
        return self._sizes[name]


def found_names(observation: Observation) -> list[str]:
    """Return the names that a search for tools returned, best first; none where it failed."""
    value = observation.value() if observation.error is None else None
    tools = value.get("tools") if isinstance(value, dict) else None
    listed = tools if isinstance(tools, list) else []
    names = [entry.get("name") for entry in listed if isinstance(entry, dict)]
    return [name for name in names if isinstance(name, str)]


def prompt_size(spec: ToolSpec) -> int:
    """Return the characters that a model is shown of a tool."""
    return len(spec.name) + len(spec.description) + len(canonical(spec.parameters))
