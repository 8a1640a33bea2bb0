"""What to do next: the calls to make, or what to say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from toolhaft.models.heuristic.answer import compose, gives_up
from toolhaft.models.heuristic.choosing import superlative_of
from toolhaft.models.heuristic.clauses import Goal, split_goals
from toolhaft.models.heuristic.codes import CURRENCIES, named_codes
from toolhaft.models.heuristic.conversation import Turn, key_of, read_turn
from toolhaft.models.heuristic.fallbacks import Fallback, find_fallback
from toolhaft.models.heuristic.identifying import prefix_of
from toolhaft.models.heuristic.lexicon import READ_VERBS, STOP, VERB_CLASSES
from toolhaft.models.heuristic.lookup import ANAPHORA
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.mentions import find_mentions
from toolhaft.models.heuristic.outcome import Outcome, Plan, Wanted, better, telling_stems
from toolhaft.models.heuristic.ranking import Entry, Ranked, ToolIndex
from toolhaft.models.heuristic.references import REFERRING
from toolhaft.models.heuristic.trace import Trace
from toolhaft.models.heuristic.walk import Walk, Wording
from toolhaft.models.heuristic.words import concept, content_stems, name_stems, split_words, stem
from toolhaft.types import Message, ToolCall, ToolSpec

_STEMMED = {intent: frozenset(map(stem, words)) for intent, words in VERB_CLASSES.items()}
_PRONOUN = re.compile(r"\b(?:it|them|one|ones|him|her|us)\b(?! of)", re.IGNORECASE)
STEP_CAP = 24
CALL_CAP = 12
ALTERNATIVES = 4
COVERAGE_FLOOR = 0.22
WRITE_FLOOR = 0.3
NEAR = 0.6


@dataclass(frozen=True, slots=True)
class Decision:
    """Calls to make, or the text of the answer; ``gave_up`` if it says that something could not be done."""

    text: str
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    gave_up: bool = False


def decide(
    messages: Sequence[Message], tools: Sequence[ToolSpec], avoid: Sequence[ToolCall], index: ToolIndex
) -> Decision:
    """Return the next move.

    Args:
        messages: The conversation.
        tools: What is offered.
        avoid: Calls that are not wanted again; the next best is made instead.
        index: Keeps what was read of the tools.
    """
    entries = index.offer(tools)
    turn = read_turn(messages, entries)
    if not turn.text.strip():
        return Decision("What should I do?")
    mentions = find_mentions(turn.text, turn.today, index.verbs)
    fallback = find_fallback(turn.text, mentions)
    if fallback is not None and not _may_choose(fallback, turn, index):
        fallback = None
    others: tuple[Wording, ...] = ()
    if fallback is not None:
        others = tuple(_worded(text, turn, index) for text in fallback.others)
        turn = replace(turn, text=fallback.first)
        mentions = find_mentions(turn.text, turn.today, index.verbs)
    blocked = frozenset(key_of(call.name, call.arguments) for call in avoid)
    goals = _without_wishes(
        split_goals(turn.text, index.verbs, index.openers), turn, entries, mentions, index
    )
    decision = Decision("")
    for strict in (True, False):
        trace = Trace(turn.done, blocked, turn.steps, strict)
        walk = Walk(turn, entries, mentions, trace, goals=goals)
        walk.fallback, walk.others = fallback, others
        decision = _walked(walk, index)
        if not trace.left or trace.followed():
            break
    return decision


def _may_choose(fallback: Fallback, turn: Turn, index: ToolIndex) -> bool:
    """Return whether the choices are the user's: a question that lists some with ``or`` asks for all."""
    goals = split_goals(turn.text, index.verbs, index.openers)
    place = next((one for one in goals if fallback.start < one.end), None)
    return fallback.explicit or (place is not None and place.intent != "read")


def _worded(text: str, turn: Turn, index: ToolIndex) -> Wording:
    return Wording(
        replace(turn, text=text),
        find_mentions(text, turn.today, index.verbs),
        split_goals(text, index.verbs, index.openers),
    )


def _without_wishes(
    goals: tuple[Goal, ...],
    turn: Turn,
    entries: tuple[Entry, ...],
    mentions: tuple[Mention, ...],
    index: ToolIndex,
) -> tuple[Goal, ...]:
    """Leave out what is only wished and no tool is for, where something is ordered or asked beside it."""
    if len(goals) < 2 or not any(goal.wish for goal in goals):
        return goals
    walk = Walk(turn, entries, mentions, Trace((), frozenset(), 0), goals=goals)
    kept = tuple(goal for goal in goals if not goal.wish or candidates(walk, goal, index))
    return kept or goals


def _walked(walk: Walk, index: ToolIndex) -> Decision:
    """Return the next move, or the answer, that a walk over the goals comes to."""
    outcomes: list[Outcome] = []
    pending: list[Plan] = []
    for goal in walk.goals:
        outcome = _follow(walk, goal, index, pending)
        if outcome is None and pending and not pending[-1].direct:
            break
        if outcome is not None and not pending:
            if (
                outcome.status == "none"
                and goal.intent == "read"
                and outcomes
                and outcomes[-1].status == "done"
            ):
                # a question that no tool is for, after something was done, is about what came back
                outcome = outcomes[-1]
            outcomes.append(outcome)
            walk.take(outcome)
    if pending and walk.turn.steps < STEP_CAP:
        plans = {key_of(plan.entry.spec.name, plan.arguments): plan for plan in pending}
        calls = tuple((plan.entry.spec.name, plan.arguments) for plan in list(plans.values())[:CALL_CAP])
        return Decision(_thought(calls), calls)
    missing = len(walk.goals) - len(outcomes)
    outcomes.extend(Outcome("none") for _ in range(missing))
    if walk.trace.dodged:
        # the first choice needed no question, so one that does is no better
        outcomes = [
            replace(one, status="failed", avoided=True) if one.status == "missing" else one
            for one in outcomes
        ]
    text = compose(walk.goals, outcomes, walk.turn.text, walk.mentions)
    return Decision(text, gave_up=gives_up(walk.goals, outcomes))


def _follow(walk: Walk, goal: Goal, index: ToolIndex, pending: list[Plan]) -> Outcome | None:
    """Return a goal's outcome, or None after adding the calls it waits for to those pending."""
    if not pending and (covered := _covered(walk, goal)) is not None:
        return covered
    ranked = candidates(walk, goal, index)
    if not ranked:
        return Outcome("none")
    try:
        return _chosen(walk, goal, ranked, index)
    except Wanted as wanted:
        # beside calls that are still out, only those go that do not hang on what comes back
        waits = pending and (ANAPHORA.search(goal.text) is not None or goal.condition)
        if not pending or (not waits and all(plan.direct for plan in wanted.plans)):
            pending.extend(wanted.plans)
        return None


def _chosen(walk: Walk, goal: Goal, ranked: Sequence[Ranked], index: ToolIndex) -> Outcome:
    """Return how far a goal comes with the choices that the instruction names, in their order."""
    if not walk.others or walk.fallback is None or goal.end <= walk.fallback.start:
        return walk.pursue(goal, ranked)
    with walk.holding():
        first = outcome = walk.pursue(goal, ranked)
    for other in walk.others:
        if not walk.may_turn(outcome):
            return outcome
        with walk.reworded(other, goal) as place, walk.holding():
            able = candidates(walk, place, index)
            outcome = better(outcome, walk.pursue(place, able)) if able else outcome
    return better(outcome, walk.pursue(goal, ranked)) if first.avoided and outcome.avoided else outcome


def candidates(walk: Walk, goal: Goal, index: ToolIndex) -> list[Ranked]:
    """Return the tools worth trying for a goal, best first; none if no tool knows its words."""
    values = frozenset(
        one
        for mention in walk.mentions
        if mention.kind in ("quoted", "entity", "email", "url", "id", "path")
        and goal.start <= mention.start < goal.end
        for one in content_stems(mention.text)
    )
    if converters := _converters(walk, goal):
        return converters[:1]
    ranked = index.rank(goal, values)
    if not (ranked and _trusted(ranked[0], goal)) and (context := _context(walk, goal)):
        ranked = index.rank(goal, values, context)
    if not ranked:
        return []
    best = next((one for one in ranked[:3] if not _oversteps(one, goal)), ranked[0])
    if known := _identified(walk, goal, best):
        return known
    if not _trusted(best, goal):
        return _searches(walk, goal, ranked) or _guesses(walk, goal, ranked)
    ordered = any(one.entry.spec.effect != "read" and _does(one.entry, goal) for one in ranked)
    near = [
        one
        for one in ranked[: ALTERNATIVES * 2]
        if not (ordered and one.entry.spec.effect == "irreversible" and not _does(one.entry, goal))
        and one.score >= NEAR * best.score
        and not _oversteps(one, goal)
        and _safe(goal, one, best)
    ]
    near.sort(key=lambda one: -one.score * _fit(walk, goal, one))
    return _changing_first(near, ranked, goal)[:ALTERNATIVES]


def _changing_first(near: list[Ranked], ranked: Sequence[Ranked], goal: Goal) -> list[Ranked]:
    """Return tools with those that change something first, where an order names one and its verb."""
    if goal.intent not in ("create", "update", "delete") or not near or near[0].entry.spec.effect != "read":
        return near
    able = [one for one in near if one.entry.spec.effect != "read" and one.named]
    able = (
        able
        or [
            one
            for one in ranked
            if one.entry.spec.effect == "write" and one.coverage >= WRITE_FLOOR and _does(one.entry, goal)
        ][:1]
    )
    return able + [one for one in near if one not in able]


def _trusted(best: Ranked, goal: Goal) -> bool:
    """Return whether enough of a goal's words speak for the best tool; a change takes more."""
    if best.coverage < COVERAGE_FLOOR:
        return False
    if not best.named and best.coverage < 0.5:
        return best.described and goal.intent != "read" and _does(best.entry, goal)
    return best.named or best.entry.spec.effect == "read" or _does(best.entry, goal)


def _oversteps(one: Ranked, goal: Goal) -> bool:
    """Return whether a tool would change something that a goal says too little of."""
    return one.entry.spec.effect != "read" and not _trusted(one, goal)


def _identified(walk: Walk, goal: Goal, best: Ranked) -> list[Ranked]:
    """Return what reads the thing that a question states the identifier of, where the best tool has no use for it.

    Only tools that show what their identifiers look like are taken, and only where one of them is meant.
    """
    stated = {one.text for one in walk.mentions if one.kind == "id" and goal.start <= one.start < goal.end}
    if not stated or goal.intent not in ("read", "any") or best.entry.spec.effect != "read":
        return []
    if stated & {str(value) for value in walk.filled(best.entry, goal).values.values()}:
        return [] if _trusted(best, goal) else [best]
    able = []
    for entry in walk.entries:
        required = [slot for slot in entry.slots if slot.required]
        if entry.spec.effect != "read" or len(required) != 1 or not required[0].kind == "id":
            continue
        value = str(walk.filled(entry, goal).values.get(required[0].path))
        if value in stated and prefix_of(value) in {prefix for prefix, _ in entry.claims}:
            able.append(Ranked(entry, best.score, best.coverage, True))
    return able if len(able) == 1 else []


def _does(entry: Entry, goal: Goal) -> bool:
    """Return whether a tool is called by the goal's own verb."""
    return bool(goal.verb) and stem(goal.verb) in entry.verbs


def _guesses(walk: Walk, goal: Goal, ranked: Sequence[Ranked]) -> list[Ranked]:
    """Return tools that do what the verb says, where only their records can tell what it is done to."""
    return [
        replace(one, guess=True)
        for one in ranked
        if goal.intent != "read"
        and one.entry.spec.effect != "read"
        and _does(one.entry, goal)
        and any(slot.kind == "id" for slot in walk.filled(one.entry, goal).missing)
    ][:ALTERNATIVES]


def _context(walk: Walk, goal: Goal) -> str:
    """Return what was said before a goal that speaks of it by a pronoun only."""
    return walk.turn.text[: goal.start] if _PRONOUN.search(goal.text) is not None else ""


def _converters(walk: Walk, goal: Goal) -> list[Ranked]:
    """Return the tools that turn one currency into another, where a goal names two and an amount."""
    if len(named_codes(CURRENCIES, goal.text)) < 2:
        return []
    able = (entry for entry in walk.entries if entry.currencies > 1 and entry.intent == "read")
    return [Ranked(entry, 1.0, 1.0, True) for entry in able if not walk.filled(entry, goal).missing]


def _searches(walk: Walk, goal: Goal, ranked: Sequence[Ranked]) -> list[Ranked]:
    """Return the searches of the services that a question names, where no tool is named itself."""
    if goal.intent != "read":
        return []
    found = []
    for one in ranked:
        belongs = set(name_stems(one.entry.spec.parent)) & set(content_stems(goal.text))
        query = next((slot for slot in one.entry.slots if slot.kind == "query"), None)
        if (
            belongs
            and query is not None
            and one.entry.intent == "read"
            and query.path in walk.filled(one.entry, goal).values
        ):
            found.append(one)
    return found[:2]


def _safe(goal: Goal, one: Ranked, best: Ranked) -> bool:
    """Return whether a tool may stand in for the best: nothing is changed for a question or on a guess."""
    if one.entry.spec.effect == "read":
        return goal.intent == "read" or best.entry.spec.effect == "read"
    if goal.intent == "read" and goal.verb in READ_VERBS:
        return False
    if one is not best and not _known(one.entry) and not _does(one.entry, goal):
        return False
    return (
        one is best
        or (one.named and one.entry.intent == best.entry.intent)
        or best.entry.spec.effect == "read"
    )


def _known(entry: Entry) -> bool:
    """Return whether the verb of a tool that changes something is known: another may do anything."""
    return any(entry.verbs & _STEMMED[intent] for intent in ("create", "update", "delete"))


def _fit(walk: Walk, goal: Goal, ranked: Ranked) -> float:
    """Return by how much what the instruction gives speaks for a tool."""
    filled = walk.filled(ranked.entry, goal)
    required = [slot for slot in ranked.entry.slots if slot.required]
    identified = any(
        slot.kind == "id"
        and slot.path in filled.values
        and any(char.isdigit() for char in str(filled.values[slot.path]))
        for slot in required
    )
    unsaid = sum(slot.kind not in REFERRING for slot in filled.missing)
    unknown = len(filled.missing) - unsaid
    explained = sum(
        one.kind not in ("phrase", "unit") and goal.start <= one.start < goal.end for one in filled.used
    ) + sum(slot.kind == "enum" and slot.path in filled.values for slot in ranked.entry.slots)
    factor = (1.3 if identified else 1.0) * (1.1 if required and not filled.missing else 1.0)
    return (
        factor
        * 0.8**unsaid
        * (0.85 if ranked.entry.intent == "read" else 0.92) ** unknown
        * (1.0 + 0.08 * min(explained, 5))
    )


def _covered(walk: Walk, goal: Goal) -> Outcome | None:
    """Return an outcome for a question whose answer stands in what was read for the goals before."""
    if goal.intent != "read" or not walk.known or walk.known[-1].failed:
        return None
    refers = ANAPHORA.search(goal.text) is not None
    if not refers and superlative_of(goal.text) is None and len(split_words(goal.text)) > 8:
        return None
    asked = {concept(one) for one in telling_stems(goal, walk.mentions) if one not in STOP}
    records = walk.focus or walk.known[-1].records
    for record in records[:5]:
        keys = {concept(one) for key in record.fields for one in name_stems(key)}
        if asked and len(asked & keys) * 2 >= len(asked) and refers:
            return Outcome("done", (walk.known[-1],), tuple(records), walk.known[-1].entry)
    return None


def _thought(calls: Sequence[tuple[str, dict[str, Any]]]) -> str:
    names = ", ".join(dict.fromkeys(name for name, _ in calls))
    return f"Calling {names}."
