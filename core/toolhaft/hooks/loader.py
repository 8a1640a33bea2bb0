"""Importing a module that may never come back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def finish_within(work: Callable[[], T], seconds: float, *, label: str) -> T:
    """Do work in a thread of its own and return its result.

    The thread is a daemon, so work that hangs does not keep the process from ending. It is also asked
    to stop, which ends a loop in Python, though not a call that never returns; such a thread stays
    until the process ends, and the same label is then refused at once.

    Args:
        work: Must not raise.
        seconds: Wall-clock time it may take.
        label: Unique to the work; the name of the thread.

    Raises:
        TimeoutError: It took longer.
    """
    if any(thread.name == label for thread in threading.enumerate()):
        raise TimeoutError("it still hangs")
    results: list[T] = []
    thread = threading.Thread(target=lambda: results.append(work()), name=label, daemon=True)
    thread.start()
    thread.join(seconds)
    if not results:
        _ask_to_stop(thread)
        raise TimeoutError(f"it took longer than {seconds:g} s")
    return results[0]


def _ask_to_stop(thread: threading.Thread) -> None:
    try:
        import ctypes

        raise_in_thread = ctypes.pythonapi.PyThreadState_SetAsyncExc
    except (ImportError, AttributeError):  # another Python than CPython
        return
    if thread.ident is not None:
        raise_in_thread(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
        thread.join(0.05)
