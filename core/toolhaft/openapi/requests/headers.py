"""The headers and cookies that arguments become.

Source: RFC 9110, section 5.5; RFC 6265, section 4.1.1; OpenAPI 3.2.0, appendix D.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from toolhaft.errors import InvalidArgumentsError
from toolhaft.openapi.media_types import is_json
from toolhaft.openapi.requests import delimited, styles
from toolhaft.openapi.requests.encoding import as_is, percent, percent_cookie, percent_octets
from toolhaft.openapi.requests.forms import content_text
from toolhaft.openapi.requests.wire import Wire, WireParameter

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What may be the name of a header or cookie."""
_NO_COOKIE = frozenset(' ";,\\')


class Headers:
    """Fills the headers of one operation.

    Args:
        wire: The operation.
    """

    def __init__(self, wire: Wire) -> None:
        self._headers = [parameter for parameter in wire.parameters if parameter.place == "header"]
        self._cookies = [parameter for parameter in wire.parameters if parameter.place == "cookie"]
        self._accept = ("accept", wire.accept)

    def fill(self, arguments: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return names and values in the order to send.

        Raises:
            InvalidArgumentsError: A value cannot stand in a header or cookie.
        """
        found = [self._accept]
        for parameter in self._headers:
            value = arguments.get(parameter.key)
            if value is not None and value != [] and value != {}:
                found.append((parameter.name, _header(parameter, value)))
        cookies: list[str] = []
        for parameter in self._cookies:
            value = arguments.get(parameter.key)
            if value is not None and value != [] and value != {}:
                cookies.extend(f"{name}={text}" for name, text in _cookie(parameter, value))
        if cookies:
            found.append(("cookie", "; ".join(cookies)))
        return found


def _header(parameter: WireParameter, value: Any) -> str:
    if parameter.content:
        made = is_json(parameter.content)
        text = (
            styles.json_text(value, ascii_only=True)
            if made
            else content_text(value, parameter.content, parameter.xml)
        )
    elif parameter.delimiters:
        text = delimited.joined(value, parameter.delimiters, as_is)
    else:
        text = styles.simple(value, parameter.explode, as_is)
    if not text.isascii() or not text.replace("\t", " ").isprintable():
        raise _wrong(parameter, "goes into a header, which holds one line of ASCII text")
    if text[:1] in (" ", "\t") or text[-1:] in (" ", "\t"):
        raise _wrong(parameter, "goes into a header, which cannot begin or end with a blank")
    return text


def _cookie(parameter: WireParameter, value: Any) -> styles.Pairs:
    if parameter.content:
        encode = percent if is_json(parameter.content) else percent_octets
        return [(parameter.name, encode(content_text(value, parameter.content, parameter.xml)))]
    if parameter.style == "cookie":
        made = styles.pairs(parameter.name, value, "cookie", parameter.explode, as_is)
        for name, text in made:
            if not f"{name}{text}".isascii() or not text.isprintable() or ";" in text:
                raise _wrong(parameter, "goes into a cookie, which holds ASCII text without ';'")
            if not name or not name.isprintable() or not _NO_COOKIE.isdisjoint(name) or "=" in name:
                raise _wrong(parameter, f"has the member {name[:40]!r}, which no cookie can be named")
        return made
    encode = percent_cookie if parameter.reserved else percent
    return styles.pairs(
        parameter.name, value, "form", parameter.explode, encode, encode_name=_cookie_name(parameter)
    )


def _cookie_name(parameter: WireParameter) -> Any:
    """Return how names are written: the document's own as it is, what an argument brings encoded."""
    return lambda name: name if name == parameter.name else percent(name)


def _wrong(parameter: WireParameter, what: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(
        f"the argument {parameter.key!r} {what}", details={"pointer": f"/{parameter.key}"}
    )
