"""Two JSON Schemas as one that accepts exactly what both accept, where there is such a schema."""

from __future__ import annotations

import math
from typing import Any

ANNOTATIONS = frozenset({"title", "description", "examples", "default", "deprecated"})
"""Keywords that accept everything."""

_LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_CLOSED = frozenset({"unevaluatedProperties", "unevaluatedItems"})
_ALONE = (
    frozenset({"if", "then", "else"}),
    frozenset({"contains", "minContains", "maxContains"}),
)
_PARTS = frozenset({"items", "propertyNames"})
_DEEPEST = 16


def merge(first: dict[str, Any], second: dict[str, Any], depth: int = 0) -> dict[str, Any] | None:
    """Return the intersection of two schemas, or None where it cannot be said without ``allOf``.

    Annotations of the second win; neither schema is changed, and the result may share parts of both.
    """
    if first == second or not second:
        return first
    if not first:
        return second
    if depth > _DEEPEST or not _independent(first, second):
        return None
    made = dict(first)
    for keyword, value in second.items():
        if keyword in ANNOTATIONS or keyword not in first:
            made[keyword] = value
        elif not same(first[keyword], value):
            united = _unite(keyword, first[keyword], value, depth)
            if united is None:
                return None
            made[keyword] = united
    return _with_choices(made)


def same(first: Any, second: Any) -> bool:
    """Whether two JSON values are equal; true is not 1."""
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, dict) and isinstance(second, dict):
        alike: bool = first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
        return alike
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second)


def _independent(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether the keywords of one say nothing about what those of the other accept."""
    if "$ref" in first or "$ref" in second or _CLOSED & (first.keys() | second.keys()):
        return False
    for group in _ALONE:
        if group & first.keys() and group & second.keys():
            return False
    for one, other in ((first, second), (second, first)):
        if one.get("additionalProperties", True) is not True and not _covers(one, other):
            return False
        if "prefixItems" in one and {"items", "prefixItems"} & other.keys():
            return False
    return True


def _covers(closed: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether a schema that limits further properties names all that another one names."""
    if not same(closed.get("patternProperties", {}), other.get("patternProperties", {})):
        return False
    return set(other.get("properties", ())) <= set(closed.get("properties", ()))


def _unite(keyword: str, first: Any, second: Any, depth: int) -> Any:
    """Return what one keyword says in both, or None where no single value does."""
    if keyword in _LOWER:
        return max(first, second)
    if keyword in _UPPER:
        return min(first, second)
    if keyword == "type":
        return _types(first, second)
    if keyword in ("properties", "patternProperties"):
        return _named(first, second, depth)
    if keyword == "required":
        return list(dict.fromkeys([*first, *second]))
    if keyword == "enum":
        return [value for value in first if any(same(value, other) for other in second)] or None
    if keyword == "allOf":
        return [*first, *second]
    if keyword == "dependentRequired":
        return _dependent(first, second)
    if keyword == "multipleOf" and isinstance(first, int) and isinstance(second, int):
        return math.lcm(first, second)
    return _unite_parts(keyword, first, second, depth)


def _unite_parts(keyword: str, first: Any, second: Any, depth: int) -> Any:
    if keyword == "additionalProperties" and isinstance(first, bool) and isinstance(second, bool):
        return first and second
    if keyword not in _PARTS or not isinstance(second, dict):
        return None
    if isinstance(first, bool):
        return second if first else False
    return _both(first, second, depth)


def _types(first: Any, second: Any) -> Any:
    left = first if isinstance(first, list) else [first]
    right = second if isinstance(second, list) else [second]
    found = [name for name in left if name in right or (name == "integer" and "number" in right)]
    if "integer" in right and "number" in left and "integer" not in found:
        found.append("integer")
    if not found:
        return None
    return found[0] if len(found) == 1 else found


def _named(first: dict[str, Any], second: dict[str, Any], depth: int) -> dict[str, Any]:
    made = dict(first)
    for name, schema in second.items():
        made[name] = _both(first[name], schema, depth) if name in first else schema
    return made


def _both(first: dict[str, Any], second: dict[str, Any], depth: int) -> dict[str, Any]:
    merged = merge(first, second, depth + 1)
    return {"allOf": [first, second]} if merged is None else merged


def _dependent(first: dict[str, list[str]], second: dict[str, list[str]]) -> dict[str, list[str]]:
    made = dict(first)
    for name, wanted in second.items():
        made[name] = list(dict.fromkeys([*first.get(name, []), *wanted]))
    return made


def _with_choices(made: dict[str, Any]) -> dict[str, Any] | None:
    """Drop an enum that a constant decides and a default that is none; None where nothing is left."""
    allowed = made.get("enum")
    if "const" in made:
        if allowed is not None and not any(same(made["const"], value) for value in allowed):
            return None
        allowed = [made["const"]]
        made.pop("enum", None)
    default = made.get("default")
    if default is not None and allowed is not None and not any(same(default, value) for value in allowed):
        del made["default"]
    return made
