"""The APIs of an import by category, tool and name, in any spelling that becomes ToolBench's."""

from __future__ import annotations

from functools import lru_cache

from toolhaft.errors import nearest_names
from toolhaft.types import ToolSpec
from toolhaft_rapidapi.importing import Import
from toolhaft_rapidapi.standard import standard_category, standard_name, standard_word

_KEPT = 4096
Place = tuple[str, str, str]


class Directory:
    """Finds APIs; their tools are built when they are first found.

    Args:
        found: The import.
    """

    def __init__(self, found: Import) -> None:
        self._found = found
        self._names: dict[Place, list[str]] = {}
        for name, record in sorted(found.records.items()):
            self._names.setdefault(_place(*record.identity), []).append(name)
        self._spec = lru_cache(maxsize=_KEPT)(self._build)

    def __len__(self) -> int:
        return len(self._found.records)

    def find(self, category: str, tool: str, api: str) -> tuple[ToolSpec, ...]:
        """Return the specs of all APIs that are spelled so, by name; mostly one, or none."""
        return tuple(self._spec(name) for name in self._names.get(_place(category, tool, api), ()))

    def missing(self, category: str, tool: str, api: str) -> str:
        """Return in words which of the three is not there, with the nearest that are."""
        wanted = _place(category, tool, api)
        categories = dict.fromkeys(place[0] for place in self._names)
        if wanted[0] not in categories:
            return _unknown("category", category, list(categories))
        tools = dict.fromkeys(place[1] for place in self._names if place[0] == wanted[0])
        if wanted[1] not in tools:
            return _unknown("tool", tool, list(tools))
        return _unknown("API", api, [place[2] for place in self._names if place[:2] == wanted[:2]])

    def _build(self, name: str) -> ToolSpec:
        return self._found.build(name).spec


def _place(category: str, tool: str, api: str) -> Place:
    return standard_category(category).lower(), standard_name(tool), standard_word(api)


def _unknown(kind: str, name: str, known: list[str]) -> str:
    nearest = nearest_names(name, known)
    hint = f"; the nearest are {', '.join(nearest)}" if nearest else ""
    return f"there is no {kind} {name[:80]!r}{hint}"
