"""Values as text by the styles of OpenAPI parameters.

Delimiters are written as they are and values are percent-encoded, so ``["a,b", "c"]`` is ``a%2Cb,c``.

Source: OpenAPI 3.1.1, section "Style Examples"; RFC 6570, from which the styles come.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

from toolhaft.errors import InvalidArgumentsError
from toolhaft.openapi.requests.wire import Style

Encode = Callable[[str], str]
Pairs = list[tuple[str, str]]
"""Names and values, both encoded."""

_DELIMITERS = {"form": ",", "simple": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C"}
_RESERVED = ":/?@!$'()*,;"
"""Reserved characters that mean nothing in a query; ``&``, ``=``, ``+`` and ``#`` would."""
_DEEPEST = 16


def percent(text: str) -> str:
    """Percent-encode everything but letters, digits and ``-._~``."""
    return quote(text, safe="")


def percent_unreserved(text: str) -> str:
    """Percent-encode only what would change the meaning of a query."""
    return quote(text, safe=_RESERVED)


def percent_form(text: str) -> str:
    """Encode as HTML forms do, with ``+`` for a blank."""
    return quote_plus(text)


def as_is(text: str) -> str:
    """Return the text: headers are not percent-encoded."""
    return text


def scalar_text(value: Any) -> str:
    """Return a value as text: ``true``, the shortest form of a number, JSON for what is nested."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int | float):
        return repr(value)
    return json_text(value)


def json_text(value: Any, *, ascii_only: bool = False) -> str:
    """Return a value as compact JSON.

    Raises:
        InvalidArgumentsError: It holds what JSON cannot.
    """
    try:
        return json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgumentsError(f"an argument is not JSON: {error}") from None


def simple(value: Any, explode: bool, encode: Encode) -> str:
    """Return a value in style ``simple``."""
    if isinstance(value, list):
        return ",".join(_items(value, encode))
    if isinstance(value, dict):
        return _members(value, "=", ",", encode) if explode else _members(value, ",", ",", encode)
    return encode(scalar_text(value))


def label(value: Any, explode: bool, encode: Encode, *, dotted: bool = False) -> str:
    """Return a value in style ``label``; ``dotted`` separates by ``.`` as versions up to 3.0.3 have it."""
    between = "." if explode or dotted else ","
    if isinstance(value, list):
        return f".{between.join(_items(value, encode))}"
    if isinstance(value, dict):
        return f".{_members(value, '=' if explode else between, between, encode)}"
    return f".{encode(scalar_text(value))}"


def matrix(name: str, value: Any, explode: bool, encode: Encode) -> str:
    """Return a value in style ``matrix``."""
    shown = encode(name)
    if isinstance(value, list):
        items = _items(value, encode)
        if explode:
            return "".join(f";{shown}={item}" for item in items)
        return f";{shown}={','.join(items)}"
    if isinstance(value, dict):
        if explode:
            return f";{_members(value, '=', ';', encode)}"
        return f";{shown}={_members(value, ',', ',', encode)}"
    text = encode(scalar_text(value))
    return f";{shown}={text}" if text else f";{shown}"


def pairs(name: str, value: Any, style: Style, explode: bool, encode: Encode) -> Pairs:
    """Return a value as the name-value pairs of a query, form or cookie; null gives none."""
    key = encode(name)
    if value is None:
        return []
    if style == "deepObject":
        return _deep(key, value, encode, 0)
    delimiter = _DELIMITERS.get(style, ",")
    if isinstance(value, list):
        items = _items(value, encode)
        if not items:
            return []
        return [(key, item) for item in items] if explode else [(key, delimiter.join(items))]
    if isinstance(value, dict):
        if explode and style == "form":
            return [(encode(str(k)), encode(scalar_text(v))) for k, v in value.items() if v is not None]
        text = _members(value, delimiter, delimiter, encode)
        return [(key, text)] if text else []
    return [(key, encode(scalar_text(value)))]


def _deep(key: str, value: Any, encode: Encode, depth: int) -> Pairs:
    if depth > _DEEPEST:
        raise InvalidArgumentsError(f"an argument is nested deeper than {_DEEPEST}")
    if isinstance(value, dict):
        found: Pairs = []
        for name, item in value.items():
            found.extend(
                _deep(f"{key}{encode('[')}{encode(str(name))}{encode(']')}", item, encode, depth + 1)
            )
        return found
    if isinstance(value, list):
        return [(key, encode(scalar_text(item))) for item in value if item is not None]
    return [] if value is None else [(key, encode(scalar_text(value)))]


def _items(value: list[Any], encode: Encode) -> list[str]:
    return [encode(scalar_text(item)) for item in value if item is not None]


def _members(value: dict[str, Any], between: str, after: str, encode: Encode) -> str:
    return after.join(
        f"{encode(str(key))}{between}{encode(scalar_text(item))}"
        for key, item in value.items()
        if item is not None
    )
