"""Documents, catalog files and servers that want more than they may have."""

import json
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from toolhaft.agent import Agent
from toolhaft.errors import FormatError
from toolhaft.openapi.documents.resolve import Resolver
from toolhaft.openapi.object_view import object_view
from toolhaft.openapi.source import OpenAPISource
from toolhaft.testing import ScriptedModel
from toolhaft.types import ToolCall, to_json

pytestmark = pytest.mark.slow


def test_compositions_that_fan_out_end(document, imported):
    width, depth = 8, 12
    schemas = {
        f"A{i}": {"allOf": [{"$ref": f"#/components/schemas/A{i + 1}"}] * width, "properties": {f"p{i}": {}}}
        for i in range(depth)
    }
    schemas[f"A{depth}"] = {"type": "object"}
    schema = {"$ref": "#/components/schemas/A0"}
    body = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    value = document(body, method="post", components={"schemas": schemas})
    started = time.process_time()
    assert object_view(schema, Resolver(value), "3.0") is None
    spec, _ = imported(value).build("thing")
    assert list(spec.properties) == ["body"]
    assert time.process_time() - started < 2


@pytest.fixture
def kept(document, built):
    """Spec and binding of a tool that writes and one that reads, as a catalog file has them."""

    def make(method):
        path = "/things/{id}"
        parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
        spec, wire = built(document({"parameters": [parameter]}, path=path, method=method))
        tool = OpenAPISource().bind(spec, {"kind": "openapi", "format": 1, "wire": _value(wire)})
        return tool.spec, tool.binding()

    return make


def _value(wire):
    return json.loads(to_json(wire))


@pytest.mark.parametrize(
    ("method", "spec_says", "wire_says"),
    [
        ("get", {"hosts": ()}, {}),
        ("get", {"hosts": ("https://bank.example:443",)}, {}),
        ("get", {}, {"server": "https://evil.example"}),
        ("get", {}, {"server": "https://user@evil.example"}),
        ("get", {}, {"server": "file:///etc"}),
        ("get", {"untrusted": False}, {}),
        ("get", {}, {"method": "POST"}),
        ("get", {}, {"path": "/things/{other}"}),
        ("post", {"effect": "read"}, {}),
        ("post", {}, {"effect": "read"}),
    ],
)
def test_a_catalog_file_cannot_say_one_thing_and_do_another(kept, method, spec_says, wire_says):
    spec, binding = kept(method)
    OpenAPISource().bind(spec, binding)
    binding["wire"].update(wire_says)
    with pytest.raises(FormatError):
        OpenAPISource().bind(replace(spec, **spec_says), binding)


@pytest.fixture
def api():
    """A loopback API that echoes the headers it gets, or answers with what it was told."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = server.answer or json.dumps(dict(self.headers)).encode()
            self.send_response(server.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.status, server.answer = 200, b""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
async def catalog(document, api, monkeypatch):
    """Its one operation, with a key from the environment."""
    monkeypatch.setenv("ADVERSARY_KEY", "canary-key-4711")
    schemes = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}
    source = OpenAPISource(
        auth={"key": "env:ADVERSARY_KEY"},
        allow_hosts=("127.0.0.1",),
        server=f"http://127.0.0.1:{api.server_address[1]}",
    )
    value = document({"security": [{"key": []}]}, components={"securitySchemes": schemes})
    async with await source.load(value) as found:
        yield found


@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 400, 500])
async def test_an_echoed_key_reaches_neither_model_nor_record(catalog, api, status):
    api.status = status
    model = ScriptedModel(ToolCall(id="1", name="thing"), "done")
    run = await Agent([catalog], model=model).run("Do it")
    assert b"canary" not in to_json(run.trajectory)
    assert "canary" not in str(model.requests)
    (observation,) = run.trajectory.observations()
    assert "X-Key" in str(observation.parts or observation.error)


@pytest.mark.anyio
async def test_deep_lists_of_errors_are_left_out_of_the_record(catalog, api):
    api.status, api.answer = 422, b'{"title": "Bad", "errors": [' + b"[" * 900 + b"]" * 900 + b"]}"
    run = await Agent([catalog], model=ScriptedModel(ToolCall(id="1", name="thing"), "done")).run("Do it")
    assert b"422" in to_json(run.trajectory)
    (observation,) = run.trajectory.observations()
    assert "errors" not in observation.error.details
