"""What happened so far to one request: its hops for the record, and whether it changed anything."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from toolhaft.errors import EffectState, HTTPError, LimitError
from toolhaft.http.credentials import Additions
from toolhaft.http.exchange import record_exchange
from toolhaft.http.message import Request
from toolhaft.http.origin import Target
from toolhaft.http.transport import Answer, Flight, headers_to_send
from toolhaft.secrets import SecretStore
from toolhaft.types import Exchange


@dataclass(slots=True)
class Hop:
    """One request to one server, and its answer once there is one."""

    request: Request
    target: Target
    extra: Additions
    started: float
    answer: Answer | None = None


@dataclass(slots=True)
class Journey:
    """The state of one `send`, over all its tries and hops.

    Attributes:
        request: As the caller gave it.
        deadline: On the monotonic clock.
        trail: Every hop and every try.
        flight: Whether the hop under way may have arrived.
        done: A hop was answered with success.
        doubtful: An earlier try may have changed something.
        origin: Of the hop under way.
    """

    request: Request
    seconds: float
    started: float
    trail: list[Exchange] = field(default_factory=list)
    flight: Flight = field(default_factory=Flight)
    done: bool = False
    doubtful: bool = False
    origin: str = ""

    @property
    def left(self) -> float:
        """Seconds to the deadline."""
        return self.started + self.seconds - time.monotonic()

    def depart(self, origin: str) -> Flight:
        """Begin a hop."""
        self.origin = origin
        self.doubtful = self.doubtful or (self.flight.sent and not self.done)
        self.flight = Flight()
        return self.flight

    def arrive(self, status: int) -> None:
        """Note a complete answer."""
        self.flight.sent = False
        self.done = self.done or 200 <= status < 300
        # A gateway's error says nothing of what happened behind it, and some servers redirect when done.
        self.doubtful = self.doubtful or status >= 500 or status in (301, 302, 303, 408)

    def note(self, hop: Hop, secrets: SecretStore, *, body: bytes = b"", problem: str = "") -> None:
        """Add a hop to the record."""
        request, answer = hop.request, hop.answer
        try:
            shown = headers_to_send(request, hop.target, hop.extra.shown)
        except HTTPError:
            shown = list(request.headers)
        self.trail.append(
            record_exchange(
                secrets,
                method=request.method,
                url=hop.target.url,
                request_headers=shown,
                request_body=request.body,
                status=answer.status if answer else 0,
                response_headers=answer.headers if answer else (),
                response_body=body,
                seconds=time.monotonic() - hop.started,
                problem=problem,
            )
        )

    @property
    def effect(self) -> EffectState:
        """What is known of the change that the request asks for."""
        if self.request.effect == "read":
            return "none"
        if self.done:
            return "done"
        return "uncertain" if self.doubtful or self.flight.sent else "none"

    def mark(self, error: HTTPError, secrets: SecretStore) -> HTTPError:
        """Complete an error: its hops, its effect, and no secret in any of its texts."""
        error.exchanges = tuple(self.trail)
        error.effect = self.effect
        error.what = secrets.redact(error.what)
        error.where = secrets.redact(error.where)
        error.hint = secrets.redact(error.hint)
        error.args = (error.what,)
        return error

    def too_slow(self) -> LimitError:
        """Return the error for a deadline that passed."""
        return LimitError(
            f"no complete answer within {self.seconds:g} s",
            where=self.origin,
            retryable=self.request.effect == "read",
        )
