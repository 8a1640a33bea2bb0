"""Parameters of an operation: merged, checked, and told apart from what may not be set."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from toolhaft.openapi.documents.cleaning import clean_text
from toolhaft.openapi.documents.document import as_dict, escape
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.openapi.documents.swagger2_parameters import delimiters_of
from toolhaft.openapi.requests.wire import Style, Where
from toolhaft.openapi.security import TOKEN
from toolhaft.tools.report import Problem, Severity

TEMPLATE = re.compile(r"\{([^{}]*)\}")
_DEFAULT_STYLES: dict[Where, Style] = {
    "path": "simple",
    "query": "form",
    "header": "simple",
    "cookie": "form",
}
_STYLES: dict[Where, frozenset[str]] = {
    "path": frozenset({"simple", "label", "matrix"}),
    "query": frozenset({"form", "spaceDelimited", "pipeDelimited", "deepObject"}),
    "header": frozenset({"simple"}),
    "cookie": frozenset({"form"}),
}
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


class ParameterReader:
    """Reads the parameters of one operation.

    Args:
        resolver: Of the document.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._problems: list[Problem] = []

    def read(self, path: str, levels: list[tuple[Any, str]]) -> tuple[list[Parameter], list[Problem]]:
        """Return the parameters that become arguments, and what was noticed.

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
        return self._match_template(path, list(found.values()), levels[-1][1]), self._problems

    def _note(self, code: str, message: str, pointer: str, severity: Severity = "warning") -> None:
        self._problems.append(Problem(code=code, message=message, pointer=pointer, severity=severity))

    def _level(self, listed: Any, pointer: str) -> dict[tuple[str, str], Parameter]:
        found: dict[tuple[str, str], Parameter] = {}
        if listed is None:
            return found
        if not isinstance(listed, list):
            self._note("parameters-malformed", "the parameters are not a list", pointer, "skipped")
            return found
        for index, node in enumerate(listed):
            place = f"{pointer}/{index}"
            if node is None:
                continue
            try:
                node, _ = self._resolver.follow(node, place)
            except BrokenReferenceError as error:
                self._note(f"reference-{error.kind}", error.what, place, "skipped")
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
        if not isinstance(name, str) or not name or not isinstance(place, str):
            self._note("parameter-malformed", "a parameter has no name or no place", pointer, "skipped")
            return None
        if place not in _DEFAULT_STYLES:
            severity: Severity = "skipped" if node.get("required") is True or place == "body" else "degraded"
            what = f"the parameter {name[:80]!r} has its place in {place[:40]!r}, which is not known"
            self._note("parameter-place", what, pointer, severity)
            return None
        if place in ("header", "cookie") and not self._settable(name, place, pointer):
            return None
        return self._described(node, name, place, pointer)

    def _settable(self, name: str, place: str, pointer: str) -> bool:
        if not TOKEN.fullmatch(name):
            what = f"no {place} can be named {clean_text(name, 80)!r}"
            self._note("parameter-name", what, pointer, "skipped")
            return False
        if place == "header" and name.lower() in _IGNORED_HEADERS:
            return False  # the specification says so: these are set by other means
        if place == "header" and name.lower() in _FORBIDDEN_HEADERS:
            self._note("parameter-forbidden", f"the header {name!r} cannot be set and is dropped", pointer)
            return False
        return True

    def _described(self, node: dict[str, Any], name: str, place: Where, pointer: str) -> Parameter:
        style = self._style(node, name, place, pointer)
        explode = node.get("explode")
        media, schema = self._content(node, name, pointer)
        if media is None:
            schema = node.get("schema")
        return Parameter(
            name=name,
            place=place,
            style=style,
            explode=explode if isinstance(explode, bool) else style in ("form", "deepObject"),
            required=node.get("required") is True or place == "path",
            schema=schema,
            pointer=pointer,
            description=clean_text(node.get("description")),
            content=media or "",
            reserved=node.get("allowReserved") is True and place == "query",
            empty=node.get("allowEmptyValue") is True and place == "query",
            deprecated=node.get("deprecated") is True,
            example=_example(node),
            delimiters=delimiters_of(node),
        )

    def _style(self, node: dict[str, Any], name: str, place: Where, pointer: str) -> Style:
        style = node.get("style")
        if style is None or style == _DEFAULT_STYLES[place]:
            return _DEFAULT_STYLES[place]
        if isinstance(style, str) and style in _STYLES[place]:
            return style  # type: ignore[return-value]
        if not (place == "cookie" and style == "cookie"):  # 3.2: form without percent-encoding
            what = (
                f"the style {str(style)[:40]!r} of {name[:80]!r} is not one for {place}; the default is used"
            )
            self._note("parameter-style", what, pointer, "degraded")
        return _DEFAULT_STYLES[place]

    def _content(self, node: dict[str, Any], name: str, pointer: str) -> tuple[str | None, Any]:
        content = node.get("content")
        if not isinstance(content, dict) or not content:
            return None, None
        media = next((str(key) for key in content if "json" in str(key).lower()), None)
        if media is None:
            media = str(next(iter(content)))
            what = f"the parameter {name[:80]!r} of type {media[:80]!r} is sent as JSON text"
            self._note("parameter-content", what, f"{pointer}/content/{escape(media)}", "degraded")
        return media, as_dict(content.get(media)).get("schema")

    def _match_template(self, path: str, parameters: list[Parameter], pointer: str) -> list[Parameter]:
        wanted = list(dict.fromkeys(TEMPLATE.findall(path.partition("#")[0])))
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
                kept.append(
                    Parameter(
                        name=name,
                        place="path",
                        style="simple",
                        explode=False,
                        required=True,
                        schema={"type": "string"},
                        pointer=pointer,
                    )
                )
        return kept


def _example(node: dict[str, Any]) -> Any:
    if node.get("example") is not None:
        return node["example"]
    for entry in as_dict(node.get("examples")).values():
        if isinstance(entry, dict) and entry.get("value") is not None:
            return entry["value"]
    schema = as_dict(node.get("schema"))
    return schema.get("example") if schema.get("example") is not None else schema.get("default")
