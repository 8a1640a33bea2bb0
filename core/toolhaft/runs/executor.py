"""How a batch of independent items is worked off: here, in other processes, or on other machines."""

from __future__ import annotations

import asyncio
import importlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolhaft.errors import ToolhaftError, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is done to every item, by name, so that it can be opened wherever it runs.

    Attributes:
        target: ``module:factory``. The factory takes the settings as keyword arguments, may be async, and
            returns a `Work`.
        settings: JSON values; a secret stands in them by reference (``env:NAME``), never as its value.
    """

    target: str
    settings: Mapping[str, Any] = field(default_factory=dict)


class Home(ABC):
    """The way back from where a job runs to where the batch was started; messages are JSON objects."""

    @abstractmethod
    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a message that needs no answer. Messages arrive in the order in which they were sent."""

    @abstractmethod
    async def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Send a message and wait for the answer."""


class Work(ABC):
    """A job, opened: takes items one by one, several at a time."""

    @abstractmethod
    async def run(self, item: Any, home: Home) -> Any:
        """Work off an item.

        Args:
            item: A JSON value.
            home: Lasts as long as the item.

        Returns:
            A JSON value; a failure of the item's own is one too. What it raises is a bug, and ends the
            batch.
        """

    def stop(self) -> None:
        """Have what is under way end before its next call, each with a result."""

    async def close(self) -> None:
        """Let go of what is held. The default holds nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What became of an item.

    Attributes:
        item: As it was given.
        result: What `Work.run` returned.
        failure: Why there is no result: the place it ran in is gone, and the item may be given out again.
            None if there is one.
    """

    item: Any
    result: Any = None
    failure: ToolhaftError | None = None


class Executor(ABC):
    """Works off items, several at once.

    Attributes:
        name: As it is registered.
    """

    name: str = ""

    @abstractmethod
    def run(
        self, job: Job, items: AsyncIterator[Any], home: Home, *, concurrency: int
    ) -> AsyncIterator[Finished]:
        """Yield what became of each item, in the order they end.

        An item is taken only when there is a place for it. When the iterator is closed early, what is
        still running is ended first.

        Args:
            job: Opened once in every place where items are worked off.
            items: JSON values.
            home: Takes what the job tells and asks.
            concurrency: Items under way at once, in all.

        Raises:
            ToolhaftError: The job cannot be opened.
        """

    def stop(self) -> None:
        """Have every item under way end soon; see `Work.stop`. No more items are taken.

        To end them at once, close the iterator.
        """


class LocalExecutor(Executor):
    """Works off items as tasks of the running event loop.

    Args:
        work: Opened already, and closed by whoever did; None opens the job.
    """

    name = "local"

    def __init__(self, work: Work | None = None) -> None:
        self._given = work
        self._work: Work | None = None
        self._stopped = False

    async def run(
        self, job: Job, items: AsyncIterator[Any], home: Home, *, concurrency: int = 8
    ) -> AsyncIterator[Finished]:
        """See `Executor.run`."""
        self._stopped = False
        self._work = work = self._given or await open_work(job)
        try:
            async for finished in take_turns(
                lambda item: _finished(work, item, home),
                items,
                concurrency=concurrency,
                stopped=lambda: self._stopped,
            ):
                yield finished
        finally:
            self._work = None
            if self._given is None:
                await work.close()

    def stop(self) -> None:
        """See `Executor.stop`."""
        self._stopped = True
        if self._work is not None:
            self._work.stop()


async def open_work(job: Job) -> Work:
    """Open a job in this process.

    Raises:
        UsageError: There is no such factory, or what it makes is no `Work`.
    """
    module, _, name = job.target.partition(":")
    try:
        factory = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(
            f"there is no job {job.target!r}: {error}", hint="Name a factory as 'module:name'"
        ) from None
    made = factory(**job.settings)
    work = await made if asyncio.iscoroutine(made) else made
    if not isinstance(work, Work):
        raise UsageError(
            f"{job.target!r} made {type(work).__name__}, which is no toolhaft.runs.executor.Work"
        )
    return work


async def take_turns(
    run: Callable[[Any], Awaitable[Finished]],
    items: AsyncIterator[Any],
    *,
    concurrency: int,
    stopped: Callable[[], bool],
) -> AsyncIterator[Finished]:
    """Await ``run`` of each item, so many at once; items are taken as places fall free."""
    turn = asyncio.Lock()
    results: asyncio.Queue[Finished | asyncio.Task[None]] = asyncio.Queue()

    async def fill_place() -> None:
        while True:
            async with turn:
                item = _END if stopped() else await anext(items, _END)
            if item is _END:
                return
            results.put_nowait(await run(item))

    places = [asyncio.create_task(fill_place()) for _ in range(max(1, concurrency))]
    for place in places:
        place.add_done_callback(results.put_nowait)
    try:
        left = len(places)
        while left:
            found = await results.get()
            if isinstance(found, Finished):
                yield found
            else:
                left -= 1
                found.result()
    finally:
        for place in places:
            place.cancel()
        await asyncio.gather(*places, return_exceptions=True)


_END: Any = object()


async def _finished(work: Work, item: Any, home: Home) -> Finished:
    return Finished(item=item, result=await work.run(item, home))
