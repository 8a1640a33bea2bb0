"""How far a goal came, and whether what came back answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from toolhaft.models.heuristic.choosing import superlative_of
from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.lexicon import READ_VERBS
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.ranking import Entry
from toolhaft.models.heuristic.readings import Reading, Record
from toolhaft.models.heuristic.slots import Slot
from toolhaft.models.heuristic.words import concept, content_stems, name_stems, stem

Status = Literal["done", "failed", "empty", "missing", "none"]
_ASKING = frozenset(
    stem(word) for word in (*READ_VERBS, "day", "time", "long", "much", "now", "my", "date", "today")
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A call that is wanted.

    Attributes:
        direct: Every argument stands in the instruction, so that the call waits for nothing.
    """

    entry: Entry
    arguments: dict[str, Any]
    direct: bool


@dataclass(frozen=True, slots=True)
class Want:
    """A tool that wants a value from another one, and the argument that it is for."""

    entry: Entry
    slot: Slot


class Wanted(Exception):  # it is an answer of the walk, not a failure
    """The walk cannot go on without these calls."""

    def __init__(self, plans: list[Plan]) -> None:
        super().__init__(len(plans))
        self.plans = plans


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a goal came.

    Attributes:
        readings: What it rests on, the call for the goal itself last.
        focus: The records that the goal turned out to be about.
        slot: The argument that could not be found, for ``missing``.
        reason: What the last error said, for ``failed``.
        spare: The records that came behind those of the focus.
        avoided: It was not tried, because it is to be avoided.
    """

    status: Status
    readings: tuple[Reading, ...] = ()
    focus: tuple[Record, ...] = ()
    entry: Entry | None = None
    slot: Slot | None = None
    reason: str = ""
    spare: tuple[Record, ...] = ()
    avoided: bool = False


def counts(text: str) -> bool:
    """Return whether a clause asks for a number or a sum over many."""
    low = text.lower()
    return any(
        one in low
        for one in ("how many", "number of", "count ", "total", "sum of", "average", "in all", "altogether")
    )


def hope(outcome: Outcome) -> int:
    """Return how much an outcome that is not done promises to the user; more is better.

    A change that was refused by what is there says more than a question about another tool's argument.
    """
    if outcome.avoided:
        return -1
    if outcome.status == "failed" and outcome.entry is not None and outcome.entry.spec.effect != "read":
        return 5
    if outcome.status == "missing" and outcome.slot is not None and outcome.slot.kind == "id":
        return 2  # people know names, not identifiers
    return {"done": 6, "missing": 4, "empty": 3, "failed": 1, "none": 0}[outcome.status]


def better(one: Outcome | None, other: Outcome) -> Outcome:
    """Return the outcome that promises more; the first if they promise the same."""
    return other if one is None or hope(other) > hope(one) else one


def answers(goal: Goal, outcome: Outcome, mentions: Sequence[Mention]) -> bool:
    """Return whether what came back has fields or words that the question asks about."""
    if not bears_identifiers(goal, outcome, mentions) or not bears_names(goal, outcome, mentions):
        return False
    asked = asked_stems(goal, outcome, mentions)
    if not asked or superlative_of(goal.text) is not None or counts(goal.text):
        return True
    for reading in outcome.readings:
        if not reading.records:
            return True
        for record in reading.records[:20]:
            for key, value in record.fields.items():
                if asked & {concept(one) for one in name_stems(key)}:
                    return True
                if isinstance(value, str) and asked & {concept(one) for one in content_stems(value[:200])}:
                    return True
    return False


def bears_identifiers(goal: Goal, outcome: Outcome, mentions: Sequence[Mention]) -> bool:
    """Return whether what came back is about the identifiers that a goal states, if it states any."""
    stated = [one.text for one in mentions if one.kind == "id" and goal.start <= one.start < goal.end]
    if not stated or not outcome.readings:
        return True
    for reading in outcome.readings:
        shown = f"{reading.call.arguments} {[record.fields for record in reading.records]}"
        if not reading.records or any(one in shown for one in stated):
            return True
    return False


def bears_names(goal: Goal, outcome: Outcome, mentions: Sequence[Mention]) -> bool:
    """Return whether what came back has to do with any of the names that a goal states, if it states any."""
    stated = [
        set(content_stems(one.text))
        for one in mentions
        if one.kind == "entity" and one.weight == 1.0 and goal.start <= one.start < goal.end
    ]
    stated = [one for one in stated if one]
    if not stated:
        return True
    for reading in outcome.readings:
        if not reading.records:
            return True
        shown = set(content_stems(str(reading.call.arguments)[:2000]))
        for record in reading.records[:100]:
            for value in record.fields.values():
                if isinstance(value, str):
                    shown.update(content_stems(value[:200]))
        if any(one & shown for one in stated):
            return True
    return False


def bears_query(outcome: Outcome) -> bool:
    """Return whether one record of what came back has all the words that it was sought by."""
    for reading in outcome.readings:
        sought = {
            one
            for value in reading.call.arguments.values()
            if isinstance(value, str)
            for one in content_stems(value)
        }
        for record in reading.records[:100]:
            texts = [value[:200] for value in record.fields.values() if isinstance(value, str)]
            if sought and sought <= {one for text in texts for one in content_stems(text)}:
                return True
    return False


def asked_stems(goal: Goal, outcome: Outcome, mentions: Sequence[Mention]) -> frozenset[str]:
    """Return the concepts of a question that are neither values nor what its tool is about."""
    known = outcome.entry.nouns if outcome.entry is not None else frozenset()
    return frozenset(concept(one) for one in telling_stems(goal, mentions) - known if one not in _ASKING)


def telling_stems(goal: Goal, mentions: Sequence[Mention]) -> frozenset[str]:
    """Return the stems of a clause that do not stand in a value."""
    values = {
        one
        for mention in mentions
        if mention.kind in ("quoted", "entity", "email", "url", "id")
        and goal.start <= mention.start < goal.end
        for one in content_stems(mention.text)
    }
    return frozenset(content_stems(goal.text)) - values
