"""Tools that are made when they are first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping

from toolhaft.errors import UsageError
from toolhaft.tools.base import Tool


class LazyTools(Mapping[str, Tool]):
    """Tools that are made by their factories when first asked for, once each."""

    def __init__(self, entries: Mapping[str, Callable[[], Tool]]) -> None:
        self._entries = entries
        self._making = threading.RLock()
        self._made: dict[str, Tool] = {}

    def __getitem__(self, name: str) -> Tool:
        made = self._made.get(name)
        if made is None:
            with self._making:  # agents on other event loops ask too
                made = self._made.get(name)
                if made is None:
                    made = self._made[name] = self._make(name)
        return made

    def _make(self, name: str) -> Tool:
        made = self._entries[name]()
        if made.spec.name != name:
            raise UsageError(
                f"the tool made for {name!r} is named {made.spec.name!r}", hint="Give both the same name"
            )
        return made

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def made(self) -> tuple[Tool, ...]:
        """Return the tools that were made so far."""
        return tuple(self._made.values())
