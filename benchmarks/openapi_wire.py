"""Whether requests go out as they should: wire vectors against a loopback server.

Used by ``openapi.py`` and ``openapi_peers.py``, which compare what arrives with what a vector asks for.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from toolhaft.errors import InvalidArgumentsError, ToolhaftError
from toolhaft.openapi.source import OpenAPISource


@dataclass(slots=True)
class Received:
    """A request as the server saw it."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Echo:
    """A running server and what it received."""

    base: str
    received: list[Received] = field(default_factory=list)


@contextmanager
def echo_server() -> Iterator[Echo]:
    """Run a loopback server that keeps what it receives and answers ``{}``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            path, _, query = self.path.partition("?")
            length = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            echo.received.append(Received(self.command, path, query, headers, self.rfile.read(length)))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", "2")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(b"{}")

        do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_OPTIONS = do_HEAD = do_TRACE = _answer

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    echo = Echo(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield echo
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


async def check_vector(vector: dict[str, Any], echo: Echo) -> str:
    """Send one wire vector's request; return what was wrong, or empty."""
    host = echo.base.partition("://")[2]
    text = json.dumps(vector["doc"]).replace("{BASE}", echo.base).replace("{HOST}", host)
    document = json.loads(text.replace("{SCHEME}", "http"))
    expected = vector["expect"]
    echo.received.clear()
    try:
        catalog = await OpenAPISource(allow_hosts=["127.0.0.1"]).load(document)
        try:
            tool = catalog[catalog.names[0]]
            await catalog.call(tool.spec.name, **arguments_of(vector["args"], tool.wire))  # type: ignore[attr-defined]
        finally:
            await catalog.close()
    except InvalidArgumentsError as error:
        return "" if expected.get("refuse") else str(error)
    except ToolhaftError as error:
        return str(error)
    return "; ".join(compare(echo.received[-1], expected))


def arguments_of(places: dict[str, Any], wire: Any) -> dict[str, Any]:
    """Return arguments by key from values by place and wire name."""
    found: dict[str, Any] = {}
    for place in ("path", "query", "header", "cookie"):
        keys = {
            p.name.lower() if place == "header" else p.name: p.key
            for p in wire.parameters
            if p.place == place
        }
        for name, value in places.get(place, {}).items():
            found[keys[name.lower() if place == "header" else name]] = value
    if ("body" in places or "form" in places) and wire.body is not None:
        body = as_given(places["body"] if "body" in places else places["form"])
        if wire.body.key:
            found[wire.body.key] = body
        else:
            keys = {field.name: field.key for field in wire.body.fields}
            found.update({keys.get(name, name): value for name, value in body.items()})
    return found


def as_given(value: Any) -> Any:
    """Return a value with files as tools take them in place of ``{"$bytes": base64}``."""
    if isinstance(value, dict):
        if value.keys() == {"$bytes"}:
            return {"base64": value["$bytes"]}
        return {key: as_given(item) for key, item in value.items()}
    return [as_given(item) for item in value] if isinstance(value, list) else value


def compare(got: Received, expected: dict[str, Any]) -> Iterator[str]:
    """Yield what differs between a request and what was asked for."""
    if got.path not in expected["path"]:
        yield f"path {got.path}, not {expected['path']}"
    query = parse_qsl(got.query, keep_blank_values=True)
    if "query" in expected and sorted(query) != sorted(tuple(pair) for pair in expected["query"]):
        yield f"query {query}, not {expected['query']}"
    if "rawquery" in expected and got.query not in expected["rawquery"]:
        yield f"query {got.query}, not {expected['rawquery']}"
    for name, value in expected.get("query_json", {}).items():
        if json.loads(dict(query).get(name, "null")) != value:
            yield f"query {name} is not {value}"
    for name, value in expected.get("headers", {}).items():
        if got.headers.get(name.lower()) != value:
            yield f"header {name}: {got.headers.get(name.lower())}, not {value}"
    cookies = dict(pair.partition("=")[::2] for pair in got.headers.get("cookie", "").split("; "))
    for name, value in expected.get("cookies", {}).items():
        if cookies.get(name) != value:
            yield f"cookie {name}: {cookies.get(name)}, not {value}"
    yield from _compare_body(got, expected)


def _compare_body(got: Received, expected: dict[str, Any]) -> Iterator[str]:
    media = got.headers.get("content-type", "").partition(";")[0]
    if "ctype" in expected and media != expected["ctype"]:
        yield f"content type {media}, not {expected['ctype']}"
    if "json" in expected and json.loads(got.body or b"null") != expected["json"]:
        yield f"body {got.body!r}, not {expected['json']}"
    if "form" in expected:
        form = parse_qsl(got.body.decode(), keep_blank_values=True)
        if form != [tuple(pair) for pair in expected["form"]]:
            yield f"form {form}, not {expected['form']}"
    if "b64" in expected and base64.b64encode(got.body).decode() != expected["b64"]:
        yield f"body {got.body!r}"
    if expected.get("nobody") and (got.body or media):
        yield f"a body {got.body!r} of type {media!r}"
    if "xml" in expected and _canonical(got.body.decode()) != _canonical(expected["xml"]):
        yield f"body {got.body!r}, not {expected['xml']}"
    if "parts" in expected:
        yield from _compare_parts(got, expected["parts"])


def _canonical(text: str) -> str:
    """Return XML in its canonical form, or the text where it is none."""
    from xml.etree.ElementTree import ParseError, canonicalize

    try:
        return canonicalize(text)
    except ParseError:
        return text


def _compare_parts(got: Received, expected: list[dict[str, Any]]) -> Iterator[str]:
    parts = parts_of(got)
    if [name for name, *_ in parts] != [part["name"] for part in expected]:
        yield f"parts {[name for name, *_ in parts]}"
        return
    for (name, file_name, media, content), part in zip(parts, expected, strict=True):
        if "text" in part and content.decode() != part["text"]:
            yield f"part {name}: {content!r}, not {part['text']!r}"
        if "json" in part and json.loads(content) != part["json"]:
            yield f"part {name}: {content!r}, not {part['json']}"
        if "b64" in part and base64.b64encode(content).decode() != part["b64"]:
            yield f"part {name}: {content!r}, not {part['b64']}"
        if "ctype" in part and media.partition(";")[0] != part["ctype"]:
            yield f"part {name}: type {media!r}, not {part['ctype']!r}"
        if bool(part.get("file")) and not file_name:
            yield f"part {name} has no file name"
        if part.get("filename") and file_name != part["filename"]:
            yield f"part {name}: file name {file_name!r}, not {part['filename']!r}"


def parts_of(got: Received) -> list[tuple[str, str, str, bytes]]:
    """Return the parts of a multipart body: name, file name, content type and content."""
    declared = re.search(r'boundary="?([^";]+)', got.headers.get("content-type", ""))
    if declared is None:
        return []
    pieces = (b"\r\n" + got.body).split(f"\r\n--{declared[1]}".encode())
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        return []
    found = []
    for piece in pieces[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        lines = [line.partition(":") for line in head.decode().split("\r\n")]
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        names = dict(re.findall(r'(name|filename)="([^"]*)"', headers.get("content-disposition", "")))
        media = headers.get("content-type", "")
        found.append((names.get("name", ""), names.get("filename", ""), media, content))
    return found


async def measure_wire(folder: Path) -> None:
    """Send every wire vector and print how many were right."""
    lines = (folder / "wire-vectors.jsonl").read_text(encoding="utf-8").splitlines()
    passed = 0
    with echo_server() as echo:
        for vector in map(json.loads, lines):
            problem = await check_vector(vector, echo)
            passed += not problem
            if problem:
                print(f"  {vector['id']}: {problem[:110]}")
    print(f"wire vectors right: {passed} of {len(lines)}")
