"""Where in a call's arguments the schema wants an image or a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolhaft.tools.subschemas import referred
from toolhaft.types.pointer import escape

FORMAT = "artifact"
"""The ``format`` of a string that is an artifact's handle."""
_MOST_SCHEMAS = 200
"""Schemas that one value is read by; references that lead in circles end here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an artifact stands in the arguments.

    Attributes:
        pointer: JSON pointer.
        media_type: What it must be, for example ``image/*``; empty where anything goes.
        optional: Whether other text may stand there too.
    """

    pointer: str
    media_type: str = ""
    optional: bool = False


def artifact_schema(media_type: str = "") -> dict[str, Any]:
    """Return the schema of an argument that is an artifact, of one media type or of any."""
    schema = {"type": "string", "format": FORMAT}
    return schema | {"contentMediaType": media_type} if media_type else schema


def takes_artifacts(schema: Any) -> bool:
    """Whether an artifact may stand anywhere in the arguments."""
    waiting = [schema]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            if item.get("format") == FORMAT:
                return True
            waiting.extend(child for child in item.values() if isinstance(child, Mapping | list))
        elif isinstance(item, list):
            waiting.extend(child for child in item if isinstance(child, Mapping | list))
    return False


def fill_places(schema: Any, value: Any, fill: Callable[[Place, Any], Any]) -> Any:
    """Return a copy of a value in which ``fill`` has replaced what stands in the place of an artifact.

    Args:
        schema: JSON Schema of the value.
        value: Arguments, nested at most 200 deep; it is not changed.
        fill: Takes a place and what stands there, which is never null, an object or a list.
    """
    return _filled([*_meant(schema, schema)], schema, value, "", fill)


def _filled(
    schemas: list[Mapping[str, Any]],
    document: Any,
    value: Any,
    pointer: str,
    fill: Callable[[Place, Any], Any],
) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _filled(_of_member(schemas, key, document), document, item, _deeper(pointer, key), fill)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            _filled(_of_item(schemas, position, document), document, item, f"{pointer}/{position}", fill)
            for position, item in enumerate(value)
        ]
    place = _place(schemas, pointer) if value is not None else None
    return value if place is None else fill(place, value)


def _deeper(pointer: str, key: Any) -> str:
    return f"{pointer}/{escape(str(key))}"


def _place(schemas: list[Mapping[str, Any]], pointer: str) -> Place | None:
    wanted = [schema for schema in schemas if schema.get("format") == FORMAT]
    if not wanted:
        return None
    media_types = [schema.get("contentMediaType") for schema in wanted]
    media_type = media_types[0] if isinstance(media_types[0], str) and len(set(media_types)) == 1 else ""
    others = any("format" not in schema and "string" in _kinds(schema) for schema in schemas)
    return Place(pointer=pointer, media_type=media_type, optional=others)


def _kinds(schema: Mapping[str, Any]) -> list[Any]:
    kinds = schema.get("type")
    return kinds if isinstance(kinds, list) else [kinds]


def _of_member(schemas: list[Mapping[str, Any]], key: Any, document: Any) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for schema in schemas:
        properties = schema.get("properties")
        if isinstance(properties, Mapping) and key in properties:
            found.extend(_meant(properties[key], document))
        else:
            found.extend(_meant(schema.get("additionalProperties"), document))
    return found


def _of_item(schemas: list[Mapping[str, Any]], position: int, document: Any) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for schema in schemas:
        first = schema.get("prefixItems")
        if isinstance(first, list) and position < len(first):
            found.extend(_meant(first[position], document))
        else:
            found.extend(_meant(schema.get("items"), document))
    return found


def _meant(schema: Any, document: Any) -> Iterator[Mapping[str, Any]]:
    """Iterate over a schema and all that it refers to or is put together from."""
    waiting = [schema]
    for _ in range(_MOST_SCHEMAS):
        if not waiting:
            return
        item = waiting.pop()
        if not isinstance(item, Mapping):
            continue
        yield item
        if "$ref" in item:
            waiting.append(referred(document, item["$ref"]))
        for keyword in ("anyOf", "oneOf", "allOf"):
            members = item.get(keyword)
            waiting.extend(members if isinstance(members, list) else ())
