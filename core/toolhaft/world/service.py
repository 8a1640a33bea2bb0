"""What a service of the world is: seeded data, a state, and one function per operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from toolhaft.world.problem import invalid

TODAY = date(2026, 6, 1)
"""The day it always is: a Monday."""

State = dict[str, Any]
"""JSON values that change; one per service and run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What stays the same through a run.

    Attributes:
        data: The service's fixed data, as its file holds it.
        seed: Of everything that is drawn.
        today: The day it is.
    """

    data: Mapping[str, Any]
    seed: int = 0
    today: date = TODAY

    def draw(self, *parts: object) -> Random:
        """Return random numbers that depend on the seed and the parts alone."""
        return Random("/".join(map(str, (self.seed, *parts))))

    def day(self, offset: int) -> str:
        """Return the date some days from today, in ISO 8601."""
        return (self.today + timedelta(days=offset)).isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that fits its operation's contract.

    Attributes:
        arguments: Parameters and properties of the body by name, defaults filled in.
        state: The service's state in this run; changed in place.
        setting: What stays the same.
    """

    arguments: Mapping[str, Any]
    state: State
    setting: Setting

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return an argument, or the default if it was not given."""
        return self.arguments.get(name, default)


Operation = Callable[[Request], Any]
"""Carries a request out and returns the body of the answer; raises `RequestProblem` before it changes
anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How often a service may be called in one run; reads beyond that are refused.

    Attributes:
        calls: That many are answered, writes among them, ...
        seconds: ... within this time from the first of them on.
    """

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service.

    Attributes:
        name: Of its document and in its URLs.
        begin: Makes the state at the beginning of a run.
        operations: By ``operationId``.
        limit: How often it may be called; None is no limit.
    """

    name: str
    begin: Callable[[Setting], State]
    operations: Mapping[str, Operation] = field(default_factory=dict)
    limit: Limit | None = None


def next_id(state: State, prefix: str) -> str:
    """Return the next identifier, counted in the state so that a run always gives the same."""
    state["last_id"] += 1
    return f"{prefix}-{state['last_id']}"


def read_day(text: str, **place: str) -> date:
    """Return a date; ``place`` is ``parameter=`` or ``pointer=``, as `invalid` takes it.

    Raises:
        RequestProblem: It is no date, or centuries away.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:  # the schema's format allows the year 0, which dates here do not have
        raise invalid(f"{text} is no date", **place) from None
    if not 1900 <= day.year <= 2200:
        raise invalid(f"{text} does not lie between the years 1900 and 2200", **place)
    return day


def read_time(text: str, **place: str) -> datetime:
    """Return a local time; see `read_day`.

    Raises:
        RequestProblem: It is no time, or centuries away.
    """
    day, _, clock = text.partition("T")
    read_day(day, **place)
    try:
        return datetime.fromisoformat(f"{day}T{clock}")
    except ValueError:
        raise invalid(f"{text} is no time", **place) from None
