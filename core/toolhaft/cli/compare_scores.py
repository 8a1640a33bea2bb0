"""Which scores of a stored run decide, and whether they are still those that an evaluator gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from toolhaft.errors import ToolhaftError, UsageError

if TYPE_CHECKING:
    from toolhaft.evaluators.base import Evaluator
    from toolhaft.types import Score, Trajectory

_CHECKED = "state"
"""The evaluator whose stored scores are checked: it costs nothing and has no settings."""
_SHOWN = 5


def settle_scores(
    name: str,
    trajectories: Sequence[Trajectory],
    scores: Mapping[str, Sequence[Score]],
    evaluator: str | None,
    where: str,
) -> tuple[list[Score], list[str]]:
    """Return the score that decides of each trajectory, and what is to be said of them.

    A stored one is taken where there is one, else the evaluator is asked now.

    Args:
        name: Of the run, for what is said.
        trajectories: Of the run.
        scores: Those stored, by the id of the trajectory.
        evaluator: Its name; None takes the first score of a rollout, and ``state`` where there is none.
        where: For messages.

    Raises:
        UsageError: A rollout has no score, and the evaluator gives it none.
    """
    from toolhaft.hooks.registry import Registry
    from toolhaft.tools.loop import run_sync

    judge = Registry.default().evaluator(evaluator or _CHECKED)
    stored = [_stored(scores.get(trajectory.id, ()), evaluator) for trajectory in trajectories]

    async def decide() -> list[Score]:
        pairs = zip(trajectories, stored, strict=True)
        return [found or await _judge(judge, trajectory, where) for trajectory, found in pairs]

    deciding = run_sync(decide())
    said = [_say_used(name, stored, deciding)]
    if changed := run_sync(_changed(trajectories, stored)):
        shown = ", ".join(changed[:_SHOWN]) + (" and more" if len(changed) > _SHOWN else "")
        said.append(
            f"Warning: {len(changed)} of {len(stored)} stored scores of {name} are not what the evaluator "
            f"{_CHECKED} gives now ({shown}). The stored ones were used; remove its scores.jsonl to have all "
            "evaluated again."
        )
    return deciding, said


def _stored(found: Sequence[Score], evaluator: str | None) -> Score | None:
    return next((score for score in found if evaluator in (None, score.evaluator)), None)


async def _judge(judge: Evaluator, trajectory: Trajectory, where: str) -> Score:
    try:
        return await judge.evaluate(trajectory.task, trajectory)
    except ToolhaftError as error:
        raise UsageError(
            f"the rollout {trajectory.id!r} has no score, and {judge.name} gives it none: {error.what}",
            where=where,
            hint="Name another with --evaluator, or tasks with gold",
        ) from None


async def _changed(trajectories: Sequence[Trajectory], stored: Sequence[Score | None]) -> list[str]:
    """Return the tasks whose stored score is another than the one that its evaluator gives now."""
    from toolhaft.evaluators.state import StateEvaluator

    judge, found = StateEvaluator(), []
    for trajectory, score in zip(trajectories, stored, strict=True):
        if score is None or score.evaluator != _CHECKED:
            continue
        try:
            now = await judge.evaluate(trajectory.task, trajectory)
        except ToolhaftError:
            continue  # what was scored with more than the record holds cannot be checked
        if now.value != score.value:
            found.append(trajectory.task.id[:60])
    return found


def _say_used(name: str, stored: Sequence[Score | None], deciding: Sequence[Score]) -> str:
    missing = sum(score is None for score in stored)
    by = ", ".join(dict.fromkeys(score.evaluator or score.name for score in deciding))
    if not missing:
        return f"{name} is judged by its stored scores ({by})."
    if missing == len(stored):
        return f"{name} has no stored scores: its rollouts were evaluated now ({by})."
    return (
        f"Warning: {missing} of {len(stored)} rollouts of {name} have no stored score and were evaluated now "
        f"({by}); the others keep theirs."
    )
