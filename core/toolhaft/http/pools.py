"""Connection pools: one per event loop, origin and set of credentials."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from toolhaft.http.connection import Connection

_KEPT = 256
"""Pools of one loop; the one unused for longest makes room."""

Key = tuple[str, tuple[str, ...]]


class Pool:
    """The connections to one origin for one set of credentials: idle ones, and a semaphore in front.

    The libraries' own pools look at every connection, twice a request; this one takes the idle connection
    that was used last, and owns what it hands out, so that a cancelled request leaves nothing behind.

    Args:
        make: Makes one of the library's connections, not yet connected.
        connections: How many there may be.
        opened: Lists the sockets that are open.

    Attributes:
        turn: Held for as long as a connection is.
        active: Requests that hold or wait for a connection.
        used: When the last of them came, on the monotonic clock.
    """

    __slots__ = ("_idle", "_make", "active", "opened", "turn", "used")

    def __init__(self, make: Callable[[], Any], connections: int, opened: set[Connection]) -> None:
        self._make = make
        self._idle: list[Any] = []
        self.turn = asyncio.Semaphore(connections)
        self.opened = opened
        self.active = 0
        self.used = 0.0

    async def take(self) -> Any:
        """Wait for a turn and return a connection; `give_back` must follow."""
        self.active += 1
        self.used = time.monotonic()
        try:
            await self.turn.acquire()
        except BaseException:
            self.active -= 1
            raise
        while self._idle:
            connection = self._idle.pop()
            if connection.is_available() and not connection.has_expired():
                return connection
            await connection.aclose()
        return self._make()

    async def give_back(self, connection: Any, *, broken: bool = False) -> None:
        """Keep a connection whose answer was read to its end, close any other, and end the turn."""
        try:
            if not broken and connection.is_available():
                self._idle.append(connection)
                if self._idle[0].has_expired():
                    await self._idle.pop(0).aclose()
            else:
                await connection.aclose()
                self._sweep()
        finally:
            self.active -= 1
            self.turn.release()

    def _sweep(self) -> None:
        """Close a socket of this task that the library forgot when it was cancelled while connecting."""
        task = asyncio.current_task()
        for connection in tuple(self.opened):
            if connection.opener is task:
                connection.close(forced=True)

    def close(self, *, forced: bool = False) -> None:
        """Close every connection; needs no event loop if forced."""
        self._idle.clear()
        for connection in tuple(self.opened):
            connection.close(forced=forced)


class Pools:
    """All pools of a client. A connection belongs to the loop it was made on, so pools do too."""

    def __init__(self) -> None:
        self._loops: dict[asyncio.AbstractEventLoop, dict[Key, Pool]] = {}

    def of_running_loop(self) -> dict[Key, Pool]:
        """Return the pools of the running loop; those of closed loops are dropped."""
        loop = asyncio.get_running_loop()
        pools = self._loops.get(loop)
        if pools is None:
            for other in [known for known in self._loops if known.is_closed()]:
                _close_all(self._loops.pop(other, {}), forced=True)
            pools = self._loops.setdefault(loop, {})
        return pools

    def make_room(self, pools: dict[Key, Pool]) -> None:
        """Drop pools without work, those unused for longest first, if there are many."""
        if len(pools) < _KEPT:
            return
        idle = sorted((pool.used, key) for key, pool in pools.items() if not pool.active)
        for _, key in idle[: len(pools) - _KEPT + 1]:
            pools.pop(key).close(forced=True)

    def count_open(self) -> int:
        """Return how many connections are open."""
        return sum(len(pool.opened) for pools in self._loops.values() for pool in pools.values())

    def close(self) -> None:
        """Close the connections of the running loop and of closed ones, and wake who waits on them."""
        running = asyncio.get_running_loop()
        for loop in list(self._loops):
            if loop is running:
                _close_all(self._loops.pop(loop), forced=False)
            elif loop.is_closed():
                _close_all(self._loops.pop(loop), forced=True)
            else:
                loop.call_soon_threadsafe(_close_all, self._loops.pop(loop))

    def abandon(self) -> None:
        """Close everything at once: the client is gone."""
        for pools in self._loops.values():
            _close_all(pools, forced=True)
        self._loops.clear()


def _close_all(pools: dict[Key, Pool], forced: bool = False) -> None:
    for pool in pools.values():
        pool.close(forced=forced)
