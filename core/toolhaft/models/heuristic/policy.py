"""What to do next: the calls to make, or what to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from toolhaft.models.heuristic.answer import compose, gives_up
from toolhaft.models.heuristic.choosing import superlative_of
from toolhaft.models.heuristic.clauses import Goal, split_goals
from toolhaft.models.heuristic.conversation import Turn, key_of, read_turn
from toolhaft.models.heuristic.fallbacks import Fallback, find_fallback
from toolhaft.models.heuristic.image_goals import image_goals
from toolhaft.models.heuristic.image_words import VERBS as IMAGE_VERBS
from toolhaft.models.heuristic.lexicon import STOP
from toolhaft.models.heuristic.lookup import ANAPHORA
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.mentions import find_mentions
from toolhaft.models.heuristic.outcome import Outcome, Plan, Wanted, better, telling_stems
from toolhaft.models.heuristic.placing import takes_image
from toolhaft.models.heuristic.ranking import Entry, Ranked, ToolIndex
from toolhaft.models.heuristic.regions import Measure, find_measures
from toolhaft.models.heuristic.selecting import called, candidates
from toolhaft.models.heuristic.sequences import with_means
from toolhaft.models.heuristic.trace import Trace
from toolhaft.models.heuristic.walk import Walk, Wording
from toolhaft.models.heuristic.words import concept, name_stems, split_words
from toolhaft.tools.offer import SEARCH
from toolhaft.types import Message, ToolCall, ToolSpec

STEP_CAP = 24
CALL_CAP = 12


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
        tools: What is offered; one that searches for tools is passed over.
        avoid: Calls that are not wanted again; the next best is made instead.
        index: Keeps what was read of the tools.
    """
    # It never searches: its own words found what is offered, and searching by its clauses found nothing more.
    search = next((spec.name for spec in tools if spec.source == SEARCH), "")
    if search:
        tools = [spec for spec in tools if spec.source != SEARCH]
    entries = index.offer(tools)
    turn = read_turn(messages, entries, search=search)
    if not turn.text.strip():
        return Decision("What should I do?")
    if turn.artifacts and any(takes_image(entry.slots) for entry in entries):
        return _decide_on_images(turn, entries, avoid, index)
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


def _decide_on_images(
    turn: Turn, entries: tuple[Entry, ...], avoid: Sequence[ToolCall], index: ToolIndex
) -> Decision:
    """Return the next move where the user gave images or files and tools take them."""
    verbs = {**index.verbs, **IMAGE_VERBS}
    measures = find_measures(turn.text)
    mentions = tuple(
        one
        for one in find_mentions(turn.text, turn.today, verbs)
        if not (
            one.kind in ("id", "phone", "entity", "formula")
            and any(_shares(one, other) for other in measures)
        )
    )
    blocked = frozenset(key_of(call.name, call.arguments) for call in avoid)
    goals = image_goals(turn.text, verbs, index.openers, entries)
    walk = Walk(turn, entries, mentions, Trace((), frozenset(), 0), goals=goals)
    ranked = [candidates(walk, goal, index) for goal in goals]
    goals = with_means(goals, turn.text, entries, [one[0].entry if one else None for one in ranked])
    decision = Decision("")
    for strict in (True, False):
        trace = Trace(turn.done, blocked, turn.steps, strict)
        decision = _walked(Walk(turn, entries, mentions, trace, goals=goals), index)
        if not trace.left or trace.followed():
            break
    return decision


def _shares(mention: Mention, measure: Measure) -> bool:
    return mention.start < measure.end and measure.start < mention.end


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
    named = walk.turn.artifacts and called(walk, goal) is not None
    if not pending and not named and (covered := _covered(walk, goal)) is not None:
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
