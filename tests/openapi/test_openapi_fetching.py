"""Documents that are fetched: the files of their own origin come with them, and nothing else does."""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from toolhaft.errors import EgressError, HTTPError, SpecError, ToolhaftError
from toolhaft.http import Egress, HTTPClient
from toolhaft.openapi.documents.document import Limits
from toolhaft.openapi.source import OpenAPISource

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


class Site:
    """A loopback server and what was asked of it."""

    def __init__(self):
        self.pages = {}
        self.asked = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append(self.path)
                status, headers, body = site.answer(self.path)
                with contextlib.suppress(ConnectionError):  # a client that waited long enough
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.thread.start()

    def answer(self, path):
        found = self.pages.get(path)
        if found is None:
            return 404, {}, b"no"
        if callable(found):
            found = found()
        if isinstance(found, tuple):
            return found
        return 200, {"content-type": "application/json"}, json.dumps(found).encode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


@pytest.fixture
def site():
    found = Site()
    yield found
    found.close()


@pytest.fixture
def other():
    found = Site()
    yield found
    found.close()


def redirect(url, status=302):
    return status, {"location": url}, b""


def root(reference, **more):
    schema = {"type": "object", "properties": {"a": {"$ref": reference}}}
    body = {"content": {"application/json": {"schema": schema}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "T", "version": "1"},
        "paths": {"/r": {"post": {"operationId": "r", "requestBody": body}}, "/good": {"get": {}}},
        **more,
    }


async def load(site, path="/api/openapi.json", hosts=("127.0.0.1",), **options):
    return await OpenAPISource(allow_hosts=hosts, **options).load(f"{site.base}{path}")


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("types/a.json#/A", "/api/types/a.json"),
        ("../types/a.json#/A", "/types/a.json"),
        ("/types/a.json#/A", "/types/a.json"),
        ("a.json?v=2#/A", "/api/a.json?v=2"),
        ("a b.json#/A", "/api/a%20b.json"),
        ("{base}/api/a.json#/A", "/api/a.json"),
    ],
)
async def test_files_of_the_same_origin_come_along(site, reference, path):
    site.pages["/api/openapi.json"] = root(reference.format(base=site.base))
    site.pages[path] = {"A": {"type": "array", "items": {"$ref": "#/B"}}, "B": {"type": "integer"}}
    async with await load(site) as catalog:
        assert [operation.outcome for operation in catalog.report.operations] == ["imported", "imported"]
        assert '"type": "array"' in json.dumps(catalog.spec("r").parameters)
        assert site.asked == ["/api/openapi.json", path]
        assert catalog["r"].wire.server == site.base


async def test_files_are_relative_to_where_the_document_was_found(site):
    site.pages["/latest"] = redirect("/v3/openapi.json")
    site.pages["/v3/openapi.json"] = root("a.json")
    site.pages["/v3/a.json"] = {"$ref": "deep/b.json"}
    site.pages["/v3/deep/b.json"] = {"properties": {"up": {"$ref": "../a.json"}}}
    async with await load(site, "/latest") as catalog:
        assert catalog.report.imported == 2
    assert site.asked == ["/latest", "/v3/openapi.json", "/v3/a.json", "/v3/deep/b.json"]


@pytest.mark.parametrize("own", ["{base}/v2/api", "/v2/api", "../v2/api"])
async def test_files_are_relative_to_the_address_that_a_document_gives_itself(site, own):
    address = {"openapi": "3.2.0", "$self": own.format(base=site.base)}
    site.pages["/latest/openapi.json"] = {**root("a.json"), **address}
    site.pages["/v2/a.json"] = {"type": "string"}
    async with await load(site, "/latest/openapi.json") as catalog:
        assert catalog.report.imported == 2
    assert site.asked == ["/latest/openapi.json", "/v2/a.json"]


async def test_an_address_of_another_origin_changes_nothing(site, other):
    site.pages["/api/openapi.json"] = {**root("a.json"), "openapi": "3.2.0", "$self": f"{other.base}/x/api"}
    site.pages["/api/a.json"] = {"type": "string"}
    async with await load(site) as catalog:
        assert catalog.report.imported == 2
    assert other.asked == []


@pytest.mark.parametrize(
    "reference",
    [
        "{other}/a.json",
        "//{host}/a.json",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]:80/a.json",
        "http://localhost/a.json",
        "http://user:password@127.0.0.1/a.json",
        "https://127.0.0.1/a.json",
        "file:///etc/passwd",
        "data:application/json,{{}}",
        "gopher://127.0.0.1/",
        "\\\\host\\share",
        "http://",
        "http://[",
    ],
)
async def test_no_other_origin_is_asked(site, other, reference):
    host = other.base.removeprefix("http://")
    site.pages["/api/openapi.json"] = root(reference.format(other=other.base, host=host))
    other.pages["/a.json"] = {"type": "string"}
    async with await load(site) as catalog:
        assert catalog.report.operations[0].outcome in ("degraded", "skipped")
        assert catalog.report.operations[0].problems[-1].code == "reference-external"
        assert "good" in "".join(catalog)
    assert other.asked == []
    assert site.asked == ["/api/openapi.json"]


async def test_a_file_that_redirects_elsewhere_is_refused(site, other):
    other.pages["/a.json"] = {"type": "string"}
    site.pages["/api/openapi.json"] = root("a.json")
    for target in (f"{other.base}/a.json", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd"):
        site.pages["/api/a.json"] = redirect(target)
        async with await load(site) as catalog:
            assert catalog.report.operations[0].outcome == "degraded"
            assert any(problem.code == "file-unread" for problem in catalog.report.problems)
    assert "/latest/meta-data" not in other.asked


async def test_a_client_that_may_go_anywhere_brings_nothing_from_elsewhere(site, other):
    other.pages["/a.json"] = {"type": "string"}
    site.pages["/api/openapi.json"] = root("a.json")
    site.pages["/api/a.json"] = redirect(f"{other.base}/a.json")
    async with (
        HTTPClient(egress=Egress(allow_hosts=("127.0.0.1",))) as client,
        await OpenAPISource(client=client).load(f"{site.base}/api/openapi.json") as catalog,
    ):
        assert other.asked == ["/a.json"]
        assert catalog.report.operations[0].outcome == "degraded"


async def test_a_document_itself_may_not_lead_into_a_private_network(site):
    site.pages["/api/openapi.json"] = redirect("http://169.254.169.254/latest/meta-data")
    with pytest.raises(EgressError):
        await load(site)
    with pytest.raises(EgressError):
        await load(site, hosts=())


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((200, {"content-type": "text/html"}, b"<!doctype html><html>Log in</html>"), "HTML"),
        ((401, {}, b"{}"), "401"),
        ((500, {}, b""), "500"),
        ((200, {}, b""), "empty"),
        ((200, {}, b"\x00\x01\x02\x03"), "control character"),
        (redirect("/api/openapi.json"), "redirects"),
    ],
    ids=["html", "unauthorised", "broken", "empty", "binary", "loop"],
)
async def test_what_is_no_document_is_one_clear_error(site, answer, says):
    from toolhaft.http import HTTPClient
    from toolhaft.http.egress import Egress
    from toolhaft.http.retry import Retry

    site.pages["/api/openapi.json"] = answer
    client = HTTPClient(egress=Egress(allow_hosts=("127.0.0.1",)), retry=Retry(attempts=1))
    with pytest.raises((SpecError, HTTPError), match=says) as raised:
        await load(site, client=client)
    assert raised.value.where
    await client.close()


async def test_a_document_that_is_too_large_or_too_slow(site):
    site.pages["/api/openapi.json"] = root("a.json", description="x" * 50_000)
    with pytest.raises(ToolhaftError):
        await load(site, limits=Limits(max_bytes=10_000))
    site.pages["/api/openapi.json"] = root("a.json")
    site.pages["/api/a.json"] = lambda: time.sleep(2) or {"type": "string"}
    started = time.monotonic()
    async with await load(site, limits=Limits(seconds=0.5)) as catalog:
        assert catalog.report.operations[0].outcome == "degraded"
    assert time.monotonic() - started < 1.9


async def test_the_number_of_files_is_bounded(site):
    site.pages["/api/openapi.json"] = root("f0.json")
    for n in range(40):
        site.pages[f"/api/f{n}.json"] = {"properties": {"next": {"$ref": f"f{n + 1}.json"}}}
    async with await load(site, limits=Limits(files=5)) as catalog:
        assert catalog.report.operations[0].outcome == "degraded"
    assert len(site.asked) == 6


async def test_files_are_asked_for_once_each(site):
    types = {f"T{n}": {"$ref": f"types.json#/T{n}"} for n in range(20)}
    site.pages["/api/openapi.json"] = root("#/components/schemas/T0", components={"schemas": types})
    site.pages["/api/types.json"] = {f"T{n}": {"$ref": "shared.json"} for n in range(20)}
    site.pages["/api/shared.json"] = {"type": "string"}
    async with await load(site) as catalog:
        assert catalog.report.imported == 2
    assert site.asked == ["/api/openapi.json", "/api/types.json", "/api/shared.json"]
