"""The arguments of one tool as rules of a grammar.

The engine's own rule for an object wants its properties in the order of the schema. Models write them in any
order, and one that is passed over could not be written any more; so the rules for the outermost object are
written here: one for each set of properties that may be there already.
"""

from __future__ import annotations

import json
from typing import Any

from toolhaft.types import ToolSpec

MOST_FREE = 8
"""Properties that may stand in any order; of more, the order is that of the schema."""

_SPACE = {"whitespace_flexible": True, "whitespace_pattern": r"[ \n\t]{0,8}"}
_LENIENT = {"lenient": True, "coerce_one_of": True}
_PLAIN = {
    "type",
    "properties",
    "required",
    "additionalProperties",
    "title",
    "description",
    "examples",
    "default",
    "$defs",
    "$schema",
}
"""Keywords of an object whose properties can be looked at one by one."""


def count_orders(spec: ToolSpec) -> int:
    """Return how many rules' alternatives it takes to let the properties of a tool stand in any order."""
    count = len(spec.properties)
    return count << count - 1 if 2 <= count <= MOST_FREE else 0


def argument_rules(spec: ToolSpec, name: str, *, any_order: bool = True) -> tuple[list[str], str]:
    """Return rules for the arguments of a tool, and what of its schema they do not hold to.

    Args:
        spec: The tool.
        name: Of the rule, and the beginning of those that it needs.
        any_order: Whether there is room for properties in any order.
    """
    free = _free_rules(spec, name) if any_order else None
    if free is not None:
        return free, ""
    schema, note = _supported(spec)
    return [f"{name}: %json {json.dumps(schema)}"], note


def _free_rules(spec: ToolSpec, name: str) -> list[str] | None:
    """Return rules for properties in any order, or None where the schema does not allow to part them."""
    schema = spec.parameters
    names = list(spec.properties)
    required = schema.get("required", [])
    if (
        not set(schema) <= _PLAIN
        or not 2 <= len(names) <= MOST_FREE
        or schema.get("type", "object") != "object"
        or schema.get("additionalProperties", False) is not False
        or not isinstance(required, list)
        or not set(map(str, required)) <= set(names)
        or not _refers_to_definitions(spec.properties)
    ):
        return None
    shared = {"$defs": schema["$defs"]} if "$defs" in schema else {}
    rules = []
    for number, inner in enumerate(spec.properties.values()):
        if not isinstance(inner, dict):
            return None
        own = {key: value for key, value in inner.items() if key != "x-guidance"}
        part = {**shared, **own, "x-guidance": _SPACE}
        if _problem(part):
            return None
        key = json.dumps(json.dumps(names[number], ensure_ascii=False), ensure_ascii=False)
        rules.append(f'{name}_member_{number}: {key} SPACE? ":" SPACE? {name}_value_{number}')
        rules.append(f"{name}_value_{number}: %json {json.dumps(part)}")
    needed = sum(1 << names.index(each) for each in set(map(str, required)))
    for there in range(1 << len(names)):
        rules.append(_state(name, there, needed, len(names)))
    return [f'{name}: "{{" SPACE? {name}_with_0', *rules]


def _state(name: str, there: int, needed: int, count: int) -> str:
    """Return what may follow where some properties, the bits of ``there``, are written."""
    follows = ['"}"'] if there & needed == needed else []
    comma = '"," SPACE? ' if there else ""
    for number in range(count):
        if not there >> number & 1:
            follows.append(f"{comma}{name}_member_{number} SPACE? {name}_with_{there | 1 << number}")
    return f"{name}_with_{there}: {' | '.join(follows)}"


def _refers_to_definitions(value: Any, depth: int = 60) -> bool:
    """Whether every reference leads to ``$defs``, which each part of a schema is given."""
    if depth == 0:
        return False
    if isinstance(value, dict):
        target = value.get("$ref", "#/$defs/")
        known = not isinstance(target, str) or target.startswith("#/$defs/")
        return (
            known
            and "$dynamicRef" not in value
            and all(_refers_to_definitions(inner, depth - 1) for inner in value.values())
        )
    return not isinstance(value, list) or all(_refers_to_definitions(inner, depth - 1) for inner in value)


def _supported(spec: ToolSpec) -> tuple[dict[str, Any], str]:
    """Return as much of a tool's schema as the grammar engine can hold a model to, and what it cannot."""
    schema = {key: value for key, value in spec.parameters.items() if key != "x-guidance"}
    schema.setdefault("type", "object")
    if not set(schema) & {"additionalProperties", "patternProperties", "$ref", "allOf", "anyOf", "oneOf"}:
        schema["additionalProperties"] = False  # an argument that nobody declared helps no tool
    strict = {**schema, "x-guidance": _SPACE}
    problem = _problem(strict)
    if not problem:
        return strict, ""
    lenient = {**schema, "x-guidance": _SPACE | _LENIENT}
    if not _problem(lenient):
        return lenient, f"a part of its schema is not held to: {problem}"
    return {"type": "object", "x-guidance": _SPACE}, f"its schema is not held to: {problem}"


def _problem(schema: dict[str, Any]) -> str:
    """Return why a schema has no grammar, or nothing."""
    from llguidance import LLMatcher

    try:
        source = LLMatcher.grammar_from_json_schema(json.dumps(schema))
    except (ValueError, TypeError, RecursionError) as error:
        return " ".join(str(error).split())[:200]
    failed, messages = LLMatcher.validate_grammar_with_warnings(source)
    return " ".join(" ".join(messages).split())[:200] if failed else ""
