"""Values as text by the styles of OpenAPI parameters.

Delimiters are written as they are and values are percent-encoded, so ``["a,b", "c"]`` is ``a%2Cb,c``.

Source: OpenAPI 3.2.0, section "Style Examples"; RFC 6570, from which most styles come.
"""

from __future__ import annotations

import json
import math
from typing import Any

from toolhaft.errors import InvalidArgumentsError
from toolhaft.openapi.requests.encoding import Encode
from toolhaft.openapi.requests.wire import DeepLists, Style

Pairs = list[tuple[str, str]]
"""Names and values, both encoded."""

_DELIMITERS = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
_DEEPEST = 16


def scalar_text(value: Any) -> str:
    """Return a value as text: ``true``, the shortest form of a number, JSON for what is nested.

    Raises:
        InvalidArgumentsError: It holds what JSON cannot.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) < 1 << 1024:
        return str(int(value))
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(float(value))
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
            return "".join(f";{shown}={item}" if item else f";{shown}" for item in items)
        return f";{shown}={','.join(items)}"
    if isinstance(value, dict):
        if explode:
            return f";{_members(value, '=', ';', encode)}"
        return f";{shown}={_members(value, ',', ',', encode)}"
    text = encode(scalar_text(value))
    return f";{shown}={text}" if text else f";{shown}"


def pairs(
    name: str,
    value: Any,
    style: Style,
    explode: bool,
    encode: Encode,
    *,
    encode_name: Encode | None = None,
    deep_lists: DeepLists = "indices",
) -> Pairs:
    """Return a value as the name-value pairs of a query, form or cookie; null and what is empty give none.

    Args:
        name: Name of the parameter.
        value: Its value.
        style: One that has names and values.
        explode: One pair for each entry.
        encode: For values.
        encode_name: For names; None is as values.
        deep_lists: How lists inside a ``deepObject`` are written.

    Raises:
        InvalidArgumentsError: It is nested too deeply, or holds what JSON cannot.
    """
    names = encode_name or encode
    key = names(name)
    if value is None:
        return []
    if style == "deepObject":
        return _deep(key, value, encode, names, deep_lists, 0)
    if isinstance(value, list):
        if explode:
            return [(key, encode(scalar_text(item))) for item in value if item is not None]
        texts = [scalar_text(item) for item in value if item is not None]
        return [(key, _joined(texts, style, encode))] if texts else []
    if isinstance(value, dict):
        kept = [(str(k), v) for k, v in value.items() if v is not None]
        if explode and style in ("form", "cookie"):
            return [(names(k), encode(scalar_text(v))) for k, v in kept]
        flat = [text for k, v in kept for text in (k, scalar_text(v))]
        return [(key, _joined(flat, style, encode))] if flat else []
    return [(key, encode(scalar_text(value)))]


def _joined(texts: list[str], style: Style, encode: Encode) -> str:
    """Return entries between the delimiter of a style; blank and pipe are encoded, as no URL can hold them.

    So an entry that holds one becomes two for the server: the specification leaves that to the caller.
    """
    delimiter = _DELIMITERS.get(style, ",")
    return ("," if delimiter == "," else encode(delimiter)).join(map(encode, texts))


def _deep(key: str, value: Any, encode: Encode, names: Encode, lists: DeepLists, depth: int) -> Pairs:
    if depth > _DEEPEST:
        raise InvalidArgumentsError(f"an argument is nested deeper than {_DEEPEST}")
    if isinstance(value, dict):
        members = [(f"[{k}]", v) for k, v in value.items()]
    elif isinstance(value, list) and lists == "indices":
        members = [(f"[{n}]", v) for n, v in enumerate(item for item in value if item is not None)]
    elif isinstance(value, list):
        members = [("[]" if lists == "brackets" else "", v) for v in value]
    else:
        return [] if value is None else [(key, encode(scalar_text(value)))]
    found: Pairs = []
    for name, item in members:
        found.extend(_deep(f"{key}{names(name)}", item, encode, names, lists, depth + 1))
    return found


def _items(value: list[Any], encode: Encode) -> list[str]:
    return [encode(scalar_text(item)) for item in value if item is not None]


def _members(value: dict[str, Any], between: str, after: str, encode: Encode) -> str:
    return after.join(
        f"{encode(str(key))}{between}{encode(scalar_text(item))}"
        for key, item in value.items()
        if item is not None
    )
