"""Parts of a result, chosen by JSONPath."""

from __future__ import annotations

from typing import Any

from toolhaft.curation.rules import Words
from toolhaft.tools.json_path import Path

_DEEPEST = 200


def check_path(path: str, where: str) -> None:
    """Raise `FormatError` unless the text is a JSONPath."""
    Path(path, where)


def project(value: Any, paths: Words, where: str = "") -> Any:
    """Return what the paths choose of a value.

    Args:
        value: JSON.
        paths: See `toolhaft.curation.rules.Changes.result`.
        where: For errors.

    Returns:
        Of one path: the value it selects, None if there is none, or a list where it may select several. Of a
        list of paths: the value without what none of them selects.
    """
    if isinstance(paths, str):
        path = Path(paths, where)
        found = [node.value for node in path.select(value)]
        if path.singular:
            return found[0] if found else None
        return found
    kept: dict[Any, Any] = {}
    for text in paths:
        for node in Path(text, where).select(value):
            if not node.parts:
                return value
            _mark(kept, node.parts)
    return _kept(value, kept) if kept else None


def _mark(kept: dict[Any, Any], parts: tuple[Any, ...]) -> None:
    """Note a place as one to keep whole; an empty mapping says so."""
    node = kept
    for position, part in enumerate(parts[:_DEEPEST]):
        last = position == len(parts) - 1
        known = node.get(part)
        if known == {} and known is not None:
            return  # kept whole already
        if last:
            node[part] = {}
            return
        node = node.setdefault(part, {}) if known is None else known


def _kept(value: Any, kept: dict[Any, Any]) -> Any:
    if not kept:
        return value
    if isinstance(value, list):
        return [_kept(value[index], inner) for index, inner in sorted(kept.items())]
    return {key: _kept(item, kept[key]) for key, item in value.items() if key in kept}
