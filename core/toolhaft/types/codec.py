"""JSON both ways for every type, through one pydantic `TypeAdapter` each, built when first used."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from toolhaft.errors import FormatError
from toolhaft.types.pointer import json_pointer
from toolhaft.types.trajectory import Trajectory

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")
_UNKNOWN_KEY = "unexpected_keyword_argument"
_LONG = 19
_LONG_NUMBER = re.compile(rf"\d{{{_LONG}}}")
_NO_DIGITS = bytes(byte for byte in range(256) if not 48 <= byte <= 57)
FORMAT = 1
"""The format of records that this version writes, and the newest it reads."""


def _adapter(kind: Any) -> TypeAdapter[Any]:
    return _made(kind)


@lru_cache(maxsize=128)
def _made(kind: Hashable) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    form: Any = kind
    return TypeAdapter(form)


def to_json(value: object, kind: Any = None, *, indent: int | None = None) -> bytes:
    """Return a value of this package as JSON.

    Args:
        value: A record.
        kind: Its type where ``type(value)`` does not say it, for example the union ``Event``.
        indent: Spaces to indent by; None gives one line.
    """
    from pydantic_core import PydanticSerializationError

    adapter = _adapter(kind or type(value))
    try:
        return adapter.dump_json(value, indent=indent)
    except PydanticSerializationError:  # nested beyond 250 levels, or a lone surrogate: legal, and rare
        plain = adapter.dump_python(value)
        separators = (",", ":") if indent is None else None
        text = json.dumps(plain, ensure_ascii=False, indent=indent, separators=separators)
        return text.encode("utf-8", "replace")


def to_value(value: object, kind: Any = None) -> Any:
    """Return a value of this package as plain dictionaries, lists, strings and numbers."""
    try:
        return _adapter(kind or type(value)).dump_python(value, mode="json")
    except ValueError:  # as in `to_json`
        return json.loads(to_json(value, kind))


def from_json(kind: type[T], data: bytes | str, *, where: str = "") -> T:
    """Read a record from JSON.

    Args:
        kind: The type to read, or a union such as ``Event``.
        data: One JSON document.
        where: File (and line) for error messages.

    Raises:
        FormatError: The data is not JSON, is of a newer format, or does not fit the type.
    """
    try:
        value = _parsed(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {error}", where=where) from None
    return from_value(kind, value, where=where)


def from_value(kind: type[T], value: Any, *, where: str = "") -> T:
    """Read a record from plain dictionaries and lists; raises as `from_json` does."""
    from pydantic import ValidationError

    if isinstance(value, dict):
        _check_format(value, where)
    try:
        found: T = _adapter(kind).validate_python(value)
        record = getattr(found, "trajectory", found)
        if isinstance(record, Trajectory):
            record.check()
    except FormatError as error:  # a record whose parts fit, but not together
        raise FormatError(error.what, where=where or error.where, hint=error.hint) from None
    except ValidationError as error:
        found_errors = error.errors(include_url=False, include_input=False)
        # A misspelled key is also a missing one; the misspelling says more.
        first = next((each for each in found_errors if each["type"] == _UNKNOWN_KEY), found_errors[0])
        pointer = json_pointer(_place(value, first["loc"], missing=first["type"] == "missing"))
        name = getattr(kind, "__name__", "record")
        raise FormatError(
            f"not a {name}: {_reason(first['type'], first['loc'], first['msg'])}",
            where=f"{where}#{pointer}" if where else f"#{pointer}",
        ) from None
    return found


def _place(value: Any, location: Sequence[str | int], *, missing: bool) -> list[str | int]:
    """Return where an error is in a value, without the names of types that the validator puts between."""
    place: list[str | int] = []
    for position, part in enumerate(location):
        try:
            value = value[part]
        except (LookupError, TypeError):
            if not (missing and position == len(location) - 1):
                continue
        place.append(part)
    return place


def _reason(kind: str, location: Sequence[str | int], message: str) -> str:
    last = f"{location[-1]!r:.80}" if location else "it"
    if kind == _UNKNOWN_KEY:
        return f"{last} is not known here"
    if kind == "missing":
        return f"{last} is missing"
    return "it should be a list" if kind == "tuple_type" else message


def _parsed(data: bytes | str) -> Any:
    text = data if isinstance(data, str) else bytes(data).decode("utf-8")
    if _may_hold_long_number(text) and _LONG_NUMBER.search(text):  # orjson would make an inexact number of it
        return json.loads(text, parse_constant=_refuse)
    import orjson

    return orjson.loads(text)


def _may_hold_long_number(text: str) -> bool:
    """Whether there are digits enough; counting them is far faster than searching for a run of them."""
    return len(text.encode("utf-8", "replace").translate(None, _NO_DIGITS)) >= _LONG


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _check_format(value: dict[str, Any], where: str) -> None:
    given = value.get("format", FORMAT)
    if type(given) is not int or not 1 <= given <= FORMAT:
        raise FormatError(
            f"format {given!r} is not known; this version of Toolhaft reads up to {FORMAT}",
            where=where,
            hint="Install a newer Toolhaft: pip install -U toolhaft",
        )
