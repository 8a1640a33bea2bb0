"""A rollout under way, and how it is interrupted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

    from toolhaft.tools.context import RunContext
    from toolhaft.types import Event

T = TypeVar("T")


class Active:
    """A rollout under way: it can be interrupted while it waits for something, and only then."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._waiting: asyncio.Task[Any] | None = None

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """Wait for something; `cancel` interrupts it."""
        import asyncio

        self._waiting = asyncio.current_task()
        try:
            return await awaitable
        finally:
            self._waiting = None

    def cancel(self) -> None:
        """Ask the rollout to end."""
        self._context.cancel(self._waiting)

    def stop(self) -> None:
        """Ask the rollout to end before its next call."""
        self._context.cancel()
        if self._context.journal is not None:
            self._context.journal.stopping = True


async def next_event(events: AsyncIterator[Event]) -> Event | None:
    """Return the next event, or None after the last."""
    try:
        return await anext(events)
    except StopAsyncIteration:
        return None


async def shielded(task: asyncio.Task[T]) -> T:
    """Wait for a task without cancelling it when the waiter is cancelled."""
    import asyncio

    return await asyncio.shield(task)
