"""One walk over the goals: what is known is taken from memory, what is not becomes a call.

The policy keeps nothing between completions. Each time it walks from the first goal on; the calls that were
made come back from the conversation, so the walk goes the same way as before until it wants a call that has
not been made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from toolhaft.models.heuristic.carrying import carry_out, widen
from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.conversation import Turn, key_of
from toolhaft.models.heuristic.filling import Consumer, Filled, fill
from toolhaft.models.heuristic.lookup import (
    DEPTH_CAP,
    by_name,
    doubtful,
    from_known,
    last_resort,
    look_up,
    prefetch,
    referred,
    timed,
)
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.outcome import Outcome, Plan, Wanted, answers, asked_stems, hope
from toolhaft.models.heuristic.ranking import Entry, Ranked
from toolhaft.models.heuristic.readings import Reading, Record
from toolhaft.types import ToolCall

_FINAL_CODES = ("E-TOOL-REFUSED", "E-APPROVAL")


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
    fetched: bool = False
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
            if worst is None or hope(outcome) > hope(worst):
                worst = outcome
        if best is not None:
            return self._further(best, goal, scores)
        return worst or Outcome("none")

    def _further(self, best: Outcome, goal: Goal, scores: dict[str, float]) -> Outcome:
        """Return an outcome joined by that of a tool that knows the words left unanswered."""
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
            if score < 1.0 or not required or not all(from_known(self, slot, goal) for slot in required):
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
            prefetch(self, entry, goal, filled, scores)
        values.update(referred(self, entry, goal, filled))
        values.update(timed(self, entry, filled))
        spreads = dict(filled.spreads)
        direct = True
        for slot in doubtful(entry, values) + list(filled.missing):
            outcome, found = look_up(self, *by_name(slot, entry, goal, filled), scores, depth)
            if found is None:
                given = values.get(slot.path, last_resort(slot, entry, goal, depth))
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
        widen(entry, goal, values, depth)
        return carry_out(self, entry, goal, values, spreads, direct, depth)

    def filled(self, entry: Entry, goal: Goal, consumer: Entry | None = None) -> Filled:
        """Return what the instruction gives for a tool; asked again and again, read once."""
        key = (entry.spec.name, consumer.spec.name if consumer is not None else "", goal.start)
        if key not in self._filled:
            wants = None
            if consumer is not None:
                own = self.filled(consumer, goal)
                looked_up = [own.values[slot.path] for slot in doubtful(consumer, own.values)]
                wants = Consumer(consumer.nouns, tuple(one for one in own.used if one.text not in looked_up))
            self._filled[key] = fill(
                entry.spec, entry.slots, self.turn.text, self.mentions, goal, entry.nouns, self.goals, wants
            )
        return self._filled[key]
