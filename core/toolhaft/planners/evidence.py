"""What a round of calls brought: something to go on with, nothing, a change, or a person's no."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from toolhaft.errors import ApprovalNeededError, InvalidArgumentsError, RefusedError
from toolhaft.types import JSONPart, Observation, Step, ToolCall

REPEATED = "E-REPEATED"
"""Code of the error in place of an answer to a call that was not made, for it was made before."""
_REFUSALS = frozenset({RefusedError.code, ApprovalNeededError.code})


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What came back from the calls of one round.

    Attributes:
        calls: How many were asked for.
        productive: How many of them returned something.
        wrote: Whether one of them changed something, or may have.
        refused: Whether a policy or a person refused one.
        misfilled: Whether every one of them was turned back for its arguments.
    """

    calls: int = 0
    productive: int = 0
    wrote: bool = False
    refused: bool = False
    misfilled: bool = False

    @property
    def dead_end(self) -> bool:
        """Whether every call failed or returned nothing, and nobody refused it: the world says no."""
        return self.calls > 0 and not self.productive and not self.refused


def weigh(calls: Sequence[ToolCall], observations: Sequence[Observation]) -> Evidence:
    """Return what a round brought.

    Args:
        calls: What was asked for.
        observations: What came back, in the same order.
    """
    return Evidence(
        calls=len(observations),
        productive=sum(
            not found.failed and not is_empty(found, call)
            for call, found in zip(calls, observations, strict=False)
        ),
        wrote=any(has_written(found) for found in observations),
        refused=any(found.error is not None and found.error.code in _REFUSALS for found in observations),
        misfilled=bool(observations) and all(_is_misfilled(found) for found in observations),
    )


def has_written(observation: Observation) -> bool:
    """Whether the call changed something, or may have; the record of an earlier change is none."""
    if observation.effect == "read" or observation.provenance == "reused":
        return False
    return observation.error is None or observation.error.effect != "none"


def is_empty(observation: Observation, call: ToolCall) -> bool:
    """Whether a call that succeeded returned nothing.

    Nothing is: no content, blank text, null, an empty list or object, and an object all of whose values are
    nothing, zero, false or a repetition of the call's own arguments, as long as one of them is a list, an
    object or null: ``{"flights": [], "total": 0, "day": "2026-03-02"}``. A number alone is an answer. What
    a write returned is never nothing: that it was done is what it says.
    """
    if observation.effect != "read":
        return False
    if all(isinstance(part, JSONPart) for part in observation.parts):
        given = [value for value in call.arguments.values() if isinstance(value, str | int | float)]
        return all(_is_nothing(part.value, given) for part in observation.parts if isinstance(part, JSONPart))
    return not any(isinstance(part, JSONPart) or _says_something(part) for part in observation.parts)


def is_doubtful(path: Sequence[Step]) -> bool:
    """Whether the answer at the end of a path directly follows a dead end.

    A question to the user is not doubtful after calls that were turned back for their arguments: what is
    missing may be something that only the user knows.
    """
    evidence = next((weigh(step.calls, step.observations) for step in reversed(path) if step.calls), None)
    if evidence is None or not path:
        return False
    return evidence.dead_end and not (evidence.misfilled and is_question(path[-1].thought))


def is_question(text: str) -> bool:
    """Whether a text ends by asking the user something."""
    return text.rstrip().endswith("?")


def _is_nothing(value: Any, given: Iterable[Any]) -> bool:
    if value is None or value == [] or value == {}:
        return True
    if isinstance(value, str):
        return not value.strip()
    if not isinstance(value, dict):
        return False
    known = list(given)
    holders = [entry for entry in value.values() if entry is None or isinstance(entry, list | dict)]
    return bool(holders) and all(
        _is_nothing(entry, known)
        if entry is None or isinstance(entry, list | dict)
        else _is_idle(entry, known)
        for entry in value.values()
    )


def _is_idle(value: Any, given: Sequence[Any]) -> bool:
    return not value or (isinstance(value, str) and not value.strip()) or value in given


def _is_misfilled(observation: Observation) -> bool:
    return observation.error is not None and observation.error.code == InvalidArgumentsError.code


def _says_something(part: Any) -> bool:
    return bool(getattr(part, "text", "artifact").strip())
