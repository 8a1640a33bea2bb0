"""Connects for the HTTP library, to addresses that the guard has passed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterable
from typing import Any

from toolhaft.errors import UnreachableError
from toolhaft.http.connection import Connection
from toolhaft.http.egress import Dialler
from toolhaft.http.limits import Limits
from toolhaft.http.resolver import CheckedResolver, ask_system

_SECONDS_EACH = 3.0
"""How long one of several addresses is tried before the next."""


class Backend:
    """The network as httpcore sees it.

    Args:
        resolver: Hands out checked addresses.
        limits: Of every connection.
        write_error: See `Connection`.
        opened: Where open connections are listed.
        proxy: Host and port of a proxy that the embedder chose; it is not checked.
        dial: See `toolhaft.http.egress.Egress`.
    """

    def __init__(
        self,
        resolver: CheckedResolver,
        limits: Limits,
        write_error: type[Exception],
        opened: set[Connection],
        *,
        proxy: tuple[str, int] | None = None,
        dial: Dialler | None = None,
    ) -> None:
        self._resolver = resolver
        self._limits = limits
        self._write_error = write_error
        self._opened = opened
        self._proxy = proxy
        self._dial: Dialler = dial or dial_directly

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Connection:
        """Connect to the first of a host's addresses that answers.

        Raises:
            EgressError: One of its addresses is out of bounds.
            UnreachableError: None answers.
        """
        if self._proxy == (host, port):
            addresses = await self._proxy_addresses(host, port)
        else:
            addresses = await self._resolver.addresses(host, port)
        problem = "no address"
        for position, address in enumerate(addresses, 1):
            seconds = None if position == len(addresses) else _SECONDS_EACH
            try:
                async with asyncio.timeout(seconds):
                    sock = await self._dial(address, port)
            except OSError as error:
                problem = os.strerror(error.errno) if error.errno else "no answer"
            else:
                return Connection(sock, self._limits, self._write_error, self._opened)
        raise UnreachableError(f"no connection: {problem}", where=f"{host}:{port}", retryable=True)

    async def connect_unix_socket(self, path: str, *_: Any, **__: Any) -> Connection:
        """Refuse: unix sockets are a way around the guard."""
        raise UnreachableError("unix sockets are not used", where=path)

    async def sleep(self, seconds: float) -> None:
        """Wait, for the library's own connection retries, which are switched off."""
        await asyncio.sleep(seconds)

    async def _proxy_addresses(self, host: str, port: int) -> tuple[str, ...]:
        try:
            return tuple(await ask_system(host, port))
        except OSError:
            raise UnreachableError("the proxy's name has no address", where=host, retryable=True) from None


async def dial_directly(address: str, port: int) -> socket.socket:
    """Return a non-blocking socket that is connected to an IP address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock
