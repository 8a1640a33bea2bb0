"""The one background event loop that the sync faces run on, so that connection pools outlive a call."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

from toolhaft.errors import UsageError

T = TypeVar("T")
_GRACE = 5.0


def run_sync(coroutine: Coroutine[Any, Any, T], *, on_interrupt: Any = None) -> T:
    """Run a coroutine on the background loop and wait for it.

    Args:
        coroutine: What to run.
        on_interrupt: Called on the loop when the waiting thread gets Ctrl-C; the coroutine then has five
            seconds to end by itself. Without it the coroutine is cancelled.

    Raises:
        UsageError: Called from the background loop itself, where waiting would stop everything.
    """
    loop = background_loop()
    if _running() is loop:
        coroutine.close()
        raise UsageError("a sync call was made from inside an async one", hint="Await the async method")
    future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    try:
        return future.result()
    except KeyboardInterrupt as interrupt:
        if on_interrupt is None:
            future.cancel()
            raise
        loop.call_soon_threadsafe(on_interrupt)
        try:
            return future.result(timeout=_GRACE)
        except (TimeoutError, KeyboardInterrupt):
            future.cancel()
            raise interrupt from None


def background_loop() -> asyncio.AbstractEventLoop:
    """Return the loop, started in a daemon thread when first asked for."""
    with _starting:
        return _started()


@cache
def _started() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=_keep_running, args=(loop,), name="toolhaft", daemon=True).start()
    return loop


def _keep_running(loop: asyncio.AbstractEventLoop) -> None:
    # What would end the program ends the loop, too, and whoever waits for the task would do so for ever.
    while True:
        with suppress(SystemExit, KeyboardInterrupt):
            loop.run_forever()
            return


def _forget() -> None:
    """Start anew in a forked process: threads do not come along, and a lock may have been held."""
    global _starting
    _starting = threading.Lock()
    _started.cache_clear()


_starting = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
