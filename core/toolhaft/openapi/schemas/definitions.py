"""Names of definitions: readable, and a function of where a schema stands alone."""

from __future__ import annotations

import re

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
    resource, _, fragment = pointer.rpartition("#")
    last = fragment.rpartition("/")[2] or resource.rpartition("/")[2]
    plain = _ILLEGAL.sub("_", last)
    direct = not base and any(pointer == f"{place}{plain}" for place in _DIRECT)
    if direct and plain and len(plain) <= _LONGEST:
        return plain
    kind = "base_" if base else ""
    return f"{plain[:_LONGEST_STEM]}_{kind}{short_hash(pointer)}"


def reference_to(pointer: str) -> str:
    """Return the text of a reference to a pointer."""
    resource, _, fragment = pointer.rpartition("#")
    return f"{resource}#{fragment.replace('%', '%25')}"
