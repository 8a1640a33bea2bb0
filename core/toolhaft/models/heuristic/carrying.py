"""A call carried out: mended if its arguments were wrong, widened if it brought nothing, read to the end."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolhaft.models.heuristic.choosing import bounds_of, choose, is_named, superlative_of, wants_all
from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.filling import build
from toolhaft.models.heuristic.gathering import Given
from toolhaft.models.heuristic.lookup import SPREAD_CAP, from_known, look_up
from toolhaft.models.heuristic.outcome import Outcome, Plan, counts
from toolhaft.models.heuristic.paging import following_page
from toolhaft.models.heuristic.ranking import Entry
from toolhaft.models.heuristic.readings import Reading, Record
from toolhaft.models.heuristic.repair import is_argument_error, is_missing, mend, wanted_slots
from toolhaft.models.heuristic.slots import PAGE_SIZES, Path
from toolhaft.models.heuristic.trace import AVOIDED

if TYPE_CHECKING:
    from toolhaft.models.heuristic.walk import Walk

REPAIR_CAP = 2
PAGE_CAP = 6
SHORTER_CAP = 3


def widen(entry: Entry, goal: Goal, values: dict[Path, Any], depth: int) -> None:
    """Ask for a whole list where the goal compares, counts or looks for one among many."""
    if not (depth or superlative_of(goal.text) or wants_all(goal.text) or counts(goal.text)):
        return
    for slot in entry.slots:
        if slot.path in values or slot.schema.get("type") != "integer":
            continue
        top = slot.schema.get("maximum")
        if slot.label.lower().replace("-", "_") in PAGE_SIZES and isinstance(top, int) and 0 < top <= 1000:
            values[slot.path] = top


def carry_out(
    walk: Walk,
    entry: Entry,
    goal: Goal,
    given: Given,
    depth: int,
) -> Outcome:
    """Return how far a tool comes with its arguments: called, mended, widened, and read to the last page."""
    values = given.values
    readings = walk.observe(
        [Plan(entry, build(one), given.direct) for one in _combined(values, given.spreads)]
    )
    if readings and all(one.code == AVOIDED for one in readings):
        return Outcome("failed", entry=entry, reason="nothing else is left to try", avoided=True)
    for _ in range(REPAIR_CAP):
        if not readings or not all(one.failed for one in readings):
            break
        mended = repaired(walk, entry, goal, values, readings[-1])
        if mended is None:
            break
        values = mended
        readings = [*readings, *walk.observe([Plan(entry, build(values), False)])]
    good = [one for one in readings if not one.failed]
    if not good:
        last = readings[-1]
        return Outcome("failed", tuple(readings), entry=entry, reason=f"{last.code}: {last.message}")
    if entry.intent == "read" and all(one.empty for one in good):
        retry = relaxed(walk, entry, goal, values, depth)
        if retry is not None:
            return retry
        return Outcome("empty", tuple(good), entry=entry)
    good = paged(walk, entry, goal, values, good, depth)
    return _done(walk, good, goal, entry)


def repaired(
    walk: Walk, entry: Entry, goal: Goal, values: dict[Path, Any], reading: Reading
) -> dict[Path, Any] | None:
    """Return arguments that may pass where others did not, or None."""
    if is_missing(reading):
        return _named(walk, entry, values, reading)
    if not is_argument_error(reading):
        return None
    for slot in wanted_slots(entry, reading):
        if slot.path in values:
            continue
        found = from_known(walk, slot, goal)
        if found:
            return {**values, slot.path: found.values[0]}
    return mend(entry, values, reading, goal.text)


def _named(walk: Walk, entry: Entry, values: dict[Path, Any], reading: Reading) -> dict[Path, Any] | None:
    """Return arguments with the identifier of what was called by a name where an identifier is wanted."""
    for slot in entry.slots:
        value = values.get(slot.path)
        if slot.kind != "id" or not isinstance(value, str) or value not in reading.message:
            continue
        said = next((one for one in walk.mentions if one.text == value), None)
        if said is not None:
            named = Goal(said.start, said.end, said.text, "find", "read", name=said.text)
            found = look_up(walk, slot, entry, named, {}, 1)[1]
            if found is not None and found.values[0] != value:
                return {**values, slot.path: found.values[0]}
    return None


def relaxed(walk: Walk, entry: Entry, goal: Goal, values: dict[Path, Any], depth: int) -> Outcome | None:
    """Try a search that brought nothing again: with fewer key words, then with fewer filters."""
    if walk.guessing:
        return None
    for slot in entry.slots:
        query = values.get(slot.path)
        if (
            slot.kind not in ("query", "text", "person", "place")
            or not isinstance(query, str)
            or len(query.split()) < 2
        ):
            continue
        words = query.split()
        for shorter in (" ".join(words[1:]), words[-1], words[0])[:SHORTER_CAP]:
            readings = walk.observe([Plan(entry, build({**values, slot.path: shorter}), False)])
            if readings and readings[0].code == AVOIDED:
                return None  # the path that was left there tried the rest
            if readings and not readings[0].failed and not readings[0].empty:
                return _done(walk, readings, goal, entry)
    optional = [
        slot.path
        for slot in entry.slots
        if not slot.required
        and slot.path in values
        and slot.kind not in ("enum", "boolean")
        and not slot.many
    ]
    if depth and optional:
        kept = {path: value for path, value in values.items() if path not in optional}
        readings = walk.observe([Plan(entry, build(kept), False)])
        if readings and not readings[0].failed and not readings[0].empty:
            return _done(walk, readings, goal, entry)
    return None


def paged(
    walk: Walk, entry: Entry, goal: Goal, values: dict[Path, Any], good: list[Reading], depth: int
) -> list[Reading]:
    """Read on where a page says that there is more, until what the goal looks for is there."""
    pages = list(good)
    while len(good) == 1 and len(pages) < PAGE_CAP and (not depth or _looks_on(walk, goal, pages)):
        more = following_page(entry, values, pages)
        if more is None:
            break
        following = walk.observe([Plan(entry, build(more), False)])[0]
        if following.failed or following.value == pages[-1].value:
            break
        pages.append(following)
    return pages


def _looks_on(walk: Walk, goal: Goal, pages: Sequence[Reading]) -> bool:
    if superlative_of(goal.text) or wants_all(goal.text) or counts(goal.text):
        return True
    records = [record for page in pages for record in page.records]
    if any(is_named(record, goal.text) for record in records):
        return False
    inside = [one for one in walk.mentions if goal.start <= one.start < goal.end]
    if any(one.kind == "quoted" for one in inside):
        return True
    bounds = bounds_of(walk.turn.text, walk.mentions, goal.start, goal.end)
    return choose(records, goal.text, inside, bounds)[1] < 1.0


def _done(walk: Walk, readings: Sequence[Reading], goal: Goal, entry: Entry) -> Outcome:
    focus, spare = focus_of(walk, readings, goal)
    return Outcome("done", tuple(readings), focus, entry, spare=spare)


def focus_of(
    walk: Walk, readings: Sequence[Reading], goal: Goal
) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """Return the records of what was read that a goal turned out to be about, and those that come next."""
    records = [record for reading in readings for record in reading.records]
    listed = [record for record in records if record.listed]
    inside = [one for one in walk.mentions if goal.start <= one.start < goal.end]
    bounds = bounds_of(walk.turn.text, walk.mentions, goal.start, goal.end)
    chosen, evidence = choose(listed or records, goal.text, inside, bounds)
    many = (evidence < 0.3 and len(chosen) > 1) or wants_all(goal.text) or counts(goal.text)
    cut = 50 if many else 1 if superlative_of(goal.text) else 5
    return tuple(chosen[:cut]), tuple(chosen[cut : cut + 50])


def _combined(values: dict[Path, Any], spreads: dict[Path, list[Any]]) -> list[dict[Path, Any]]:
    """Return one set of values a call: spreads of one length go side by side, others each with each."""
    if not spreads:
        return [values]
    lengths = {len(one) for one in spreads.values()}
    paths = list(spreads)
    rows = zip(*spreads.values(), strict=True) if len(lengths) == 1 else itertools.product(*spreads.values())
    return [{**values, **dict(zip(paths, row, strict=True))} for row in itertools.islice(rows, SPREAD_CAP)]
