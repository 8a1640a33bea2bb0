"""References and JSON pointers taken apart."""

from __future__ import annotations

from urllib.parse import unquote


def split_reference(text: str) -> tuple[str, str]:
    """Return what stands before the ``#`` of a reference, and the fragment behind it."""
    location, _, fragment = text.partition("#")
    return location, fragment


def unescape(token: str) -> str:
    """Return a token of a pointer in a URI fragment as the key that it stands for."""
    text = unquote(token) if "%" in token else token
    return text.replace("~1", "/").replace("~0", "~")


def as_fragment(pointer: str) -> str:
    """Return a JSON pointer as the fragment of a reference."""
    return pointer.replace("%", "%25")
