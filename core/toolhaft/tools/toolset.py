"""The tools that are offered in one rollout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from toolhaft.tools.base import Tool
from toolhaft.tools.catalog import Catalog
from toolhaft.types import Observation, ToolCall, ToolSpec


class ToolSet:
    """A live selection from a catalog: a planner reads it anew each step, a tool search may grow it.

    A planner that goes back to an earlier point gives each of its branches a `branch`, so that what is
    offered at a point depends on what was done on the way to it alone.

    Args:
        catalog: Where the tools are.
        names: Which are offered at first; None offers all.
    """

    def __init__(self, catalog: Catalog, names: Iterable[str] | None = None) -> None:
        self._catalog = catalog
        self._offered: dict[str, None] = dict.fromkeys(catalog.names if names is None else names)
        self._specs: tuple[ToolSpec, ...] | None = None

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """Specs of the offered tools; the same tuple object until something is added or removed."""
        if self._specs is None:
            self._specs = self._read()
        return self._specs

    def spec(self, name: str) -> ToolSpec:
        """Return the spec of a tool of the catalog; one in a file is not made before it is called.

        Raises:
            UnknownNameError: The catalog has no such tool.
        """
        try:
            return self._catalog.specs().named(name)
        except KeyError:
            return self._catalog.spec(name)

    def _read(self) -> tuple[ToolSpec, ...]:
        """Return the specs of the offered tools, read at once; raises as `spec` does."""
        found = {spec.name: spec for spec in self._catalog.specs().several(self._offered)}
        return tuple(found.get(name) or self.spec(name) for name in self._offered)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the offered tools."""
        return tuple(self._offered)

    def get(self, name: str) -> Tool | None:
        """Return an offered tool, or None if no tool of this name is offered."""
        return self._catalog.get(name) if name in self._offered else None

    def check(self, spec: ToolSpec, arguments: Mapping[str, Any]) -> None:
        """Raise `toolhaft.errors.InvalidArgumentsError` unless the arguments fit the spec."""
        self._catalog.check(spec, arguments)

    def add(self, *names: str) -> None:
        """Offer more tools of the catalog.

        Raises:
            UnknownNameError: The catalog has no such tool.
        """
        for name in names:
            if name not in self._offered:
                self.spec(name)
                self._offered[name] = None
                self._specs = None

    def remove(self, *names: str) -> None:
        """Stop offering tools."""
        for name in names:
            if self._offered.pop(name, self) is None:
                self._specs = None

    def note(self, call: ToolCall, observation: Observation) -> None:
        """Take what a call returned, as `toolhaft.tools.execute` tells it; the default does nothing with it.

        Args:
            call: One that was answered: by its tool, by a journal, or by an earlier answer that stands.
            observation: What came back.
        """

    def grow(self) -> None:
        """Offer what was found since the last time; a record does so before each step. Here: nothing."""

    def branch(self) -> ToolSet:
        """Return what a path of its own is offered: a copy where the set grows by itself, else the set."""
        return self

    def __len__(self) -> int:
        return len(self._offered)
