"""Values as XML by the ``xml`` objects of their schemas.

Source: OpenAPI 3.2.0, section "XML Object"; XML 1.0, sections 2.2 to 2.4; Namespaces in XML 1.0.
"""

from __future__ import annotations

import re
from typing import Any

from toolhaft.errors import InvalidArgumentsError
from toolhaft.openapi.requests.styles import scalar_text
from toolhaft.openapi.requests.wire import XMLShape

_ANY = XMLShape()
_ANY_LIST = XMLShape(node="none")
_NAME = re.compile(r"[^\W\d][\w.-]*")
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DEEPEST = 200
_NIL = "http://www.w3.org/2001/XMLSchema-instance"
_Scope = dict[str, str]
"""Prefix -> namespace, as it stands where an element is written."""


def xml_text(shapes: tuple[XMLShape, ...], value: Any) -> str:
    """Return a value as an XML document without a declaration, which is UTF-8 then.

    Args:
        shapes: The first is that of the document's element; none at all is ``root`` with any content.
        value: What to write.

    Raises:
        InvalidArgumentsError: It holds what XML cannot.
    """
    root = shapes[0] if shapes else _ANY
    writer = _Writer(shapes)
    if root.node == "none" and isinstance(value, dict):
        made = writer.content(value, root, root.name or "root", {}, 0)
        if len(value) == 1 and made.startswith("<") and not made.startswith("<!"):
            return made
    return writer.element(value, root, root.name or "root", {}, 0)


class _Writer:
    def __init__(self, shapes: tuple[XMLShape, ...]) -> None:
        self._shapes = shapes

    def element(self, value: Any, shape: XMLShape, name: str, scope: _Scope, depth: int) -> str:
        """Return an element; its declarations are written where they are not in force yet."""
        if depth > _DEEPEST:
            raise InvalidArgumentsError(f"the XML body is nested deeper than {_DEEPEST}")
        declared: _Scope = {}
        tag = _qualified(shape, shape.name or name, scope, declared)
        attributes = ""
        if isinstance(value, dict):
            attributes = self._attributes(value, shape, {**scope, **declared}, declared)
        elif value is None:
            declared["xsi"] = _NIL
            attributes = ' xsi:nil="true"'
        inner = self.content(value, shape, name, {**scope, **declared} if declared else scope, depth)
        spaces = "".join(
            f' xmlns{":" if prefix else ""}{prefix}="{_escape_attribute(uri)}"'
            for prefix, uri in declared.items()
        )
        return f"<{tag}{spaces}{attributes}>{inner}</{tag}>" if inner else f"<{tag}{spaces}{attributes}/>"

    def content(self, value: Any, shape: XMLShape, name: str, scope: _Scope, depth: int) -> str:
        """Return what stands inside an element of a shape."""
        if value is None:
            return ""
        if isinstance(value, dict):
            known = dict(shape.properties)
            ordered = [key for key, _ in shape.properties if key in value]
            ordered += [key for key in value if key not in known]
            made = [
                self._node(
                    value[key], self._shape(known.get(key, shape.extra), value[key]), key, scope, depth
                )
                for key in ordered
            ]
            return "".join(made)
        if isinstance(value, list):
            own = name if shape.node == "none" or not shape.name else shape.name
            positions = [*shape.first, *[shape.items] * len(value)]
            return "".join(
                self._node(item, self._shape(position, item), own, scope, depth)
                for item, position in zip(value, positions, strict=False)
            )
        text = scalar_text(value)
        return _cdata(text) if shape.node == "cdata" else _escape_text(text)

    def _node(self, value: Any, shape: XMLShape, name: str, scope: _Scope, depth: int) -> str:
        if shape.node == "attribute":
            return ""
        if shape.node == "element":
            return self.element(value, shape, name, scope, depth + 1)
        if depth > _DEEPEST:
            raise InvalidArgumentsError(f"the XML body is nested deeper than {_DEEPEST}")
        if shape.node == "none" and not isinstance(value, dict | list):
            return self.element(value, _ANY, name, scope, depth + 1)
        return self.content(value, shape, name, scope, depth + 1)

    def _attributes(self, value: dict[str, Any], shape: XMLShape, scope: _Scope, declared: _Scope) -> str:
        made = ""
        for key, position in shape.properties:
            inner = self._shape(position, None)
            if inner.node != "attribute" or value.get(key) is None:
                continue
            name = _qualified(inner, inner.name or key, scope, declared, attribute=True)
            item = value[key]
            text = " ".join(map(scalar_text, item)) if isinstance(item, list) else scalar_text(item)
            made = f'{made} {name}="{_escape_attribute(text)}"'
        return made

    def _shape(self, position: int, value: Any) -> XMLShape:
        if 0 <= position < len(self._shapes):
            return self._shapes[position]
        return _ANY_LIST if isinstance(value, list) else _ANY


def _qualified(
    shape: XMLShape, name: str, scope: _Scope, declared: _Scope, *, attribute: bool = False
) -> str:
    """Return a name with its prefix, and note what has to be declared for it."""
    prefix = shape.prefix
    if shape.namespace and (prefix or not attribute):
        if {**scope, **declared}.get(prefix) != shape.namespace:
            declared[prefix] = shape.namespace
    elif prefix and prefix not in scope and prefix not in declared:
        prefix = ""  # nothing says what it stands for, and no parser would take it
    for part in (prefix, name) if prefix else (name,):
        if not _NAME.fullmatch(part):
            raise InvalidArgumentsError(f"{part[:80]!r} cannot be the name of an XML element or attribute")
    return f"{prefix}:{name}" if prefix else name


def _escape_text(text: str) -> str:
    _check(text)
    made = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return made.replace("\r", "&#13;")


def _escape_attribute(text: str) -> str:
    made = _escape_text(text).replace('"', "&quot;")
    return made.replace("\t", "&#9;").replace("\n", "&#10;")


def _cdata(text: str) -> str:
    _check(text)
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def _check(text: str) -> None:
    if _ILLEGAL.search(text):
        raise InvalidArgumentsError("an argument holds a control character, which XML cannot hold")
