"""How the properties of a form, or the parts of a multipart body, are written: ``encoding`` and its defaults.

Source: OpenAPI 3.2.0, section "Encoding Object"; 3.0.3 and 3.1.0, where they differ.
"""

from __future__ import annotations

from typing import Any

from toolhaft.openapi.bodies import Body
from toolhaft.openapi.documents.document import Document, as_dict, as_list, as_text
from toolhaft.openapi.documents.resolve import Resolver
from toolhaft.openapi.documents.swagger2_parameters import delimiters_of
from toolhaft.openapi.media_types import is_json, is_range, plain
from toolhaft.openapi.requests.headers import TOKEN
from toolhaft.openapi.requests.media import form_of
from toolhaft.openapi.requests.styles import scalar_text
from toolhaft.openapi.requests.wire import Style, WireField, WireHeader, XMLShape
from toolhaft.openapi.schema_kinds import is_binary, items_of, kind_of, nodes_of, says
from toolhaft.openapi.xml_shapes import XMLShapes

_STYLES = frozenset({"form", "spaceDelimited", "pipeDelimited", "deepObject"})
_STYLED = ("style", "explode", "allowReserved")
_NO_PART_HEADERS = frozenset({"content-type", "content-disposition", "content-length"})
_DEEPEST = 3
_MOST_TYPES = 20


class EncodingReader:
    """Reads how the parts of bodies are written.

    Args:
        document: Its version decides where versions differ.
        resolver: Of the document.
        xml: Of the document.
    """

    def __init__(self, document: Document, resolver: Resolver, xml: XMLShapes) -> None:
        self._resolver = resolver
        self._xml = xml
        self._old = document.dialect == "3.0"
        self._per_entry = document.version.startswith("3.2")

    def field(self, body: Body, name: str, schema: Any, key: str, headers_key: str = "") -> WireField:
        """Return how a property is written.

        Args:
            body: The body.
            name: Of the property.
            schema: Of the property.
            key: The argument.
            headers_key: The argument with values for headers of the part; see `open_headers`.
        """
        if body.form not in ("form", "multipart"):
            return WireField(key=key, name=name)
        entry = as_dict(body.encoding.get(name))
        return self._field(body.form == "multipart", entry, name, schema, key, headers_key)

    def positions(self, body: Body) -> tuple[tuple[WireField, ...], WireField | None]:
        """Return how parts without names are written: the first ones, and the rest."""
        if not self.is_positional(body):
            return (), None
        return self._positions(body.schema, body.first_encodings, body.item_encoding, 0)

    def is_positional(self, body: Body) -> bool:
        """Whether the parts of a body have places rather than names, as all but those of forms have."""
        if body.form != "multipart" or plain(body.media_type) == "multipart/form-data":
            return False
        return kind_of(body.schema, self._resolver) != "object"

    def open_headers(self, body: Body, name: str) -> dict[str, dict[str, Any]]:
        """Return the headers of a part whose values only the caller can know, by name."""
        if body.form != "multipart":
            return {}
        nodes = self._header_nodes(as_dict(body.encoding.get(name)))
        return {name: node for name, node in nodes.items() if not self._fixed(node)}

    def is_file(self, body: Body, name: str, schema: Any) -> bool:
        """Whether a property is a file: bytes, whose argument is a handle."""
        if body.form != "multipart":
            return False
        return self._is_file(as_dict(body.encoding.get(name)), schema)

    def is_untyped(self, body: Body, schema: Any) -> bool:
        """Whether a property may be anything, a file too."""
        return body.form == "multipart" and kind_of(schema, self._resolver) == "" and schema is not False

    def _field(
        self, parts: bool, entry: dict[str, Any], name: str, schema: Any, key: str, headers_key: str
    ) -> WireField:
        kind = kind_of(schema, self._resolver)
        media_types = _media_types(entry)
        file = parts and self._is_file(entry, schema)
        style, explode = (None, True) if file else self._style(entry, parts)
        encoded = says(schema, "contentEncoding", self._resolver) if parts and kind == "string" else None
        if isinstance(encoded, str) and not media_types and style is None:
            media_types = ("application/octet-stream",)
        as_one = kind == "array" and media_types and is_json(media_types[0]) and not self._per_entry
        nested, rest = self._nested(entry, schema, media_types) if parts else ((), None)
        return WireField(
            key=key,
            name=name,
            style=style,
            explode=explode,
            reserved=entry.get("allowReserved") is True and not parts,
            delimiters=() if file else delimiters_of(entry),
            media_types=() if style is not None else media_types,
            file=file,
            each=not as_one,
            headers=self._headers(entry, encoded) if parts else (),
            headers_key=headers_key,
            parts=nested,
            rest=rest,
            xml=self._shapes(media_types, schema),
        )

    def _shapes(self, media_types: tuple[str, ...], schema: Any) -> tuple[XMLShape, ...]:
        """Return the shapes of what is written as XML, of each entry where it is a list."""
        if not media_types or form_of(media_types[0]) != "xml":
            return ()
        if kind_of(schema, self._resolver) == "array":
            schema = items_of(schema, self._resolver)
        return self._xml.read(schema) if kind_of(schema, self._resolver) != "string" else ()

    def _style(self, entry: dict[str, Any], parts: bool) -> tuple[Style | None, bool]:
        """Return style and explode; None where the content type decides, as for parts up to 3.0."""
        if not any(key in entry for key in _STYLED) or (parts and self._old):
            return None, True
        style: Any = as_text(entry.get("style"))
        known: Style = style if style in _STYLES else "form"
        explode = entry.get("explode")
        return known, explode if isinstance(explode, bool) else known in ("form", "deepObject")

    def _is_file(self, entry: dict[str, Any], schema: Any) -> bool:
        resolver = self._resolver
        if is_binary(schema, resolver):
            return True
        if kind_of(schema, resolver) == "array":
            items = items_of(schema, resolver)
            if is_binary(items, resolver):
                return True
            schema = items
        if says(schema, "contentEncoding", resolver) is not None:
            return False
        media_types = _media_types(entry)
        binary = [media for media in media_types if _is_binary_type(media)]
        return (
            bool(binary) and len(binary) == len(media_types) and kind_of(schema, resolver) in ("", "string")
        )

    def _nested(
        self, entry: dict[str, Any], schema: Any, media_types: tuple[str, ...], depth: int = 0
    ) -> tuple[tuple[WireField, ...], WireField | None]:
        if not media_types or form_of(media_types[0]) != "multipart" or depth > _DEEPEST:
            return (), None
        first = tuple(as_list(entry.get("prefixEncoding")))
        found, rest = self._positions(schema, first, entry.get("itemEncoding"), depth + 1)
        return found, rest or WireField(key="", name="")

    def _positions(
        self, schema: Any, first: tuple[Any, ...], rest: Any, depth: int
    ) -> tuple[tuple[WireField, ...], WireField | None]:
        schemas = as_list(says(schema, "prefixItems", self._resolver))
        items = items_of(schema, self._resolver)
        count = max(len(schemas), len(first)) if depth <= _DEEPEST else 0
        made = [
            self._part(first[n] if n < len(first) else rest, schemas[n] if n < len(schemas) else items, depth)
            for n in range(min(count, 64))
        ]
        return tuple(made), self._part(rest, items, depth)

    def _part(self, entry: Any, schema: Any, depth: int) -> WireField:
        entry = as_dict(entry)
        media_types = _media_types(entry)
        nested, rest = self._nested(entry, schema, media_types, depth)
        return WireField(
            key="",
            name="",
            media_types=media_types,
            file=self._is_file(entry, schema),
            headers=self._headers(entry, says(schema, "contentEncoding", self._resolver)),
            parts=nested,
            rest=rest,
            xml=self._shapes(media_types, schema),
        )

    def _header_nodes(self, entry: dict[str, Any]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for name, node in as_dict(entry.get("headers")).items():
            if not TOKEN.fullmatch(name) or name.lower() in _NO_PART_HEADERS:
                continue
            node = self._resolver.target(node)
            if isinstance(node, dict) and node.get("schema") is not False:
                found[name] = node
        return found

    def _headers(self, entry: dict[str, Any], encoded: Any) -> tuple[WireHeader, ...]:
        made = [
            WireHeader(name=name, value=self._fixed(node), explode=node.get("explode") is True)
            for name, node in self._header_nodes(entry).items()
        ]
        named = {header.name.lower() for header in made}
        if isinstance(encoded, str) and encoded.isalnum() and "content-transfer-encoding" not in named:
            made.append(WireHeader(name="Content-Transfer-Encoding", value=encoded))
        return tuple(made)

    def _fixed(self, node: dict[str, Any]) -> str:
        """Return the only value that a header can have, or its default; empty if there is none."""
        for schema in nodes_of(node.get("schema"), self._resolver):
            choices = as_list(schema.get("enum"))
            for value in (
                schema.get("const"),
                schema.get("default"),
                *(choices if len(choices) == 1 else ()),
            ):
                if isinstance(value, str | int | float):
                    text = scalar_text(value)
                    return text if text.isascii() and text.isprintable() else ""
        return ""


def _media_types(entry: dict[str, Any]) -> tuple[str, ...]:
    listed = [text.strip() for text in as_text(entry.get("contentType")).split(",")]
    usable = [text for text in listed if "/" in text and text.isascii() and text.isprintable()]
    return tuple(usable[:_MOST_TYPES])


def _is_binary_type(media_type: str) -> bool:
    if is_range(media_type) and media_type.partition("/")[0] in ("*", "application", "text"):
        return False
    return form_of(media_type) in ("bytes", None)


def artifact_type(media_types: tuple[str, ...]) -> str:
    """Return what an artifact must be for a part of these types; empty takes anything.

    Only images are told from others: their bytes say what they are, while other files go by their names.
    """
    if not media_types or not all(media.startswith("image/") for media in media_types):
        return ""
    return plain(media_types[0]) if len(media_types) == 1 else "image/*"
