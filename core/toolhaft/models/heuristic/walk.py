"""One walk over the goals: what is known is taken from memory, what is not becomes a call.

The policy keeps nothing between completions. Each time it walks from the first goal on; the calls that were
made come back from the conversation, so the walk goes the same way as before until it wants a call that has
not been made.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from toolhaft.models.heuristic.choosing import bounds_of, choose, superlative_of, wants_all
from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.coercion import fallback_boolean
from toolhaft.models.heuristic.conversation import Turn, key_of
from toolhaft.models.heuristic.dates import When
from toolhaft.models.heuristic.filling import Consumer, Filled, Path, build, fill, leftover_query
from toolhaft.models.heuristic.lexicon import READ_VERBS
from toolhaft.models.heuristic.mentions import Mention
from toolhaft.models.heuristic.ranking import Entry, Ranked
from toolhaft.models.heuristic.readings import Reading, Record, total_of
from toolhaft.models.heuristic.references import REFERRING, field_for, find_value, producers
from toolhaft.models.heuristic.repair import is_argument_error, mend, wanted_slots
from toolhaft.models.heuristic.slots import Slot
from toolhaft.models.heuristic.words import concept, content_stems, name_stems, name_words, stem
from toolhaft.types import ToolCall

DEPTH_CAP = 3
SPREAD_CAP = 12
REPAIR_CAP = 2
PAGE_CAP = 6
PRODUCER_CAP = 4
Status = Literal["done", "failed", "empty", "missing", "none"]
_PAGE_SIZES = frozenset(
    {"limit", "page_size", "pagesize", "per_page", "perpage", "max_results", "maxresults"}
)
_PLACES = ("city", "location", "place", "town", "country", "address", "destination", "name")
_TITLES = ("name", "title", "subject", "label")
ANAPHORA = re.compile(
    r"\b(?:it|its|it's|them|their|that|those|these|this|there|then|result|he|she|his|her)\b", re.IGNORECASE
)
THERE = re.compile(r"\b(?:there|that (?:city|place|town|country|location))\b", re.IGNORECASE)
_ASKING = frozenset(
    stem(word) for word in (*READ_VERBS, "day", "time", "long", "much", "now", "my", "date", "today")
)
_FINAL_CODES = ("E-TOOL-REFUSED", "E-APPROVAL")


@dataclass(frozen=True, slots=True)
class Plan:
    """A call that is wanted.

    Attributes:
        direct: Every argument stands in the instruction, so that the call waits for nothing.
    """

    entry: Entry
    arguments: dict[str, Any]
    direct: bool


class Wanted(Exception):  # noqa: N818 - it is an answer of the walk, not a failure
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
    """

    status: Status
    readings: tuple[Reading, ...] = ()
    focus: tuple[Record, ...] = ()
    entry: Entry | None = None
    slot: Slot | None = None
    reason: str = ""


@dataclass(slots=True)
class Walk:
    """The state of one walk.

    Attributes:
        memory: What the calls made so far brought, by call.
        blocked: Calls that must not be made.
        known: What the walk has read up to where it stands.
    """

    turn: Turn
    entries: tuple[Entry, ...]
    mentions: tuple[Mention, ...]
    memory: dict[str, Reading]
    blocked: frozenset[str]
    known: list[Reading] = field(default_factory=list)
    focus: tuple[Record, ...] = ()
    goals: tuple[Goal, ...] = ()
    _fetched: bool = False
    _filled: dict[tuple[str, str, int], Filled] = field(default_factory=dict)

    def observe(self, plans: Sequence[Plan]) -> list[Reading]:
        """Return what calls brought; raises `Wanted` with those that have not been made."""
        readings: list[Reading] = []
        wanted: list[Plan] = []
        seen: set[str] = set()
        for plan in plans:
            key = key_of(plan.entry.spec.name, plan.arguments)
            if key in seen:
                continue
            seen.add(key)
            if key in self.memory:
                readings.append(self.memory[key])
            elif key in self.blocked:
                call = ToolCall(id="", name=plan.entry.spec.name, arguments=plan.arguments)
                readings.append(Reading(call, plan.entry, None, "E-AVOIDED", "tried before"))
            else:
                wanted.append(plan)
        if wanted:
            raise Wanted(wanted)
        for reading in readings:
            if not any(reading is other for other in self.known):
                self.known.append(reading)
        return readings

    def pursue(self, goal: Goal, ranked: Sequence[Ranked]) -> Outcome:
        """Return how far a goal comes with the tools ranked for it, tried in their order."""
        worst: Outcome | None = None
        best: Outcome | None = None
        barren: frozenset[str] = frozenset()
        scores = {one.entry.spec.name: one.score for one in ranked}
        for one in ranked:
            if barren and any(
                slot.kind == "id" and set(slot.noun) & barren for slot in self.filled(one.entry, goal).missing
            ):
                continue
            outcome = self.attempt(one.entry, goal, scores, 0)
            if outcome.status == "empty":
                barren |= one.entry.nouns
            if outcome.status == "done" and best is not None:
                if answers(goal, outcome, self.mentions):
                    return replace(outcome, readings=(*best.readings, *outcome.readings))
                continue
            if outcome.status == "done":
                if goal.intent != "read" or one is ranked[-1] or answers(goal, outcome, self.mentions):
                    return outcome
                best = outcome
                self.focus = outcome.focus or self.focus
                continue
            if best is not None:
                continue
            if outcome.status == "failed" and any(outcome.reason.startswith(code) for code in _FINAL_CODES):
                return outcome
            if worst is None or _hope(outcome) > _hope(worst):
                worst = outcome
        if best is not None:
            return self._further(best, goal, scores)
        return worst or Outcome("none")

    def _further(self, best: Outcome, goal: Goal, scores: dict[str, float]) -> Outcome:
        """Return an outcome joined by that of a tool that knows the words left unanswered, if what is known feeds it."""
        unanswered = asked_stems(goal, best, self.mentions)
        self.focus = best.focus or self.focus
        tried = {reading.call.name for reading in best.readings}
        rated = [
            (sum(entry.concepts.get(one, 0.0) for one in unanswered), -order, entry)
            for order, entry in enumerate(self.entries)
            if entry.spec.effect == "read" and entry.spec.name not in tried
        ]
        for score, _, entry in sorted(rated, key=lambda one: one[:2], reverse=True)[:2]:
            required = [slot for slot in entry.slots if slot.required]
            if score < 1.0 or not required or not all(self._from_known(slot, goal) for slot in required):
                continue
            outcome = self.attempt(entry, goal, scores, DEPTH_CAP)
            if outcome.status == "done" and answers(goal, outcome, self.mentions):
                return replace(outcome, readings=(*best.readings, *outcome.readings))
        return best

    def attempt(
        self, entry: Entry, goal: Goal, scores: dict[str, float], depth: int, consumer: Entry | None = None
    ) -> Outcome:
        """Return how far one tool brings a goal, or a value that a consumer wants."""
        filled = self.filled(entry, goal, consumer)
        values = dict(filled.values)
        if depth == 0 and any(slot.kind != "boolean" for slot in filled.missing):
            self._prefetch(entry, goal, filled, scores)
        values.update(self._referred(entry, goal, filled))
        values.update(self._timed(entry, filled))
        spreads = dict(filled.spreads)
        direct = True
        for slot in self._doubtful(entry, values) + list(filled.missing):
            outcome, found = self._look_up(*self._by_name(slot, entry, goal, filled), scores, depth)
            if found is None:
                given = values.get(slot.path, self._last_resort(slot, entry, goal, depth))
                if given is None:
                    return outcome or Outcome("missing", entry=entry, slot=slot)
                values[slot.path] = given
                continue
            direct = False
            if slot.many:
                values[slot.path] = found
            elif len(found) > 1:
                spreads[slot.path] = found
                values[slot.path] = found[0]
            else:
                values[slot.path] = found[0]
        self._widen(entry, goal, values, depth)
        return self._carry_out(entry, goal, values, spreads, direct, depth)

    def filled(self, entry: Entry, goal: Goal, consumer: Entry | None = None) -> Filled:
        """Return what the instruction gives for a tool; asked again and again, read once."""
        key = (entry.spec.name, consumer.spec.name if consumer is not None else "", goal.start)
        if key not in self._filled:
            wants = None
            if consumer is not None:
                own = self.filled(consumer, goal)
                looked_up = [own.values[slot.path] for slot in self._doubtful(consumer, own.values)]
                wants = Consumer(consumer.nouns, tuple(one for one in own.used if one.text not in looked_up))
            self._filled[key] = fill(
                entry.spec, entry.slots, self.turn.text, self.mentions, goal, entry.nouns, self.goals, wants
            )
        return self._filled[key]

    def _prefetch(self, entry: Entry, goal: Goal, filled: Filled, scores: dict[str, float]) -> None:
        """Read what an identifier in the goal stands for, where the tool itself has no use for it."""
        if self._fetched:
            return
        idle = [
            one
            for one in self.mentions
            if one.kind == "id"
            and goal.start <= one.start < goal.end
            and not any(one.overlaps(u) for u in filled.used)
        ]
        for other in self.entries if idle else ():
            required = [slot for slot in other.slots if slot.required]
            if (
                other.spec.effect != "read"
                or len(required) != 1
                or required[0].kind != "id"
                or other is entry
            ):
                continue
            given = self.filled(other, goal).values.get(required[0].path)
            if (
                given not in [one.text for one in idle]
                or not required[0].examples
                and not required[0].schema.get("pattern")
            ):
                continue
            self._fetched = True
            outcome = self.attempt(other, goal, scores, DEPTH_CAP)
            if outcome.status == "done":
                self.focus = tuple(outcome.readings[0].records[:5])
                return

    def _referred(self, entry: Entry, goal: Goal, filled: Filled) -> dict[Path, Any]:
        """Return what ``there``, ``it`` or ``them`` stands for, for the slots that want words."""
        if not self.focus or (ANAPHORA.search(goal.text) is None and not self._fetched):
            return {}
        named = [
            one
            for one in filled.used
            if one.kind in ("entity", "quoted") and goal.start <= one.start < goal.end
        ]
        slot = next(
            (one for one in entry.slots if one.kind in ("query", "place", "person") and not one.many), None
        )
        if slot is None or named or not (slot.required or entry.intent == "read"):
            return {}
        record = self.focus[0]
        said = set(content_stems(goal.text))
        for key, value in record.fields.items():
            if (
                self._fetched
                and said >= set(name_stems(key))
                and isinstance(value, str)
                and 1 < len(value) <= 80
            ):
                return {slot.path: value}
        keys = _PLACES if THERE.search(goal.text) or slot.kind == "place" else _TITLES
        for wanted in keys:
            for key, value in record.fields.items():
                if name_words(key)[-1:] == (wanted,) and isinstance(value, str) and 1 < len(value) <= 80:
                    return {slot.path: value}
        return {}

    def _timed(self, entry: Entry, filled: Filled) -> dict[Path, Any]:
        """Return times of what was found for the slots that the instruction gives a bare day for."""
        days = {
            one.value.day.isoformat()
            for one in filled.used
            if isinstance(one.value, When) and one.value.day and not one.value.clock
        }
        found: dict[Path, Any] = {}
        for slot in entry.slots if self.focus else ():
            if slot.kind != "date-time" or str(filled.values.get(slot.path, ""))[:10] not in days | {""}:
                continue
            value = field_for(slot, self.focus[0])
            if isinstance(value, str) and (not days or value[:10] in days):
                found[slot.path] = value
        return found

    def _doubtful(self, entry: Entry, values: dict[Path, Any]) -> list[Slot]:
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

    def _by_name(self, slot: Slot, entry: Entry, goal: Goal, filled: Filled) -> tuple[Slot, Entry, Goal]:
        """Return slot, consumer and goal for a look-up: of the thing that is named, if the slot wants its code."""
        name = filled.names.get(slot.path)
        if name is None and slot in self._doubtful(entry, filled.values):
            value = filled.values[slot.path]
            name = next((one for one in filled.used if one.text == value), None)
        if slot.kind != "id" and name is not None:
            slot = replace(slot, kind="id", noun=(*slot.name, *slot.about))
        rivals = sum(other.kind == "id" and other.noun[-1:] == slot.noun[-1:] for other in entry.slots)
        if name is None or (rivals < 2 and len(filled.names) < 2):
            return slot, entry, goal
        return slot, entry, Goal(name.start, name.end, name.text, "find", "read", exact=True)

    def _look_up(
        self, slot: Slot, consumer: Entry, goal: Goal, scores: dict[str, float], depth: int
    ) -> tuple[Outcome | None, list[Any] | None]:
        """Return values for a slot from what is known, else from a tool that would bring them."""
        found = self._from_known(slot, goal)
        if found is not None:
            return None, found
        if depth >= DEPTH_CAP or slot.kind not in REFERRING:
            return None, None
        worst: Outcome | None = None
        for producer in producers(slot, consumer, self.entries, scores)[:PRODUCER_CAP]:
            outcome = self.attempt(producer, goal, scores, depth + 1, consumer)
            if outcome.status == "done" and (found := self._from_known(slot, goal)) is not None:
                return None, found
            if worst is None or _hope(outcome) > _hope(worst):
                worst = outcome
        if worst is not None and worst.status in ("empty", "failed"):
            return worst, None
        return None, None

    def _from_known(self, slot: Slot, goal: Goal) -> list[Any] | None:
        known = [*self.turn.earlier, *self.known]
        if not known or not (slot.kind in REFERRING or slot.required):
            return None
        clause = goal.text
        inside = [one for one in self.mentions if goal.start <= one.start < goal.end]
        bounds = bounds_of(self.turn.text, self.mentions, goal.start, goal.end)
        found = find_value(slot, known, clause, mentions=inside, bounds=bounds, focus=self.focus)
        if found is None or (goal.exact and found.evidence < 0.3):
            return None
        if found.evidence < 0.3 and found.count > 1 and not found.all:
            wide = find_value(slot, known, self.turn.text, mentions=self.mentions, focus=self.focus)
            if wide is None or wide.evidence < 0.3:
                return None
            found = wide
        if slot.kind not in REFERRING and not any(found.record is one for one in self.focus[:1]):
            return None
        several = slot.many or (found.all and superlative_of(clause) is None)
        return list(found.values[:SPREAD_CAP]) if several else [found.values[0]]

    def _last_resort(self, slot: Slot, entry: Entry, goal: Goal, depth: int) -> Any:
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

    def _widen(self, entry: Entry, goal: Goal, values: dict[Path, Any], depth: int) -> None:
        """Ask for a whole list where the goal compares, counts or looks for one among many."""
        if not (depth or superlative_of(goal.text) or wants_all(goal.text) or counts(goal.text)):
            return
        for slot in entry.slots:
            if (
                slot.path in values
                or "_".join(name_stems(slot.label)) == ""
                or slot.schema.get("type") != "integer"
            ):
                continue
            top = slot.schema.get("maximum")
            if (
                slot.label.lower().replace("-", "_") in _PAGE_SIZES
                and isinstance(top, int)
                and 0 < top <= 1000
            ):
                values[slot.path] = top

    def _carry_out(
        self,
        entry: Entry,
        goal: Goal,
        values: dict[Path, Any],
        spreads: dict[Path, list[Any]],
        direct: bool,
        depth: int,
    ) -> Outcome:
        readings = self.observe([Plan(entry, build(one), direct) for one in _combined(values, spreads)])
        for _ in range(REPAIR_CAP):
            if not readings or not all(one.failed for one in readings):
                break
            repaired = self._repaired(entry, goal, values, readings[-1])
            if repaired is None:
                break
            values = repaired
            readings = [*readings, *self.observe([Plan(entry, build(values), False)])]
        good = [one for one in readings if not one.failed]
        if not good:
            last = readings[-1]
            return Outcome("failed", tuple(readings), entry=entry, reason=f"{last.code}: {last.message}")
        if entry.intent == "read" and all(one.empty for one in good):
            retry = self._relaxed(entry, goal, values, depth)
            if retry is not None:
                return retry
            return Outcome("empty", tuple(good), entry=entry)
        good = self._paged(entry, values, good)
        return Outcome("done", tuple(good), self._focus_of(good, goal), entry)

    def _repaired(
        self, entry: Entry, goal: Goal, values: dict[Path, Any], reading: Reading
    ) -> dict[Path, Any] | None:
        if not is_argument_error(reading):
            return None
        for slot in wanted_slots(entry, reading):
            if slot.path in values:
                continue
            found = self._from_known(slot, goal)
            if found:
                return {**values, slot.path: found[0]}
        return mend(entry, values, reading, goal.text)

    def _relaxed(self, entry: Entry, goal: Goal, values: dict[Path, Any], depth: int) -> Outcome | None:
        """Try a search that brought nothing again: with its key words alone, one by one, then with fewer filters."""
        for slot in entry.slots:
            query = values.get(slot.path)
            if (
                slot.kind not in ("query", "text", "person", "place")
                or not isinstance(query, str)
                or len(query.split()) < 2
            ):
                continue
            words = query.split()
            for shorter in (" ".join(words[1:]), words[-1], words[0])[: PRODUCER_CAP - 1]:
                readings = self.observe([Plan(entry, build({**values, slot.path: shorter}), False)])
                if readings and not readings[0].failed and not readings[0].empty:
                    return Outcome("done", tuple(readings), self._focus_of(readings, goal), entry)
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
            readings = self.observe([Plan(entry, build(kept), False)])
            if readings and not readings[0].failed and not readings[0].empty:
                return Outcome("done", tuple(readings), self._focus_of(readings, goal), entry)
        return None

    def _paged(self, entry: Entry, values: dict[Path, Any], good: list[Reading]) -> list[Reading]:
        """Read on where a page says that there is more and the tool takes a page number."""
        page = next(
            (
                slot
                for slot in entry.slots
                if slot.label.lower() == "page" and slot.schema.get("type") == "integer"
            ),
            None,
        )
        if page is None or len(good) != 1:
            return good
        pages = list(good)
        while len(pages) < PAGE_CAP:
            total = total_of(pages[-1].value)
            got = sum(len(one.listing or ()) for one in pages)
            if total is None or got >= total or not pages[-1].listing:
                break
            number = (values.get(page.path) or 1) + len(pages)
            following = self.observe([Plan(entry, build({**values, page.path: number}), False)])[0]
            if following.failed:
                break
            pages.append(following)
        return pages

    def _focus_of(self, readings: Sequence[Reading], goal: Goal) -> tuple[Record, ...]:
        records = [record for reading in readings for record in reading.records]
        listed = [record for record in records if record.listed]
        inside = [one for one in self.mentions if goal.start <= one.start < goal.end]
        bounds = bounds_of(self.turn.text, self.mentions, goal.start, goal.end)
        chosen, evidence = choose(listed or records, goal.text, inside, bounds)
        if evidence < 0.3 and len(chosen) > 1:
            return tuple(chosen[:50])
        if wants_all(goal.text) or counts(goal.text):
            return tuple(chosen[:50])
        return tuple(chosen[:1]) if superlative_of(goal.text) else tuple(chosen[:5])


def counts(text: str) -> bool:
    """Return whether a clause asks for a number or a sum over many."""
    low = text.lower()
    return any(
        one in low
        for one in ("how many", "number of", "count ", "total", "sum of", "average", "in all", "altogether")
    )


def _combined(values: dict[Path, Any], spreads: dict[Path, list[Any]]) -> list[dict[Path, Any]]:
    """Return one set of values a call: spreads of one length go side by side, others each with each."""
    if not spreads:
        return [values]
    lengths = {len(one) for one in spreads.values()}
    paths = list(spreads)
    rows = zip(*spreads.values(), strict=True) if len(lengths) == 1 else itertools.product(*spreads.values())
    return [{**values, **dict(zip(paths, row, strict=True))} for row in itertools.islice(rows, SPREAD_CAP)]


def _hope(outcome: Outcome) -> int:
    return {"done": 5, "missing": 4, "empty": 3, "failed": 2, "none": 0}[outcome.status]


def answers(goal: Goal, outcome: Outcome, mentions: Sequence[Mention]) -> bool:
    """Return whether what came back has fields or words that the question asks about."""
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
