"""Names of definitions: readable, and a function of where a schema stands alone."""

from __future__ import annotations

import re

from toolhaft.openapi.documents.pointers import as_fragment
from toolhaft.openapi.names import short_hash

_ILLEGAL = re.compile(r"[^a-zA-Z0-9_.-]")
_DIRECT = ("/components/schemas/", "/definitions/")
_LONGEST = 64
_LONGEST_STEM = 48


def definition_name(pointer: str, *, base: bool = False) -> str:
    """Return the key under ``$defs`` for what stands at a pointer; it depends on the pointer alone.

    Args:
        pointer: As `Resolver` returns it.
        base: Name what a schema with a discriminator says itself, not what may stand in its place.
    """
    resource, fragment = _parts(pointer)
    last = fragment.rpartition("/")[2] or resource.rpartition("/")[2]
    plain = _ILLEGAL.sub("_", last)
    direct = not base and any(pointer == f"{place}{plain}" for place in _DIRECT)
    if direct and plain and len(plain) <= _LONGEST:
        return plain
    kind = "base_" if base else ""
    return f"{plain[:_LONGEST_STEM]}_{kind}{short_hash(pointer)}"


def reference_to(pointer: str) -> str:
    """Return the text of a reference to a pointer."""
    resource, fragment = _parts(pointer)
    return f"{resource}#{as_fragment(fragment)}"


def _parts(pointer: str) -> tuple[str, str]:
    """Return the file and the pointer in it; a pointer of the root has no file, whatever its keys hold."""
    resource, separator, fragment = pointer.partition("#")
    return (resource, fragment) if separator and not pointer.startswith("/") else ("", pointer)
