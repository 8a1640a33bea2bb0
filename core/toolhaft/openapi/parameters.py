"""Parameters of an operation: merged, checked, and told apart from what may not be set."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from toolhaft.openapi.bodies import Body, example_of
from toolhaft.openapi.documents.cleaning import clean_text
from toolhaft.openapi.documents.document import as_dict
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.openapi.documents.swagger2_parameters import delimiters_of
from toolhaft.openapi.encodings import EncodingReader
from toolhaft.openapi.media_types import FORM, is_json
from toolhaft.openapi.paths import PathTemplate, read_template
from toolhaft.openapi.requests.headers import TOKEN
from toolhaft.openapi.requests.media import form_of
from toolhaft.openapi.requests.wire import Style, Where, WireField, XMLShape
from toolhaft.openapi.xml_shapes import XMLShapes
from toolhaft.tools.report import Problem, Severity
from toolhaft.types.pointer import escape

_DEFAULT_STYLES: dict[Where, Style] = {
    "path": "simple",
    "query": "form",
    "querystring": "form",
    "header": "simple",
    "cookie": "form",
}
_STYLES: dict[Where, frozenset[str]] = {
    "path": frozenset({"simple", "label", "matrix"}),
    "query": frozenset({"form", "spaceDelimited", "pipeDelimited", "deepObject"}),
    "querystring": frozenset(),
    "header": frozenset({"simple"}),
    "cookie": frozenset({"form", "cookie"}),
}
_COOKIE_NAME = re.compile(r"[!#-+./0-9:<>-Z\[\]^_`a-z{|}~-]+")
"""What cookies are named in the field: brackets, too, which RFC 6265 leaves out and every server reads."""
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
_FORBIDDEN_HEADERS = frozenset(
    [
        "host",
        "content-length",
        "cookie",
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter that becomes an argument.

    Attributes:
        name: On the wire.
        schema: Its schema as the document writes it; None for any value.
        content: Media type, if the value is sent as text of that type.
        delimiters: See `toolhaft.openapi.requests.wire.WireParameter`.
        fields: For content that is a form: how its fields are written.
        xml: For content that is XML: its shapes.
    """

    name: str
    place: Where
    style: Style
    explode: bool
    required: bool = False
    schema: Any = None
    pointer: str = ""
    description: str = ""
    content: str = ""
    reserved: bool = False
    empty: bool = False
    deprecated: bool = False
    example: Any = None
    delimiters: tuple[str, ...] = ()
    fields: tuple[WireField, ...] = ()
    xml: tuple[XMLShape, ...] = ()


class ParameterReader:
    """Reads the parameters of one operation.

    Args:
        resolver: Of the document.
        encodings: Of the document.
        xml: Of the document.
        everywhere: Whether reserved characters may be allowed outside of queries, as 3.2 has it.
    """

    def __init__(
        self, resolver: Resolver, encodings: EncodingReader, xml: XMLShapes, *, everywhere: bool = False
    ) -> None:
        self._resolver = resolver
        self._xml = xml
        self._encodings = encodings
        self._reserving = ("path", "query", "cookie") if everywhere else ("query",)
        self._problems: list[Problem] = []

    def read(
        self, path: str, levels: list[tuple[Any, str]]
    ) -> tuple[list[Parameter], PathTemplate, list[Problem]]:
        """Return the parameters that become arguments, the path as they fill it, and what was noticed.

        Args:
            path: The path template.
            levels: ``parameters`` of path and operation, each with its pointer, widest first.
        """
        self._problems = []
        found: dict[tuple[str, str], Parameter] = {}
        for listed, pointer in levels:
            level = self._level(listed, pointer)
            for key, parameter in level.items():
                found[key] = parameter
        parameters = list(found.values())
        names = {place: {p.name for p in parameters if p.place == place} for place in ("path", "query")}
        template = read_template(path, names["path"], names["query"])
        return self._match_template(template, parameters, levels[-1][1]), template, self._problems

    def _note(self, code: str, message: str, pointer: str, severity: Severity = "warning") -> None:
        self._problems.append(Problem(code=code, message=message, pointer=pointer, severity=severity))

    def _level(self, listed: Any, pointer: str) -> dict[tuple[str, str], Parameter]:
        found: dict[tuple[str, str], Parameter] = {}
        if listed is None:
            return found
        entries: list[tuple[Any, Any]] = list(enumerate(listed)) if isinstance(listed, list) else []
        if isinstance(listed, dict):
            self._note("parameters-malformed", "the parameters are an object, not a list", pointer)
            entries = [(escape(str(key)), node) for key, node in listed.items()]
        elif not isinstance(listed, list):
            self._note("parameters-malformed", "the parameters are not a list", pointer, "skipped")
            return found
        for index, node in entries:
            place = f"{pointer}/{index}"
            if node is None:
                continue
            try:
                node, _ = self._resolver.follow(node, place)
            except BrokenReferenceError as error:
                self._note(f"reference-{error.kind}", error.what, place, "skipped")
                continue
            if node is None:  # what a reference leads to may be left empty, too
                self._note("parameter-empty", "the parameter is empty and is left out", place)
                continue
            parameter = self._parameter(node, place)
            if parameter is None:
                continue
            name = parameter.name.casefold() if parameter.place == "header" else parameter.name
            if (parameter.place, name) in found:
                message = f"the parameter {parameter.name[:80]!r} is given twice; the last counts"
                self._note("parameter-duplicate", message, place)
            found[parameter.place, name] = parameter
        return found

    def _parameter(self, node: Any, pointer: str) -> Parameter | None:
        node = as_dict(node)
        name, place = node.get("name"), node.get("in")
        if isinstance(name, int | float) and not isinstance(name, bool):
            name = str(name)
        if place == "querystring":
            name = name or place  # the whole query has no name on the wire
        elif name == "" and place in _DEFAULT_STYLES and place != "path" and node.get("required") is not True:
            self._note("parameter-empty", "a parameter without a name is left out", pointer)
            return None
        if not isinstance(name, str) or not name or not isinstance(place, str):
            self._note("parameter-malformed", "a parameter has no name or no place", pointer, "skipped")
            return None
        if place not in _DEFAULT_STYLES:
            severity: Severity = "skipped" if node.get("required") is True or place == "body" else "degraded"
            what = f"the parameter {name[:80]!r} has its place in {place[:40]!r}, which is not known"
            self._note("parameter-place", what, pointer, severity)
            return None
        if place in ("header", "cookie") and not self._settable(
            name, place, pointer, required=node.get("required") is True
        ):
            return None
        return self._described(node, name, place, pointer)

    def _settable(self, name: str, place: str, pointer: str, *, required: bool) -> bool:
        if not (_COOKIE_NAME if place == "cookie" else TOKEN).fullmatch(name):
            what = f"no {place} can be named {clean_text(name, 80)!r}"
            severity: Severity = "skipped" if required else "degraded"
            self._note("parameter-name", f"{what}; it is left out", pointer, severity)
            return False
        if place == "header" and name.lower() in _IGNORED_HEADERS:
            return False  # the specification says so: these are set by other means
        if place == "header" and name.lower() in _FORBIDDEN_HEADERS:
            self._note("parameter-forbidden", f"the header {name!r} cannot be set and is dropped", pointer)
            return False
        return True

    def _described(self, node: dict[str, Any], name: str, place: Where, pointer: str) -> Parameter:
        if place == "path" and node.get("required") is not True:
            what = f"the path parameter {name[:80]!r} is not marked as required; it is"
            self._note("parameter-optional-path", what, pointer)
        style = self._style(node, name, place, pointer)
        explode = node.get("explode")
        media, entry = self._content(node, name, place, pointer)
        schema = entry.get("schema") if media else node.get("schema")
        return Parameter(
            name=name,
            place=place,
            style=style,
            explode=explode if isinstance(explode, bool) else style in ("form", "deepObject", "cookie"),
            required=node.get("required") is True or place == "path",
            schema=schema,
            pointer=pointer,
            description=clean_text(node.get("description")),
            content=media,
            reserved=node.get("allowReserved") is True and place in self._reserving,
            empty=node.get("allowEmptyValue") is True and place == "query",
            deprecated=node.get("deprecated") is True,
            example=_example(node),
            delimiters=delimiters_of(node),
            fields=self._fields(media, entry),
            xml=self._xml.read(schema) if form_of(media) == "xml" else (),
        )

    def _style(self, node: dict[str, Any], name: str, place: Where, pointer: str) -> Style:
        style = node.get("style")
        if style is None or style == _DEFAULT_STYLES[place]:
            return _DEFAULT_STYLES[place]
        if isinstance(style, str) and style in _STYLES[place]:
            return style  # type: ignore[return-value]
        what = f"the style {str(style)[:40]!r} of {name[:80]!r} is not one for {place}; the default is used"
        self._note("parameter-style", what, pointer, "degraded")
        return _DEFAULT_STYLES[place]

    def _content(
        self, node: dict[str, Any], name: str, place: Where, pointer: str
    ) -> tuple[str, dict[str, Any]]:
        """Return the media type of a parameter and what is said of it; an empty one has a style."""
        content = node.get("content")
        if not isinstance(content, dict) or not content:
            if place != "querystring":
                return "", {}
            what = f"the query string {name[:80]!r} names no media type; it is sent as a form"
            self._note("parameter-content", what, pointer, "degraded")
            return FORM, {"schema": node.get("schema")}
        media = next((str(key) for key in content if is_json(str(key))), str(next(iter(content))))
        entry = as_dict(self._resolver.target(content.get(media)))
        if form_of(media) not in ("json", "form", "text", "xml"):
            what = f"the parameter {name[:80]!r} of type {media[:80]!r} is sent as text, or JSON"
            self._note("parameter-content", what, f"{pointer}/content/{escape(media)}", "degraded")
        return media, entry

    def _fields(self, media: str, entry: dict[str, Any]) -> tuple[WireField, ...]:
        if form_of(media) != "form":
            return ()
        encoding = as_dict(entry.get("encoding"))
        body = Body(media_type=media, form="form", schema=entry.get("schema"), encoding=encoding)
        return tuple(self._encodings.field(body, name, None, name) for name in encoding)

    def _match_template(
        self, template: PathTemplate, parameters: list[Parameter], pointer: str
    ) -> list[Parameter]:
        wanted = template.variables
        declared = {parameter.name for parameter in parameters if parameter.place == "path"}
        kept: list[Parameter] = []
        for parameter in parameters:
            if parameter.place == "path" and parameter.name not in wanted:
                what = f"the path has no {{{parameter.name[:80]}}}; the parameter is dropped"
                self._note("parameter-ghost", what, parameter.pointer)
            else:
                kept.append(parameter)
        for name in wanted:
            if name not in declared:
                what = f"{{{name[:80]}}} in the path is not declared; it becomes a required text"
                self._note("parameter-undeclared", what, pointer)
                kept.append(_undeclared(name, "path", pointer))
        known = {parameter.name for parameter in kept if parameter.place == "query"}
        for name in template.queries:
            if name not in known:
                what = f"the path asks for {name[:80]!r} and does not declare it; it becomes an optional text"
                self._note("parameter-undeclared", what, pointer)
                kept.append(_undeclared(name, "query", pointer))
        return kept


def _undeclared(name: str, place: Where, pointer: str) -> Parameter:
    return Parameter(
        name=name,
        place=place,
        style=_DEFAULT_STYLES[place],
        explode=place == "query",
        required=place == "path",
        schema={"type": "string"},
        pointer=pointer,
    )


def _example(node: dict[str, Any]) -> Any:
    found = example_of(node)
    return as_dict(node.get("schema")).get("default") if found is None else found
