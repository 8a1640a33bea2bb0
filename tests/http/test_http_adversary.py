"""Servers and files that want secrets shown, time spent, or a traceback."""

import asyncio
import json
import time
import traceback

import pytest

from toolhaft.errors import BrokenAnswerError, FormatError
from toolhaft.http import Credential, Egress, HTTPClient, Request
from toolhaft.http.cassette import Cassette, request_key
from toolhaft.http.message import Response
from toolhaft.secrets import SecretStore
from toolhaft.types import SecretRef

CANARY = 'canary/with"quotes-41'


def closed_client(**settings):
    return HTTPClient(secrets=SecretStore({"KEY": CANARY}), **settings)


@pytest.mark.anyio
@pytest.mark.parametrize("spell", [str, json.dumps, lambda text: json.dumps(text).replace("/", "\\/")])
async def test_a_server_that_echoes_a_secret_gives_it_to_nobody(server, spell):
    said = f"X-Key was {spell(CANARY)}"
    server.answer("/echo", body=said.encode(), headers=[("Retry-After", f"ask {CANARY}"), ("ETag", "kept")])
    client = closed_client(egress=Egress(allow_hosts=("127.0.0.1",)))
    credential = Credential(secret=SecretRef("memory:KEY"), origins=(server.url,), name="X-Key")
    async with client:
        response = await client.send(
            Request(method="GET", url=f"{server.url}/echo", credentials=(credential,))
        )
    assert server.requests[0][1]["x-key"] == CANARY
    assert "canary" not in response.text()
    assert "canary" not in str(response.headers)
    assert "[secret memory:KEY]" in response.text()
    assert response.header("etag") == "kept"


@pytest.mark.anyio
@pytest.mark.parametrize("place", ["header", "query", "cookie"])
async def test_not_even_the_variables_of_a_traceback_show_a_secret(server, place):
    server.raw("/broken", b"no HTTP at all\r\n\r\n")
    credential = Credential(secret=SecretRef("memory:KEY"), origins=(server.url,), place=place, name="X-Key")
    request = Request(method="GET", url=f"{server.url}/broken", credentials=(credential,))
    async with closed_client(egress=Egress(allow_hosts=("127.0.0.1",))) as client:
        with pytest.raises(BrokenAnswerError) as caught:
            await client.send(request)
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = [frame.locals for frame in frames.stack if "toolhaft" in frame.filename]
    assert len(shown) > 3
    assert "canary" not in str(shown)


@pytest.mark.parametrize("depth", [150, 900, 100_000])
def test_a_secret_is_removed_at_any_depth(depth):
    value = CANARY
    for _ in range(depth):
        value = [value]
    found = SecretStore({"KEY": CANARY}).redact_value(value)
    while isinstance(found, list):
        found = found[0]
    assert "canary" not in found


@pytest.mark.parametrize(
    "charset",
    ["idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "rot13", "hex", "x" * 5000],
)
def test_a_charset_that_is_none_is_read_as_utf_8(charset):
    headers = (("content-type", f"text/plain; charset={charset}"),)
    body = "é \\x41 ".encode() + b"a" * 300_000 + b"-" + b"zzzz9" * 60_000 + b"\xff"
    started = time.process_time()
    text = Response(status=200, url="", headers=headers, body=body).text()
    assert time.process_time() - started < 1  # punycode takes minutes for this
    assert text.startswith("é \\x41 aaa")
    assert text.endswith("\ufffd")


ENTRY = {"status": 200, "answered": "", "headers": []}


@pytest.mark.parametrize(
    "entry",
    [
        {**ENTRY, "base64": "a"},
        {**ENTRY, "base64": "é"},
        {"error": {"code": ["E-HTTP"], "what": ""}},
        {"error": {"code": "E-HTTP", "what": {}}},
        {"error": {"code": "E-HTTP", "what": "", "details": [1, 2]}},
        {"error": {"code": "E-HTTP", "what": "", "details": 5}},
        {"error": {"code": "E-HTTP", "what": "", "where": 5}},
    ],
)
def test_a_strange_cassette_is_refused(tmp_path, entry):
    request = Request(method="GET", url="https://api.example.com/")
    entry = {"key": request_key(request, SecretStore()), **entry}
    path = tmp_path / "strange.jsonl"
    head = {"kind": "toolhaft-cassette", "format": 1}
    path.write_text(f"{json.dumps(head)}\n{json.dumps(entry)}\n")

    async def play():
        async with HTTPClient(cassette=Cassette.open(path)) as client:
            await client.send(request)

    with pytest.raises(FormatError):
        asyncio.run(play())
