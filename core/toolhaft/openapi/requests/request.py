"""Arguments become a request, byte for byte what will be sent but for the secrets."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from toolhaft.errors import ConfigError, InvalidArgumentsError
from toolhaft.http.message import Credential, Request
from toolhaft.openapi.requests import delimited, styles
from toolhaft.openapi.requests.wire import Wire, WireBody, WireParameter

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_PATH_LITERAL = "/:@!$&'()*+,;=-._~%"
_QUERY_LITERAL = _PATH_LITERAL + "?"


def build_request(wire: Wire, arguments: Mapping[str, Any], *, where: str = "") -> Request:
    """Return the request that a call with these arguments makes, without credentials.

    Args:
        wire: The operation.
        arguments: By argument key.
        where: Name of the tool, for messages.

    Raises:
        InvalidArgumentsError: An argument that has to be there is not, or cannot be sent.
        ConfigError: There is no server to send it to.
    """
    if not wire.server:
        raise ConfigError(
            wire.server_problem or "the document names no server",
            where=where,
            hint="Give one: open_catalog(..., server='https://host/base')",
        )
    try:
        url = f"{wire.server}{_path(wire, arguments)}"
        query = _query(wire, arguments)
        headers = [("accept", wire.accept), *_headers(wire, arguments)]
        media_type, body = _body(wire, arguments)
    except UnicodeEncodeError:
        raise InvalidArgumentsError(
            "an argument holds half a character (a lone surrogate)", where=where
        ) from None
    except InvalidArgumentsError as error:
        error.where = error.where or where
        raise
    if media_type:
        headers.append(("content-type", media_type))
    return Request(
        method=wire.method,
        url=f"{url}?{query}" if query else url,
        headers=tuple(headers),
        body=body,
        effect=wire.effect,
        repeatable=wire.repeatable,
    )


def path_variables(wire: Wire) -> list[str]:
    """Return the names in braces in an operation's path."""
    return _VARIABLE.findall(_template(wire))


def with_credentials(request: Request, credentials: tuple[Credential, ...]) -> Request:
    """Return the request with what the transport adds for its origin."""
    from dataclasses import replace

    return replace(request, credentials=credentials) if credentials else request


def _path(wire: Wire, arguments: Mapping[str, Any]) -> str:
    by_name = {parameter.name: parameter for parameter in wire.parameters if parameter.place == "path"}
    template = _template(wire)
    made: list[str] = []
    end = 0
    for match in _VARIABLE.finditer(template):
        made.append(quote(template[end : match.start()], safe=_PATH_LITERAL))
        made.append(_path_value(by_name[match[1]], arguments, wire.dotted))
        end = match.end()
    made.append(quote(template[end:], safe=_PATH_LITERAL))
    path = "".join(made)
    if any(segment in (".", "..") for segment in path.split("/")):
        raise InvalidArgumentsError(
            "an argument would turn a part of the path into '.' or '..'", hint="Give the identifier itself"
        )
    return path


def _template(wire: Wire) -> str:
    return wire.path.partition("#")[0].partition("?")[0]


def _path_value(parameter: WireParameter, arguments: Mapping[str, Any], dotted: bool) -> str:
    value = arguments.get(parameter.key)
    if value is None:
        raise InvalidArgumentsError(f"the argument {parameter.key!r} is missing", details={"pointer": ""})
    if parameter.content:
        return styles.percent(styles.json_text(value))
    if parameter.delimiters:
        text = delimited.joined(value, parameter.delimiters, styles.percent)
    elif parameter.style == "matrix":
        text = styles.matrix(parameter.name, value, parameter.explode, styles.percent)
    elif parameter.style == "label":
        text = styles.label(value, parameter.explode, styles.percent, dotted=dotted)
    else:
        text = styles.simple(value, parameter.explode, styles.percent)
    if not text:
        raise InvalidArgumentsError(
            f"the argument {parameter.key!r} is part of the path and cannot be empty",
            details={"pointer": f"/{parameter.key}"},
        )
    return text


def _query(wire: Wire, arguments: Mapping[str, Any]) -> str:
    fixed = wire.path.partition("#")[0].partition("?")[2]
    found = [quote(fixed, safe=_QUERY_LITERAL)] if fixed else []
    for parameter in wire.parameters:
        if parameter.place == "query":
            found.extend(f"{name}={value}" for name, value in _query_pairs(parameter, arguments))
    return "&".join(found)


def _query_pairs(parameter: WireParameter, arguments: Mapping[str, Any]) -> styles.Pairs:
    value = arguments.get(parameter.key)
    if value is None:
        return []
    if parameter.content:
        return [(styles.percent(parameter.name), styles.percent(styles.json_text(value)))]
    if value == [] and parameter.empty:
        return [(styles.percent(parameter.name), "")]
    encode = styles.percent_unreserved if parameter.reserved else styles.percent
    if parameter.delimiters and isinstance(value, list):
        texts = delimited.entries(value, parameter.delimiters, encode) if value else []
        return [(styles.percent(parameter.name), text) for text in texts]
    return styles.pairs(parameter.name, value, parameter.style, parameter.explode, encode)


def _headers(wire: Wire, arguments: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    cookies: list[str] = []
    for parameter in wire.parameters:
        value = arguments.get(parameter.key)
        if value is None or value == [] or parameter.place not in ("header", "cookie"):
            continue
        if parameter.place == "header":
            found.append((parameter.name, _header_value(parameter, value)))
        elif parameter.content:
            cookies.append(f"{parameter.name}={styles.percent(styles.json_text(value))}")
        else:
            made = styles.pairs(parameter.name, value, "form", parameter.explode, styles.percent)
            cookies.extend(f"{name}={text}" for name, text in made)
    if cookies:
        found.append(("cookie", "; ".join(cookies)))
    return found


def _header_value(parameter: WireParameter, value: Any) -> str:
    if parameter.content:
        return styles.json_text(value, ascii_only=True)
    if parameter.delimiters:
        text = delimited.joined(value, parameter.delimiters, styles.as_is)
    else:
        text = styles.simple(value, parameter.explode, styles.as_is)
    if not text.isascii() or not text.replace("\t", " ").isprintable():
        raise InvalidArgumentsError(
            f"the argument {parameter.key!r} goes into a header, which holds one line of ASCII text",
            details={"pointer": f"/{parameter.key}"},
        )
    return text


def _body(wire: Wire, arguments: Mapping[str, Any]) -> tuple[str, bytes | None]:
    body = wire.body
    if body is None:
        return "", None
    if body.key:
        if arguments.get(body.key) is None and (body.key not in arguments or not body.required):
            if body.required:
                raise InvalidArgumentsError(f"the argument {body.key!r} is missing", details={"pointer": ""})
            return "", None
        value = arguments[body.key]
    else:
        value = _object(wire, body, arguments)
        if not value and not body.required:
            return "", None
    return body.media_type, _encode(body, value)


def _object(wire: Wire, body: WireBody, arguments: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        field.name: delimited.field_value(arguments[field.key], field.delimiters)
        for field in body.fields
        if field.key in arguments
    }
    if body.open:
        claimed = {field.key for field in body.fields} | {parameter.key for parameter in wire.parameters}
        found.update({key: value for key, value in arguments.items() if key not in claimed})
    return found


def _encode(body: WireBody, value: Any) -> bytes:
    if body.form == "json":
        return styles.json_text(value).encode()
    if body.form == "form":
        return _form(body, value).encode()
    if body.form == "text":
        return styles.scalar_text(value).encode()
    try:
        return base64.b64decode(styles.scalar_text(value), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidArgumentsError(
            f"the argument {body.key!r} is not base64", details={"pointer": f"/{body.key}"}
        ) from None


def _form(body: WireBody, value: Any) -> str:
    if not isinstance(value, dict):
        return styles.percent_form(styles.scalar_text(value))
    by_name = {field.name: field for field in body.fields}
    made: list[str] = []
    for name, item in value.items():
        field = by_name.get(name)
        style = field.style if field else None
        if style is None:  # each entry of a list by itself, an object as JSON text
            item = styles.json_text(item) if isinstance(item, dict) else item
            found = styles.pairs(name, item, "form", True, styles.percent_form)
        else:
            explode = field.explode if field else True
            encode = styles.percent_unreserved if field and field.reserved else styles.percent_form
            found = styles.pairs(name, item, style, explode, encode)
        made.extend(f"{key}={text}" for key, text in found)
    return "&".join(made)
