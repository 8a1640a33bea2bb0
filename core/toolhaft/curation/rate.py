"""How often a tool is called at most."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque

from toolhaft.curation.rules import Rate


class Turns:
    """Gives turns: at most so many calls begin in any window, on whichever loop they run.

    Args:
        rate: How many, and the window.
    """

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._begun: deque[float] = deque(maxlen=rate.calls)
        self._lock = threading.Lock()

    async def wait(self) -> None:
        """Wait for a turn; turns are given in the order in which they are asked for."""
        delay = self._claim()
        if delay > 0:
            await asyncio.sleep(delay)

    def _claim(self) -> float:
        now = time.monotonic()
        with self._lock:
            begin = now
            if len(self._begun) == self._rate.calls:
                begin = max(now, self._begun[0] + self._rate.seconds)
            self._begun.append(begin)
        return begin - now
