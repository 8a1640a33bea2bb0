"""What rollouts themselves show that the figures of an evaluation hide."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from toolhaft.types import Step, Trajectory

_TRIES = re.compile(r"@[0-9]+$")
_REASONS = 3
_LONGEST = 300
"""Characters of an error that are shown; the record has all."""


def is_idle(trajectory: Trajectory) -> bool:
    """Return whether nothing was called, though a solution of the task calls something."""
    return _wants_calls(trajectory) and not any(step.calls for step in trajectory.steps)


def count_tries(trajectory: Trajectory) -> tuple[int, bool]:
    """Return how many tries ``NAME@n`` made, and whether all of them said and called the same.

    Of any other planner it is one try.
    """
    if not _TRIES.search(trajectory.planner):
        return 1, False
    tries: list[list[tuple[Any, ...]]] = []
    for step in trajectory.steps:
        if step.parent is None:
            tries.append([])
        if tries:
            tries[-1].append(_decision(step))
    return max(1, len(tries)), len(tries) > 1 and all(found == tries[0] for found in tries)


def remark_on(arm: str, *, idle: int, tried_again: int, alike: int) -> list[str]:
    """Return what a reader must know of an arm beside its figures.

    Args:
        arm: Its name.
        idle: Tasks that it passed without a call, though their solution makes some.
        tried_again: Rollouts with several tries.
        alike: Those of them in which all tries were the same.
    """
    said = []
    if idle:
        said.append(
            f"{idle} {'task' if idle == 1 else 'tasks'} of {arm} {'was' if idle == 1 else 'were'} passed "
            "without a call, though the solution makes some: do the checks say too little?"
        )
    if tried_again and alike == tried_again:
        said.append(
            f"The tries of {arm} were identical in all {alike} rollouts with more than one: the model does "
            "not draw, so a further try finds nothing new."
        )
    return said


def say_errors(errors: Mapping[str, int]) -> str:
    """Return the errors that ended rollouts, the most frequent first, each with how often it did."""
    found = sorted(errors.items(), key=lambda item: -item[1])
    if not found:
        return ""
    if len(found) == 1:
        return f" The error: {_line(found[0][0])}."
    said = [f"{_line(what)} ({_often(count)})" for what, count in found[:_REASONS]]
    if left := sum(count for _, count in found[_REASONS:]):
        said.append(f"others ({_often(left)})")
    return f" The errors: {'; '.join(said)}."


def _often(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def _wants_calls(trajectory: Trajectory) -> bool:
    gold = trajectory.task.gold
    if gold is not None and (gold.asks or not gold.solvable):
        return False
    solution = trajectory.task.metadata.get("solution")
    listed: Iterable[Any] = solution.get("calls") or () if isinstance(solution, Mapping) else ()
    return bool(listed) or (gold is not None and bool(gold.tools or gold.calls))


def _decision(step: Step) -> tuple[Any, ...]:
    return step.thought, [(call.name, call.arguments) for call in step.calls]
