"""Holding an index that was opened against the tools that it says it is of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set

from toolhaft.types import ToolSpec

_LOOKED_AT = 64
"""Tools whose texts are read for it, each about 0.1 ms, and several times that while words are new."""
_AT_ONCE = 2
"""How many of them for one query: the first is waited for."""


class Doubt:
    """Looks at the first hits of an index that another process wrote.

    Checksums tell a damaged index from a sound one, but not who wrote it. One that came with somebody's
    catalog may name tools that there are not, or rank a tool for words that it does not hold.

    Args:
        terms_of: Returns the search terms of a tool.
    """

    def __init__(self, terms_of: Callable[[ToolSpec], Iterable[str]]) -> None:
        self._terms_of = terms_of
        self._seen: set[str] = set()

    @property
    def settled(self) -> bool:
        """Whether enough was looked at."""
        return len(self._seen) >= _LOOKED_AT

    def is_wrong(self, hits: Iterable[tuple[str, ToolSpec | None]], wanted: Set[str]) -> bool:
        """Return whether a hit cannot be one, as far as hits are still looked at.

        Args:
            hits: Names and tools; None where the catalog has none of the name.
            wanted: Terms of the query.
        """
        read = 0
        for name, spec in hits:
            if spec is None:
                return True
            if read == _AT_ONCE or self.settled or name in self._seen:
                continue
            self._seen.add(name)
            read += 1
            if wanted.isdisjoint(self._terms_of(spec)):
                return True
        return False
