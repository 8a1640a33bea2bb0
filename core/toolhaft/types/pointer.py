"""JSON pointers: where something stands in a JSON value.

Source: RFC 6901.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def escape(token: str) -> str:
    """Return a key as one token of a pointer."""
    return token.replace("~", "~0").replace("/", "~1")


def unescape(token: str) -> str:
    """Return the key that a token stands for."""
    return token.replace("~1", "/").replace("~0", "~")


def json_pointer(path: Iterable[Any]) -> str:
    """Return the pointer of a path of keys and indexes; empty for the whole value."""
    return "".join(f"/{escape(str(part))}" for part in path)


def at_pointer(value: Any, pointer: str) -> Any:
    """Return what a pointer names in a JSON value; None where there is nothing."""
    for token in pointer.split("/")[1:]:
        name = unescape(token)
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list | tuple) and _is_index(name) and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) < 10
