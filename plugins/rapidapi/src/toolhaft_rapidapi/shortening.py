"""Answers made short on their structure: lists end early, texts are cut, deep parts go; JSON stays JSON."""

from __future__ import annotations

import json
from typing import Any

from toolhaft.text import ELLIPSIS

# Items of a list, characters of a text, levels, members of an object: from generous to stingy.
_STEPS = (
    (50, 2000, 20, 500),
    (20, 800, 12, 200),
    (10, 400, 10, 100),
    (5, 200, 8, 50),
    (3, 120, 6, 30),
    (2, 80, 5, 20),
    (1, 60, 4, 12),
    (1, 40, 3, 8),
    (1, 24, 2, 4),
    (0, 16, 1, 2),
)


def shorten_json(value: Any, most: int) -> tuple[Any, bool]:
    """Return a JSON value of at most ``most`` characters of compact JSON, and whether anything was cut.

    Args:
        value: Any JSON value.
        most: At least 40.
    """
    if _length(value) <= most:
        return value, False
    if isinstance(value, str):
        return _text_within(value, most), True
    for step in _STEPS:
        found = _cut(value, *step)
        if _length(found) <= most:
            return found, True
    return ([] if isinstance(value, list) else {}), True


def _length(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _text_within(text: str, most: int) -> str:
    room = max(1, most - 2)
    kept = text[:room]
    while kept and _length(f"{kept}{ELLIPSIS}") > most:  # escapes make it longer
        kept = kept[: max(0, len(kept) - 1 - len(kept) // 16)]
    return f"{kept}{ELLIPSIS}"


def _cut(value: Any, items: int, characters: int, levels: int, members: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= characters else f"{value[:characters]}{ELLIPSIS}"
    if isinstance(value, list):
        if not levels:
            return []
        return [_cut(item, items, characters, levels - 1, members) for item in value[:items]]
    if isinstance(value, dict):
        if not levels:
            return {}
        kept = list(value.items())[:members]
        return {key: _cut(item, items, characters, levels - 1, members) for key, item in kept}
    return value


def keep_known(value: Any, schema: dict[str, Any] | None) -> Any:
    """Return a value with the members alone that a schema names, for ToolBench's ``filter``."""
    if not isinstance(schema, dict):
        return value
    properties = schema.get("properties")
    if isinstance(value, dict) and isinstance(properties, dict) and properties:
        return {key: keep_known(item, properties[key]) for key, item in value.items() if key in properties}
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [keep_known(item, schema["items"]) for item in value]
    return value
