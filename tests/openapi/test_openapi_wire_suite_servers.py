"""Golden vectors for servers and credentials: what a real server on the loopback receives."""

import importlib.util
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from toolhaft.errors import ToolhaftError
from toolhaft.openapi.source import OpenAPISource
from toolhaft.secrets import SecretStore

pytestmark = pytest.mark.slow  # thirty servers
FOLDER = Path(__file__).parent
if "openapi_roundtrip" not in sys.modules:
    SPEC = importlib.util.spec_from_file_location(
        "openapi_roundtrip",
        FOLDER / "roundtrip" / "__init__.py",
        submodule_search_locations=[str(FOLDER / "roundtrip")],
    )
    sys.modules["openapi_roundtrip"] = importlib.util.module_from_spec(SPEC)
    SPEC.loader.exec_module(sys.modules["openapi_roundtrip"])
from openapi_roundtrip.calls import Names  # noqa: E402
from openapi_roundtrip.generating import ABSENT, Given  # noqa: E402

TABLE = yaml.safe_load((FOLDER / "wire_suite" / "servers.yaml").read_text(encoding="utf-8"))
SECRETS = {
    "SUITE_ONE": "key-one",
    "SUITE_TWO": "key-two",
    "SUITE_ODD": "a&b=c",
    "SUITE_BASIC": "open sesame",
}


@pytest.fixture
def server(monkeypatch):
    """A loopback server that keeps what it receives; ``pages`` are the documents that it gives."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            headers = {name.lower(): value for name, value in self.headers.items()}
            page = running.pages.get(self.path)
            if page is None:
                running.seen.append((self.path, headers))
            data = page if page is not None else b"{}"
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    running.seen, running.pages = [], {}
    running.base = f"http://127.0.0.1:{running.server_address[1]}"
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join(5)


def filled(value, base):
    """Put the server's address into a case."""
    text = json.dumps(value).replace("{BASE}", base).replace("{HOST}", base.partition("://")[2])
    return json.loads(text)


def document_of(case):
    operation = {"operationId": "op", "responses": {}, "parameters": case.get("parameters", [])}
    if "security" in case:
        operation["security"] = case["security"]
    if "operation_servers" in case:
        operation["servers"] = case["operation_servers"]
    item = {"get": operation}
    if "item_servers" in case:
        item["servers"] = case["item_servers"]
    document = {"openapi": "3.1.1", "info": {"title": "s", "version": "1"}, "paths": {"/s": item}}
    if "swagger" in case:
        document = {"swagger": "2.0", "info": document["info"], "paths": {"/s": item}, **case["swagger"]}
    if "servers" in case:
        document["servers"] = case["servers"]
    if "schemes" in case:
        document["components"] = {"securitySchemes": case["schemes"]}
    if "root_security" in case:
        document["security"] = case["root_security"]
    return document


async def call(case, server):
    case = filled(case, server.base)
    source = OpenAPISource(
        allow_hosts=["127.0.0.1"],
        server=case.get("server"),
        server_variables=case.get("variables"),
        auth=case.get("auth"),
        secrets=SecretStore(),
    )
    document = document_of(case)
    location = document
    if "fetched" in case:
        server.pages[case["fetched"]] = json.dumps(document).encode()
        location = f"{server.base}{case['fetched']}"
    catalog = await source.load(location)
    try:
        tool = catalog["op"]
        fields = {
            (place, name): value
            for place, values in case.get("given", {}).items()
            for name, value in values.items()
        }
        arguments, _ = Names(tool).arguments(Given(fields, ABSENT), tool.spec.parameters)
        await catalog.call("op", **arguments)
    finally:
        await catalog.close()


@pytest.mark.anyio
@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in TABLE["servers"]])
async def test_where_requests_go(case, server):
    try:
        await call(case, server)
    except ToolhaftError:
        assert case.get("refused"), "refused"
        return
    assert not case.get("refused")
    assert [path for path, _ in server.seen] == [case["url"]]


@pytest.mark.anyio
@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in TABLE["security"]])
async def test_what_the_transport_adds(case, server):
    case = {"servers": [{"url": "{BASE}/v1"}], **case}
    await call(case, server)
    ((path, headers),) = server.seen
    assert path == case.get("url", "/v1/s")
    for name, value in case.get("headers", {}).items():
        assert headers.get(name) == value
    for name in case.get("absent", []):
        assert name not in headers
