"""What a client does when nothing goes wrong."""

import asyncio
import gc
import json
import threading

import pytest

from toolhaft.errors import BrokenAnswerError, ConfigError, EgressError, HTTPError, LimitError
from toolhaft.http import Credential, Egress, HTTPClient, Limits, Request, Retry, origin_of
from toolhaft.secrets import SecretStore
from toolhaft.types import SecretRef


@pytest.mark.anyio
async def test_answer_comes_back_whole(library, server, quick):
    server.answer("/x", body=b'{"a": 1}', headers=[("Content-Type", "application/json"), ("X-Two", "1")])
    client = quick(library)
    response = await client.send(Request(method="GET", url=f"{server.url}/x?a=%2F&b=%c3%bc"))
    assert (response.status, response.body, response.media_type) == (200, b'{"a": 1}', "application/json")
    assert response.url == f"{server.url}/x?a=%2F&b=%c3%bc"
    assert response.header("x-two") == "1"
    assert response.provenance == "live"
    line, headers, _ = server.requests[0]
    assert line == "GET /x?a=%2F&b=%c3%bc HTTP/1.1"  # byte for byte
    assert headers["host"] == f"127.0.0.1:{server.port}"
    assert headers["accept-encoding"] == "gzip, deflate"
    assert "cookie" not in headers
    [exchange] = response.exchanges
    assert (exchange.method, exchange.status, exchange.response_body) == ("GET", 200, '{"a": 1}')
    await client.close()
    assert client.open_connections == 0


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/a/../b", "/a//b", "/%2e%2e/x", "/a;b=1?x=%20&y", "/?", "/~'()*!"])
async def test_path_is_sent_byte_for_byte(library, server, quick, path):
    client = quick(library)
    await client.send(Request(method="GET", url=server.url + path))
    assert server.requests[0][0] == f"GET {path} HTTP/1.1"
    await client.close()


@pytest.mark.anyio
async def test_body_and_headers_arrive(library, server, quick):
    server.answer("/x")
    client = quick(library)
    for size in (0, 10, 70_000):
        body = b"b" * size
        await client.send(
            Request(method="POST", url=f"{server.url}/x", headers=(("X-A", "1"),), body=body, effect="write")
        )
        line, headers, received = server.requests[-1]
        assert line.startswith("POST")
        assert received == body
        assert headers["x-a"] == "1"
        assert headers["content-length"] == str(size)
    await client.send(
        Request(method="PUT", url=f"{server.url}/x", effect="write", key="k-1", key_header="Idempotency-Key")
    )
    assert server.requests[-1][1]["idempotency-key"] == "k-1"
    assert server.connections == 1
    await client.close()


@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 201, 204, 304, 400, 401, 404, 418, 501])
async def test_any_status_is_an_answer(library, server, quick, status):
    server.answer("/x", status, b"" if status in (204, 304) else b"text")
    client = quick(library)
    assert (await client.send(Request(method="GET", url=f"{server.url}/x"))).status == status
    assert len(server.requests) == 1
    await client.close()


@pytest.mark.anyio
async def test_head_has_no_body_whatever_it_announces(library, server, quick):
    server.raw("/x", b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\nContent-Encoding: gzip\r\n\r\n")
    client = quick(library)
    response = await client.send(Request(method="HEAD", url=f"{server.url}/x"))
    assert response.body == b""
    await client.close()


@pytest.mark.anyio
async def test_pool_is_bounded_and_kept(library, server, quick):
    now = most = 0

    async def slow(reader, writer, seen):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return await server.proper()(reader, writer, seen)

    server.route("/x", slow)
    client = quick(library, limits=Limits(connections=4))
    request = Request(method="GET", url=f"{server.url}/x")
    await asyncio.gather(*[client.send(request) for _ in range(40)])
    assert most == 4
    assert server.connections == 4
    assert client.open_connections == 4
    await client.close()


@pytest.mark.anyio
async def test_connection_that_the_server_closed_is_not_used(library, server, quick):
    async def once(reader, writer, seen):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        return False

    server.route("/x", once)
    client = quick(library, retry=Retry(attempts=1))
    for _ in range(3):
        assert (await client.send(Request(method="GET", url=f"{server.url}/x"))).body == b"ok"
        await asyncio.sleep(0.01)
    assert server.connections == 3
    await client.close()


def test_one_client_serves_several_loops(library, new_server, quick):
    serve_several_loops(quick(library), new_server)
    gc.collect()  # a client that nobody closed leaves no open socket: warnings are errors


def serve_several_loops(client, new_server):
    async def one_round():
        async with new_server() as server:
            server.answer("/x", body=b"ok")
            responses = [await client.send(Request(method="GET", url=f"{server.url}/x")) for _ in range(3)]
            return [response.body for response in responses]

    for _ in range(3):  # not closed between the loops: the next drops what the last left
        assert asyncio.run(one_round()) == [b"ok"] * 3
    results = []
    threads = [threading.Thread(target=lambda: results.append(asyncio.run(one_round()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results == [[b"ok"] * 3] * 3


@pytest.mark.anyio
async def test_tenants_share_no_connection(library, server, quick):
    async def whose(reader, writer, seen):
        port = writer.get_extra_info("peername")[1]
        key = server.requests[-1][1].get("x-key", "")
        body = json.dumps([port, key]).encode()
        return await server.proper(body=body)(reader, writer, seen)

    server.route("/x", whose)
    store = SecretStore({f"t{n}": f"tenant-secret-{n:03}" for n in range(10)})
    client = quick(library, secrets=store)
    ports = {}

    async def call(n):
        credential = Credential(
            secret=SecretRef(f"memory:t{n}"), origins=(origin_of(server.url),), name="X-Key"
        )
        response = await client.send(Request(method="GET", url=f"{server.url}/x", credentials=(credential,)))
        port, key = json.loads(response.body)
        assert key == f"[secret memory:t{n}]"
        assert ports.setdefault(port, n) == n

    for _ in range(5):
        await asyncio.gather(*[call(n) for n in range(10)])
    assert len(ports) == 10
    await client.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "header",
    [
        ("Host", "evil"),
        ("Content-Length", "3"),
        ("transfer-encoding", "chunked"),
        ("Connection", "upgrade"),
        ("Proxy-Authorization", "x"),
        ("X-A", "1\r\nX-B: 2"),
        ("X-A", "1\nX-B: 2"),
        ("X A", "1"),
        ("X-A\r\nB", "1"),
        ("X-A", "snow ☃"),
        ("X-Ä", "1"),
        ("X-A", "nul\0"),
    ],
)
async def test_headers_cannot_break_out(library, server, quick, header):
    client = quick(library)
    with pytest.raises(HTTPError) as caught:
        await client.send(Request(method="GET", url=f"{server.url}/x", headers=(header,)))
    assert caught.value.effect == "none"
    assert server.requests == []
    await client.close()
    assert client.open_connections == 0


@pytest.mark.anyio
async def test_stream_gives_lines(library, server, quick):
    pieces = [b"data: 1\r", b"\ndata: \xc3", b"\xbc\xe2\x80\xa8x\n\nda", b"ta: 3\rlast"]

    async def chunked(reader, writer, seen):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            await asyncio.sleep(0.002)
        writer.write(b"0\r\n\r\n")
        return True

    server.route("/x", chunked)
    client = quick(library)
    async with client.stream(Request(method="GET", url=f"{server.url}/x")) as streamed:
        assert streamed.status == 200
        lines = [line async for line in streamed.lines()]
    assert lines == ["data: 1", "data: ü\u2028x", "", "data: 3", "last"]
    assert streamed.exchanges[0].response_body.startswith("data: 1")
    async with client.stream(Request(method="GET", url=f"{server.url}/x")) as streamed:
        async for _ in streamed.lines():
            break  # leaving early closes the connection
    assert client.open_connections == 0
    async with client.stream(Request(method="GET", url=f"{server.url}/none")) as streamed:
        assert (streamed.status, await streamed.read()) == (404, b"")
    await client.close()


@pytest.mark.anyio
async def test_stream_keeps_to_the_limits(library, server, quick):
    async def endless(reader, writer, seen):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"data: x\n" * 100)
            await writer.drain()
            await asyncio.sleep(0.005)

    server.route("/x", endless)
    server.answer("/away", 302, headers=[("Location", "http://10.0.0.1/")])
    client = quick(library, limits=Limits(seconds=0.3, decoded_bytes=20_000))
    with pytest.raises(LimitError, match="larger than 20000"):
        async with client.stream(Request(method="GET", url=f"{server.url}/x")) as streamed:
            [line async for line in streamed.lines()]
    with pytest.raises(LimitError, match=r"within 0\.3 s"):
        async with client.stream(Request(method="GET", url=f"{server.url}/x", max_bytes=10**9)) as streamed:
            [line async for line in streamed.lines()]
    with pytest.raises(EgressError):
        async with client.stream(Request(method="GET", url=f"{server.url}/away")):
            pass
    with pytest.raises(TimeoutError, match="mine"):
        async with client.stream(Request(method="GET", url=f"{server.url}/x")):
            raise TimeoutError("mine")
    assert client.open_connections == 0 or not await client.close()


@pytest.mark.anyio
async def test_embedders_client_is_used_when_unguarded(library, server, quick):
    module = pytest.importorskip(library)
    store = SecretStore({"k": "a-key-of-the-embedder"})
    server.answer("/x", body=b"ok")
    server.answer("/away", 302, headers=[("Location", "/x")])
    credential = Credential(secret=SecretRef("memory:k"), origins=(server.url,), name="X-Key")
    async with module.AsyncClient(headers={"X-Embedder": "1"}) as own:
        client = quick(library, unguarded=own, egress=Egress(), secrets=store)
        response = await client.send(
            Request(method="GET", url=f"{server.url}/away", credentials=(credential,))
        )
        assert (response.body, response.url, len(response.exchanges)) == (b"ok", f"{server.url}/x", 2)
        assert server.requests[-1][1]["x-key"] == "a-key-of-the-embedder"
        server.raw("/broken", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        with pytest.raises(BrokenAnswerError) as caught:
            await client.send(Request(method="POST", url=f"{server.url}/broken", effect="write"))
        assert caught.value.effect == "uncertain"
        await client.close()


@pytest.mark.anyio
async def test_proxy_is_used_and_targets_are_still_checked(library, server, quick, connects):
    async def proxied(reader, writer, seen):
        return await server.proper(body=b"by proxy")(reader, writer, seen)

    server.route("http://api.example.com:80/x", proxied)
    client = quick(library, egress=Egress(), proxy=f"http://user:pass@127.0.0.1:{server.port}")
    response = await client.send(Request(method="GET", url="http://api.example.com/x"))
    assert response.body == b"by proxy"
    assert server.requests[0][1]["proxy-authorization"] == "Basic dXNlcjpwYXNz"
    with pytest.raises(EgressError):
        await client.send(Request(method="GET", url="http://169.254.169.254/latest"))
    assert {address[:2] for address in connects} == {("127.0.0.1", server.port)}
    await client.close()
    with pytest.raises(ConfigError):
        await quick(library, egress=Egress(), proxy="socks5://x").send(
            Request(method="GET", url="http://api.example.com/x")
        )


@pytest.mark.anyio
async def test_settings_choose_the_library(library, server, monkeypatch):
    monkeypatch.setenv("TOOLHAFT_HTTP_LIBRARY", library)
    server.answer("/x")
    async with HTTPClient(egress=Egress(allow_hosts=("127.0.0.1",))) as client:
        await client.send(Request(method="GET", url=f"{server.url}/x"))
        assert client._transport.library.top.__name__ == library


@pytest.mark.anyio
async def test_environment_is_not_trusted(library, server, quick, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    server.answer("/x", body=b"direct")
    client = quick(library)
    assert (await client.send(Request(method="GET", url=f"{server.url}/x"))).body == b"direct"
    await client.close()


def test_importing_is_light():
    import subprocess
    import sys

    code = (
        "import sys, toolhaft.http; toolhaft.http.HTTPClient(); "
        "assert not {'httpx', 'httpx2', 'httpcore', 'httpcore2', 'anyio'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("settings", [{"seconds": 0}, {"header_count": -1}, {"rate": 0}])
def test_senseless_limits_are_refused(settings):
    with pytest.raises(ConfigError):
        Limits(**settings)


def test_unknown_library_is_refused():
    client = HTTPClient(library="requests")
    with pytest.raises(ConfigError, match="requests"):
        _ = client._transport.library
