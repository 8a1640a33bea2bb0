"""References taken apart: a place, and a JSON pointer in a URI fragment."""

from __future__ import annotations

from urllib.parse import unquote

from toolhaft.types.pointer import unescape


def split_reference(text: str) -> tuple[str, str]:
    """Return what stands before the ``#`` of a reference, and the fragment behind it."""
    location, _, fragment = text.partition("#")
    return location, fragment


def fragment_key(token: str) -> str:
    """Return a token of a pointer in a URI fragment as the key that it stands for."""
    return unescape(unquote(token) if "%" in token else token)


def as_fragment(pointer: str) -> str:
    """Return a JSON pointer as the fragment of a reference."""
    return pointer.replace("%", "%25")
