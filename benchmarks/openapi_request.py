"""Measure what building one request costs beside formatting the same bytes by hand.

python benchmarks/openapi_request.py [--calls N] [--rounds N]

Each of four operations is imported from a small document and built with `RequestBuilder`, as calls do; the
other side is what a person would write who knows the operation: f-strings, ``urllib.parse`` and ``json``. The
ratio is that of the medians over the rounds, both sides in turn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from toolhaft.openapi.documents.load import read_value
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions
from toolhaft.openapi.requests.request import RequestBuilder

_BASE = "https://api.example.com/v1"
_PET = {"name": "Rex & Söhne", "age": 3, "tags": ["calm", "old"], "owner": {"id": 7, "name": "Ann"}}
_FORM = {"name": "Rex & Söhne", "age": 3, "tags": ["calm", "old"], "note": "a/b c"}
_PHOTO = bytes(range(256)) * 16
_BOUNDARY = "toolhaft-0123456789abcdef0123456789abcdef"
_TEXT = {"type": "string"}
_PROPERTIES = {"name": _TEXT, "age": {"type": "integer"}, "tags": {"type": "array", "items": _TEXT}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of request.

    Attributes:
        operation: As a document writes it.
        by_hand: Returns URL, headers and body.
    """

    name: str
    method: str
    path: str
    operation: dict[str, Any]
    arguments: dict[str, Any]
    by_hand: Callable[..., tuple[str, dict[str, str], bytes | None]]


def path_and_query(given: dict[str, Any]) -> tuple[str, dict[str, str], None]:
    """Format a URL."""
    pairs = urlencode(
        {"q": given["q"], "limit": given["limit"], "tags": given["tags"]}, doseq=True, quote_via=quote
    )
    return f"{_BASE}/pets/{quote(given['id'], safe='')}/toys?{pairs}", {"accept": "*/*"}, None


def json_body(given: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    """Format JSON."""
    body = json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode()
    return f"{_BASE}/pets", {"accept": "*/*", "content-type": "application/json"}, body


def form(given: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    """Format a form."""
    headers = {"accept": "*/*", "content-type": "application/x-www-form-urlencoded"}
    return f"{_BASE}/pets", headers, urlencode(given, doseq=True).encode()


def multipart(given: dict[str, Any], boundary: str = "") -> tuple[str, dict[str, str], bytes]:
    """Format a form with a file; the boundary is a random one, as such code has it."""
    boundary = boundary or uuid4().hex
    texts = [("name", given["name"]), ("age", given["age"]), *(("tags", tag) for tag in given["tags"])]
    form = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in texts
    )
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="photo"; filename="photo"\r\n'
    before = f"{form}{head}Content-Type: application/octet-stream\r\n\r\n".encode()
    headers = {"accept": "*/*", "content-type": f"multipart/form-data; boundary={boundary}"}
    return f"{_BASE}/photos", headers, b"".join((before, given["photo"], f"\r\n--{boundary}--\r\n".encode()))


def _body(media: str, properties: dict[str, Any]) -> dict[str, Any]:
    content = {media: {"schema": {"type": "object", "properties": properties}}}
    return {"requestBody": {"required": True, "content": content}}


def kinds() -> list[Kind]:
    """Return the four kinds."""
    places = {"id": "path", "q": "query", "limit": "query", "tags": "query"}
    parameters = [
        {"name": name, "in": place, "required": place == "path", "schema": _PROPERTIES.get(name, _TEXT)}
        for name, place in places.items()
    ]
    pet = {**_PROPERTIES, "owner": {"type": "object"}}
    photo = {**_PROPERTIES, "photo": {"type": "string", "format": "binary"}}
    asked = {"id": "a/b 7", "q": "blue cat", "limit": 10, "tags": ["x", "y"]}
    return [
        Kind(
            name="path and query",
            method="get",
            path="/pets/{id}/toys",
            operation={"parameters": parameters},
            arguments=asked,
            by_hand=path_and_query,
        ),
        Kind(
            name="JSON",
            method="post",
            path="/pets",
            operation=_body("application/json", pet),
            arguments=_PET,
            by_hand=json_body,
        ),
        Kind(
            name="form",
            method="post",
            path="/pets",
            operation=_body("application/x-www-form-urlencoded", {**_PROPERTIES, "note": _TEXT}),
            arguments=_FORM,
            by_hand=form,
        ),
        Kind(
            name="multipart",
            method="post",
            path="/photos",
            operation=_body("multipart/form-data", photo),
            arguments={"name": "Rex & Söhne", "age": 3, "tags": ["calm", "old"], "photo": _PHOTO},
            by_hand=multipart,
        ),
    ]


def builder_of(kind: Kind, boundary: Callable[[bytes], str] | None = None) -> RequestBuilder:
    """Return what builds requests of a kind."""
    document = {
        "openapi": "3.1.1",
        "info": {"title": "Pets", "version": "1"},
        "servers": [{"url": _BASE}],
        "paths": {kind.path: {kind.method: {"operationId": "one", "responses": {}, **kind.operation}}},
    }
    _, wire = import_document(read_value(document), ImportOptions()).build("one")
    return RequestBuilder(wire, boundary=boundary)


def check(kind: Kind) -> None:
    """Raise unless both sides give the same bytes."""
    made = builder_of(kind, lambda _: _BOUNDARY).build(kind.arguments)
    given = (kind.arguments, _BOUNDARY) if kind.name == "multipart" else (kind.arguments,)
    url, headers, body = kind.by_hand(*given)
    if (made.url, dict(made.headers), made.body) != (url, headers, body):
        raise SystemExit(f"{kind.name}: {made} is not {url} {headers} {body!r}")


def measure(kind: Kind, calls: int, rounds: int) -> tuple[float, float]:
    """Return microseconds a request: ours, and by hand."""
    builder = builder_of(kind)
    ours, hand = [], []
    for _ in range(rounds):
        ours.append(timeit.timeit(lambda: builder.build(kind.arguments), number=calls))
        hand.append(timeit.timeit(lambda: kind.by_hand(kind.arguments), number=calls))
    return statistics.median(ours) / calls * 1e6, statistics.median(hand) / calls * 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    print(f"{'kind':<16}{'ours µs':>10}{'by hand µs':>12}{'ratio':>8}")
    for kind in kinds():
        check(kind)
        ours, hand = measure(kind, chosen.calls, chosen.rounds)
        print(f"{kind.name:<16}{ours:>10.1f}{hand:>12.1f}{ours / hand:>8.2f}")


if __name__ == "__main__":
    main()
