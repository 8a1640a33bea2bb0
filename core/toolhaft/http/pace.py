"""How fast an origin is asked, and whether at all: rate, pauses it asked for, and a circuit breaker."""

from __future__ import annotations

import math
import time

from toolhaft.errors import UnreachableError
from toolhaft.http.retry import Retry
from toolhaft.text import clean

_REASON = 200
"""Characters that are kept of why an origin failed."""


class Pace:
    """The state of one origin, shared by everything that a client sends there.

    Args:
        origin: For messages.
        retry: Has the breaker's settings.
        rate: Requests a second; None is no limit.
    """

    __slots__ = (
        "_failures",
        "_last_reason",
        "_not_before",
        "_origin",
        "_rate",
        "_refilled",
        "_resting_until",
        "_retry",
        "_tokens",
    )

    def __init__(self, origin: str, retry: Retry, rate: float | None) -> None:
        self._origin = origin
        self._retry = retry
        self._rate = rate
        self._tokens = max(1.0, rate or 0.0)
        self._refilled = time.monotonic()
        self._not_before = 0.0
        self._failures: list[float] = []
        self._last_reason = ""
        self._resting_until = 0.0

    def claim(self) -> float:
        """Take a turn and return the seconds to wait for it.

        Raises:
            UnreachableError: The origin failed too often and is left alone for now.
        """
        if self._rate is None and not self._failures and not self._not_before:
            return 0.0
        now = time.monotonic()
        if self._resting_until > now:
            wait = self._resting_until - now
            raise UnreachableError(
                f"the server failed {self._retry.breaker} times in a row and is left alone for {wait:.0f} s; "
                f"the last failure: {self._last_reason}",
                where=self._origin,
                details={"retry_after": math.ceil(wait)},
            )
        return max(self._not_before - now, self._next_token(now), 0.0)

    def pause(self, seconds: float) -> None:
        """Hold every request back: the server asked for it."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    def succeeded(self) -> None:
        """Note that the origin works."""
        if self._failures:
            self._failures.clear()
            self._resting_until = 0.0

    def failed(self, reason: str) -> None:
        """Note that the origin did not answer, or that a gateway said so.

        Args:
            reason: Without secrets; told to those who come while the origin is left alone.
        """
        if not self._retry.breaker:
            return
        now = time.monotonic()
        self._last_reason = clean(" ".join(reason.split()), _REASON)
        self._failures = [at for at in self._failures if now - at < self._retry.breaker_window][-32:]
        self._failures.append(now)
        if len(self._failures) >= self._retry.breaker:
            # After the rest one request goes through; if it fails too, the next rest begins.
            self._resting_until = now + self._retry.breaker_rest

    def _next_token(self, now: float) -> float:
        if self._rate is None:
            return 0.0
        burst = max(1.0, self._rate)
        self._tokens = min(burst, self._tokens + (now - self._refilled) * self._rate) - 1.0
        self._refilled = now
        return -self._tokens / self._rate if self._tokens < 0 else 0.0
