"""What the rules of a service can change at all, whoever calls it with whatever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolhaft.world.changes import kind_of, tokens

_ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What the operations of a service can change.

    Attributes:
        made: Collections that records are added to.
        gone: Collections that records are removed from.
        fields: Fields of records that are written, by collection; ``*`` is any.
    """

    made: frozenset[str]
    gone: frozenset[str]
    fields: Mapping[str, frozenset[str]]

    def touches(self, path: str, where: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
        """Whether what a check looks at can become different.

        Args:
            path: Of the check, after the name of the service.
            where: The check's conditions on records; empty if it has none.
            state: Of the service at the beginning.
        """
        parts = path.strip("/").split("/")
        collection = parts[0]
        if not collection or collection not in state or collection == "last_id":
            return bool(self.made or self.gone or self.fields)
        written = self.fields.get(collection, frozenset())
        if len(parts) == 1:
            several = collection in self.made or collection in self.gone
            return several or bool(written & {_ANY, *(_first(name) for name in where)})
        selects, exists = parts[1].startswith("["), parts[1] in state[collection]
        if selects or not exists:
            return collection in self.made or (selects and bool(written or collection in self.gone))
        if collection in self.gone:
            return True
        if len(parts) == 2:
            return bool(written)
        return bool(written & {_ANY, parts[2]})


def reach_of(rules: Mapping[str, Any]) -> Reach:
    """Return what rules that were checked can change."""
    made: set[str] = set()
    gone: set[str] = set()
    fields: dict[str, set[str]] = {}
    for rule in rules["operations"].values():
        for row in (rule or {}).get("change", ()):
            kind = kind_of(row)
            collection, *inner = [row[kind]] if kind == "insert" else tokens(row[kind])
            written = set(row["values"]) if "values" in row else set()
            if kind == "insert":
                made.add(collection)
            elif len(inner) > 1:
                written.add(_ANY if "${" in inner[1] or inner[1].startswith("[") else inner[1])
            elif kind == "remove":
                gone.add(collection)
            elif kind == "set":
                made.add(collection)
                written.add(_ANY)
            if written:
                fields.setdefault(collection, set()).update(map(_first, written))
    return Reach(
        made=frozenset(made),
        gone=frozenset(gone),
        fields={name: frozenset(names) for name, names in fields.items()},
    )


def _first(pointer: str) -> str:
    return pointer.lstrip("/").split("/")[0]
