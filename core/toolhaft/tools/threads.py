"""Blocking functions off the event loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Mapping
from typing import Any

_ENDING = 1.0
"""Seconds that a thread which has handed over its outcome is waited for; it takes microseconds."""


async def run_in_thread(function: Callable[..., Any], keywords: Mapping[str, Any]) -> Any:
    """Call a blocking function in a daemon thread of its own and return what it returns.

    A pool would not do: a function that hangs, and was given up after its time limit, would hold one of a
    few threads for good, and keep the process from ending.

    Raises:
        RuntimeError: The function raised `StopIteration`, which no coroutine can pass on.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    call = contextvars.copy_context().run

    def work() -> None:
        try:
            outcome = call(function, **keywords)
        except StopIteration as error:
            _hand_over(loop, _fail, future, RuntimeError(f"the function raised StopIteration: {error}"))
        except BaseException as error:  # noqa: BLE001  (goes to whoever waits, as a call's error would)
            _hand_over(loop, _fail, future, error)
        else:
            _hand_over(loop, _answer, future, outcome)

    thread = threading.Thread(target=work, name="toolhaft-tool", daemon=True)
    thread.start()
    try:
        return await future
    finally:
        # It has only to end. One that is left to end by itself may do so while the interpreter is taken
        # down, and libraries in C++ then abort the process.
        if future.done() and not future.cancelled():
            thread.join(_ENDING)


def _hand_over(loop: asyncio.AbstractEventLoop, *callback: Any) -> None:
    # The loop may be closed by now: then nobody waits.
    if not loop.is_closed():
        loop.call_soon_threadsafe(*callback)


def _answer(future: asyncio.Future[Any], outcome: Any) -> None:
    if not future.done():
        future.set_result(outcome)


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
