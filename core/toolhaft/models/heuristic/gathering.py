"""All arguments of a call put together: what is said, what was read, and what has to be looked up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from toolhaft.models.heuristic.alternatives import other_choices
from toolhaft.models.heuristic.choosing import bears_name
from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.filling import Filled
from toolhaft.models.heuristic.lookup import (
    CONTACTS,
    by_name,
    doubtful,
    last_resort,
    look_up,
    referred,
    timed,
)
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.outcome import Outcome
from toolhaft.models.heuristic.pictures import depict
from toolhaft.models.heuristic.placing import place
from toolhaft.models.heuristic.ranking import Entry
from toolhaft.models.heuristic.readings import Record
from toolhaft.models.heuristic.slots import Path, Slot

if TYPE_CHECKING:
    from toolhaft.models.heuristic.walk import Walk


@dataclass(slots=True)
class Given:
    """The arguments of a call.

    Attributes:
        values: By path.
        spreads: Values that make one call each, by path.
        others: Values of records that fit the wording as well, by path, best first.
        direct: Every argument stands in the instruction, so that the call waits for nothing.
    """

    values: dict[Path, Any]
    spreads: dict[Path, list[Any]] = field(default_factory=dict)
    others: dict[Path, list[Any]] = field(default_factory=dict)
    direct: bool = False


def gather(
    walk: Walk, entry: Entry, goal: Goal, filled: Filled, scores: dict[str, float], depth: int
) -> Given | Outcome:
    """Return the arguments of a call, or how far their look-up came if one of them could not be found."""
    given = Given(dict(filled.values), dict(filled.spreads), direct=True)
    given.values.update(referred(walk, entry, goal, filled))
    given.values.update(timed(walk, entry, filled))
    depicted = depict(walk, entry, goal)
    if depicted.missing is not None:
        return Outcome("missing", entry=entry, slot=depicted.missing)
    if depicted.values:
        given.values.update(depicted.values)
        given.spreads.update(depicted.spreads)
        given.values.update(place(entry.slots, walk.turn.text, goal, walk.goals, depicted.pixels).values)
        given.direct = not depicted.waits
        filled = replace(filled, missing=tuple(one for one in filled.missing if one.path not in given.values))
    chosen: list[Record] = []
    for slot in doubtful(entry, given.values) + list(filled.missing):
        missed, found = look_up(walk, *by_name(slot, entry, goal, filled), scores, depth)
        if found is None:
            # a name is no identifier where tools were asked that would know it
            value = given.values.get(slot.path) if missed is None and _sendable(entry, slot) else None
            value = value if value is not None else last_resort(slot, entry, goal, depth)
            if value is None:
                named = slot.path in given.values or slot.path in filled.names
                if slot.kind in CONTACTS and (missed is None or not missed.avoided):
                    return Outcome("missing", entry=entry, slot=slot)
                if missed is not None and missed.status == "missing" and named:
                    return Outcome("empty", entry=entry)
                return missed or Outcome("missing", entry=entry, slot=slot)
            given.values[slot.path] = value
            continue
        if found.unclear and not walk.goals[1:]:
            return Outcome("missing", entry=entry, slot=slot)
        given.direct = False
        if found.record is not None:
            chosen.append(found.record)
        given.values[slot.path] = found.values if slot.many else found.values[0]
        given.others[slot.path] = [] if slot.many else found.others
        if len(found.values) > 1 and not slot.many:
            given.spreads[slot.path] = found.values
    _release(walk, entry, goal, filled, given, chosen)
    if entry.spec.effect != "read":
        given.others.update(other_choices(entry, given.values, walk.turn.text))
    return given


def _sendable(entry: Entry, slot: Slot) -> bool:
    """Return whether a name may stand for an identifier: never in a change where those have another form."""
    numbered = slot.schema.get("pattern") is not None or slot.label.lower().endswith("id")
    return entry.spec.effect == "read" or not numbered


def _release(
    walk: Walk, entry: Entry, goal: Goal, filled: Filled, given: Given, chosen: Sequence[Record]
) -> None:
    """Fill again what took the name of a record that turned out to be another argument's."""
    names = [one for one in filled.used if _is_name(one, chosen)]
    taken = {one.text for one in names}
    wrong = [path for path, value in filled.values.items() if isinstance(value, str) and value in taken]
    wrong = [path for path in wrong if given.values.get(path) in taken]
    if not wrong:
        return
    again = walk.filled_without(entry, goal, names)
    for path in wrong:
        if path in again.values:
            given.values[path] = again.values[path]


def _is_name(mention: Mention, chosen: Sequence[Record]) -> bool:
    return mention.kind in ("entity", "quoted", "phrase") and any(
        bears_name(record, mention.text) for record in chosen
    )
