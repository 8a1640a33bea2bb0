"""One value against its type and against the values that are acceptable."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OMITTED = ""
"""Among acceptable values: the argument may be left out."""
_DEEPEST = 50
_IGNORED = re.compile(r"[ ,./\-_*^]")
_TYPES: Mapping[str, type] = {
    "string": str,
    "integer": int,
    "float": float,
    "number": float,
    "boolean": bool,
    "array": list,
    "tuple": list,
    "dict": dict,
    "object": dict,
    "any": str,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """The first thing that is wrong.

    Attributes:
        kind: ``wrong_count``, ``wrong_function``, ``missing_argument``, ``unexpected_argument``,
            ``wrong_type`` or ``wrong_value``.
        where: JSON pointer into the calls, as ``/0/area/2``.
        expected: What would be right, as JSON values.
        found: What was there.
    """

    kind: str
    where: str
    expected: Any = None
    found: Any = None

    def __str__(self) -> str:
        return (
            f"{self.kind.replace('_', ' ')} at {self.where}: {self.found!r:.100}, not {self.expected!r:.160}"
        )


def judge_value(
    value: Any, schema: Mapping[str, Any], accepted: Sequence[Any], text: Callable[[str], str]
) -> str:
    """Return ``wrong_type``, ``wrong_value``, or nothing where the value is acceptable.

    Args:
        value: As the model gave it.
        schema: Of the parameter, in the data set's own types or those of JSON Schema.
        accepted: Values that are acceptable; ``""`` among them says that it may be left out, and no more.
        text: How a string is written before it is compared.
    """
    wanted = [one for one in accepted if one != OMITTED]
    if not _fits_type(value, schema, wanted, 0):
        return "wrong_type"
    return "" if any(_equal(one, value, text, 0) for one in wanted) else "wrong_value"


def standardise(text: str) -> str:
    """Return a string without case, blanks and the signs ``,./-_*^``, and with one kind of quote."""
    return _IGNORED.sub("", text).lower().replace("'", '"')


def type_of(schema: Mapping[str, Any]) -> type:
    """Return the type that a parameter is documented to have; that of ``any`` is text."""
    name = schema.get("type", "any")
    return _TYPES.get(name, str) if isinstance(name, str) else str


def named_type(schema: Mapping[str, Any]) -> str:
    """Return a documented type for a reader: ``array of float``."""
    items = schema.get("items")
    inner = f" of {items.get('type', 'any')}" if isinstance(items, Mapping) else ""
    return f"{schema.get('type', 'any')}{inner}"


def _fits_type(value: Any, schema: Mapping[str, Any], known: Sequence[Any], depth: int) -> bool:
    """Return whether a value has the documented type at every depth, or that of an acceptable one."""
    if depth > _DEEPEST:
        return False
    wanted, found = type_of(schema), _type(value)
    if found is not wanted and not (wanted is float and found is int):
        return any(found is _type(one) for one in known)
    items = schema.get("items")
    if found is list and isinstance(items, Mapping):
        inner = [element for one in known if isinstance(one, list) for element in one]
        return all(_fits_type(element, items, inner, depth + 1) for element in value)
    return True


def _type(value: Any) -> type:
    return list if isinstance(value, tuple) else type(value)


def _equal(
    accepted: Any, value: Any, text: Callable[[str], str], depth: int = 0, *, within: bool = False
) -> bool:
    """Return whether a value is the acceptable one, at any depth: 1 is 1.0, and is not true.

    Members of an object list their acceptable values; those ``within`` another may be given as they are.
    """
    if depth > _DEEPEST or isinstance(accepted, bool) is not isinstance(value, bool):
        return False
    if isinstance(accepted, str) and isinstance(value, str):
        return text(accepted) == text(value)
    if isinstance(accepted, list) and isinstance(value, list | tuple):
        return len(accepted) == len(value) and all(
            _equal(one, other, text, depth + 1, within=within)
            for one, other in zip(accepted, value, strict=True)
        )
    if isinstance(accepted, dict) and isinstance(value, dict):
        return all(key in accepted for key in value) and all(
            OMITTED in options
            if key not in value and isinstance(options, list)
            else key in value and _fits_member(options, value[key], text, depth + 1, within)
            for key, options in accepted.items()
        )
    return bool(accepted == value)


def _fits_member(options: Any, value: Any, text: Callable[[str], str], depth: int, within: bool) -> bool:
    if isinstance(options, list):
        wanted = [one for one in options if one != OMITTED]
        if any(_equal(one, value, text, depth, within=True) for one in wanted):
            return True
        if not within:
            return False
    return _equal(options, value, text, depth, within=True)
