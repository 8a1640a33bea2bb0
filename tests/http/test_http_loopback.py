"""An application on loopback: it starts, answers, and ends whatever its clients do."""

import asyncio
import logging
import socket
import time

import httpx
import pytest

from toolhaft.errors import ConfigError
from toolhaft.http.loopback import LoopbackServer

pytestmark = pytest.mark.slow  # starts servers


async def echo(scope, receive, send):
    """Answer with the path; ``/wait`` never answers."""
    if scope["path"] == "/wait":
        await asyncio.Event().wait()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def test_it_answers_until_it_is_stopped_and_gives_the_port_back():
    server = LoopbackServer(echo)
    server.start()
    assert httpx.get(f"{server.url}/x", trust_env=False).text == "/x"
    server.stop()
    server.wait()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/x", trust_env=False)
    again = LoopbackServer(echo, port=int(server.url.rpartition(":")[2]))
    again.start()
    again.stop()


def test_clients_that_wait_or_never_finish_asking_do_not_hold_it_up(caplog):
    server = LoopbackServer(echo)
    server.start()
    place = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    clients = [socket.create_connection(place, timeout=5) for _ in range(40)]
    for number, client in enumerate(clients):
        if number % 2:
            client.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        else:
            client.sendall(b"GET / HTTP/1.1\r\nHo")
    assert httpx.get(f"{server.url}/x", trust_env=False).text == "/x"
    with caplog.at_level(logging.WARNING):
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 3
    assert [record.getMessage() for record in caplog.records] == []
    said = [client.recv(1000) for client in clients]
    assert {one.partition(b"\r\n")[0] for one in said[1::2]} == {b"HTTP/1.1 503 Service Unavailable"}
    for client in clients:
        client.close()


@pytest.mark.parametrize("port", [70_000, -1])
def test_a_port_that_is_none_is_one_clear_error(port):
    with pytest.raises(ConfigError, match=f"port {port} cannot be used"):
        LoopbackServer(echo, port=port)


def test_a_port_that_is_taken_is_one_clear_error():
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ConfigError, match="cannot be used"),
    ):
        LoopbackServer(echo, port=taken.getsockname()[1])


def test_what_the_application_raises_is_said_and_the_next_call_is_answered(caplog):
    async def breaks(scope, receive, send):
        if scope["path"] == "/break":
            raise RuntimeError("the application broke")
        await echo(scope, receive, send)

    server = LoopbackServer(breaks)
    server.start()
    try:
        assert httpx.get(f"{server.url}/break", trust_env=False).status_code == 500
        assert httpx.get(f"{server.url}/x", trust_env=False).text == "/x"
    finally:
        server.stop()
    assert any("the application broke" in str(record.exc_info) for record in caplog.records)
