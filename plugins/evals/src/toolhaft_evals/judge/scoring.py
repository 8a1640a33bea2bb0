"""The arms of an evaluation, each answer judged; what cannot be judged is said and counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from toolhaft.errors import BudgetExceededError, ModelError
from toolhaft.evaluators.prediction import missing_trajectory
from toolhaft.types import Score, Task, Trajectory
from toolhaft_evals.pass_rate import PassRate, PassRateSummary, summarize
from toolhaft_evals.win_rate import WinRate, WinRateResult, summarize_wins

Answers = Mapping[str, Trajectory]
"""What an arm did, by task id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmJudgement:
    """How the answers of one arm were judged.

    Attributes:
        summary: Of those that were judged; None if none was.
        scores: By task, with every vote.
        unscored: By task, why there is no score; these are in no figure.
    """

    summary: PassRateSummary | None
    scores: dict[str, Score] = field(default_factory=dict)
    unscored: dict[str, str] = field(default_factory=dict)


async def judge_arms(
    judged: PassRate, tasks: Sequence[Task], arms: Mapping[str, Answers], *, seed: int = 0
) -> dict[str, ArmJudgement]:
    """Return how each arm's answers were judged; a task that an arm lacks counts as Unsolved.

    Args:
        judged: With its judge.
        tasks: All of them.
        arms: By name.
        seed: Of the bootstrap.

    Raises:
        UsageError: The judge is none, or lacks a key.
    """
    scores: dict[str, dict[str, Score]] = {name: {} for name in arms}
    unscored: dict[str, dict[str, str]] = {name: {} for name in arms}
    for task in tasks:  # task by task, so that a budget that ends leaves pairs
        for name, answers in arms.items():
            trajectory = answers.get(task.id) or missing_trajectory(task)
            try:
                scores[name][task.id] = await judged.evaluate(task, trajectory)
            except (BudgetExceededError, ModelError) as error:
                unscored[name][task.id] = str(error)
    return {
        name: ArmJudgement(
            summary=summarize(list(found.values()), seed=seed) if found else None,
            scores=found,
            unscored=unscored[name],
        )
        for name, found in scores.items()
    }


async def judge_pairs(
    judged: WinRate, tasks: Sequence[Task], arms: Mapping[str, Answers], reference: str, *, seed: int = 0
) -> dict[str, WinRateResult]:
    """Return how the other arms do against one of them, on the tasks that could be judged.

    Args:
        judged: With its judge and the reference's answers.
        tasks: All of them.
        arms: By name.
        reference: Name of the arm that the others are compared with.
        seed: Of the bootstrap.

    Raises:
        UsageError: As `judge_arms` does.
    """
    found: dict[str, WinRateResult] = {}
    for name, answers in arms.items():
        scores: list[Score] = []
        for task in tasks if name != reference else ():
            trajectory = answers.get(task.id) or missing_trajectory(task)
            try:
                score = await judged.evaluate(task, trajectory)
                scores.append(replace(score, details={**score.details, "task": task.id}))
            except (BudgetExceededError, ModelError):
                continue  # a pair that needs no question may still come
        if scores:
            result = summarize_wins(scores, seed=seed)
            found[name] = replace(result, unjudged=len(tasks) - len(scores))
    return found
