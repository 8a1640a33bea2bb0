"""``allOf`` put together where that is exact; what cannot be merged stays a list."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from toolhaft.tools.merging import ANNOTATIONS, merge
from toolhaft.tools.subschemas import map_children

LARGEST = 1500
"""Characters of JSON that are repeated where a definition is extended; a larger one stays a reference."""
MOST_MEMBERS = 200
"""Members of an ``allOf`` that is merged; a longer one stays a list."""
PREFIX = "#/$defs/"
"""What the text of every reference begins with."""

_LONGEST_CHAIN = 24
_OF_THE_WHOLE = frozenset({"title", "description", "examples"})


class Composer:
    """Merges ``allOf`` in schemas of one document.

    A definition that an ``allOf`` extends is merged at the level of the ``allOf`` alone: what lies inside
    it keeps its own references, so that nothing is ever unrolled.

    Args:
        definition: Returns the schema of a definition, as it was converted.
    """

    def __init__(self, definition: Callable[[str], dict[str, Any]]) -> None:
        self._definition = definition
        self._flat: dict[str, dict[str, Any] | None] = {}

    def compose(self, schema: dict[str, Any], *, extend: bool = True) -> dict[str, Any]:
        """Return a schema with every ``allOf`` merged as far as that is exact.

        Args:
            schema: As it was converted; it is not changed.
            extend: Whether definitions may be merged into what extends them.
        """
        made = map_children(schema, lambda child: self.compose(child, extend=extend))
        return self._conjoin(made, extend, 0) if "allOf" in made else made

    def _conjoin(self, schema: dict[str, Any], extend: bool, depth: int) -> dict[str, Any]:
        members = _members(schema["allOf"])
        own = {key: value for key, value in schema.items() if key != "allOf"}
        if len(members) > MOST_MEMBERS:
            return {**own, "allOf": members}
        alone = len(members) == 1 and not own.keys() - ANNOTATIONS
        made: dict[str, Any] = {}
        left: list[dict[str, Any]] = []
        for member in members:
            flat: dict[str, Any] | None = member
            if "$ref" in member:
                flat = self._flat_member(member, depth) if extend and not alone else None
            merged = None if flat is None else merge(made, flat)
            if merged is None:
                left.append(member)
            else:
                made = merged
        merged = merge(made, own)
        if merged is None:
            return {**own, "allOf": [*left, made]}
        if not left:
            return merged
        if len(left) == 1 and not merged.keys() - ANNOTATIONS:
            return {**left[0], **merged}
        rest = {key: value for key, value in merged.items() if key != "allOf"}
        return {**rest, "allOf": [*left, *merged.get("allOf", ())]}

    def _flat_member(self, member: dict[str, Any], depth: int) -> dict[str, Any] | None:
        """Return what a member refers to without a reference at its top, or None if it must stay one."""
        if member.keys() - ANNOTATIONS != {"$ref"} or depth > _LONGEST_CHAIN:
            return None
        name = member["$ref"].removeprefix(PREFIX)
        if name not in self._flat:
            self._flat[name] = None if self._is_circular(name) else self._flatten(name, depth)
        return self._flat[name]

    def _flatten(self, name: str, depth: int) -> dict[str, Any] | None:
        schema = self._definition(name)
        flat: dict[str, Any] | None = map_children(schema, lambda child: self.compose(child, extend=False))
        if flat is not None and "$ref" in flat:
            flat = self._flat_member(flat, depth + 1)
        elif flat is not None and "allOf" in flat:
            flat = self._conjoin(flat, True, depth + 1)
        if flat is None:
            return None
        flat = {key: value for key, value in flat.items() if key not in _OF_THE_WHOLE}
        return flat if len(json.dumps(flat)) <= LARGEST else None

    def _is_circular(self, name: str) -> bool:
        """Whether a definition extends itself, over any number of steps."""
        waiting, seen = [name], set[str]()
        while waiting:
            for other in _extended(self._definition(waiting.pop())):
                if other == name:
                    return True
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return False


def _extended(schema: dict[str, Any]) -> list[str]:
    """Return the names of the definitions that a schema extends."""
    found: list[str] = []
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if "$ref" in node:
            found.append(node["$ref"].removeprefix(PREFIX))
        waiting.extend(node.get("allOf", ()))
    return found


def _members(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the members without repetition and without those that say nothing."""
    found = {json.dumps(member, sort_keys=True): member for member in reversed(listed) if member}
    return list(reversed(found.values()))
