"""A server on loopback that waits for one redirect of a person's browser."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from toolhaft.errors import ConfigError

HOST = "127.0.0.1"
PATH = "/callback"
_LARGEST_HEAD = 32_768
_PATIENCE = 5.0
"""Seconds for one request to come whole."""
_MOST_FIELDS = 40
_PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Toolhaft</title>"
    "<body style='font-family:sans-serif;margin:4em'><h1>{title}</h1><p>{text}</p>"
)
_DONE = _PAGE.format(title="Done", text="You can close this page and go back to the terminal.")
_NOT_OURS = _PAGE.format(title="Nothing here", text="This is not the answer that is waited for.")

Fields = Mapping[str, str]


class CallbackServer:
    """Takes the first redirect that a check accepts; whatever else comes is told off and forgotten.

    Use it as an async context manager; it listens on 127.0.0.1 alone and ends with the context.

    Args:
        accept: Says whether a redirect, by the fields of its query, is the one that is waited for.
        port: To listen on; 0 takes a free one.
    """

    def __init__(self, accept: Callable[[Fields], bool], *, port: int = 0) -> None:
        self._accept = accept
        self._port = port
        self._server: asyncio.Server | None = None
        self._found: asyncio.Future[Fields] | None = None

    @property
    def url(self) -> str:
        """Where the browser is to be sent."""
        return f"http://{HOST}:{self._port}{PATH}"

    async def wait(self, seconds: float) -> Fields | None:
        """Return the fields of the redirect, or None if none came in time."""
        if self._found is None:
            return None
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(self._found)
        except TimeoutError:
            return None

    async def __aenter__(self) -> CallbackServer:
        self._found = asyncio.get_running_loop().create_future()
        try:
            self._server = await asyncio.start_server(self._answer, HOST, self._port, limit=_LARGEST_HEAD)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "there is no such port"
            raise ConfigError(f"port {self._port} cannot be used: {reason}") from None
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        if self._found is not None:
            self._found.cancel()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                fields = self._read(head)
                if fields is None or self._found is None or self._found.done():
                    await _reply(writer, "404 Not Found", _NOT_OURS)
                    return
                await _reply(writer, "200 OK", _DONE)
                if not self._found.done():
                    self._found.set_result(fields)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a browser that went away, or something that is none
        finally:
            writer.close()

    def _read(self, head: bytes) -> Fields | None:
        """Return the fields of a redirect that is waited for, or None."""
        lines = head.decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        target = rest.partition(" ")[0]
        path, _, query = target.partition("?")
        hosts = [line.partition(":")[2].strip() for line in lines[1:] if line[:5].lower() == "host:"]
        # A page elsewhere may have its own name point here.
        if method != "GET" or path != PATH or hosts != [f"{HOST}:{self._port}"]:
            return None
        try:
            pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError:
            return None
        fields = dict(pairs)
        # A field that stands twice is read differently by different programs.
        return fields if len(fields) == len(pairs) and self._accept(fields) else None


async def _reply(writer: asyncio.StreamWriter, status: str, page: str) -> None:
    body = page.encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
