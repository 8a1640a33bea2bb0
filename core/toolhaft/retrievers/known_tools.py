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
        self._gone: set[str] = set()

    @property
    def changed(self) -> bool:
        """Whether they are other tools than the catalog's."""
        return bool(self._put or self._gone)

    def keyed(self) -> Iterator[tuple[str, ToolSpec]]:
        """Yield each tool with its key, in order."""
        rest = dict(self._put)
        seen: dict[str, int] = {}
        for spec in self.specs:
            name = spec.name
            if name in self._put or name in self._gone:
                if name in rest:
                    yield name, rest.pop(name)
            elif self.specs.place is not None:
                yield name, spec
            else:
                count = seen[name] = seen.get(name, 0) + 1
                key = name if count == 1 else f"{name}#{count}"
                if count > 1:
                    self._again[key] = spec
                yield key, spec
        yield from rest.items()

    def find(self, keys: Iterable[str]) -> list[ToolSpec | None]:
        """Return the tools of keys, read at once; None for what the catalog has no more."""
        wanted = list(keys)
        own = {key: self._put.get(key) or self._again.get(key) for key in wanted}
        left = [key for key, spec in own.items() if spec is None and key not in self._gone]
        there = {spec.name: spec for spec in self.specs.several(left)}
        return [own[key] or there.get(key) for key in wanted]

    def change(self, put: Iterable[ToolSpec], remove: Iterable[str]) -> tuple[list[ToolSpec], list[str]]:
        """Take in changes; return the tools to put, one of a name, and the keys to remove."""
        gone = dict.fromkeys(remove)
        for name in gone:
            self._put.pop(name, None)
        added = {spec.name: spec for spec in put}
        self._put |= added
        self._gone = (self._gone | gone.keys()) - added.keys()
        again = [key for key in self._again if key.partition("#")[0] in gone.keys() | added.keys()]
        for key in again:
            del self._again[key]
        return list(added.values()), [*gone, *again]
