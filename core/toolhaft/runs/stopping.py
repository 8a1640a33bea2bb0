"""An evaluation that ends before everything was done: when it must, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from toolhaft.errors import ModelError, UnreachableError
from toolhaft.evaluators.reading import FLOOR
from toolhaft.types import ErrorInfo, Trajectory

FIRST = 3
"""Rollouts of an arm that must all have ended in one error before it is given up."""


def hopeless_error(arm: str, first: Sequence[Trajectory]) -> ModelError | None:
    """Return the error that ends the evaluation if an arm cannot work, else None.

    It cannot if its first rollouts all ended in the same error of the model's endpoint, and this is none
    that passes by itself: nobody listens, the key is refused, the answer is a web page.

    Args:
        arm: Its name.
        first: Those of its rollouts that ended first.
    """
    errors = [trajectory.error for trajectory in first[:FIRST] if trajectory.status == "error"]
    error = errors[0] if errors else None
    if error is None or len(errors) < FIRST or error.code != ModelError.code:
        return None
    if error.retryable and not _is_unreachable(error):
        return None
    if any(other is None or _kind(other) != _kind(error) for other in errors):
        return None
    return ModelError(
        f"the first {FIRST} rollouts of {arm} all ended in the same error, so the others were not tried: "
        f"{error.what}",
        where=error.where,
        hint=error.hint,
        details=error.details,
    )


def incomplete_note(
    stopped: str, done: Mapping[str, int], cut: Mapping[str, int], planned: Mapping[str, int]
) -> str:
    """Return what a reader must know of an evaluation that ended early.

    Args:
        stopped: ``interrupted``, ``error``, or the quantity that was used up.
        done: Rollouts by arm, those that were cut short too; likewise ``cut`` and ``planned``.
        cut: Those that the budget of all cut short.
        planned: Those that there were to be.
    """
    budget = f"its budget of {stopped.replace('_', ' ')} was used up"
    why = {"interrupted": "it was interrupted", "error": "an error ended it"}.get(stopped, budget)
    all_done, all_planned = sum(done.values()), sum(planned.values())
    said = f"The evaluation is not complete: {why} after {all_done} of {all_planned} rollouts."
    arms = [arm for arm in planned if arm != FLOOR]
    shares = [f"{done.get(arm, 0) - cut.get(arm, 0)} of {planned[arm]} of {arm}" for arm in arms]
    said += f" Brought to their end were {', '.join(shares)}."
    if number := sum(cut.values()):
        said += (
            f" Cut short: {number}; what did not pass by then counts as failed in the rows, and no such "
            "rollout is in a pair. With a lower concurrency fewer are cut short."
        )
    if len(arms) > 1:
        said += (
            " The rates of the arms may be of different tasks: what compares them are their pairs, if any."
        )
    return said


def _is_unreachable(error: ErrorInfo) -> bool:
    return error.details.get("cause") == UnreachableError.code


def _kind(error: ErrorInfo) -> tuple[str, str]:
    """Return what two errors must have in common to be one; how a server was not reached says little."""
    return error.code, UnreachableError.code if _is_unreachable(error) else error.what
