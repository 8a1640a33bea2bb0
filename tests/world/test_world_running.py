"""What a running world serves is asked of its server, which is not believed everything."""

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from toolhaft.errors import (
    FormatError,
    SpecError,
    StatusError,
    ToolhaftError,
    UnknownNameError,
    UnreachableError,
)
from toolhaft.secrets import SecretStore
from toolhaft.world.server import World, secret_name
from toolhaft.world.source import WorldSource

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Bait", "version": "1"},
    "servers": [{"url": "https://elsewhere.example"}],
    "paths": {"/x": {"get": {"operationId": "getX", "responses": {"200": {"description": "x"}}}}},
}


@contextmanager
def serve(answers):
    """Answer paths with JSON, text, or (status, headers); ends with the block."""
    asked = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            found = answers.get(self.path, (404, {}))
            status, headers = found if isinstance(found, tuple) else (200, {})
            text = "" if isinstance(found, tuple) else found if isinstance(found, str) else json.dumps(found)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(text.encode()))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def index(document="/x.json", name="bait", **more):
    return {"title": "Bait", "services": [{"name": name, "title": "", "document": document}], **more}


def test_the_server_says_what_it_serves(world):
    found = httpx.get(f"{world.base_url}/").json()
    assert found["title"] == "The demo world"
    assert [row["name"] for row in found["services"]] == list(world.services)
    assert found["services"][0] == {
        "name": "weather",
        "title": "Skywatch Weather",
        "document": f"{world.base_url}/weather/openapi.json",
    }


@pytest.mark.anyio
async def test_the_tools_are_those_of_the_world_that_runs(garden, monkeypatch):
    async with World(folder=garden) as own:
        for name, value in own.secrets.items():
            monkeypatch.setenv(name, value)
        catalog = await WorldSource().load(f"{own.base_url}/runs/x")
        assert catalog.names == ("listPlots", "leasePlot", "endLease")
        assert catalog.report.title == "The world garden"
        assert catalog.spec("listPlots").hosts == (own.base_url,)
        await catalog.call("leasePlot", plot_id="P-2", gardener="Bo Ek")
        assert "L-901" in (await own.state("x"))["garden"]["leases"]
        assert "L-901" not in (await own.state())["garden"]["leases"]
        await catalog.close()
        with pytest.raises(UnknownNameError, match="garden"):
            await WorldSource(services=["gardn"]).load(own.base_url)


@pytest.mark.anyio
async def test_without_the_credential_a_call_is_refused(garden):
    async with World(folder=garden) as own:
        catalog = await WorldSource(
            auth=own.auth, secrets=SecretStore(dict.fromkeys(own.secrets, "not-the-key"))
        ).load(own.base_url)
        with pytest.raises(StatusError, match="401"):
            await catalog.call("listPlots")
        await catalog.close()


@pytest.mark.anyio
async def test_nobody_answers():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # taken, and nobody listens
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(UnreachableError, match="nobody answers there") as caught:
            await WorldSource().load(url)
    assert caught.value.where == url
    assert "toolhaft serve world" in caught.value.hint


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((404, {}), "it answers 404"),
        ((302, {"Location": "http://127.0.0.1:1/"}), "no server of a world"),
        ("<html>", "without a title"),
        ([], "without a title"),
        ({"services": []}, "without a title"),
        ({"title": "x"}, "does not list"),
        ({"title": "x", "services": []}, "does not list"),
        ({"title": "x", "services": [{}] * 201}, "does not list"),
        ({"title": "x", "services": ["bait"]}, "no service"),
        (index(name="../x"), "no service"),
        (index(name="a/b"), "no service"),
        (index(document=3), "no service"),
        (index(document="http://127.0.0.1:1/x.json"), "lies elsewhere"),
        (index(document="https://elsewhere.example/x.json"), "lies elsewhere"),
        (index(document="//elsewhere.example/x.json"), "lies elsewhere"),
        (index(document="file:///etc/passwd"), "lies elsewhere"),
        (index(document="http://[x"), "lies elsewhere"),
    ],
    ids=range(17),
)
async def test_what_is_no_world_is_refused(answer, message):
    with serve({"/": answer, "/x.json": DOCUMENT}) as (url, asked):
        with pytest.raises(FormatError, match=message) as caught:
            await WorldSource().load(url)
        assert asked == ["/"]
    assert caught.value.where == url


@pytest.mark.anyio
async def test_what_speaks_no_http_is_no_world():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet():
            with listener.accept()[0] as connection:
                connection.sendall(b"SSH-2.0-x\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(FormatError, match="no server of a world"):
            await WorldSource().load(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread.join(5)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((302, {"Location": "https://elsewhere.example/"}), ToolhaftError),
        ((500, {}), StatusError),
        ("{}", SpecError),
        ({**DOCUMENT, "paths": {}}, SpecError),
        ('{"openapi": "3.1.0", "x": ' + "[" * 200 + "]" * 200 + "}", SpecError),
    ],
    ids=["redirect", "status", "no-document", "no-operations", "deep"],
)
async def test_a_bad_document_is_one_clear_error(answer, error):
    with serve({"/": index(), "/x.json": answer}) as (url, _), pytest.raises(error):
        await WorldSource().load(url)


@pytest.mark.anyio
async def test_a_document_cannot_send_calls_elsewhere():
    with serve({"/": index(), "/x.json": DOCUMENT, "/runs/default/bait/x": {"ok": True}}) as (url, asked):
        catalog = await WorldSource().load(url)
        assert catalog.spec("getX").hosts == (url,)
        assert await catalog.call("getX") == {"ok": True}
        await catalog.close()
        assert asked == ["/", "/x.json", "/runs/default/bait/x"]


@pytest.mark.anyio
async def test_an_index_that_never_ends_is_cut_off():
    with serve({"/": "[" + "1," * 600_000 + "1]"}) as (url, _), pytest.raises(ToolhaftError, match="larger"):
        await WorldSource().load(url)


def test_names_of_credentials_are_names_of_variables():
    assert secret_name("gardenKey") == "TOOLHAFT_WORLD_GARDEN_KEY"
    assert secret_name("garden-key é") == "TOOLHAFT_WORLD_GARDEN_KEY__"
