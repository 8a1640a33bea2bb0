"""A server that misbehaves on request, and a watch on every connection that the process tries to make."""

import asyncio
import contextlib
import sys

import pytest

from toolhaft.http import Egress, HTTPClient, Limits, Retry

_WATCHES = []


def _audit(event, arguments):
    if event == "socket.connect" and _WATCHES:
        for watch in _WATCHES:
            watch.append(arguments[1])


sys.addaudithook(_audit)


@pytest.fixture(params=["httpx", "httpx2"])
def library(request):
    """Each of the two libraries, where it is installed."""
    pytest.importorskip(request.param)
    return request.param


@pytest.fixture
def connects():
    """The addresses to which a connection was tried while the test ran."""
    seen = []
    _WATCHES.append(seen)
    yield seen
    _WATCHES.remove(seen)


class Server:
    """A loopback server whose routes are coroutines over raw streams.

    Attributes:
        requests: ``(line, headers, body)`` of every request, headers with names in lower case.
    """

    def __init__(self):
        self.routes = {}
        self.requests = []
        self.connections = 0
        self.tasks = set()

    def route(self, path, handler):
        self.routes[path] = handler

    def raw(self, path, data):
        """Answer a path with these bytes and close."""

        async def handler(reader, writer, seen):
            writer.write(data)
            return False

        self.routes[path] = handler

    def answer(self, path, status=200, body=b"", headers=()):
        """Answer a path properly and keep the connection."""
        self.routes[path] = self.proper(status, body, headers)

    @staticmethod
    def proper(status=200, body=b"", headers=()):
        async def handler(reader, writer, seen):
            lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
            lines += [f"{name}: {value}" for name, value in headers]
            writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
            return True

        return handler

    async def serve(self, reader, writer):
        self.connections += 1
        self.tasks.add(asyncio.current_task())
        try:
            keep = True
            while keep:
                head = await reader.readuntil(b"\r\n\r\n")
                line, *fields = head.decode("latin-1").split("\r\n")
                headers = {}
                for entry in filter(None, fields):
                    name, _, value = entry.partition(":")
                    headers.setdefault(name.lower(), value.strip())
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.requests.append((line, headers, body))
                path = line.split(" ")[1].partition("?")[0]
                handler = self.routes.get(path) or self.proper(404)
                keep = await handler(reader, writer, len(self.requests))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError, ValueError):
            pass
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            self.tasks.discard(asyncio.current_task())
            writer.close()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for task in tuple(self.tasks):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.server.wait_closed()


@pytest.fixture
def new_server():
    """Make a server: ``async with new_server() as server``."""
    return Server


@pytest.fixture
async def server():
    """A running server."""
    async with Server() as running:
        yield running


@pytest.fixture
def quick():
    """Make a client that may speak to loopback, and neither waits nor rests for long."""

    def make(library="httpx", **settings):
        settings.setdefault("egress", Egress(allow_hosts=("127.0.0.1",)))
        settings.setdefault("limits", Limits(seconds=5))
        settings.setdefault("retry", Retry(attempts=3, first_wait=0.002, max_wait=2, breaker=0))
        return HTTPClient(library=library, **settings)

    return make
