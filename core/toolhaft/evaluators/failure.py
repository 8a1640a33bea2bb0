"""What kind of failure a rollout was, in one word, for tables and filters."""

from __future__ import annotations

import re

from toolhaft.evaluators.state_check import declines
from toolhaft.types import Score, Trajectory

FAILURE_KINDS = (
    "passed",
    "wrong_state",
    "wrong_answer",
    "gave_up",
    "asked",
    "not_asked",
    "not_declined",
    "no_call",
    "missing",
    "budget",
    "loop",
    "refused",
    "error",
    "cancelled",
)
"""The kinds that the core knows; evaluators add their own as `toolhaft.types.Score.outcome`. The last five
are the status of a rollout that came to no end of its own, ``missing`` is a task without a prediction."""
_UNFINISHED = frozenset(FAILURE_KINDS[-5:])
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def is_kind(kind: object) -> bool:
    """Return whether something is a failure kind: one of `FAILURE_KINDS`, or an evaluator's own word."""
    return isinstance(kind, str) and (kind in FAILURE_KINDS or _WORD.fullmatch(kind) is not None)


def failure_kind(score: Score, trajectory: Trajectory) -> str:
    """Return one of `FAILURE_KINDS`, or the outcome that the score names.

    How the rollout ended comes first, then the outcome that the evaluator names, then what was changed
    outside, then what was said: ``not_asked`` and ``not_declined`` are tasks that wanted a question or a
    refusal, ``asked`` and ``gave_up`` the opposite, and ``no_call`` an answer without any call. What the
    budget of all rollouts cut short is ``budget``, even if something was said.

    Args:
        score: Of the evaluator that decides; 1 is passed. Its ``details["wrong_state"]`` counts the checks
            of the state that do not hold, as those of `StateEvaluator` do.
        trajectory: What was scored.
    """
    if score.value >= 1.0:
        return "passed"
    if cut_short(trajectory):
        return "budget"
    if trajectory.status in _UNFINISHED:
        return trajectory.status
    if is_kind(score.outcome) and score.outcome != "passed":
        return score.outcome
    gold = trajectory.task.gold
    harmed = bool(score.details.get("wrong_state"))
    if gold is not None and not (gold.solvable and not gold.asks):
        if harmed:
            return "wrong_state"
        if gold.asks:
            return "wrong_answer" if trajectory.status == "asked" else "not_asked"
        declined = trajectory.status == "gave_up" or declines(trajectory.answer)
        return "wrong_answer" if declined else "not_declined"
    if trajectory.status in ("gave_up", "asked"):
        return trajectory.status
    if not any(step.calls for step in trajectory.steps):
        return "no_call"
    return "wrong_state" if harmed else "wrong_answer"


def cut_short(trajectory: Trajectory) -> str:
    """Return the quantity of a budget of several rollouts that was used up in this one; empty if none was."""
    found = trajectory.settings.get("cut_short")
    return found if isinstance(found, str) else ""
