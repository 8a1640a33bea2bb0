"""What kind of value a schema stands for, as far as it decides how a request is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolhaft.openapi.documents.document import as_dict, as_list
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.openapi.requests.media import form_of

_MOST_MEMBERS = 32
_COMPOSED = ("allOf", "anyOf", "oneOf")


def nodes_of(schema: Any, resolver: Resolver) -> Iterator[dict[str, Any]]:
    """Iterate over a schema, what it refers to, and what it is composed of; broken references end there."""
    waiting = [schema]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_MEMBERS:
        node = waiting.pop(0)
        if not isinstance(node, dict) or id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node.get("$ref"), str):
            try:
                waiting.append(resolver.find(node["$ref"])[0])
            except BrokenReferenceError:
                continue
        for keyword in _COMPOSED:
            waiting.extend(as_list(node.get(keyword)))


def kind_of(schema: Any, resolver: Resolver) -> str:
    """Return ``object``, ``array``, ``string``, ``number``, ``integer``, ``boolean``, or empty for any."""
    for node in nodes_of(schema, resolver):
        kind = node.get("type")
        names = kind if isinstance(kind, list) else [kind]
        found = [name for name in names if isinstance(name, str) and name != "null"]
        if len(found) == 1:
            return "string" if found[0] == "file" else found[0]
        if found:
            return ""
        if as_dict(node.get("properties")):
            return "object"
        if node.get("items") is not None or node.get("prefixItems") is not None:
            return "array"
    return ""


def is_binary(schema: Any, resolver: Resolver) -> bool:
    """Whether a schema says that its value is bytes rather than text."""
    for node in nodes_of(schema, resolver):
        kind = node.get("type")
        if kind == "file":
            return True
        if kind not in (None, "string", ["string", "null"], ["string"]):
            continue
        if node.get("format") in ("binary", "file"):
            return True
        media = node.get("contentMediaType")
        is_raw = node.get("contentEncoding") is None
        if is_raw and isinstance(media, str) and form_of(media) in ("bytes", None):
            return True
    return False


def items_of(schema: Any, resolver: Resolver) -> Any:
    """Return the schema of a list's entries, or None."""
    for node in nodes_of(schema, resolver):
        if node.get("items") is not None:
            return node["items"]
    return None


def says(schema: Any, keyword: str, resolver: Resolver) -> Any:
    """Return the first value of a keyword in a schema and what it is composed of, or None."""
    return next((node[keyword] for node in nodes_of(schema, resolver) if node.get(keyword) is not None), None)
