"""What is tried again, and after how long."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime

from toolhaft.errors import ConfigError, HTTPError
from toolhaft.http.message import Request

_NEVER = frozenset((501, 505, 511))
_LONGEST = 1e9
"""Seconds; what a server asks for beyond this is as good as never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """What is tried again, and after how long.

    Only reads and repeatable writes are sent again once they may have arrived; a plain write only if it
    surely did not.

    Attributes:
        attempts: Tries in all.
        first_wait: Seconds before the second try; doubled for each further one.
        jitter: Up to this share of a wait is added at random.
        max_wait: The longest wait in seconds, ours or one that a server asks for.
        breaker: Failures in a row within ``breaker_window`` after which an origin is left alone; 0
            switches that off.
        breaker_window: Seconds.
        breaker_rest: Seconds for which it is left alone.
    """

    attempts: int = 3
    first_wait: float = 0.5
    jitter: float = 0.5
    max_wait: float = 20.0
    breaker: int = 5
    breaker_window: float = 30.0
    breaker_rest: float = 15.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ConfigError("Retry(attempts=...) must be at least 1")

    def wait_before(self, attempt: int) -> float:
        """Return the seconds to wait before a try, the second being 2."""
        wait = self.first_wait * 2.0 ** (attempt - 2)
        return float(min(self.max_wait, wait * (1.0 + self.jitter * random.random())))


def may_repeat(request: Request) -> bool:
    """Whether a request that may have arrived can be sent again."""
    return request.effect == "read" or request.repeatable


def is_worth_repeating(status: int) -> bool:
    """Whether the same request may get another answer soon."""
    return status in (408, 425, 429) or (status >= 500 and status not in _NEVER)


def repeats_after(request: Request, error: HTTPError) -> bool:
    """Whether to try again after no answer came."""
    return error.retryable and (may_repeat(request) or error.effect == "none")


def read_retry_after(value: str, now: datetime | None = None) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for, or None if it makes no sense.

    Args:
        value: Seconds, or an HTTP date.
        now: The time to reckon a date from.
    """
    text = value.strip()
    if not text or len(text) > 64:
        return _LONGEST if text.isdigit() and text.isascii() else None
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST)
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    seconds = (date - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), _LONGEST)
