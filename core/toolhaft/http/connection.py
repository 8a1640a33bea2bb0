"""Byte streams under the HTTP library: plain sockets and TLS, with a cap on headers.

They are written to the network interface that httpcore and httpcore2 share. Sockets without asyncio
transports have two merits here: nothing is read that nobody asked for, and a connection whose event
loop is gone can still be closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import Any

from toolhaft.errors import LimitError
from toolhaft.http.limits import Limits

_JOINED = 65_536
"""Headers and a body up to this many bytes go out in one piece."""

_HEAD_PIECE = 16_384
"""Bytes that are read at once while headers are expected; the last piece may hold some of the body."""


class Connection:
    """A connected socket.

    Args:
        sock: Connected, non-blocking.
        limits: Caps on what may come before a body.
        write_error: The library's exception for a failed write, after which it still reads the answer.
        opened: Where the connection is listed while it is open.

    Attributes:
        opener: The task that opened it, until something is sent.
    """

    def __init__(
        self,
        sock: socket.socket,
        limits: Limits,
        write_error: type[Exception],
        opened: set[Connection],
    ) -> None:
        self._socket = sock
        self._loop = asyncio.get_running_loop()
        self._limits = limits
        self._write_error = write_error
        self._opened = opened
        self._held = b""
        self._head = HeadMeter(limits)
        self._in_head = False
        self._busy = False
        self.opener = asyncio.current_task()
        opened.add(self)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come, at least one byte, or nothing at the end.

        Raises:
            LimitError: Headers are larger, or informational answers more, than the limits allow.
            OSError: The connection broke.
        """
        if self._held:
            held, self._held = self._held, b""
            await self._send(held)
        if not self._in_head:
            return await self._receive(max_bytes)
        data = await self._receive(_HEAD_PIECE)
        self._head.count(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes; headers wait for the body or the end of the request, to go out with it."""
        if not self._in_head:
            self._in_head = True
            self.opener = None
            self._head = HeadMeter(self._limits)
            self._held = buffer
            return
        held, self._held = self._held, b""
        try:
            if held and len(buffer) <= _JOINED:
                await self._send(held + buffer)
            else:
                for part in (held, buffer):
                    if part:
                        await self._send(part)
        except OSError as error:
            # The library still reads what the server may have said; nothing must make it wait for more.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)
            raise self._write_error(str(error)) from None

    def end_head(self) -> None:
        """Stop counting headers: a body follows."""
        self._in_head = False

    async def aclose(self) -> None:
        """Close the connection."""
        self.close()

    def close(self, *, forced: bool = False) -> None:
        """Close the connection; needs no event loop.

        Args:
            forced: Nobody waits for it any more. Otherwise a task that does is woken with the end of the
                stream, and closes it.
        """
        if self._busy and not forced:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            return
        self._opened.discard(self)
        self._socket.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> Connection:
        """Return this connection with TLS spoken over it.

        Raises:
            ssl.SSLError: The peer's certificate or handshake is not acceptable.
            OSError: The connection broke.
        """
        secured = TLSConnection(self, ssl_context, server_hostname)
        try:
            await secured.handshake()
        except BaseException:
            secured.close()
            raise
        return secured

    def get_extra_info(self, info: str) -> Any:
        """Answer what the library asks: ``is_readable`` on an idle connection means the peer is done."""
        if info == "is_readable":
            return self._is_readable()
        if info == "socket":
            return self._socket
        return None

    def _is_readable(self) -> bool:
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True
        return True

    async def _receive(self, max_bytes: int) -> bytes:
        self._busy = True
        try:
            return await self._loop.sock_recv(self._socket, max_bytes)
        finally:
            self._busy = False

    async def _send(self, data: bytes) -> None:
        self._busy = True
        try:
            await self._loop.sock_sendall(self._socket, data)
        finally:
            self._busy = False


class TLSConnection(Connection):
    """TLS over another connection."""

    def __init__(self, lower: Connection, context: ssl.SSLContext, server_hostname: str | None) -> None:
        super().__init__(lower._socket, lower._limits, lower._write_error, lower._opened)
        lower._opened.discard(lower)
        self._lower = lower
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)

    async def handshake(self) -> None:
        """Agree with the peer; its certificate is checked against the host's name."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            except ssl.SSLError:
                # The peer is told why; whether that arrives does not matter.
                with contextlib.suppress(OSError):
                    await self._flush()
                raise
            else:
                await self._flush()
                return

    def get_extra_info(self, info: str) -> Any:
        """Answer what the library asks; ``ssl_object`` says which protocol was agreed on."""
        return self._tls if info == "ssl_object" else super().get_extra_info(info)

    def close(self, *, forced: bool = False) -> None:
        """Say goodbye if that can be done without waiting, and close."""
        self._opened.discard(self)
        if type(self._lower) is Connection and not self._lower._busy:
            with contextlib.suppress(OSError, ValueError):
                self._tls.unwrap()
            with contextlib.suppress(OSError, ValueError):
                self._socket.send(self._outgoing.read())
        self._lower.close(forced=forced)

    async def _receive(self, max_bytes: int) -> bytes:
        while True:
            try:
                return self._tls.read(max_bytes)
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    async def _send(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._tls.write(left) :]
        await self._flush()

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._lower._send(self._outgoing.read())

    async def _fill(self) -> None:
        data = await self._lower._receive(65_536)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()


class HeadMeter:
    """Counts what comes before a body: bytes, and whole answers with a 1xx status."""

    __slots__ = ("_bytes", "_final", "_informational", "_limits", "_pending")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._bytes = 0
        self._informational = 0
        self._pending = b""
        self._final = False

    def count(self, data: bytes) -> None:
        """Count a piece; raise `LimitError` past a limit."""
        self._bytes += len(data)
        if self._bytes > self._limits.header_bytes + _HEAD_PIECE:
            raise LimitError(f"the answer's headers are larger than {self._limits.header_bytes} bytes")
        if self._final:
            return
        self._pending += data
        while len(self._pending) >= 10 and not self._final:
            if not self._pending.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1")):
                self._final = True
                self._pending = b""
                return
            _, separator, rest = self._pending.partition(b"\r\n\r\n")
            if not separator:
                _, separator, rest = self._pending.partition(b"\n\n")
                if not separator:
                    return
            self._pending = rest
            self._informational += 1
            if self._informational > self._limits.informational:
                raise LimitError(f"more than {self._limits.informational} informational answers came")
