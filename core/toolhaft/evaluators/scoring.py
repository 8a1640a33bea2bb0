"""All evaluators on one trajectory: the first decides, and none of them ends the evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toolhaft.errors import ToolhaftError
from toolhaft.evaluators.base import Evaluator
from toolhaft.evaluators.failure import failure_kind
from toolhaft.types import Score, Task, Trajectory


async def score_all(evaluators: Sequence[Evaluator], task: Task, trajectory: Trajectory) -> tuple[Score, ...]:
    """Return one score of each evaluator, in their order.

    What an evaluator cannot score gets 0 and the reason. The first score decides: its details have the
    failure kind under ``failure``.

    Args:
        evaluators: At least one.
        task: What was to be done.
        trajectory: What was done.
    """
    scores: list[Score] = []
    kind = ""
    for evaluator in evaluators:
        try:
            score = await evaluator.evaluate(task, trajectory)
            kind = kind or failure_kind(score, trajectory)
        except ToolhaftError as error:
            reason = f"it could not be scored: {error}"
            score = Score(name=evaluator.name, value=0.0, reason=reason, evaluator=evaluator.name)
            kind = kind or "error"
        scores.append(score)
    scores[0] = replace(scores[0], details={**scores[0].details, "failure": kind})
    return tuple(scores)
