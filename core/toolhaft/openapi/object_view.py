"""A schema seen as one plain object, whose properties can become arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolhaft.openapi.documents.document import Dialect, as_dict, as_list
from toolhaft.openapi.documents.resolve import Resolver

MOST_PROPERTIES = 100
"""Properties that become arguments; a body with more is one argument."""

_DEEPEST_COMPOSITION = 16
_MOST_SCHEMAS = 500
"""Schemas that one body is composed of, each counted as often as it is named."""
_PLAIN_OBJECT = frozenset(
    [
        "type",
        "properties",
        "required",
        "additionalProperties",
        "allOf",
        "description",
        "title",
        "example",
        "examples",
        "default",
        "nullable",
        "deprecated",
        "readOnly",
        "writeOnly",
        "xml",
        "externalDocs",
        "discriminator",
        "maxProperties",
        "minProperties",
        "$id",
        "$schema",
        "$comment",
        "$defs",
        "definitions",
        "$anchor",
        "format",
    ]
)


@dataclass(slots=True)
class ObjectView:
    """A schema seen as one plain object.

    Attributes:
        properties: Name -> schema as the document writes it.
        required: Names of the required properties.
        open: Schema of further properties where the document names one or allows any; None where it
            says nothing or forbids them.
        schemas: How many schemas it is composed of.
        closed: Whether the document forbids further properties.
    """

    properties: dict[str, Any]
    required: dict[str, None]
    open: Any = None
    schemas: int = 0
    closed: bool = False


def object_view(schema: Any, resolver: Resolver, dialect: Dialect) -> ObjectView | None:
    """Return a schema as a plain object, ``allOf`` of plain objects included; None if it is not one."""
    view = ObjectView({}, {})
    if not _gather(schema, view, resolver, dialect, 0) or not view.properties:
        return None
    return view if len(view.properties) <= MOST_PROPERTIES else None


def _gather(schema: Any, view: ObjectView, resolver: Resolver, dialect: Dialect, depth: int) -> bool:
    view.schemas += 1
    if depth > _DEEPEST_COMPOSITION or view.schemas > _MOST_SCHEMAS or not isinstance(schema, dict):
        return False
    siblings = {} if dialect == "3.0" or "$ref" not in schema else schema
    node = resolver.target(schema)
    if not _is_plain_object(node) or not _is_plain_object({k: v for k, v in siblings.items() if k != "$ref"}):
        return False
    for part in (node, siblings) if siblings else (node,):
        for member in as_list(part.get("allOf")):
            if not _gather(member, view, resolver, dialect, depth + 1):
                return False
        _take(part, view)
    return True


def _is_plain_object(node: Any) -> bool:
    if not isinstance(node, dict):
        return False
    kind = node.get("type")
    if kind is not None and kind != "object" and not (isinstance(kind, list) and "object" in kind):
        return False
    extra = node.get("additionalProperties")
    return all(key in _PLAIN_OBJECT or key.startswith("x-") for key in node) and (
        extra is None or isinstance(extra, dict | bool)
    )


def _take(node: dict[str, Any], view: ObjectView) -> None:
    for name, child in as_dict(node.get("properties")).items():
        if child is None:
            continue
        known = view.properties.get(name)
        view.properties[name] = child if known is None or known == child else {"allOf": [known, child]}
        if isinstance(child, dict) and child.get("required") is True:
            view.required[name] = None
    for name in as_list(node.get("required")):
        if isinstance(name, str):
            view.required[name] = None
    extra = node.get("additionalProperties")
    view.closed = view.closed or extra is False
    if extra is True or isinstance(extra, dict):
        view.open = extra
