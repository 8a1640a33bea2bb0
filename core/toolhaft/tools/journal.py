"""What a journaled rollout asks before, and tells after, everything that leaves the process.

A journal makes a rollout repeatable: after a crash the same rollout is run again with the same id, and
whatever was finished before is returned from the journal instead of being made a second time.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from toolhaft.types import Completion, Message, Observation, ToolCall, ToolSpec


class EventClock:
    """The time of a rollout: seconds since it began, as of its last recorded event.

    Time between two processes that carry out one rollout does not count.
    """

    __slots__ = ("_anchor", "at")

    def __init__(self) -> None:
        self.at = 0.0
        self._anchor = time.monotonic()

    def running(self) -> float:
        """Return the seconds until now, not until the last event."""
        return self.at + (time.monotonic() - self._anchor)

    def tick(self) -> float:
        """Take the time of an event that happens now."""
        self.at = round(self.running(), 6)
        self._anchor = time.monotonic()
        return self.at

    def replay(self, at: float) -> None:
        """Take the recorded time of an event; of several that were under way at once, the latest counts."""
        self.at = max(self.at, at)
        self._anchor = time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """What a journal knows of a tool call.

    Attributes:
        observation: What came back; None where the call was begun, and may be made again under the same
            key.
        made: Whether leave was given and the call was begun; false for one that was refused.
    """

    observation: Observation | None
    made: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQuestion:
    """What a model is asked: see `toolhaft.models.base.Model.complete`."""

    model: str
    messages: Sequence[Message]
    tools: Sequence[ToolSpec]
    avoid: Sequence[ToolCall]
    seed: int


class CallJournal(ABC):
    """The journal of one rollout.

    Attributes:
        id: Of the rollout: the same whenever it is run again.
        started: When it was first begun: ISO 8601, UTC.
        clock: The time that the record shows.
        stopping: Set it to have the rollout end before its next call.
    """

    id: str
    started: str
    clock: EventClock
    stopping: bool = False

    @abstractmethod
    async def find_call(self, key: str, call: ToolCall, spec: ToolSpec) -> RecordedCall | None:
        """Return what is known of a call, or None if it was never begun.

        Args:
            key: The call's idempotency key.
            call: Checked against the tool's schema.
            spec: The tool.

        Raises:
            asyncio.CancelledError: The rollout is to stop before its next call.
        """

    @abstractmethod
    async def begin_call(self, key: str, call: ToolCall, spec: ToolSpec) -> None:
        """Note that a call is about to be made, leave having been given.

        Returns once that is kept safely, for a tool that writes.

        Raises:
            BudgetExceededError: The budget of the whole batch is spent.
            JournalError: It cannot be kept; the call must not be made.
        """

    @abstractmethod
    async def end_call(self, key: str, spec: ToolSpec, observation: Observation) -> None:
        """Note what came back from a call, or that it was refused."""

    @abstractmethod
    async def begin_completion(self, question: ModelQuestion) -> Completion | int:
        """Return the recorded answer to a question, or the number under which a new one is to be noted.

        Raises:
            JournalMismatchError: Another question was recorded at this point.
            BudgetExceededError: The budget of the whole batch is spent.
            asyncio.CancelledError: The rollout is to stop before its next call.
        """

    @abstractmethod
    async def end_completion(self, number: int, completion: Completion) -> Completion:
        """Note an answer, and return it as it was noted: redacted."""
