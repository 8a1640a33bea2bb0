"""Working off a batch in several processes, which speak JSON lines with this one through pipes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from toolhaft.errors import ToolhaftError, UsageError
from toolhaft.runs.executor import Executor, Finished, Home, Job, take_turns

_LONGEST_LINE = 1 << 28
_GRACE = 5.0
"""Seconds that a worker has to close what it holds."""
_START = 60.0
"""Seconds that a worker has to open the job."""
MOST_DEATHS = 5
"""Workers that may die one after the other without an item that ended in between."""


class ProcessExecutor(Executor):
    """Works off items in processes of this machine; each opens the job for itself.

    A worker that dies is replaced; its items are reported as failures and may be given out again. Workers
    end when their input does, so none outlives this process.

    Args:
        workers: How many processes.

    Raises:
        UsageError: That is not a number of processes.
    """

    name = "process"

    def __init__(self, workers: int = 2) -> None:
        if not isinstance(workers, int) or not 1 <= workers <= 256:
            raise UsageError(f"workers is {workers!r}", hint="Give 1 to 256")
        self._number = workers
        self._workers: list[_Worker] = []
        self._stopped = False
        self._deaths = 0

    async def run(
        self, job: Job, items: AsyncIterator[Any], home: Home, *, concurrency: int = 8
    ) -> AsyncIterator[Finished]:
        """See `Executor.run`."""
        self._stopped, self._deaths = False, 0
        number = min(self._number, max(1, concurrency))
        self._workers = [_Worker(job, home) for _ in range(number)]

        async def give_out(item: Any) -> Finished:
            worker = min(self._workers, key=lambda each: each.load)
            finished = await worker.run(item)
            self._deaths = self._deaths + 1 if finished.failure is not None else 0
            if self._deaths >= MOST_DEATHS * number:
                raise ToolhaftError(
                    f"{self._deaths} items in a row ended with the death of their worker",
                    hint="See its output on standard error; memory may be short",
                    code="E-WORKER",
                )
            return finished

        try:
            await asyncio.gather(*(worker.start() for worker in self._workers))
            async for finished in take_turns(
                give_out, items, concurrency=concurrency, stopped=lambda: self._stopped
            ):
                yield finished
        finally:
            await asyncio.gather(*(worker.close() for worker in self._workers))
            self._workers = []

    def stop(self) -> None:
        """See `Executor.stop`."""
        self._stopped = True
        for worker in self._workers:
            worker.send({"stop": True})


class _Worker:
    """One process and what it is working on."""

    def __init__(self, job: Job, home: Home) -> None:
        self._job = job
        self._home = home
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._answering: set[asyncio.Task[None]] = set()
        self._waiting: dict[int, asyncio.Future[Finished]] = {}
        self._items: dict[int, Any] = {}
        self._count = 0
        self._ready: asyncio.Future[None] | None = None
        self._starting = asyncio.Lock()

    @property
    def load(self) -> int:
        """How many items it has."""
        return len(self._waiting)

    async def start(self) -> None:
        """Start the process, unless it runs, and have it open the job.

        Raises:
            ToolhaftError: It cannot.
        """
        async with self._starting:
            if self._process is not None:
                return
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "toolhaft.runs.worker",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LONGEST_LINE,
                # Ctrl-C goes to a whole group: it is for this process to say when the others end.
                start_new_session=True,
            )
            self._ready = asyncio.get_running_loop().create_future()
            self._reading = asyncio.create_task(self._read(self._process))
            self.send({"job": {"target": self._job.target, "settings": dict(self._job.settings)}})
            try:
                async with asyncio.timeout(_START):
                    await asyncio.shield(self._ready)
            except TimeoutError:
                self._process.kill()
                raise ToolhaftError(
                    f"a worker did not open the job within {_START:g} seconds", code="E-WORKER"
                ) from None

    async def run(self, item: Any) -> Finished:
        """Have an item worked off."""
        number, self._count = self._count, self._count + 1
        future: asyncio.Future[Finished] = asyncio.get_running_loop().create_future()
        self._waiting[number], self._items[number] = future, item
        try:
            await self.start()
            self.send({"item": number, "value": item})
            return await future
        finally:
            self._waiting.pop(number, None)
            self._items.pop(number, None)

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message; one to a dead process is lost, as its items are."""
        process = self._process
        if process is not None and process.stdin is not None and not process.stdin.is_closing():
            process.stdin.write(_line(message))

    async def close(self) -> None:
        """End the process."""
        for task in self._answering:
            task.cancel()
        process = self._process
        if process is None:
            return
        self.send({"close": True})
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_GRACE):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        try:
            while line := await process.stdout.readline():
                self._take(_parsed(line))
        except ValueError:  # a line that is no JSON, or longer than any may be
            with suppress(ProcessLookupError):
                process.kill()
        code = await process.wait()
        self._died(code)

    def _take(self, message: dict[str, Any]) -> None:
        if "tell" in message:
            self._home.tell(message["tell"])
        elif "ask" in message:
            task = asyncio.create_task(self._answer(message["ask"], message["message"]))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        elif "result" in message:
            future = self._waiting.get(message["result"])
            if future is not None and not future.done():
                future.set_result(Finished(item=self._items[message["result"]], result=message["value"]))
        elif self._ready is not None and not self._ready.done():
            error = message.get("error")
            if error is None:
                self._ready.set_result(None)
            else:
                self._ready.set_exception(ToolhaftError(**error))

    async def _answer(self, number: int, message: dict[str, Any]) -> None:
        try:
            self.send({"answer": number, "value": await self._home.ask(message)})
        except ToolhaftError as error:
            self.send({"answer": number, "error": error.to_dict()})

    def _died(self, code: int) -> None:
        """Report the items it had, and be ready to start another."""
        self._process = None
        failure = ToolhaftError(
            f"the worker process ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}",
            hint="See its output on standard error",
            retryable=True,
            code="E-WORKER",
        )
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(failure)
        for number, future in self._waiting.items():
            if not future.done():
                future.set_result(Finished(item=self._items[number], failure=failure))


def _line(message: Mapping[str, Any]) -> bytes:
    import json

    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def _parsed(line: bytes) -> dict[str, Any]:
    import orjson

    found = orjson.loads(line)
    if not isinstance(found, dict):
        raise ValueError("not a message")
    return found
