"""A location with settings behind it: ``rapidapi:tools/?virtual&seed=7``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from toolhaft.errors import UsageError, nearest_names

if TYPE_CHECKING:
    from toolhaft.hooks.registry import Registry

_LONGEST = 4000


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
    if len(query) > _LONGEST:
        raise UsageError(
            f"the settings are longer than {_LONGEST} characters", where=f"{scheme}:{place[:200]}"
        )
    return place, _read(query, known, scheme)


def _read(query: str, known: Mapping[str, tuple[type, ...]], scheme: str) -> dict[str, Any]:
    from toolhaft.hooks.written import read_setting

    settings: dict[str, Any] = {}
    for pair in filter(None, query.split("&")):
        name, _, text = pair.partition("=")
        if name not in known:
            nearest = nearest_names(name, tuple(known), 1)
            guess = f"Did you mean {nearest[0]!r}? " if nearest else ""
            raise UsageError(
                f"the source {scheme!r} takes no setting {name[:80]!r} behind its location",
                hint=f"{guess}Settings: {', '.join(known)}",
            )
        if name in settings:
            raise UsageError(f"the setting {name!r} is given twice", where=f"{scheme}:")
        settings[name] = read_setting(name, unquote(text), known[name])
    return settings
