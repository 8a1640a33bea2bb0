"""Where a document may send its callers: nowhere that the user did not allow."""

import sys
from dataclasses import replace

import pytest

from toolhaft.errors import ConfigError, HTTPError, ToolhaftError
from toolhaft.openapi.documents.load import read_value
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions
from toolhaft.openapi.requests.request import build_request
from toolhaft.openapi.source import OpenAPISource

pytestmark = pytest.mark.slow

PRIVATE = [
    "http://127.0.0.1:{port}",
    "http://127.1:{port}",
    "http://2130706433:{port}",
    "http://0x7f000001:{port}",
    "http://0177.0.0.1:{port}",
    "http://0:{port}",
    "http://0.0.0.0:{port}",
    "http://localhost:{port}",
    "http://LOCALHOST.:{port}",
    "http://[::1]:{port}",
    "http://[::ffff:127.0.0.1]:{port}",
    "http://[64:ff9b::7f00:1]:{port}",
    "http://[2002:7f00:1::]:{port}",
    "http://[::127.0.0.1]:{port}",
    "http://user:pw@127.0.0.1:{port}",
    "http://public.example@127.0.0.1:{port}",
    "http://１２７.0.0.1:{port}",
    "http://10.0.0.1:{port}",
    "http://192.168.1.1:{port}",
    "http://172.16.0.1:{port}",
    "http://100.64.0.1:{port}",
    "http://169.254.169.254",
    "http://168.63.129.16",
    "http://192.0.0.192",
    "http://[fe80::1]:{port}",
    "http://[fec0::1]:{port}",
    "http://224.0.0.1:{port}",
]
VARIABLES = [
    ("http://{host}:{port}", {"host": "127.0.0.1"}),
    ("http://{a}.0.0.{b}:{port}", {"a": "127", "b": "1"}),
    ("{scheme}://127.0.0.1:{port}", {"scheme": "http"}),
    ("{scheme}:///etc/passwd", {"scheme": "file"}),
    ("http://public.example{rest}", {"rest": "@127.0.0.1:{port}/"}),
    ("http://{host}", {"host": "127.0.0.1:{port}#"}),
]
NO_WEB = [
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:{port}/_x",
    "data:application/json,1",
    "javascript:1",
    "unix:///run/docker.sock",
    "\\\\127.0.0.1\\share",
    "http:\\\\127.0.0.1:{port}",
    "http://127.0.0.1:{port}\r\nHost: x",
    "http://",
]


@pytest.fixture
def port(echo):
    return int(echo.base.rpartition(":")[2])


@pytest.fixture
def connections():
    """Addresses that anybody connects to; the hook stays, so it is switched by the list."""
    seen = []
    active = [True]

    def note(event, arguments):
        if event == "socket.connect" and active[0]:
            seen.append(arguments[1])

    sys.addaudithook(note)
    yield seen
    active[0] = False


def fill(text, port):
    return text.replace("{port}", str(port))


async def call(value):
    catalog = await OpenAPISource().load(value)
    try:
        return await catalog.call("thing")
    finally:
        await catalog.close()


@pytest.mark.anyio
@pytest.mark.parametrize("level", ["document", "operation"])
@pytest.mark.parametrize("url", PRIVATE + NO_WEB)
async def test_a_server_that_the_user_did_not_allow_is_not_reached(document, port, connections, url, level):
    servers = [{"url": fill(url, port)}]
    value = document(servers=servers) if level == "document" else document({"servers": servers})
    with pytest.raises((HTTPError, ConfigError)):
        await call(value)
    assert connections == []


@pytest.mark.anyio
@pytest.mark.parametrize(("url", "defaults"), VARIABLES)
async def test_variables_lead_nowhere_else(document, port, connections, url, defaults):
    url = url.replace("{port}", str(port))
    variables = {name: {"default": fill(value, port)} for name, value in defaults.items()}
    with pytest.raises((HTTPError, ConfigError)):
        await call(document(servers=[{"url": url, "variables": variables}]))
    assert connections == []


@pytest.mark.anyio
async def test_what_the_user_allowed_is_reached(document, echo, port):
    host = f"127.0.0.1:{port}"
    async with await OpenAPISource(allow_hosts=(host,)).load(
        document(servers=[{"url": echo.base}])
    ) as catalog:
        await catalog.call("thing")


def fetched(value, url):
    """Import a document as if it had been fetched from a URL."""
    return import_document(replace(read_value(value), url=url), ImportOptions())


@pytest.mark.parametrize(
    "server", ["http://api.example.com/v1", "HTTP://api.example.com", "http://other.example"]
)
def test_a_document_fetched_over_https_does_not_send_in_the_clear(document, server):
    found = fetched(document(servers=[{"url": server}]), "https://api.example.com/openapi.json")
    assert any("not encrypted" in warning for warning in found.report.warnings)
    with pytest.raises(ConfigError, match="server="):
        build_request(found.build("thing")[1], {})


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("/v2", "https://api.example.com/v2/things"),
        ("v2", "https://api.example.com/docs/v2/things"),
        ("../v2/", "https://api.example.com/v2/things"),
        ("//api.example.com/v3", "https://api.example.com/v3/things"),
        ("?x=1", "https://api.example.com/docs/openapi.json/things"),
    ],
)
def test_a_relative_server_stays_with_the_document(document, server, expected):
    found = fetched(document(servers=[{"url": server}]), "https://api.example.com/docs/openapi.json")
    assert build_request(found.build("thing")[1], {}).url == expected
    assert not any("came from" in warning for warning in found.report.warnings)


@pytest.mark.parametrize(
    "server", ["https://elsewhere.example", "//elsewhere.example/v1", "https://api.example.com.evil.example"]
)
def test_a_server_elsewhere_is_told(document, server):
    found = fetched(document(servers=[{"url": server}]), "https://api.example.com/openapi.json")
    assert any("came from api.example.com" in warning for warning in found.report.warnings)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x.json", "http://169.254.169.254/latest", "http://localhost/x"]
)
async def test_a_document_is_not_fetched_from_a_private_address(url, connections):
    with pytest.raises(ToolhaftError):
        await OpenAPISource().load(url)
    assert connections == []
