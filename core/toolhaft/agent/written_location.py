"""A location with settings behind it: ``rapidapi:tools/?virtual&seed=7``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from toolhaft.hooks.written import read_settings

if TYPE_CHECKING:
    from toolhaft.hooks.registry import Registry


def split_settings(scheme: str, rest: Any, registry: Registry) -> tuple[Any, dict[str, Any]]:
    """Return what stands behind a scheme without its settings, and these.

    Nothing is taken for settings in an address (``https://host/spec?v=2``), in the name of a file that is
    there, and where the source takes none that text can give.

    Args:
        scheme: Of the source.
        rest: What stands behind the scheme, or a parsed document.
        registry: Where the scheme is looked up.

    Raises:
        UnknownNameError: No plugin brings the scheme.
        UsageError: The source takes no such setting, or not such a value.
    """
    if not isinstance(rest, str) or "?" not in rest:
        return rest, {}
    place, _, query = rest.partition("?")
    if "://" in place or os.path.exists(rest):
        return rest, {}
    known = registry.text_settings("source", scheme)
    if not known:
        return rest, {}
    return place, read_settings(query, known, f"source {scheme!r}", where=f"{scheme}:{place[:200]}")
