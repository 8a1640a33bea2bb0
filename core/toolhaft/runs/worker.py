"""A worker process of `toolhaft.runs.process`: ``python -m toolhaft.runs.worker``.

It reads one JSON object a line from standard input: first ``{"job": ...}``, then items, answers, and
``{"stop": true}`` or ``{"close": true}``. It ends when its input does: whoever started it is gone then.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from typing import IO, Any

from toolhaft.errors import JournalError, ToolhaftError
from toolhaft.runs.crash import crash_point
from toolhaft.runs.executor import Home, Job, Work, open_work

_GRACE = 5.0
"""Seconds that it has to close what it holds."""


class Worker(Home):
    """Takes items from a stream of lines, and writes to another.

    Args:
        output: Where messages go.
    """

    def __init__(self, output: IO[bytes]) -> None:
        self._output = output
        self._loop = asyncio.get_running_loop()
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, message: Mapping[str, Any]) -> None:
        """See `Home.tell`."""
        self._send({"tell": message})

    async def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """See `Home.ask`.

        Raises:
            JournalError: The journal could not do it.
        """
        number, self._count = self._count, self._count + 1
        future: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._asked[number] = future
        self._send({"ask": number, "message": message})
        return await future

    async def work(self, source: IO[bytes]) -> int:
        """Work off what comes until told to close; return the process's exit code."""
        threading.Thread(target=self._read, args=(source,), daemon=True).start()
        first = await self._messages.get()
        try:
            work = await open_work(Job(**first["job"]))
        except ToolhaftError as error:
            self._send({"error": error.to_dict()})
            return 1
        self._send({"ready": True})
        try:
            while not (message := await self._messages.get()).get("close"):
                if message.get("stop"):
                    work.stop()
                else:
                    task = asyncio.create_task(self._run(work, message))
                    self._tasks.add(task)
                    task.add_done_callback(self._over)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await work.close()
        return 0

    async def _run(self, work: Work, message: Mapping[str, Any]) -> None:
        crash_point("worker-item")
        value = await work.run(message["value"], self)
        self._send({"result": message["item"], "value": value})
        crash_point("worker-result")

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # What work raises is a bug; the process that gave the item out reports it.
            import traceback

            traceback.print_exception(error)
            sys.stderr.flush()
            os._exit(70)

    def _read(self, source: IO[bytes]) -> None:
        closing = False
        while line := source.readline():
            message = json.loads(line)
            closing = closing or bool(message.get("close"))
            if "answer" in message:
                self._loop.call_soon_threadsafe(self._answered, message)
            else:
                self._loop.call_soon_threadsafe(self._messages.put_nowait, message)
        if closing:  # what does not let go must not outlive whoever started this
            time.sleep(_GRACE)
        os._exit(1)

    def _answered(self, message: Mapping[str, Any]) -> None:
        future = self._asked.pop(message["answer"], None)
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(JournalError(**message["error"]))
        else:
            future.set_result(message["value"])

    def _send(self, message: Mapping[str, Any]) -> None:
        try:
            self._output.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
            self._output.flush()
        except OSError:  # whoever started it is gone
            os._exit(1)


async def _main(output: IO[bytes]) -> int:
    return await Worker(output).work(sys.stdin.buffer)


def main() -> None:
    """Run the worker; what anything prints goes to standard error, for the output is a line of messages."""
    for number in (signal.SIGINT, signal.SIGTERM):  # whoever started it says when to stop
        signal.signal(number, signal.SIG_IGN)
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    code = asyncio.run(_main(output))
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
