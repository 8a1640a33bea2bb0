"""What judges said, as an evaluation that is stored, shown and compared like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolhaft.evaluators.comparing import ArmAttempts, Attempt, compare_arms
from toolhaft.report.store import EvaluationFiles, save_evaluation
from toolhaft.types import Score, Trajectory
from toolhaft_evals.judge.scoring import Answers, ArmJudgement
from toolhaft_evals.win_rate import WinRateResult

TITLE = "Answers judged"
_NOTES = (
    "A judge decided what has passed: an answer passes if it was found solved for sure. Each score holds "
    "its votes, and the tables of the command give the shares that half points count in.",
)


def save_judgements(
    folder: Path,
    arms: Mapping[str, Answers],
    passed: Mapping[str, ArmJudgement],
    won: Mapping[str, WinRateResult],
    *,
    settings: Mapping[str, Any],
    seed: int = 0,
) -> EvaluationFiles:
    """Write judged answers in the layout of ``toolhaft eval world``, with its report.

    What could not be judged is in no figure, and so in no row.

    Args:
        folder: Made if it is not there.
        arms: The answers of each arm.
        passed: Their pass rate; its score decides.
        won: Their win rate against the reference, whose score stands beside it.
        settings: How it was judged, as JSON values.
        seed: Of the bootstrap.

    Raises:
        UsageError: The folder cannot be written, or holds something else.
    """
    records: dict[str, tuple[list[Trajectory], dict[str, list[Score]]]] = {}
    attempts: list[ArmAttempts] = []
    for name, judgement in passed.items():
        compared = {score.details["task"]: score for score in won[name].scores} if name in won else {}
        trajectories: list[Trajectory] = []
        scores: dict[str, list[Score]] = {}
        for task, score in judgement.scores.items():
            trajectory = arms[name].get(task)
            if trajectory is None:
                continue
            kept = replace(trajectory, settings={**trajectory.settings, "arm": name, "trial": 0})
            trajectories.append(kept)
            scores[kept.id] = [score, *([compared[task]] if task in compared else [])]
        records[name] = trajectories, scores
        attempts.append(_attempts(name, trajectories, scores))
    comparison = compare_arms(attempts, title=TITLE, notes=_NOTES, seed=seed)
    return save_evaluation(folder, comparison, records, settings=settings)


def _attempts(name: str, trajectories: list[Trajectory], scores: Mapping[str, list[Score]]) -> ArmAttempts:
    first = trajectories[0] if trajectories else None
    return ArmAttempts(
        name=name,
        planner=first.planner if first else "",
        model=first.model if first else "",
        attempts=tuple(Attempt.of(each, scores[each.id][0]) for each in trajectories),
    )
