"""Records on their way to a file: redacted, and brought into what JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from toolhaft.types import JSONPart

T = TypeVar("T")
Redact = Callable[[str], str]

CLOSED_FIELDS = frozenset({"effect", "origin", "provenance", "status", "type"})
"""Fields whose values come from a closed list: nothing secret stands there, and a mask would break them."""

_DEEPEST = 100
_LONGEST_COUNT = 1_000
"""Bits of a count; what has more overflows a float."""
_LONGEST_NUMBER = 13_000
"""Bits of an integer within a JSON value; Python writes at most 4,300 digits."""
_SURROGATE = "\ufffd"


def clean_record(record: T, redact: Redact | None = None) -> T:
    """Return a copy of a record with every text redacted and everything representable as JSON.

    Lone surrogates become U+FFFD, numbers that are not finite or have hundreds of digits 0 (null within
    JSON values); values nested deeper than 100 levels and objects that are no JSON a note in brackets.

    Args:
        record: Any dataclass of `toolhaft.types`.
        redact: The filter that removes secrets from a text; None removes nothing.
    """
    cleaned: T = _clean_field(record, redact or _same)
    return cleaned


def clean_text(text: str, redact: Redact | None = None) -> str:
    """Return the text redacted, with lone surrogates replaced."""
    found = redact(text) if redact else text
    if found.isascii():
        return found
    try:
        found.encode()
    except UnicodeEncodeError:
        found = "".join(_SURROGATE if "\ud800" <= letter <= "\udfff" else letter for letter in found)
    return found


def clean_json(value: Any, redact: Redact | None = None) -> Any:
    """Return a JSON value with every text redacted and everything representable as JSON."""
    return _clean_json(value, redact or _same)


def _same(text: str) -> str:
    return text


def _clean_field(value: Any, redact: Redact) -> Any:
    if isinstance(value, str):
        return clean_text(value, redact)
    if isinstance(value, float):
        return value if math.isfinite(value) else 0.0
    if isinstance(value, int):
        return value if value.bit_length() <= _LONGEST_COUNT else 0
    if is_dataclass(value) and not isinstance(value, type):
        changes: dict[str, Any] = {}
        for field in fields(value):
            given = getattr(value, field.name)
            if field.name in CLOSED_FIELDS and isinstance(given, str):
                continue
            clean = _clean_json if isinstance(value, JSONPart) else _clean_field
            cleaned = clean(given, redact)
            if cleaned is not given:
                changes[field.name] = cleaned
        return replace(value, **changes) if changes else value
    if isinstance(value, tuple):
        return tuple(_clean_field(item, redact) for item in value)
    return _clean_json(value, redact)


def _clean_json(value: Any, redact: Redact, depth: int = 0) -> Any:
    if isinstance(value, str):
        return clean_text(value, redact)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= _LONGEST_NUMBER else "[a number of thousands of digits]"
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth >= _DEEPEST:
        return f"[nested deeper than {_DEEPEST} levels]"
    if type(value) is dict or isinstance(value, Mapping):
        return {
            clean_text(str(key), redact): _clean_json(item, redact, depth + 1) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_clean_json(item, redact, depth + 1) for item in value]
    return f"[{type(value).__name__}]"
