"""Specs that tell how far somebody has read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from toolhaft.tools.specs import SpecChanges, Specs
from toolhaft.types import ToolSpec


class WatchedSpecs(Specs):
    """The same specs, and a call for each that is read in order.

    Args:
        specs: Read from these.
        seen: Called once for each spec.
    """

    def __init__(self, specs: Specs, seen: Callable[[], None]) -> None:
        self._specs = specs
        self._seen = seen

    @property
    def place(self) -> Path | None:
        """The catalog's file."""
        return self._specs.place

    @property
    def version(self) -> str:
        """What the content is called."""
        return self._specs.version

    def names(self) -> Iterator[str]:
        """Yield the names, in order."""
        return self._specs.names()

    def named(self, name: str) -> ToolSpec:
        """Return the spec of a name, or raise `KeyError`."""
        return self._specs.named(name)

    def changes(self, since: str) -> SpecChanges | None:
        """Return what changed since an earlier version, or None where that is not known."""
        return self._specs.changes(since)

    def __iter__(self) -> Iterator[ToolSpec]:
        for spec in self._specs:
            self._seen()
            yield spec

    def __len__(self) -> int:
        return len(self._specs)
