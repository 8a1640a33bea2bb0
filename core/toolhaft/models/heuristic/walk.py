"""One walk over the goals: what is known is taken from memory, what is not becomes a call.

The policy keeps nothing between completions. Each time it walks from the first goal on; the calls that were
made come back from the conversation, so the walk goes the same way as before until it wants a call that has
not been made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from toolhaft.models.heuristic.alternatives import other_readings, other_records
from toolhaft.models.heuristic.carrying import carry_out, widen
from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.conversation import Turn, key_of
from toolhaft.models.heuristic.fallbacks import Fallback
from toolhaft.models.heuristic.filling import Consumer, Filled, fill
from toolhaft.models.heuristic.gathering import Given, gather
from toolhaft.models.heuristic.lookup import (
    DEPTH_CAP,
    from_known,
    prefetch,
)
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.outcome import (
    Outcome,
    Plan,
    Want,
    Wanted,
    answers,
    asked_stems,
    bears_identifiers,
    bears_names,
    bears_query,
    better,
)
from toolhaft.models.heuristic.placing import UNKNOWN, Pixels, takes_image
from toolhaft.models.heuristic.ranking import Entry, Ranked
from toolhaft.models.heuristic.readings import Reading, Record
from toolhaft.models.heuristic.trace import Trace

_FINAL_CODES = ("E-TOOL-REFUSED", "E-APPROVAL")


def _is_final(outcome: Outcome, one: Ranked) -> bool:
    """Return whether somebody said no, or may have: whoever does says no to a way round as well."""
    refused = outcome.status == "failed" and outcome.reason.startswith(_FINAL_CODES)
    return refused or (outcome.avoided and one.entry.spec.effect == "irreversible")


def _is_no_way(one: Ranked, worst: Outcome | None) -> bool:
    """Return whether a tool only reads where a change was refused: to read is not to do what was ordered."""
    if worst is None or worst.status != "failed" or worst.entry is None:
        return False
    return one.entry.spec.effect == "read" and worst.entry.spec.effect != "read"


@dataclass(frozen=True, slots=True)
class Wording:
    """An instruction with the values that it states and its goals."""

    turn: Turn
    mentions: tuple[Mention, ...]
    goals: tuple[Goal, ...]


@dataclass(slots=True)
class Walk:
    """The state of one walk.

    Attributes:
        trace: The calls made so far, and those that must not be made.
        known: What the walk has read up to where it stands.
        focus: The records that the goal before was about.
        spare: Those that came behind them.
        claims: Stems of what identifiers stand for, by the letters that these begin with.
        fallback: The choices that the instruction names, and ``others`` its wordings with all but the first.
        held: Only choices that the instruction names are tried.
        barred: What another is sought for.
        guessing: Whether only what is found may tell that a tool is the right one.
    """

    turn: Turn
    entries: tuple[Entry, ...]
    mentions: tuple[Mention, ...]
    trace: Trace
    known: list[Reading] = field(default_factory=list)
    focus: tuple[Record, ...] = ()
    spare: tuple[Record, ...] = ()
    goals: tuple[Goal, ...] = ()
    fetched: bool = False
    guessing: bool = False
    claims: dict[str, frozenset[str]] = field(default_factory=dict)
    fallback: Fallback | None = None
    others: tuple[Wording, ...] = ()
    held: bool = False
    barred: str = ""
    _filled: dict[tuple[Any, ...], Filled] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for entry in self.entries:
            for prefix, noun in entry.claims:
                self.claims[prefix] = self.claims.get(prefix, frozenset()) | {noun}

    def may_turn(self, outcome: Outcome) -> bool:
        """Return whether another choice that the instruction names is to be taken now."""
        if outcome.status == "done" or outcome.reason.startswith(_FINAL_CODES):
            return False
        unknown = outcome.status == "missing" and outcome.slot is not None and outcome.slot.kind == "id"
        return outcome.avoided or outcome.status in ("failed", "empty") or unknown

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Try no alternatives of the walk's own for a while: those that are named come first."""
        self.held = True
        try:
            yield
        finally:
            self.held = False

    @contextmanager
    def reworded(self, other: Wording, goal: Goal) -> Iterator[Goal]:
        """Take another wording for a while, and give what a goal is in it."""
        own = Wording(self.turn, self.mentions, self.goals)
        same = next((one for one in other.goals if one.start == goal.start), None)
        place = same or next((one for one in other.goals if goal.start < one.end), goal)
        self.turn, self.mentions, self.goals = other.turn, other.mentions, other.goals
        self.barred = self.fallback.barred if self.fallback is not None else ""
        try:
            yield place
        finally:
            self.barred = ""
            self.turn, self.mentions, self.goals = own.turn, own.mentions, own.goals

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
            reading = self.trace.recall(plan)
            if reading is None:
                wanted.append(plan)
            else:
                readings.append(reading)
        if wanted:
            raise Wanted(wanted)
        for reading in readings:
            if not any(reading is other for other in self.known):
                self.known.append(reading)
        return readings

    def pursue(self, goal: Goal, ranked: Sequence[Ranked], reserve: Sequence[Ranked] = ()) -> Outcome:
        """Return how far a goal comes with the tools ranked for it, tried in their order.

        Args:
            goal: What is to be done.
            ranked: Tools, best first.
            reserve: Tools that are tried only where a better one's call is to be avoided.
        """
        scores = {one.entry.spec.name: one.score for one in ranked}
        outcome = self._tried(goal, ranked, scores)
        for tools, reread in ((reserve, False), ((*ranked, *reserve), True)):
            if not outcome.avoided or self.held:
                break
            outcome = better(outcome, self._tried(goal, tools, scores, reread))
        return outcome

    def _tried(
        self, goal: Goal, ranked: Sequence[Ranked], scores: dict[str, float], reread: bool = False
    ) -> Outcome:
        worst: Outcome | None = None
        best: Outcome | None = None
        avoided: Outcome | None = None
        barren: frozenset[str] = frozenset()
        for one in ranked:
            if _is_no_way(one, worst) or (barren and self._wants(one.entry, goal, barren)):
                continue
            outcome = self._attempted(one, goal, scores, reread)
            if _is_final(outcome, one) or (outcome.avoided and self.held):
                return outcome
            avoided = outcome if outcome.avoided else avoided
            if outcome.status == "done" and not bears_identifiers(goal, outcome, self.mentions):
                outcome = replace(outcome, status="empty")
            if outcome.status == "empty":
                barren |= one.entry.nouns
            if outcome.status == "done":
                if best is not None and answers(goal, outcome, self.mentions):
                    return self._joined(best, outcome, goal)
                if best is None and self._settles(goal, outcome, last=one is ranked[-1]):
                    return outcome
                best = best or outcome
                self.take(best)
            elif best is None:
                worst = better(worst, outcome)
        if best is not None:
            return self._further(best, goal, scores)
        if avoided is not None and (worst is None or worst.status in ("missing", "none")):
            # what another tool would need is no question to ask while the first may still be the way
            return avoided
        return worst or Outcome("none")

    def _joined(self, best: Outcome, outcome: Outcome, goal: Goal) -> Outcome:
        """Return what answers a goal with what was read before, unless that is about somebody else."""
        if not bears_names(goal, best, self.mentions):
            return outcome
        return replace(outcome, readings=(*best.readings, *outcome.readings))

    def _attempted(self, one: Ranked, goal: Goal, scores: dict[str, float], reread: bool) -> Outcome:
        self.guessing = one.guess
        outcome = self.attempt(one.entry, goal, scores, 0, reread=reread)
        self.guessing = False
        found_nothing = one.guess and (
            outcome.status in ("missing", "empty")
            or (outcome.status == "done" and one.entry.spec.effect == "read" and not bears_query(outcome))
        )
        return Outcome("none") if found_nothing else outcome

    def _settles(self, goal: Goal, outcome: Outcome, *, last: bool) -> bool:
        if self.turn.artifacts and outcome.entry is not None and takes_image(outcome.entry.slots):
            return True  # what an image tool brings is often a new image, which has no words to answer with
        return goal.intent != "read" or last or answers(goal, outcome, self.mentions)

    def _wants(self, entry: Entry, goal: Goal, nouns: frozenset[str]) -> bool:
        """Return whether a tool needs the identifier of something that was not found."""
        return any(slot.kind == "id" and set(slot.noun) & nouns for slot in self.filled(entry, goal).missing)

    def take(self, outcome: Outcome) -> None:
        """Remember what a goal turned out to be about."""
        if outcome.focus:
            self.focus, self.spare = outcome.focus, outcome.spare

    def _further(self, best: Outcome, goal: Goal, scores: dict[str, float]) -> Outcome:
        """Return an outcome joined by that of a tool that knows the words left unanswered."""
        unanswered = asked_stems(goal, best, self.mentions)
        self.take(best)
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
        self,
        entry: Entry,
        goal: Goal,
        scores: dict[str, float],
        depth: int,
        want: Want | None = None,
        reread: bool = False,
    ) -> Outcome:
        """Return how far one tool brings a goal, or a value that a consumer wants.

        A call that is to be avoided is made with another record that fits the wording.

        Args:
            entry: The tool.
            goal: What is to be done.
            scores: How well the tools fit the goal, by name.
            depth: 0 for the goal's own call, more for look-ups.
            want: Who wants a value of this tool.
            reread: Try other readings of the instruction in place of other records.
        """
        filled = self.filled(entry, goal, want)
        if depth == 0 and any(slot.kind != "boolean" for slot in filled.missing):
            prefetch(self, entry, goal, filled, scores)
        given = gather(self, entry, goal, filled, scores, depth)
        if isinstance(given, Outcome):
            return given
        widen(entry, goal, given.values, depth)
        outcome = carry_out(self, entry, goal, given, depth)
        if not outcome.avoided or given.spreads or self.held:
            return outcome
        readings = other_readings(entry, filled, given.values, depth)
        for values in readings if reread else other_records(given.values, given.others):
            outcome = better(outcome, carry_out(self, entry, goal, Given(values), depth))
            # where the first choice was taken back, one that fails leads on to the next
            if outcome.status == "done" or outcome.reason.startswith(_FINAL_CODES):
                break
        return outcome

    def filled(self, entry: Entry, goal: Goal, want: Want | None = None) -> Filled:
        """Return what the instruction gives for a tool; asked again and again, read once."""
        wanted = (want.entry.spec.name, want.slot.path) if want is not None else ("", ())
        key = (entry.spec.name, *wanted, goal.start, self.turn.text)
        if key not in self._filled:
            self._filled[key] = fill(
                entry.spec,
                entry.slots,
                self.turn.text,
                self.mentions,
                goal,
                entry.nouns,
                self.goals,
                self._consumer(want, goal) if want is not None else None,
                self.claims,
                self._image(),
            )
        return self._filled[key]

    def _image(self) -> Pixels:
        first = next((one for one in self.turn.artifacts if one.is_image), None)
        return Pixels(first.width, first.height) if first is not None else UNKNOWN

    def _consumer(self, want: Want, goal: Goal) -> Consumer:
        """Return what a tool that wants a value keeps for itself: all but the name of what is wanted."""
        own = self.filled(want.entry, goal)
        name = own.names.get(want.slot.path)
        text = name.text if name is not None else own.values.get(want.slot.path)
        return Consumer(want.entry.nouns, tuple(one for one in own.used if one.text != text))

    def filled_without(self, entry: Entry, goal: Goal, names: Sequence[Mention]) -> Filled:
        """Return what the instruction gives for a tool apart from names that are spoken for."""
        mentions = tuple(one for one in self.mentions if not any(one.overlaps(name) for name in names))
        return fill(
            entry.spec,
            entry.slots,
            self.turn.text,
            mentions,
            goal,
            entry.nouns,
            self.goals,
            claims=self.claims,
        )
