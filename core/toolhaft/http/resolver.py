"""Names looked up once, checked, and kept for a while: the address that was checked is the one used."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

from toolhaft.errors import ToolhaftError, UnreachableError
from toolhaft.http.egress import Guard, Resolver

_KEPT_SECONDS = 60.0
_FAILED_SECONDS = 2.0
_KEPT_NAMES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a look-up found, and until when it holds on the monotonic clock.

    Attributes:
        failed: The look-up failed; otherwise the name may still have no address.
        retryable: A failure that may pass.
    """

    until: float
    addresses: tuple[str, ...] = ()
    failed: bool = False
    retryable: bool = False


@dataclass(slots=True)
class _LookUp:
    task: asyncio.Task[_Found]
    waiting: int = 0


class CheckedResolver:
    """Looks names up and hands out addresses that the guard has passed.

    Many tasks that want one name wait for one look-up, which goes on for as long as any of them waits.
    Answers are kept for a minute, so that a name cannot change under a run from one request to the next.
    """

    def __init__(self, guard: Guard, resolver: Resolver | None = None) -> None:
        self._guard = guard
        self._ask: Resolver = resolver or ask_system
        self._kept: dict[str, _Found] = {}
        # A task belongs to its loop.
        self._running: dict[tuple[asyncio.AbstractEventLoop, str], _LookUp] = {}

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses to connect to, in the order to try.

        Raises:
            EgressError: One of them is out of bounds, so none is used.
            UnreachableError: The name cannot be looked up.
        """
        if _is_literal(host):
            self._guard.check_answer(host, port, (host,))
            return (host,)
        found = self._kept.get(host)
        if found is None or time.monotonic() >= found.until:
            found = await self._wait_for(host, port)
        if found.failed:
            raise UnreachableError("no address is found for this name", where=host, retryable=found.retryable)
        self._guard.check_answer(host, port, found.addresses)
        return found.addresses

    async def _wait_for(self, host: str, port: int) -> _Found:
        """Join the look-up that is under way, or start it; the last to leave ends it."""
        loop = asyncio.get_running_loop()
        shared = self._running.get((loop, host))
        if shared is None:
            shared = _LookUp(loop.create_task(self._look_up(host, port)))
            self._running[loop, host] = shared
        shared.waiting += 1
        try:
            return await asyncio.shield(shared.task)
        except ToolhaftError as error:
            # Each who waits writes into the error what became of its own request.
            raise copy(error) from None
        finally:
            shared.waiting -= 1
            if not shared.waiting:
                self._running.pop((loop, host), None)
                shared.task.cancel()

    async def _look_up(self, host: str, port: int) -> _Found:
        now = time.monotonic
        try:
            addresses = tuple(str(address) for address in await self._ask(host, port))
        except OSError as error:
            missing = isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME
            found = _Found(until=now() + _FAILED_SECONDS, failed=True, retryable=not missing)
        else:
            seconds = _KEPT_SECONDS if addresses else _FAILED_SECONDS
            found = _Found(until=now() + seconds, addresses=addresses)
        self._kept.pop(host, None)
        while len(self._kept) >= _KEPT_NAMES:
            self._kept.pop(next(iter(self._kept)))
        self._kept[host] = found
        return found


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
