"""Types, numbers and choices inside schemas, made fit for JSON Schema 2020-12."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

from toolhaft.openapi.documents.cleaning import clean_value
from toolhaft.openapi.documents.yaml12 import written

TYPES = frozenset({"null", "boolean", "object", "array", "number", "string", "integer"})
_LARGEST = 2**63


def declared_types(node: dict[str, Any]) -> list[str]:
    """Return the types that a schema names, null included where ``nullable`` says so; none is any."""
    given = node.get("type")
    names = given if isinstance(given, list) else [given]
    found = ["string" if name == "file" else name for name in names if isinstance(name, str)]
    known = [name for name in dict.fromkeys(found) if name in TYPES]
    if len(known) != len(set(found)) or any(isinstance(name, dict) for name in names):
        return []  # a type that no one knows may be anything
    if is_nullable(node) and known and "null" not in known:
        known.append("null")
    return known


def is_nullable(node: dict[str, Any]) -> bool:
    """Whether a schema says, as no JSON Schema does, that it takes null."""
    return node.get("nullable") is True or node.get("x-nullable") is True


def choice(value: Any, as_string: bool) -> Any:
    """Return a value of an enum; where texts are wanted, a number is its text in the document."""
    if as_string and isinstance(value, int | float):
        return written(value)
    return clean_value(value)


def distinct(values: list[Any]) -> list[Any]:
    """Return the values without repetition; 1, 1.0 and true are three."""
    found: dict[str, Any] = {}
    for value in values:
        found.setdefault(f"{type(value).__name__}{value!r}", value)
    return list(found.values())


def fits(value: Any, types: list[str], choices: list[Any] | None) -> bool:
    """Whether a default agrees with types and choices."""
    if choices is not None and value not in choices:
        return False
    return not types or any(_is_type(value, name) for name in types)


def _is_type(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if isinstance(value, int):
        return name in ("integer", "number")
    if isinstance(value, float):
        return name == "number" or (name == "integer" and value.is_integer())
    return name == {str: "string", list: "array", dict: "object", type(None): "null"}.get(type(value))


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether a value is a finite number that every JSON reader takes."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 2 * _LARGEST


def plain_number(value: Any) -> int | float:
    """Return a number without how it was written."""
    return int(value) if isinstance(value, int) else float(value)
