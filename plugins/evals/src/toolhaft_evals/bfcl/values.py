"""One value against its type and against the values that are acceptable."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Leniency:
    """How values are compared.

    Attributes:
        strings: Whether case, blanks and ``,./-_*^`` count for nothing in strings, and quotes are alike.
        compatible: Whether the published checker is followed where it is looser or stricter than its rules:
            `[]` for what may be omitted, types one level deep, 1 refused for 1.0 within a list.
    """

    strings: bool = True
    compatible: bool = False


def check_value(
    value: Any, schema: Mapping[str, Any], accepted: Sequence[Any], where: str, leniency: Leniency
) -> Mismatch | None:
    """Return what is wrong with a value; None if nothing is.

    Args:
        value: As the model gave it.
        schema: Of the parameter, in the data set's own types or those of JSON Schema.
        accepted: Values that are acceptable; ``""`` among them says that it may be left out.
        where: Pointer to it.
        leniency: How values are compared.
    """
    wanted = _type(schema)
    if isinstance(value, tuple):
        value = list(value)
    if wanted is float and type(value) is int:
        value = _as_float(value)
    known = next((type(one) for one in accepted if one != OMITTED), None)
    if type(value) is wanted:
        if not _elements_fit(value, schema, accepted, leniency):
            return Mismatch(kind="wrong_type", where=where, expected=_named(schema), found=value)
        free = known is not None and known is not wanted
    elif known is not None and type(value) is known:
        free = True  # the answers themselves are of another type than the documentation says
    else:
        return Mismatch(kind="wrong_type", where=where, expected=_named(schema), found=value)
    if free:
        alike = [
            one for one in accepted if leniency.compatible or isinstance(one, bool) is isinstance(value, bool)
        ]
        fits = any(one == value for one in alike)
    else:
        fits = any(_accepts(one, value, wanted, leniency) for one in accepted)
    if fits:
        return None
    return Mismatch(kind="wrong_value", where=where, expected=list(accepted), found=value)


def standardise(text: str) -> str:
    """Return a string without case, blanks and the signs ``,./-_*^``, and with one kind of quote."""
    return _IGNORED.sub("", text).lower().replace("'", '"')


def _accepts(accepted: Any, value: Any, wanted: type, leniency: Leniency) -> bool:
    if accepted == OMITTED and not isinstance(accepted, list | dict):
        # The published checker takes an empty value for an omitted argument.
        empty = leniency.compatible and value in ([], OMITTED)
        blank = leniency.compatible and isinstance(value, str) and standardise(value) == OMITTED
        return empty or blank
    if wanted is dict:
        return isinstance(accepted, dict) and _accepts_members(accepted, value, leniency)
    if wanted is list:
        return isinstance(accepted, list) and _accepts_elements(accepted, value, leniency)
    return _same(accepted, value, leniency)


def _accepts_members(accepted: Mapping[str, Any], value: Any, leniency: Leniency) -> bool:
    """Return whether an object has acceptable members; each lists its acceptable values."""
    if not isinstance(value, dict) or any(key not in accepted for key in value):
        return False
    for key, options in accepted.items():
        listed = options if isinstance(options, list) else [options]
        if key not in value:
            if OMITTED not in listed:
                return False
        elif not any(_same(one, value[key], leniency) for one in listed):
            return False
    return True


def _accepts_elements(accepted: Sequence[Any], value: Sequence[Any], leniency: Leniency) -> bool:
    if len(accepted) != len(value):
        return False
    return all(
        _accepts_members(one, other, leniency)
        if isinstance(one, dict) and isinstance(other, dict)
        else _same(one, other, leniency)
        for one, other in zip(accepted, value, strict=True)
    )


def _same(accepted: Any, value: Any, leniency: Leniency) -> bool:
    if isinstance(accepted, str) and isinstance(value, str):
        return standardise(accepted) == standardise(value) if leniency.strings else accepted == value
    if leniency.compatible:
        return bool(accepted == value)
    return _equal(accepted, value, leniency, 0)


def _equal(a: Any, b: Any, leniency: Leniency, depth: int) -> bool:
    """Return whether two JSON values are equal at any depth: 1 and 1.0 are, 1 and true are not."""
    if depth > _DEEPEST or isinstance(a, bool) is not isinstance(b, bool):
        return False
    if isinstance(a, str) and isinstance(b, str):
        return standardise(a) == standardise(b) if leniency.strings else a == b
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(_equal(x, y, leniency, depth + 1) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[key], b[key], leniency, depth + 1) for key in a)
    return bool(a == b)


def _elements_fit(value: Any, schema: Mapping[str, Any], accepted: Sequence[Any], leniency: Leniency) -> bool:
    items = schema.get("items")
    if not isinstance(value, list) or not isinstance(items, Mapping):
        return True
    if not leniency.compatible:
        known = [element for one in accepted if isinstance(one, list) for element in one]
        return all(_fits_type(element, items, known, 0) for element in value)
    wanted = _type(items)
    return any(
        not isinstance(one, list) or all(_element_fits(element, wanted, one) for element in value)
        for one in accepted
    )


def _element_fits(element: Any, wanted: type, known: Sequence[Any]) -> bool:
    other = next((type(one) for one in known if one != OMITTED), None)
    return type(element) is wanted or (other is not None and type(element) is other)


def _fits_type(value: Any, schema: Mapping[str, Any], known: Sequence[Any], depth: int) -> bool:
    """Return whether a value has the documented type at every depth, or that of an acceptable one."""
    if depth > _DEEPEST:
        return False
    wanted = _type(schema)
    if type(value) is not wanted and not (wanted is float and type(value) is int):
        return any(type(value) is type(one) for one in known)
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, Mapping):
        inner = [element for one in known if isinstance(one, list) for element in one]
        return all(_fits_type(element, items, inner, depth + 1) for element in value)
    return True


def _type(schema: Mapping[str, Any]) -> type:
    name = schema.get("type", "any")
    return _TYPES.get(name, str) if isinstance(name, str) else str


def _named(schema: Mapping[str, Any]) -> str:
    items = schema.get("items")
    inner = f" of {items.get('type', 'any')}" if isinstance(items, Mapping) else ""
    return f"{schema.get('type', 'any')}{inner}"


def _as_float(value: int) -> int | float:
    try:
        return float(value)
    except OverflowError:
        return value
