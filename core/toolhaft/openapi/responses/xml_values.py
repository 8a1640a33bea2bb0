"""XML as plain values, with nothing expanded and nothing fetched."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

_DEEPEST = 100
_MOST_ELEMENTS = 200_000


class XMLProblem(ValueError):
    """The text is no XML, or more than is read."""


def read_xml(body: bytes, encoding: str | None = None) -> dict[str, Any]:
    """Return a document as ``{root: value}``.

    An element with text alone is its text; one with children is an object of their local names, a list where
    a name comes more than once; attributes are ``@name``, text beside children is ``#text``. An empty element
    is null. Namespace prefixes are dropped.

    Args:
        body: The document.
        encoding: What the transport says it is in; None leaves it to the document.

    Raises:
        XMLProblem: It is not well-formed, declares entities, or is too deep or too large.
    """
    builder = _Builder()
    try:
        parser = expat.ParserCreate(encoding)
    except (ValueError, LookupError):
        parser = expat.ParserCreate()
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.EntityDeclHandler = _refuse_entity
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise XMLProblem(f"not well-formed XML: {error}") from None
    except (LookupError, UnicodeError):
        raise XMLProblem("in an encoding that is not known") from None
    return builder.root


class _Builder:
    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self._open: list[tuple[str, dict[str, Any], list[str]]] = []
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > _MOST_ELEMENTS:
            raise XMLProblem(f"more than {_MOST_ELEMENTS} elements")
        if len(self._open) >= _DEEPEST:
            raise XMLProblem(f"nested deeper than {_DEEPEST}")
        kept = {
            f"@{_local(key)}": value
            for key, value in attributes.items()
            if key != "xmlns" and not key.startswith("xmlns:")
        }
        self._open.append((_local(name), kept, []))

    def end(self, _name: str) -> None:
        name, fields, pieces = self._open.pop()
        text = "".join(pieces).strip()
        value: Any = fields
        if not fields:
            value = text or None
        elif text:
            fields["#text"] = text
        _add(self._open[-1][1] if self._open else self.root, name, value)

    def text(self, piece: str) -> None:
        if self._open:
            self._open[-1][2].append(piece)


def _add(fields: dict[str, Any], name: str, value: Any) -> None:
    if name not in fields:
        fields[name] = value
    elif isinstance(fields[name], list):  # no value is a list by itself
        fields[name].append(value)
    else:
        fields[name] = [fields[name], value]


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _refuse_entity(*_: Any) -> None:
    raise XMLProblem("it declares entities, which are not expanded")
