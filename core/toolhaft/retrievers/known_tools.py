"""The tools behind an index that knows names alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from toolhaft.tools.specs import Specs, as_specs
from toolhaft.types import ToolSpec


class KnownTools:
    """Tools by the key under which an index holds them, read when they are asked for.

    The key is the name; where tools that are held in memory share one, the later ones get a number behind
    it. A catalog file names each tool once.

    Args:
        specs: What is indexed.
    """

    def __init__(self, specs: Sequence[ToolSpec] = ()) -> None:
        self.specs: Specs = as_specs(specs)
        self._put: dict[str, ToolSpec] = {}
        self._again: dict[str, ToolSpec] = {}

    def keyed(self) -> Iterator[tuple[str, ToolSpec]]:
        """Yield each tool with its key, in order."""
        if self.specs.place is not None:
            yield from ((spec.name, spec) for spec in self.specs)
            return
        seen: dict[str, int] = {}
        for spec in self.specs:
            count = seen[spec.name] = seen.get(spec.name, 0) + 1
            key = spec.name if count == 1 else f"{spec.name}#{count}"
            if count > 1:
                self._again[key] = spec
            yield key, spec

    def find(self, key: str) -> ToolSpec | None:
        """Return the tool of a key; None if the catalog has it no more."""
        found = self._put.get(key) or self._again.get(key)
        if found is not None:
            return found
        try:
            return self.specs.named(key)
        except KeyError:
            return None

    def change(self, put: Iterable[ToolSpec], remove: Iterable[str]) -> tuple[list[ToolSpec], list[str]]:
        """Take in changes; return the tools to put, one of a name, and the keys to remove."""
        gone = dict.fromkeys(remove)
        for name in gone:
            self._put.pop(name, None)
        added = {spec.name: spec for spec in put}
        self._put |= added
        again = [key for key in self._again if key.partition("#")[0] in gone.keys() | added.keys()]
        for key in again:
            del self._again[key]
        return list(added.values()), [*gone, *again]
