"""What each way that a rollout tried was, in words: its number, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolhaft.report.tree import answer_path, parent_of
from toolhaft.report.visible import make_line
from toolhaft.types import ErrorInfo, Observation, Step, Trajectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One of several ways that leave the same step.

    Attributes:
        number: Among them, from 1, in the order they were tried.
        of: How many there are.
        parent: Position of the step that they leave; None is the task.
        ended: How it ended, in words.
        attempt: Whether it is a try on its own, not a branch of a search.
    """

    number: int
    of: int
    parent: int | None
    ended: str
    attempt: bool = False

    def __str__(self) -> str:
        return f"{'try' if self.attempt else 'branch'} {self.number} of {self.of}, {self.ended}"


def branches_of(trajectory: Trajectory) -> dict[int, Branch]:
    """Return the branches by the position of their first step.

    Steps that have no siblings begin none. Several roots are tries where the planner's name says that
    it makes them, as ``react@3`` does.
    """
    steps = trajectory.steps
    siblings: dict[int | None, list[int]] = {}
    for position in range(len(steps)):
        siblings.setdefault(parent_of(steps, position), []).append(position)
    path = answer_path(steps, trajectory.answer_step)
    last = _last_steps(steps)
    tries = "@" in trajectory.planner
    found: dict[int, Branch] = {}
    for parent, positions in siblings.items():
        if len(positions) < 2:
            continue
        for number, position in enumerate(positions, start=1):
            ended = _path_end(trajectory) if position in path else _side_end(steps, position, last[position])
            found[position] = Branch(
                number=number,
                of=len(positions),
                parent=parent,
                ended=ended,
                attempt=tries and parent is None,
            )
    return found


def error_label(error: ErrorInfo) -> str:
    """Return an error's code, with the HTTP status if it has one: ``E-HTTP-STATUS 409``."""
    status = error.details.get("status")
    code = make_line(error.code, 40)
    return f"{code} {status}" if type(status) is int and 100 <= status <= 599 else code


def errors_of(observations: Sequence[Observation]) -> list[str]:
    """Return the labels of the errors among observations, each once."""
    return list(
        dict.fromkeys(
            error_label(observation.error) for observation in observations if observation.error is not None
        )
    )


def _last_steps(steps: Sequence[Step]) -> list[int]:
    """Return for each step the last one that was made below it, or itself."""
    last = list(range(len(steps)))
    for position in reversed(range(len(steps))):
        parent = parent_of(steps, position)
        if parent is not None:
            last[parent] = max(last[parent], last[position])
    return last


def _path_end(trajectory: Trajectory) -> str:
    return "leads to the answer" if trajectory.status == "answered" else "where the rollout ended"


def _side_end(steps: Sequence[Step], first: int, last: int) -> str:
    """Say how a branch ended, with the error that came last on the way to its last step."""
    words = {"gave_up": "gave up", "failed": "failed"}.get(steps[last].status, "abandoned")
    at: int | None = last
    while at is not None and at >= first:
        errors = errors_of(steps[at].observations)
        if errors:
            return f"{words} after {errors[0]}"
        at = parent_of(steps, at)
    return words
