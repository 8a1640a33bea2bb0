"""Values that exist: what the read tools of a catalog returned, by the name that each had there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from toolhaft.generators.schemas import Field, is_identifier, plain_name, singular
from toolhaft.types import ToolSpec

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOST_FOR_A_NAME = 200
_MOST_SEEN = 3_000
_LONGEST = 200
_NAMING = frozenset({"name", "title", "subject", "label", "city", "topic", "headline"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A value that was seen.

    Attributes:
        tool: The tool that returned it.
        parent: What the tool belongs to.
    """

    value: Any
    tool: str
    parent: str


class ValuePool:
    """Remembers what tools returned.

    Attributes:
        today: The day it is where the tools are, in ISO 8601; empty if none said so.
        seen: By tool, the places of the values that it returned.
    """

    def __init__(self) -> None:
        self.today = ""
        self.seen: dict[str, dict[tuple[str, ...], Field]] = {}
        self._by_name: defaultdict[str, dict[tuple[str, str], Known]] = defaultdict(dict)
        self._identifiers: dict[str, Known] = {}
        self._names: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._days: defaultdict[str, set[str]] = defaultdict(set)

    def __len__(self) -> int:
        return sum(len(values) for values in self._by_name.values())

    def add(self, spec: ToolSpec, value: Any, *, asked: bool = True) -> None:
        """Remember what a tool returned.

        Args:
            spec: The tool.
            value: Its result, as JSON.
            asked: Whether arguments were given; a date that a tool tells without any may be today's.
        """
        places = self.seen.setdefault(spec.name, {})
        for path, part in _plain_values(value):
            field = Field(path=path, schema={"type": _kind(part)})
            places.setdefault(path, field)
            self._learn(spec, field, part)
            if not asked and len(path) == 1 and field.name in ("date", "today") and _is_day(part):
                self.today = self.today or part

    def named(self, name: str, parent: str) -> list[Known]:
        """Return the values that stood under a name, those of the same parent first."""
        found = list(self._by_name.get(plain_name(name), {}).values())
        own = [known for known in found if known.parent == parent]
        return own or found

    def identifiers(self) -> list[Known]:
        """Return every identifier that was seen."""
        return list(self._identifiers.values())

    def names(self, parent: str) -> list[str]:
        """Return names and titles of things of a parent."""
        return list(self._names.get(parent, {}))

    def days(self, parent: str) -> list[str]:
        """Return the days that a parent's results speak of, earliest first."""
        return sorted(self._days.get(parent, ()))

    def _learn(self, spec: ToolSpec, field: Field, value: Any) -> None:
        if isinstance(value, bool) or value is None or value == "":
            return
        known = Known(value=value, tool=spec.name, parent=spec.parent)
        # A plain ``id`` is known elsewhere by the thing that it belongs to.
        names = [field.name]
        if field.name in ("id", "key", "name") and field.holder:
            names.append(f"{singular(field.holder)}_{field.name}")
        for name in names:
            values = self._by_name[plain_name(name)]
            if len(values) < _MOST_FOR_A_NAME:
                values.setdefault((spec.parent, repr(value)), known)
        if isinstance(value, str):
            if is_identifier(field.name, field.schema) and len(self._identifiers) < _MOST_SEEN:
                self._identifiers.setdefault(value, known)
            if field.name in _NAMING and len(self._names[spec.parent]) < _MOST_FOR_A_NAME:
                self._names[spec.parent].setdefault(value)
            if _is_day(value) and len(self._days[spec.parent]) < _MOST_FOR_A_NAME:
                self._days[spec.parent].add(value)


def _plain_values(value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Iterate over the values in a result that are no lists and no objects, with their places."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), value)]
    count = 0
    while waiting and count < _MOST_SEEN:
        path, part = waiting.pop(0)
        if len(path) > 8:
            continue
        if isinstance(part, dict):
            waiting += [((*path, str(name)), inner) for name, inner in part.items()]
        elif isinstance(part, list):
            waiting += [((*path, "*"), inner) for inner in part[:50]]
        elif path and not (isinstance(part, str) and len(part) > _LONGEST):
            count += 1
            yield path, part


def _is_day(value: Any) -> bool:
    return isinstance(value, str) and _DAY.fullmatch(value) is not None


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) else "number"
    return "null" if value is None else "string"
