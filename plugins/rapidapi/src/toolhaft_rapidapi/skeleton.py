"""What an answer looks like, from JSON Schema or from ToolBench's type skeletons.

A skeleton is an answer with types in place of values: ``{"name": "str", "line": [{"id": "int",
"_list_length": 2}], "posters": ["list of str with length 8"]}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from toolhaft.openapi.documents.cleaning import clean_string, clean_value

_TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
    "NoneType": "null",
    "None": "null",
    "null": "null",
}
_SCHEMA_TYPES = frozenset(("object", "array", "string", "integer", "number", "boolean", "null"))
_KEPT = ("enum", "format", "minItems", "maxItems", "minimum", "maximum", "pattern")
_LIST = re.compile(r"(?:empty list|list of (?P<kind>\w{1,20})(?: with length (?P<length>\d{1,6}))?)")
_LENGTH = "_list_length"
_DEEPEST = 24
_MOST_NAME = 200


def response_schema(found: Any, most: int) -> dict[str, Any] | None:
    """Return a JSON Schema of at most ``most`` parts for a schema or skeleton; None if it says nothing."""
    if not isinstance(found, dict | list) or not found:
        return None
    budget = [most]
    made = _from_schema(found, 0, budget) if is_schema(found) else _from_skeleton(found, 0, budget)
    return made or None


def is_schema(found: Any) -> bool:
    """Whether a value is JSON Schema, and not a skeleton that happens to have a key ``type``."""
    if not isinstance(found, Mapping):
        return False
    kind = found.get("type")
    if isinstance(found.get("properties"), Mapping) and (kind in (None, "object") or isinstance(kind, list)):
        return True
    if not isinstance(kind, str):
        return False
    if kind in ("object", "array"):
        return True
    return kind in _SCHEMA_TYPES and not set(found) - {"type", "title", "description", "example", *_KEPT}


def _from_skeleton(found: Any, depth: int, budget: list[int]) -> dict[str, Any]:
    budget[0] -= 1
    if budget[0] < 0 or depth > _DEEPEST:
        return {}
    if isinstance(found, Mapping):
        properties = {}
        for key, value in found.items():
            if key != _LENGTH and budget[0] > 0:
                properties[clean_string(str(key))[:_MOST_NAME]] = _from_skeleton(value, depth + 1, budget)
        return {"type": "object", "properties": properties}
    if isinstance(found, list):
        return _list(found, depth, budget)
    if isinstance(found, str):
        return _named(found)
    if found is None or isinstance(found, bool):
        return {"type": "null" if found is None else "boolean"}
    return {"type": "integer" if isinstance(found, int) else "number"}


def _list(found: list[Any], depth: int, budget: list[int]) -> dict[str, Any]:
    if not found:
        return {"type": "array", "maxItems": 0}
    first = found[0]
    if isinstance(first, str) and _LIST.fullmatch(first):
        return _named(first)
    made: dict[str, Any] = {"type": "array", "items": _from_skeleton(first, depth + 1, budget)}
    length = first.get(_LENGTH) if isinstance(first, Mapping) else None
    if isinstance(length, int) and not isinstance(length, bool) and length >= 0:
        made |= {"minItems": length, "maxItems": length}
    return made


def _named(text: str) -> dict[str, Any]:
    match = _LIST.fullmatch(text)
    if match is None:
        return {"type": _TYPES.get(text, "string")}
    if match["kind"] is None:
        return {"type": "array", "maxItems": 0}
    made: dict[str, Any] = {"type": "array", "items": {"type": _TYPES.get(match["kind"], "string")}}
    if match["length"]:
        made |= {"minItems": int(match["length"]), "maxItems": int(match["length"])}
    return made


def _from_schema(found: Any, depth: int, budget: list[int]) -> dict[str, Any]:
    budget[0] -= 1
    if budget[0] < 0 or depth > _DEEPEST or not isinstance(found, Mapping):
        return {}
    kind = found.get("type")
    listed = kind if isinstance(kind, list) else [kind]
    kinds = [each for each in listed if isinstance(each, str) and each in _SCHEMA_TYPES]
    made: dict[str, Any] = {}
    if kinds:
        made["type"] = kinds[0] if len(kinds) == 1 else kinds
    made.update({key: clean_value(found[key]) for key in _KEPT if _fits(key, found.get(key))})
    properties = found.get("properties")
    if isinstance(properties, Mapping):
        made.setdefault("type", "object")
        made["properties"] = {}
        for key, value in properties.items():
            if budget[0] > 0:
                name = clean_string(str(key))[:_MOST_NAME]
                made["properties"][name] = _from_schema(value, depth + 1, budget)
    items = found.get("items")
    if isinstance(items, list):
        items = items[0] if items else None
    if isinstance(items, Mapping):
        made.setdefault("type", "array")
        made["items"] = _from_schema(items, depth + 1, budget)
    return made


def _fits(key: str, value: Any) -> bool:
    if key == "enum":
        return isinstance(value, list) and 0 < len(value) <= 50
    if key in ("minItems", "maxItems"):
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if key in ("minimum", "maximum"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) and key == "format"
