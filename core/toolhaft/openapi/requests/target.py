"""The path and query of a request, prepared once for each operation and filled for each call."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from toolhaft.errors import InvalidArgumentsError
from toolhaft.openapi.requests import delimited, styles
from toolhaft.openapi.requests.encoding import Encode, percent, percent_path, percent_query
from toolhaft.openapi.requests.forms import content_text, form_text
from toolhaft.openapi.requests.media import form_of
from toolhaft.openapi.requests.wire import DeepLists, Wire, WireParameter

Arguments = Mapping[str, Any]
VARIABLE = re.compile(r"\{([^{}]*)\}")
_PATH_LITERAL = "/:@!$&'()*+,;=-._~%"
_QUERY_LITERAL = _PATH_LITERAL + "?"
_DOTS = frozenset({".", ".."})


def split_path(path: str) -> tuple[str, str]:
    """Return the template of a path and the query that it ends in; a fragment is dropped."""
    before, _, query = path.partition("#")[0].partition("?")
    return before, query


class Target:
    """Fills the path and query of one operation.

    Args:
        wire: The operation.
    """

    def __init__(self, wire: Wire) -> None:
        path, query = split_path(wire.path)
        named = {parameter.name: parameter for parameter in wire.parameters if parameter.place == "path"}
        self._path = _pieces(path, _PATH_LITERAL, named, wire.dotted)
        self._fixed = _pieces(query, _QUERY_LITERAL, named, wire.dotted) if query else []
        self._literal = "" if named or self._fixed else self._path[0][0]
        self._query = [
            _query_part(parameter, wire.deep_lists)
            for parameter in wire.parameters
            if parameter.place in ("query", "querystring")
        ]

    def fill(self, arguments: Arguments) -> str:
        """Return what follows the server in the URL.

        Raises:
            InvalidArgumentsError: An argument is missing or would leave its place in the path.
        """
        path = self._literal or _filled_path(self._path, arguments)
        found = [_filled(self._fixed, arguments)] if self._fixed else []
        for make in self._query:
            if text := make(arguments):
                found.append(text)
        return f"{path}?{'&'.join(found)}" if found else path


_Piece = tuple[str, Callable[[Arguments], str] | None]
"""Text that stands in the template, and what follows it."""


def _pieces(template: str, literal: str, named: Mapping[str, WireParameter], dotted: bool) -> list[_Piece]:
    found: list[_Piece] = []
    end = 0
    for match in VARIABLE.finditer(template):
        parameter = named.get(match[1])
        if parameter is not None:
            found.append((quote(template[end : match.start()], safe=literal), _path_value(parameter, dotted)))
            end = match.end()
    found.append((quote(template[end:], safe=literal), None))
    return found


def _filled(pieces: list[_Piece], arguments: Arguments) -> str:
    return "".join(text if make is None else f"{text}{make(arguments)}" for text, make in pieces)


def _filled_path(pieces: list[_Piece], arguments: Arguments) -> str:
    path = _filled(pieces, arguments)
    if "/." in path or "/%2" in path:
        # Some servers decode dots, and cut what follows a semicolon, before they take the path apart.
        plain = path.replace("%2e", ".").replace("%2E", ".")
        if _DOTS.isdisjoint(part.partition(";")[0] for part in plain.split("/")):
            return path
        raise InvalidArgumentsError(
            "a part of the path would be '.' or '..', which leads elsewhere",
            hint="Give the identifier itself",
        )
    return path


def _path_value(parameter: WireParameter, dotted: bool) -> Callable[[Arguments], str]:
    key, explode = parameter.key, parameter.explode
    encode: Encode = percent_path if parameter.reserved else percent
    is_plain = parameter.style == "simple" and not parameter.content and not parameter.delimiters

    def text_of(value: Any) -> str:
        if parameter.content:
            return percent(content_text(value, parameter.content, parameter.xml))
        if parameter.delimiters:
            return delimited.joined(value, parameter.delimiters, encode)
        if parameter.style == "matrix":
            return styles.matrix(parameter.name, value, explode, encode)
        if parameter.style == "label":
            return styles.label(value, explode, encode, dotted=dotted)
        return styles.simple(value, explode, encode)

    def make(arguments: Arguments) -> str:
        value = arguments.get(key)
        if value is None:
            raise InvalidArgumentsError(f"the argument {key!r} is missing", details={"pointer": ""})
        if is_plain and type(value) is str:
            text = encode(value)
        else:
            text = "" if value == [] or value == {} else text_of(value)
        if not text or text == ".":
            raise InvalidArgumentsError(
                f"the argument {key!r} is part of the path and cannot be empty",
                details={"pointer": f"/{key}"},
            )
        return text

    return make


def _query_part(parameter: WireParameter, deep_lists: DeepLists) -> Callable[[Arguments], str]:
    key, name = parameter.key, percent(parameter.name)
    encode: Encode = percent_query if parameter.reserved else percent
    is_plain = parameter.style == "form" and not parameter.content

    def make(arguments: Arguments) -> str:
        value = arguments.get(key)
        if value is None:
            return ""
        if is_plain and type(value) is str:
            return f"{name}={encode(value)}"
        if parameter.empty and (value == [] or value == {}):
            return f"{name}="
        if parameter.content:
            text = _content(parameter, value, deep_lists)
            return text if parameter.place == "querystring" else f"{name}={text}"
        return "&".join(f"{key}={text}" for key, text in _pairs(parameter, value, encode, deep_lists))

    return make


def _pairs(parameter: WireParameter, value: Any, encode: Encode, deep_lists: DeepLists) -> styles.Pairs:
    if parameter.delimiters and isinstance(value, list):
        texts = delimited.entries(value, parameter.delimiters, encode) if value else []
        return [(percent(parameter.name), text) for text in texts]
    return styles.pairs(
        parameter.name,
        value,
        parameter.style,
        parameter.explode,
        encode,
        encode_name=percent,
        deep_lists=deep_lists,
    )


def _content(parameter: WireParameter, value: Any, deep_lists: DeepLists) -> str:
    """Return a value as text of its media type, percent-encoded unless the type is so already."""
    if form_of(parameter.content) == "form":
        text = form_text(value, {field.name: field for field in parameter.fields}, deep_lists)
        return text if parameter.place == "querystring" else percent(text)
    return percent(content_text(value, parameter.content, parameter.xml))
