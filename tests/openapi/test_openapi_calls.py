"""Calls over a real connection: bytes on the wire, answers, errors and credentials."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from toolhaft.errors import EgressError, InvalidArgumentsError, StatusError
from toolhaft.openapi.source import OpenAPISource
from toolhaft.secrets import SecretStore


@pytest.fixture
def api():
    """A loopback API: ``answers`` maps a path to (status, media type, body); requests are kept."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self):
            server.seen.append((self.command, self.path, dict(self.headers)))
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, media, body = server.answers.get(
                self.path.partition("?")[0], (404, "text/plain", b"nothing")
            )
            self.send_response(status)
            if media:
                self.send_header("content-type", media)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _answer

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.seen, server.answers = [], {}
    server.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("media", "body", "value"),
    [
        ("application/json", b'{"a": [1]}', {"a": [1]}),
        ("application/hal+json; charset=utf-8", b"[2]", [2]),
        ("", b'{"a": 1}', {"a": 1}),
        ("application/json", b"not json", "not json"),
        ("text/plain; charset=latin-1", b"caf\xe9", "café"),
        ("application/json", b"", None),
    ],
)
async def test_answers_become_values(document, api, media, body, value):
    api.answers["/v1/things"] = (200, media, body)
    catalog = await OpenAPISource(allow_hosts=["127.0.0.1"]).load(
        document(servers=[{"url": f"{api.base}/v1"}])
    )
    assert await catalog.call("thing") == value
    await catalog.close()


@pytest.mark.anyio
async def test_bytes_become_an_artifact(document, api):
    api.answers["/things"] = (200, "image/png", b"\x89PNG")
    catalog = await OpenAPISource(allow_hosts=["127.0.0.1"], server=api.base).load(document())
    found = await catalog.call("thing")
    assert (found.media_type, found.size) == ("image/png", 4)
    await catalog.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "status", "media", "body", "says", "retryable", "effect"),
    [
        (
            "get",
            404,
            "application/problem+json",
            {"title": "No such thing", "detail": "id 7"},
            ["404 Not Found: No such thing: id 7", "Check id"],
            False,
            "none",
        ),
        (
            "post",
            422,
            "application/json",
            {"message": "name is missing"},
            ["name is missing", "Change the arguments"],
            False,
            "none",
        ),
        (
            "get",
            401,
            "application/json",
            {"error": {"message": "no key"}},
            ["no key", "wants key", "auth="],
            False,
            "none",
        ),
        ("post", 500, "text/html", "<html>", ["500", "API's"], False, "uncertain"),
        ("post", 429, "text/plain", "too often", ["429", "too often"], True, "none"),
        ("delete", 400, "text/plain", "plain words", ["plain words"], False, "none"),
    ],
)
async def test_failures_say_what_and_what_may_help(
    document, api, method, status, media, body, says, retryable, effect
):
    data = json.dumps(body).encode() if isinstance(body, dict) else body.encode()
    api.answers["/things/7"] = (status, media, data)
    operation = {
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
        "security": [{"key": []}],
    }
    components = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}
    value = document(operation, path="/things/{id}", method=method, components=components)
    catalog = await OpenAPISource(allow_hosts=["127.0.0.1"], server=api.base).load(value)
    with pytest.raises(StatusError) as raised:
        await catalog.call("thing", id=7)
    error = raised.value
    assert all(text in str(error) for text in says)
    assert (error.retryable, error.effect, error.details["status"]) == (retryable, effect, status)
    assert error.exchanges
    await catalog.close()


@pytest.mark.anyio
async def test_secrets_are_on_the_wire_and_nowhere_else(document, api):
    api.answers["/things"] = (200, "application/json", b"{}")
    schemes = {
        "key": {"type": "apiKey", "in": "query", "name": "api_key"},
        "login": {"type": "http", "scheme": "basic"},
        "sid": {"type": "apiKey", "in": "cookie", "name": "sid"},
    }
    value = document(components={"securitySchemes": schemes}, security=[{"key": [], "login": [], "sid": []}])
    secrets = SecretStore({"key": "key-value-1", "word": "pass-value-2", "sid": "sid-value-3"})
    auth = {"key": "memory:key", "login.username": "me", "login.password": "memory:word", "sid": "memory:sid"}
    source = OpenAPISource(auth=auth, secrets=secrets, allow_hosts=["127.0.0.1"], server=api.base)
    catalog = await source.load(value)
    tool = catalog["thing"]
    shown = repr(tool.request({})) + repr(tool.spec) + repr(tool.binding())
    await catalog.call("thing")
    _, path, headers = api.seen[0]
    assert path == "/things?api_key=key-value-1"
    assert headers["Authorization"] == "Basic bWU6cGFzcy12YWx1ZS0y"
    assert headers["Cookie"] == "sid=sid-value-3"
    assert not any(value in shown for value in ("key-value-1", "pass-value-2", "sid-value-3"))
    await catalog.close()


@pytest.mark.anyio
async def test_a_private_server_is_refused_unless_allowed(document, api):
    catalog = await OpenAPISource(server=api.base).load(document())
    with pytest.raises(EgressError):
        await catalog.call("thing")
    assert api.seen == []
    await catalog.close()


@pytest.mark.anyio
async def test_a_document_is_fetched_and_its_relative_server_joined(document, api):
    value = document(servers=[{"url": "../v2"}])
    api.answers["/docs/openapi.json"] = (200, "application/json", json.dumps(value).encode())
    api.answers["/v2/things"] = (200, "application/json", b"[1]")
    catalog = await OpenAPISource(allow_hosts=["127.0.0.1"]).load(f"{api.base}/docs/openapi.json")
    assert await catalog.call("thing") == [1]
    with pytest.raises(StatusError, match="cannot be fetched"):
        await OpenAPISource(allow_hosts=["127.0.0.1"]).load(f"{api.base}/none.json")
    await catalog.close()


@pytest.mark.anyio
async def test_arguments_are_checked_before_anything_is_sent(document, api):
    operation = {"parameters": [{"name": "n", "in": "query", "schema": {"type": "integer"}}]}
    catalog = await OpenAPISource(allow_hosts=["127.0.0.1"], server=api.base).load(document(operation))
    with pytest.raises(InvalidArgumentsError):
        await catalog.call("thing", n="seven")
    assert api.seen == []
    await catalog.close()


@pytest.mark.anyio
async def test_styles_bodies_and_collisions_reach_their_places(document, echo):
    paths = {
        "/s/{id}/{list}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                {
                    "name": "list",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "array", "items": {"type": "string"}},
                },
            ],
            "post": {
                "operationId": "thing",
                "parameters": [
                    {"name": "id", "in": "query", "schema": {"type": "boolean"}},
                    {"name": "id", "in": "header", "schema": {"type": "array", "items": {"type": "integer"}}},
                    {"name": "o", "in": "query", "schema": {"type": "object"}},
                    {
                        "name": "f",
                        "in": "query",
                        "explode": False,
                        "schema": {"type": "array", "items": {"type": "number"}},
                    },
                    {"name": "$top", "in": "query", "schema": {"type": "integer"}},
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/x-www-form-urlencoded": {
                            "schema": {
                                "type": "object",
                                "properties": {
                                    "id": {"type": "number"},
                                    "o": {"type": "object"},
                                    "l": {"type": "array"},
                                },
                            }
                        }
                    },
                },
            },
        }
    }
    source = OpenAPISource(allow_hosts=["127.0.0.1"])
    catalog = await source.load(document(paths=paths, servers=[{"url": f"{echo.base}/v1/"}]))
    await catalog.call(
        "thing",
        id="a/b c",
        list=["x,y", "z"],
        id_query=True,
        id_header=[1, 2],
        o={"p": 1},
        f=[1.0, 2.5],
        top=3,
        id_body=1.0,
        o_body={"k": "v"},
        l=["m&n", "o"],
    )
    got = echo.received[0]
    assert got.path == "/v1/s/a%2Fb%20c/x%2Cy,z"
    assert got.query == "id=true&p=1&f=1,2.5&%24top=3"
    assert got.headers["id"] == "1,2"
    assert got.body == b"id=1&o=%7B%22k%22%3A%22v%22%7D&l=m%26n&l=o"
    await catalog.close()
