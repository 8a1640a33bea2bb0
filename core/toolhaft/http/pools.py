"""Connection pools: one per event loop, origin and set of credentials."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from toolhaft.http.connection import Connection

_KEPT = 256
"""Pools of one loop; the one unused for longest makes room."""

Key = tuple[str, tuple[str, ...]]


class Pool:
    """A library's pool with a semaphore in front.

    Attributes:
        core: The library's pool; it has no limit of its own, so nothing ever queues in it.
        turn: Held for as long as a connection is.
        opened: Its open connections.
        active: Requests that hold or wait for a connection.
        used: When the last of them came, on the monotonic clock.
        retired: It takes no new requests, and closes when the last is done.
    """

    __slots__ = ("active", "core", "opened", "retired", "turn", "used")

    def __init__(self, core: Any, connections: int, opened: set[Connection]) -> None:
        self.core = core
        self.turn = asyncio.Semaphore(connections)
        self.opened = opened
        self.active = 0
        self.used = 0.0
        self.retired = False

    async def enter(self) -> None:
        """Wait for a connection to be allowed; `leave` must follow."""
        self.active += 1
        self.used = time.monotonic()
        try:
            await self.turn.acquire()
        except BaseException:
            self.active -= 1
            raise

    def leave(self) -> None:
        """Let the next one have its turn."""
        self.active -= 1
        self.turn.release()
        if self.retired and not self.active:
            self.close(forced=True)

    def sweep(self) -> None:
        """Close what a failed or cancelled request of this task left open.

        httpcore 1 forgets a connection whose request is cancelled between connecting and sending, and
        counts it as in use for ever after, so a pool in which that happened is used up and replaced.
        """
        task = asyncio.current_task()
        for connection in tuple(self.opened):
            if connection.user is task:
                connection.close(forced=True)
                self.retired = True

    def close(self, *, forced: bool = False) -> None:
        """Close every connection; needs no event loop if forced."""
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
