"""The limits of OpenAI's strict mode, held by giving up what is largest or deepest."""

from __future__ import annotations

from typing import Any

from toolhaft.tools.profiles.base import PREFIX, SCALARS, Given
from toolhaft.tools.subschemas import children, map_children, reached

MOST_LEVELS = 10
MOST_PROPERTIES = 5_000
MOST_CHOICES = 1_000
LONGEST_NAMES = 120_000
LARGE_ENUM = 250
LONGEST_LARGE_ENUM = 15_000
_FEWEST_CHOICES = 8


def hold_limits(schema: dict[str, Any], given: Given) -> dict[str, Any]:
    """Return a strict schema within the limits of levels, properties, choices and names."""
    made = _hold_choices(schema, given)
    made = _Levels(made, given).hold()
    properties, names = _count(made)
    if properties <= MOST_PROPERTIES and names <= LONGEST_NAMES:
        return made
    given.note("", "too many properties for strict mode: only plain arguments are left")
    anything = {"anyOf": [*({"type": kind} for kind in SCALARS), {"type": "null"}]}
    kept = {}
    for name, node in list(made["properties"].items())[:MOST_PROPERTIES]:
        plain = node.get("type") in ("string", "number", "integer", "boolean") and "enum" not in node
        kept[name] = node if plain else anything
    return {
        **{key: value for key, value in made.items() if key != "$defs"},
        "properties": kept,
        "required": list(kept),
    }


def _walk(schema: dict[str, Any]) -> list[dict[str, Any]]:
    found, waiting = [], [schema]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting.extend(child for _, child in children(node))
    return found


def _count(schema: dict[str, Any]) -> tuple[int, int]:
    nodes = _walk(schema)
    names = [name for node in nodes for name in node.get("properties", ())]
    choices = [value for node in nodes for value in node.get("enum", ()) if isinstance(value, str)]
    return len(names), sum(map(len, [*names, *choices, *schema.get("$defs", ())]))


def _hold_choices(schema: dict[str, Any], given: Given) -> dict[str, Any]:
    """Turn the largest enums into plain types until all together are few enough."""
    enums = sorted((node["enum"] for node in _walk(schema) if "enum" in node), key=len, reverse=True)
    left = sum(map(len, enums))
    longest = 0
    dropped: set[int] = set()
    for values in enums:
        large = len(values) > LARGE_ENUM and sum(len(str(value)) for value in values) > LONGEST_LARGE_ENUM
        if (left > MOST_CHOICES and len(values) > _FEWEST_CHOICES) or left > 4 * MOST_CHOICES or large:
            dropped.add(id(values))
            left -= len(values)
            longest = max(longest, len(values))
    if not dropped:
        return schema
    given.note("", f"{len(dropped)} enums, the longest of {longest} values, are checked here alone")

    def change(node: dict[str, Any]) -> dict[str, Any]:
        made = map_children(node, change)
        if "enum" in node and id(node["enum"]) in dropped:
            shown = ", ".join(str(value) for value in node["enum"][:5])
            text = f"{node.get('description', '')} For example {shown}.".strip()
            made = {**{key: value for key, value in made.items() if key != "enum"}, "description": text}
        return made

    return change(schema)


class _Levels:
    """Finds how deep objects are nested, definitions included, and cuts what is too deep."""

    def __init__(self, schema: dict[str, Any], given: Given) -> None:
        self._schema = schema
        self._given = given
        self._depths: dict[str, int] = {}
        self._open: set[str] = set()

    def hold(self) -> dict[str, Any]:
        if self._depth(self._schema) <= MOST_LEVELS:
            return self._schema
        self._given.note("", f"what is nested deeper than {MOST_LEVELS} objects is given up")
        levels = self._levels()
        made = self._cut(self._schema, 0)
        definitions = {
            name: self._cut(node, levels.get(name, 0)) for name, node in self._schema.get("$defs", {}).items()
        }
        made = {key: value for key, value in made.items() if key != "$defs"}
        return {**made, "$defs": kept} if (kept := reached(made, definitions)) else made

    def _depth(self, node: dict[str, Any]) -> int:
        inner = 0
        for step, child in children(node):
            if step[0] != "$defs":
                inner = max(inner, self._depth(child))
        name = _name(node)
        if name and name not in self._open:
            if name not in self._depths:
                self._open.add(name)
                self._depths[name] = self._depth(self._schema.get("$defs", {}).get(name, {}))
                self._open.discard(name)
            inner = max(inner, self._depths[name])
        return inner + ("properties" in node)

    def _levels(self) -> dict[str, int]:
        """Return the deepest level at which each definition is entered, without going round in circles."""
        found: dict[str, int] = {}
        definitions = self._schema.get("$defs", {})

        def visit(node: dict[str, Any], level: int, inside: tuple[str, ...]) -> None:
            below = level + ("properties" in node)
            for step, child in children(node):
                if step[0] != "$defs":
                    visit(child, below, inside)
            name = _name(node)
            if name and name not in inside and below > found.get(name, -1):
                found[name] = min(below, MOST_LEVELS)
                if below < MOST_LEVELS:
                    visit(definitions.get(name, {}), below, (*inside, name))

        visit(self._schema, 0, ())
        return found

    def _cut(self, node: dict[str, Any], level: int) -> dict[str, Any]:
        if "properties" in node and level >= MOST_LEVELS:
            return _stub(node)
        below = level + ("properties" in node)
        made = map_children(node, lambda child: self._cut(child, below))
        return _stub(node) if _name(node) and below >= MOST_LEVELS else made


def _stub(node: dict[str, Any]) -> dict[str, Any]:
    """Return a plain value in place of an object that stands too deep."""
    made: dict[str, Any] = {"type": ["string", "null"]}
    return {**made, "description": f"{node.get('description', '')} JSON, written as text.".strip()}


def _name(node: dict[str, Any]) -> str:
    reference = node.get("$ref")
    return reference.removeprefix(PREFIX) if isinstance(reference, str) else ""
