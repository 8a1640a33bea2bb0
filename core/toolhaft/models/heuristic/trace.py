"""The calls of a conversation as a path that a walk follows, and where it left its first choice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from toolhaft.models.heuristic.conversation import Made, key_of
from toolhaft.models.heuristic.outcome import Plan
from toolhaft.models.heuristic.readings import Reading
from toolhaft.types import ToolCall

TRIES = 2
"""How often one call is made where its error says that it may pass a little later."""
AVOIDED = "E-AVOIDED"
_BUSY = re.compile(r"\banswered (?:408|425|429|502|503|504)\b|\b(?:429|503)\b")
_NOT_SENT = re.compile(r"\banswered 429\b|\b429\b")
_BUSY_CODES = ("E-TOOL-TIMEOUT", "E-HTTP-RATE")
_UNDONE = re.compile(r"\bnothing (?:was|has been) \w+|\bno changes? (?:was|were)\b", re.IGNORECASE)
_NOT_SENT_CODES = ("E-HTTP-RATE",)


def is_transient(reading: Reading) -> bool:
    """Return whether a call that failed may pass when it is made again, and may be made again.

    A write is repeated only if it was surely not carried out, or is safe to repeat.
    """
    if not reading.failed or reading.entry is None:
        return False
    said = reading.message[:300]
    busy = reading.code.startswith(_BUSY_CODES) or _BUSY.search(said) is not None
    spec = reading.entry.spec
    if spec.effect == "read" or spec.repeatable:
        return busy
    if busy and _UNDONE.search(reading.message[:600]) is not None:
        return True
    return reading.code.startswith(_NOT_SENT_CODES) or _NOT_SENT.search(said) is not None


@dataclass(slots=True)
class Trace:
    """What was called, and how far a walk has followed it.

    A walk does the same with the same memory. So, where it wants a call as soon as all that it has followed
    was done by step n, and there is a step n without that call, the call was avoided there: the path goes on
    with another choice, and so does the walk.

    Attributes:
        done: The calls made since the instruction, with the steps they were made in.
        blocked: Calls that must not be made next.
        steps: How many steps there were.
        strict: Whether choices that the path left are taken for avoided; False follows a foreign path.
        frontier: One more than the last step that the walk has followed.
        dodged: Whether the walk came by a call that is to be avoided.
        left: Whether the path left the walk's choice anywhere.
    """

    done: Sequence[Made]
    blocked: frozenset[str]
    steps: int
    strict: bool = True
    frontier: int = 0
    left: bool = False
    dodged: bool = False
    _memory: dict[str, list[Made]] = field(default_factory=dict)
    _followed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        for made in self.done:
            self._memory.setdefault(key_of(made.reading.call.name, made.reading.call.arguments), []).append(
                made
            )

    def recall(self, plan: Plan) -> Reading | None:
        """Return what a call brought, a reading with code `AVOIDED` where it is not to be made, or None."""
        name, arguments = plan.entry.spec.name, plan.arguments
        key = key_of(name, arguments)
        made = self._memory.get(key)
        if made is not None:
            for one in made:
                self._follow(one)
            last = made[-1].reading
            again = len(made) < TRIES and is_transient(last) and key not in self.blocked
            return None if again and not self._was_left() else last
        if key in self.blocked or self._was_left():
            self.dodged = True
            return _avoided(plan)
        return None

    def followed(self) -> bool:
        """Return whether the walk came by every step."""
        return len(self._followed) >= self.steps

    def _was_left(self) -> bool:
        left = self.strict and self.frontier < self.steps
        self.left = self.left or left
        return left

    def _follow(self, made: Made) -> None:
        self._followed.add(made.step)
        self.frontier = max(self.frontier, made.step + 1)


def _avoided(plan: Plan) -> Reading:
    call = ToolCall(id="", name=plan.entry.spec.name, arguments=plan.arguments)
    return Reading(call, plan.entry, None, AVOIDED, "tried before")
