"""Names looked up once, checked, and kept for a while: the address that was checked is the one used."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Sequence

from toolhaft.errors import UnreachableError
from toolhaft.http.egress import Guard, Resolver

_KEPT_SECONDS = 60.0
_FAILED_SECONDS = 2.0
_KEPT_NAMES = 1024


class CheckedResolver:
    """Looks names up and hands out addresses that the guard has passed.

    Many tasks that want one name wait for one look-up. Answers are kept for a minute, so that a name
    cannot change under a run from one request to the next.
    """

    def __init__(self, guard: Guard, resolver: Resolver | None = None) -> None:
        self._guard = guard
        self._ask: Resolver = resolver or ask_system
        self._kept: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._locks: dict[tuple[int, str], asyncio.Lock] = {}

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses to connect to, in the order to try.

        Raises:
            EgressError: One of them is out of bounds, so none is used.
            UnreachableError: The name cannot be looked up.
        """
        if _is_literal(host):
            self._guard.check_answer(host, port, (host,))
            return (host,)
        found = self._recall(host)
        if found is None:
            # A lock belongs to the loop that first waits for it.
            key = (id(asyncio.get_running_loop()), host)
            lock = self._locks.setdefault(key, asyncio.Lock())
            try:
                async with lock:
                    found = self._recall(host)
                    if found is None:
                        found = await self._look_up(host, port)
            finally:
                if not lock.locked():
                    self._locks.pop(key, None)
        self._guard.check_answer(host, port, found)
        return found

    def _recall(self, host: str) -> tuple[str, ...] | None:
        until, addresses = self._kept.get(host, (0.0, ()))
        if time.monotonic() >= until:
            return None
        if not addresses:
            raise _no_address(host, retryable=True)
        return addresses

    async def _look_up(self, host: str, port: int) -> tuple[str, ...]:
        try:
            addresses = tuple(await self._ask(host, port))
        except OSError as error:
            self._keep(host, (), _FAILED_SECONDS)
            missing = isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME
            raise _no_address(host, retryable=not missing) from None
        if addresses:
            self._keep(host, addresses, _KEPT_SECONDS)
        return addresses

    def _keep(self, host: str, addresses: tuple[str, ...], seconds: float) -> None:
        self._kept.pop(host, None)
        while len(self._kept) >= _KEPT_NAMES:
            self._kept.pop(next(iter(self._kept)))
        self._kept[host] = (time.monotonic() + seconds, addresses)


async def ask_system(host: str, port: int) -> Sequence[str]:
    """Look a name up as the system does, on a thread."""
    answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _no_address(host: str, *, retryable: bool) -> UnreachableError:
    return UnreachableError("no address is found for this name", where=host, retryable=retryable)
