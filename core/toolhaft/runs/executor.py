"""How a batch of independent jobs is run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any


class Executor(ABC):
    """Runs jobs, several at once."""

    name: str = ""

    @abstractmethod
    def run(
        self, job: Callable[[Any], Awaitable[Any]], items: Iterable[Any], *, concurrency: int
    ) -> AsyncIterator[tuple[int, Any]]:
        """Yield ``(position, result)`` for each item, in the order they finish.

        Exceptions of a job propagate; jobs that are still running are cancelled first.
        """


class LocalExecutor(Executor):
    """Runs jobs as tasks of the running event loop."""

    name = "local"

    async def run(
        self, job: Callable[[Any], Awaitable[Any]], items: Iterable[Any], *, concurrency: int = 8
    ) -> AsyncIterator[tuple[int, Any]]:
        """Run at most ``concurrency`` jobs at once; items are taken as places fall free."""
        import asyncio

        async def numbered(position: int, item: Any) -> tuple[int, Any]:
            return position, await job(item)

        waiting = enumerate(items)
        running: set[asyncio.Task[tuple[int, Any]]] = set()
        try:
            while True:
                for position, item in waiting:
                    running.add(asyncio.create_task(numbered(position, item)))
                    if len(running) >= concurrency:
                        break
                if not running:
                    return
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
