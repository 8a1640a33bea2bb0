"""Answers recorded and given again without a network."""

import json

import pytest

from toolhaft.errors import (
    EgressError,
    FormatError,
    LimitError,
    ReplayMissError,
    ToolhaftError,
    UnreachableError,
    UsageError,
)
from toolhaft.http import Cassette, Credential, Egress, HTTPClient, Limits, Request
from toolhaft.http.cassette import request_key
from toolhaft.secrets import SecretStore
from toolhaft.types import SecretRef


@pytest.fixture
def tape(tmp_path):
    return tmp_path / "folder" / "tape.jsonl"


@pytest.mark.anyio
async def test_replay_gives_what_was_recorded(library, server, quick, tape, connects):
    async def counting(reader, writer, seen):
        body = json.dumps({"seen": seen}).encode()
        return await server.proper(200, body, [("Content-Type", "application/json")])(reader, writer, seen)

    server.route("/x", counting)
    server.answer("/binary", 404, bytes(range(256)), headers=[("X-Two", "1"), ("X-Two", "2")])
    server.answer("/away", 302, headers=[("Location", "/x")])
    server.answer("/lines", body=b"data: 1\n\ndata: 2")
    requests = [
        Request(method="GET", url=f"{server.url}/x"),
        Request(method="GET", url=f"{server.url}/x"),
        Request(method="GET", url=f"{server.url}/binary"),
        Request(method="GET", url=f"{server.url}/away"),
        Request(method="POST", url=f"{server.url}/x", body=b'{"a": 1, "b": [2]}', effect="write"),
    ]
    client = quick(library, cassette=Cassette.open(tape, "record"))
    recorded = [await client.send(request) for request in requests]
    async with client.stream(Request(method="GET", url=f"{server.url}/lines")) as streamed:
        lines = [line async for line in streamed.lines()]
    await client.close()

    arrived = len(server.requests)
    connects.clear()
    for _ in range(2):
        client = HTTPClient(cassette=Cassette.open(tape), library="no library is needed")
        played = [await client.send(request) for request in requests]
        for live, replayed in zip(recorded, played, strict=True):
            assert (live.status, live.body, live.headers, live.url) == (
                replayed.status,
                replayed.body,
                replayed.headers,
                replayed.url,
            )
            assert replayed.provenance == "replayed"
            assert [exchange.provenance for exchange in replayed.exchanges] == ["replayed"]
        again = await client.send(requests[0])
        assert again.body == recorded[1].body  # after the last comes the last
        async with client.stream(Request(method="GET", url=f"{server.url}/lines")) as streamed:
            assert [line async for line in streamed.lines()] == lines
            assert streamed.provenance == "replayed"
        with pytest.raises(ReplayMissError) as caught:
            await client.send(Request(method="GET", url=f"{server.url}/never"))
        assert str(tape) in str(caught.value)
    assert connects == []
    assert len(server.requests) == arrived


def test_equal_requests_have_equal_keys():
    secrets = SecretStore({"k": "value-one"})

    def key(url="http://h/p?a=1&b=2", **fields):
        return request_key(Request(method=fields.pop("method", "GET"), url=url, **fields), secrets)

    credential = Credential(secret=SecretRef("memory:k"), origins=("http://h:80",))
    elsewhere = Credential(secret=SecretRef("memory:k"), origins=("http://other:80",))
    assert key() == key("HTTP://H:80/p?b=2&a=1#f")
    assert key(body=b'{"a":1,"b":2}') == key(body=b'{ "b": 2, "a": 1 }')
    assert key(headers=(("X-Request-Id", "1"),)) == key() == key(credentials=(elsewhere,))
    different = {
        key(),
        key(method="HEAD"),
        key("http://h/p?a=1"),
        key("https://h/p?a=1&b=2"),
        key(body=b"{}"),
        key(body=b"[1"),
        key(headers=(("Accept", "text/plain"),)),
        key(headers=(("X-User-Id", "1"),)),
        key(headers=(("X-User-Id", "2"),)),
        key(credentials=(credential,)),
    }
    assert len(different) == 10


@pytest.mark.anyio
async def test_failures_are_replayed_as_they_were(server, quick, tape, new_server):
    async with new_server() as gone:
        pass
    server.raw("/large", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
    server.answer("/away", 302, headers=[("Location", "http://10.0.0.1/")])
    cases = {gone.url: UnreachableError, f"{server.url}/large": LimitError, f"{server.url}/away": EgressError}
    failures = []
    for mode in ("record", "replay"):
        client = quick(cassette=Cassette.open(tape, mode), limits=Limits(seconds=3, decoded_bytes=1000))
        for url, kind in cases.items():
            with pytest.raises(kind) as caught:
                await client.send(Request(method="POST", url=url, body=b"x", effect="write"))
            failures.append(caught.value.to_dict())
        await client.close()
    assert failures[:3] == failures[3:]
    assert [failure.get("effect") for failure in failures[:3]] == [None, "uncertain", "uncertain"]


@pytest.mark.anyio
async def test_recording_goes_on_after_a_torn_line(server, quick, tape):
    server.answer("/x", body=b"one")
    server.answer("/y", body=b"two")
    for path, torn in (("/x", True), ("/y", False)):
        client = quick(cassette=Cassette.open(tape, "record"))
        await client.send(Request(method="GET", url=server.url + path))
        await client.close()
        if torn:
            with tape.open("ab") as file:
                file.write(b'{"key": "half of a li')
            Cassette.open(tape)  # readable as it is
    client = quick(cassette=Cassette.open(tape))
    assert (await client.send(Request(method="GET", url=f"{server.url}/x"))).body == b"one"
    assert (await client.send(Request(method="GET", url=f"{server.url}/y"))).body == b"two"


HEAD = b'{"kind":"toolhaft-cassette","format":1}\n'
DAMAGED = [
    b"",
    b"\n",
    b"hello\n",
    b"[]\n",
    b"{}\n",
    b'{"kind":"toolhaft-cassette","format":2}\n',
    b'{"kind":"other","format":1}\n',
    HEAD + b"{}\n",
    HEAD + b"nonsense\n",
    HEAD + b"[1]\n",
    HEAD + b'{"key":1,"status":200,"answered":"","headers":[],"body":""}\n',
    HEAD + b'{"key":"k","status":"200","answered":"","headers":[],"body":""}\n',
    HEAD + b'{"key":"k","status":200,"answered":"","headers":[["a"]],"body":""}\n',
    HEAD + b'{"key":"k","status":200,"answered":"","headers":[],"body":5}\n',
    HEAD + b'{"key":"k","status":200,"answered":"","headers":[],"base64":null}\n',
    HEAD + b'{"key":"k","status":200,"answered":"","headers":[]}\n',
    HEAD + b'{"key":"k","error":"text"}\n',
    b"\xff\xfe\x00\n",
]


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_cassette_says_where(tmp_path, content):
    path = tmp_path / "tape"
    path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        Cassette.open(path)
    assert str(path) in str(caught.value)


def test_cassette_that_is_not_there(tmp_path):
    for path, mode in ((tmp_path / "none", "replay"), (tmp_path, "replay"), (tmp_path / "x", "simulate")):
        with pytest.raises(ToolhaftError):
            Cassette.open(path, mode)
    with pytest.raises(UsageError, match="no cassette mode"):
        Cassette.open(tmp_path / "x", "play")


@pytest.mark.anyio
async def test_replay_needs_no_secret(server, quick, tape):
    server.answer("/x", body=b"ok")
    credential = Credential(secret=SecretRef("memory:k"), origins=(server.url,), place="query", name="key")
    request = Request(method="GET", url=f"{server.url}/x", credentials=(credential,))
    client = quick(cassette=Cassette.open(tape, "record"), secrets=SecretStore({"k": "the-secret-value"}))
    await client.send(request)
    await client.close()
    assert "the-secret-value" not in tape.read_text()
    replaying = quick(cassette=Cassette.open(tape), egress=Egress())
    assert (await replaying.send(request)).body == b"ok"
