"""Typed results: dataclasses, their JSON Schemas, and the JSON values made of them."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from toolhaft_vision.picture import NewPicture

Box = Annotated[tuple[int, int, int, int], "Left, top, right, bottom in pixels; the last two exclusive."]
Point = Annotated[tuple[int, int], "X and y in pixels, from the top left."]
Method = Annotated[str, "How the result was found."]
Limitations = Annotated[str, "What this method cannot do."]
PictureOut = Annotated[NewPicture, "The picture made, a PNG."]
Overlay = Annotated[NewPicture | None, "The picture with what was found drawn in, where it was asked for."]

_PLAIN = {int: "integer", float: "number", str: "string", bool: "boolean"}


def schema_of(kind: Any) -> dict[str, Any]:
    """Return the JSON Schema of a result type: dataclasses, tuples, literals and plain values.

    Raises:
        TypeError: The type is none of these.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        notes = [note for note in inner[1:] if isinstance(note, str)]
        return schema_of(inner[0]) | ({"description": notes[0]} if notes else {})
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if kind is NewPicture:
        return {"type": "string", "format": "artifact", "contentMediaType": "image/*"}
    if origin is Literal:
        return {"type": "string", "enum": list(inner)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [{"type": "null"} if each is type(None) else schema_of(each) for each in inner]}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(inner[1])}
    if origin is tuple and inner[-1] is Ellipsis:
        return {"type": "array", "items": schema_of(inner[0])}
    if origin is tuple:
        return {"type": "array", "items": schema_of(inner[0]), "minItems": len(inner), "maxItems": len(inner)}
    if is_dataclass(kind):
        hints = get_type_hints(kind, include_extras=True)
        names = [each.name for each in fields(kind)]
        return {
            "type": "object",
            "properties": {name: schema_of(hints[name]) for name in names},
            "required": names,
            "additionalProperties": False,
        }
    raise TypeError(f"no JSON Schema for {kind}")


def as_json(value: Any, keep: Callable[[NewPicture], Any]) -> Any:
    """Return a result as JSON values.

    Args:
        value: A result.
        keep: Keeps a picture that was made; what it returns takes the picture's place.
    """
    if isinstance(value, NewPicture):
        return keep(value)
    if is_dataclass(value):
        return {each.name: as_json(getattr(value, each.name), keep) for each in fields(value)}
    if isinstance(value, dict):
        return {key: as_json(inner, keep) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(inner, keep) for inner in value]
    return value
