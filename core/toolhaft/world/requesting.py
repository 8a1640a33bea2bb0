"""Arguments become a request, by the document alone: what a contract reads is written here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from toolhaft.world.contract import JSON, Contract, RawRequest


def write_request(contract: Contract, arguments: Mapping[str, Any]) -> RawRequest:
    """Return the request of a call; arguments that are no parameters go into the body.

    Args:
        contract: The operation.
        arguments: By the names of parameters and of the body's properties.
    """
    rest = dict(arguments)
    path: dict[str, str] = {}
    query: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    for parameter in contract.parameters:
        if parameter.name not in rest:
            continue
        value = rest.pop(parameter.name)
        if parameter.place == "path":
            path[parameter.name] = _text(value)
        elif parameter.place == "header":
            headers[parameter.name.lower()] = _text(value)
        elif isinstance(value, list) and parameter.explode:
            query += [(parameter.name, _text(item)) for item in value]
        elif isinstance(value, list):
            query.append((parameter.name, ",".join(map(_text, value))))
        else:
            query.append((parameter.name, _text(value)))
    if not contract.media_type:
        query += [(name, _text(value)) for name, value in rest.items()]
        return RawRequest(path=path, query=query, headers=headers)
    headers["content-type"] = contract.media_type
    return RawRequest(path=path, query=query, headers=headers, body=_body(contract.media_type, rest))


def _body(media_type: str, values: Mapping[str, Any]) -> bytes:
    if media_type == JSON:
        import orjson

        return orjson.dumps(values)
    return urlencode({name: _text(value) for name, value in values.items()}).encode()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
