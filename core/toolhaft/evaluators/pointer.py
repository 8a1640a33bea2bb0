"""Where something lies in a JSON value."""

from __future__ import annotations

import re
from typing import Any

from toolhaft.types.pointer import unescape

_SELECTION = re.compile(r"\[([^\]=]+)=([^\]]*)\]")
_INDEX = re.compile(r"[0-9]{1,18}")
MISSING = object()
"""What `find` returns where there is nothing."""


def find(value: Any, pointer: str) -> Any:
    """Return what a pointer names, or `MISSING`.

    Args:
        value: A JSON value.
        pointer: A JSON pointer, empty for the value itself. A token ``[name=text]`` names the first item
            of a list, or value of an object, whose member of that name is written as that text.

    Source: RFC 6901, but for the bracketed tokens.
    """
    if not pointer:
        return value
    for token in pointer.lstrip("/").split("/"):
        value = _step(value, token)
        if value is MISSING:
            break
    return value


def _step(value: Any, token: str) -> Any:
    selection = _SELECTION.fullmatch(token)
    if selection:
        name, text = selection.groups()
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return next(
            (item for item in items if isinstance(item, dict) and _text(item.get(name)) == text), MISSING
        )
    token = unescape(token)
    if isinstance(value, dict):
        return value.get(token, MISSING)
    if isinstance(value, list) and _INDEX.fullmatch(token) and int(token) < len(value):
        return value[int(token)]
    return MISSING


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
