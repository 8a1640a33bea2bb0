"""Values for arguments that the instruction does not give: from what was read, or by asking for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from toolhaft.models.heuristic.alternatives import is_soft
from toolhaft.models.heuristic.choosing import bounds_of, is_named, superlative_of
from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.coercion import fallback_boolean
from toolhaft.models.heuristic.dates import When
from toolhaft.models.heuristic.filling import Filled, leftover_query
from toolhaft.models.heuristic.lexicon import STOP
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.outcome import Outcome, Want, better
from toolhaft.models.heuristic.ranking import Entry
from toolhaft.models.heuristic.readings import Reading, Record
from toolhaft.models.heuristic.references import REFERRING, Found, field_for, find_value, producers
from toolhaft.models.heuristic.slots import Path, Slot
from toolhaft.models.heuristic.words import concept, content_stems, name_stems, name_words, split_words

if TYPE_CHECKING:
    from toolhaft.models.heuristic.walk import Walk

DEPTH_CAP = 3
PRODUCER_CAP = 4
TOLD = 1.5
"""Evidence that tells a record of another kind, beside its name."""
SPREAD_CAP = 12
_PLACES = ("city", "location", "place", "town", "country", "address", "destination", "name")
CONTACTS = frozenset({"email", "phone", "url"})
"""Kinds of slot that a person may well know the value of."""
_INDEFINITE = frozenset({"a", "an", "any", "some", "one", "another", "whichever"})
_TITLES = ("name", "title", "subject", "label")
ANAPHORA = re.compile(
    r"\b(?:it|its|it's|them|their|that|those|these|this|there|then|result|he|she|his|her)\b", re.IGNORECASE
)
THERE = re.compile(r"\b(?:there|that (?:city|place|town|country|location))\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Known:
    """Values for a slot; ``others`` fit the wording too, best first; ``record`` is that of the first.

    ``unclear``: several things bear the name that is said.
    """

    values: list[Any]
    others: list[Any] = field(default_factory=list)
    record: Record | None = None
    unclear: bool = False


def prefetch(walk: Walk, entry: Entry, goal: Goal, filled: Filled, scores: dict[str, float]) -> None:
    """Read what an identifier in the goal stands for, where the tool itself has no use for it."""
    if walk.fetched:
        return
    idle = [
        one
        for one in walk.mentions
        if one.kind == "id"
        and goal.start <= one.start < goal.end
        and not any(one.overlaps(u) for u in filled.used)
    ]
    for other in walk.entries if idle else ():
        required = [slot for slot in other.slots if slot.required]
        if other.spec.effect != "read" or len(required) != 1 or required[0].kind != "id" or other is entry:
            continue
        given = walk.filled(other, goal).values.get(required[0].path)
        if given not in [one.text for one in idle] or (
            not required[0].examples and not required[0].schema.get("pattern")
        ):
            continue
        walk.fetched = True
        outcome = walk.attempt(other, goal, scores, DEPTH_CAP)
        if outcome.status == "done":
            walk.focus = tuple(outcome.readings[0].records[:5])
            return


def referred(walk: Walk, entry: Entry, goal: Goal, filled: Filled) -> dict[Path, Any]:
    """Return what ``there``, ``it`` or ``them`` stands for, for the slots that want words."""
    if not walk.focus or (ANAPHORA.search(goal.text) is None and not walk.fetched):
        return {}
    named = [
        one for one in filled.used if one.kind in ("entity", "quoted") and goal.start <= one.start < goal.end
    ]
    slot = next(
        (one for one in entry.slots if one.kind in ("query", "place", "person") and not one.many), None
    )
    if slot is None or named or not (slot.required or entry.intent == "read"):
        return {}
    record = walk.focus[0]
    said = set(content_stems(goal.text))
    for key, value in record.fields.items():
        if walk.fetched and said >= set(name_stems(key)) and isinstance(value, str) and 1 < len(value) <= 80:
            return {slot.path: value}
    keys = _PLACES if THERE.search(goal.text) or slot.kind == "place" else _TITLES
    for wanted in keys:
        for key, value in record.fields.items():
            if name_words(key)[-1:] == (wanted,) and isinstance(value, str) and 1 < len(value) <= 80:
                return {slot.path: value}
    return {}


def timed(walk: Walk, entry: Entry, filled: Filled) -> dict[Path, Any]:
    """Return times of what was found for the slots that the instruction gives a bare day for."""
    days = {
        one.value.day.isoformat()
        for one in filled.used
        if isinstance(one.value, When) and one.value.day and not one.value.clock
    }
    found: dict[Path, Any] = {}
    for slot in entry.slots if walk.focus else ():
        if slot.kind != "date-time" or str(filled.values.get(slot.path, ""))[:10] not in days | {""}:
            continue
        value = field_for(slot, walk.focus[0])
        if isinstance(value, str) and (not days or value[:10] in days):
            found[slot.path] = value
    return found


def doubtful(entry: Entry, values: dict[Path, Any]) -> list[Slot]:
    """Return filled references whose value does not look like one: a name where an id is wanted."""
    return [
        slot
        for slot in entry.slots
        if slot.kind == "id"
        and isinstance(value := values.get(slot.path), str)
        and not any(char.isdigit() for char in value)
        and slot.schema.get("type") == "string"
        and not slot.many
    ]


def by_name(slot: Slot, entry: Entry, goal: Goal, filled: Filled) -> tuple[Slot, Entry, Goal]:
    """Return slot, consumer and goal for a look-up: of what is named, if the slot wants its code."""
    name = filled.names.get(slot.path)
    if name is None and slot in doubtful(entry, filled.values):
        value = filled.values[slot.path]
        name = next((one for one in filled.used if one.text == value), None)
    if slot.kind != "id" and name is not None:
        slot = replace(slot, kind="id", noun=(*slot.name, *slot.about))
    rivals = sum(other.kind == "id" and other.noun[-1:] == slot.noun[-1:] for other in entry.slots)
    if name is None or (rivals < 2 and len(filled.names) < 2):
        return slot, entry, goal
    return slot, entry, _stretch(name, goal, filled)


def _stretch(name: Mention, goal: Goal, filled: Filled) -> Goal:
    """Return a goal for what is named: the words up to the next thing that is named tell more of it."""
    later = [one.start for one in filled.names.values() if one.start >= name.end]
    end = min(later, default=name.end)
    if name.kind != "phrase" or end > goal.end:
        end = name.end
    text = (
        name.text if end == name.end else f"{name.text}{goal.text[name.end - goal.start : end - goal.start]}"
    )
    return Goal(name.start, end, text, "find", "read", name=name.text)


def look_up(
    walk: Walk, slot: Slot, consumer: Entry, goal: Goal, scores: dict[str, float], depth: int
) -> tuple[Outcome | None, Known | None]:
    """Return values for a slot from what is known, else from a tool that would bring them.

    Without values, the outcome says how far the tools came that were asked; None if there was none to ask.
    """
    found = from_known(walk, slot, goal, consumer)
    if found is not None:
        return None, found
    if depth >= DEPTH_CAP or slot.kind not in REFERRING:
        return None, None
    worst: Outcome | None = None
    able = producers(slot, consumer, walk.entries, scores)[:PRODUCER_CAP]
    for reread in (False, True):
        for producer in able:
            outcome = walk.attempt(producer, goal, scores, depth + 1, Want(consumer, slot), reread)
            if outcome.status == "done" and (found := from_known(walk, slot, goal, consumer)) is not None:
                return None, found
            worst = better(worst, outcome)
        if worst is None or not worst.avoided:
            break
    if worst is None or worst.status in ("empty", "failed"):
        return worst, None
    return Outcome("missing", entry=consumer, slot=slot), None


def from_known(walk: Walk, slot: Slot, goal: Goal, consumer: Entry | None = None) -> Known | None:
    """Return values for a slot from what was read, or None.

    For a consumer that changes something, a record of another kind than the slot identifies gives none
    unless the instruction tells which: whose reservation it is does not make a seat free.
    """
    known = [_without(walk.barred, one) for one in (*walk.turn.earlier, *walk.known)]
    if not known or not (slot.kind in REFERRING or slot.required):
        return None
    clause = goal.text
    inside = [one for one in walk.mentions if goal.start <= one.start < goal.end]
    bounds = bounds_of(walk.turn.text, walk.mentions, goal.start, goal.end)
    found = find_value(
        slot,
        known,
        clause,
        mentions=inside,
        bounds=bounds,
        focus=walk.focus,
        spare=walk.spare,
        soft=is_soft(walk.turn.text),
    )
    if found is None or (goal.name and not _bears(found, goal, slot)):
        return None
    if walk.guessing and found.evidence < 0.5:
        return None
    if slot.kind in CONTACTS and found.evidence < 1.0 and not any(found.record is one for one in walk.focus):
        return None  # nobody is written to who was not named
    if consumer is not None and consumer.spec.effect != "read" and _is_strange(walk, slot, found, clause):
        return None
    if found.evidence < 0.3 and found.count > 1 and not found.all:
        wide = find_value(slot, known, walk.turn.text, mentions=walk.mentions, focus=walk.focus)
        if wide is not None and wide.evidence >= 0.3:
            found = wide
        elif walk.trace.dodged or not any_will_do(slot, found.record, clause):
            return None
    if slot.kind not in REFERRING and not any(found.record is one for one in walk.focus[:1]):
        return None
    several = slot.many or (found.all and superlative_of(clause) is None)
    if several:
        return Known(list(found.values[:SPREAD_CAP]))
    return Known([found.values[0]], list(found.others[:SPREAD_CAP]), found.record, found.unclear)


def _is_strange(walk: Walk, slot: Slot, found: Found, clause: str) -> bool:
    """Return whether a value stands in a record of another kind that nothing in a clause tells."""
    if slot.kind != "id" or not slot.noun or any(found.record is one for one in walk.focus):
        return False
    nouns = {concept(one) for one in found.record.noun}
    if concept(slot.noun[-1]) in nouns or superlative_of(clause) is not None:
        return False
    return found.evidence < TOLD and not is_named(found.record, clause)


def _without(barred: str, reading: Reading) -> Reading:
    """Return a reading without the records that are called as what another is sought for."""
    if not barred:
        return reading
    low = barred.lower()
    kept = tuple(
        record
        for record in reading.records
        if not any(
            isinstance(value, str) and low in (value.lower(), value[:10]) for value in record.fields.values()
        )
    )
    return replace(reading, records=kept)


def _bears(found: Found, goal: Goal, slot: Slot) -> bool:
    """Return whether what was found is called as the goal says, beyond what all of its kind are called."""
    telling = set(content_stems(goal.name)) - set(slot.noun)
    borne = {
        one
        for value in found.record.fields.values()
        if isinstance(value, str) and len(value) <= 400
        for one in content_stems(value)
    }
    return found.evidence >= 0.3 and (not telling or bool(telling & borne))


def any_will_do(slot: Slot, record: Record, clause: str) -> bool:
    """Return whether a clause speaks of one of many, whichever: ``a vehicle``, ``any van``."""
    nouns = {concept(one) for one in slot.noun[-1:]}
    for value in record.fields.values():
        if isinstance(value, str) and len(value) <= 40:
            nouns.update(concept(one) for one in content_stems(value))
    words = split_words(clause)
    for place, word in enumerate(words):
        if concept(word.stem) not in nouns:
            continue
        for before in reversed(words[max(0, place - 5) : place]):
            if before.lower in _INDEFINITE:
                return True
            if before.lower in STOP:
                break
    return False


def last_resort(slot: Slot, entry: Entry, goal: Goal, depth: int) -> Any:
    """Return a value for a slot that nothing was found for, where one may be made up honestly."""
    if slot.kind == "boolean":
        return fallback_boolean(slot, goal.text)
    if slot.kind == "query" and entry.intent == "read":
        query = leftover_query(entry.spec, goal.text)
        return ([query] if slot.many else query) if query else None
    if (
        slot.many
        and slot.kind != "id"
        and depth == 0
        and not slot.schema.get("minItems")
        and "items" not in slot.name
    ):
        return None
    return None
