"""The ``xml`` objects of schemas, gathered into what a writer of XML needs.

Source: OpenAPI 3.2.0, section "XML Object", with ``attribute`` and ``wrapped`` of the versions before.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from toolhaft.openapi.documents.document import Document, as_dict, as_list, as_text
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.openapi.requests.wire import XMLShape
from toolhaft.types.pointer import unescape

MOST_SHAPES = 1000
"""Shapes of one body; what goes beyond them is written by its names alone."""
_NODES = frozenset({"element", "attribute", "text", "cdata", "none"})
_COMPOSED = ("allOf", "anyOf", "oneOf")
_MOST_MEMBERS = 64
_ANY = -1


class _Merged:
    """A schema with all that it refers to and is composed of, as far as XML is concerned."""

    def __init__(self) -> None:
        self.xml: dict[str, Any] = {}
        self.is_list = False
        self.properties: dict[str, Any] = {}
        self.items: Any = None
        self.first: list[Any] = []
        self.extra: Any = None
        self.component = ""


class XMLShapes:
    """Gathers the shapes of schemas.

    Args:
        document: Its version decides what an element is called that is declared elsewhere.
        resolver: Of the document.
    """

    def __init__(self, document: Document, resolver: Resolver) -> None:
        self._resolver = resolver
        self._named_by_component = document.version.startswith("3.2")
        self._siblings = document.dialect != "3.0"

    def read(self, schema: Any) -> tuple[XMLShape, ...]:
        """Return the shapes of a body; the first is that of its outermost element."""
        found: list[XMLShape] = []
        known: dict[str, int] = {}
        self._add(schema, found, known, root=True)
        return tuple(found)

    def _add(self, schema: Any, found: list[XMLShape], known: dict[str, int], *, root: bool = False) -> int:
        if not isinstance(schema, dict):
            return _ANY
        key = as_text(schema.get("$ref")) if len(schema) == 1 and not root else ""
        if key in known:
            return known[key]
        if len(found) >= MOST_SHAPES:
            return _ANY
        position = len(found)
        found.append(XMLShape())
        if key:
            known[key] = position
        merged = self._merge(schema)
        named = root or (self._named_by_component and "$ref" in schema)
        found[position] = XMLShape(
            node=_node(merged),
            name=as_text(merged.xml.get("name")) or (merged.component if named else ""),
            namespace=as_text(merged.xml.get("namespace")),
            prefix=as_text(merged.xml.get("prefix")),
            properties=tuple(
                (name, self._add(child, found, known)) for name, child in merged.properties.items()
            ),
            items=self._add(merged.items, found, known),
            extra=self._add(merged.extra, found, known),
            first=tuple(self._add(child, found, known) for child in merged.first[:100]),
        )
        return position

    def _merge(self, schema: dict[str, Any]) -> _Merged:
        merged = _Merged()
        waiting: list[tuple[Any, str]] = [(schema, "")]
        seen: set[int] = set()
        while waiting and len(seen) < _MOST_MEMBERS:
            node, pointer = waiting.pop(0)
            if not isinstance(node, dict) or id(node) in seen:
                continue
            seen.add(id(node))
            reference = node.get("$ref")
            if isinstance(reference, str):
                with suppress(BrokenReferenceError):  # reported where the body is planned
                    waiting.append(self._resolver.find(reference))
                if not self._siblings:
                    continue
            self._take(node, merged)
            if pointer and not merged.component:
                merged.component = _component(pointer)
            waiting.extend((member, "") for keyword in _COMPOSED for member in as_list(node.get(keyword)))
        return merged

    def _take(self, node: dict[str, Any], merged: _Merged) -> None:
        """Add what a schema says; what was said before it goes first."""
        merged.xml = {**as_dict(node.get("xml")), **merged.xml}
        kind = node.get("type")
        names = kind if isinstance(kind, list) else [kind]
        if "array" in names or (kind is None and node.get("items") is not None):
            merged.is_list = True
        for name, child in as_dict(node.get("properties")).items():
            merged.properties.setdefault(name, child)
        if merged.items is None:
            merged.items = node.get("items")
        merged.first = merged.first or as_list(node.get("prefixItems"))
        if merged.extra is None and isinstance(node.get("additionalProperties"), dict):
            merged.extra = node["additionalProperties"]


def _node(merged: _Merged) -> Any:
    said = merged.xml.get("nodeType")
    if said in _NODES:
        return said
    if merged.xml.get("attribute") is True:
        return "attribute"
    return "none" if merged.is_list and merged.xml.get("wrapped") is not True else "element"


def _component(pointer: str) -> str:
    """Return the name of a schema of the document's components, or empty."""
    before, _, last = pointer.rpartition("/")
    home = before.rpartition("#")[2] if "#" in before else before
    return unescape(last) if home in ("/components/schemas", "/definitions") else ""
