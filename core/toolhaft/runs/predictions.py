"""Evaluate plain predictions with the statistics, records and reports of rollouts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from toolhaft.errors import UsageError
from toolhaft.evaluators.base import Evaluator
from toolhaft.evaluators.bootstrap import RESAMPLES
from toolhaft.evaluators.comparing import ArmAttempts, Attempt, compare_arms
from toolhaft.evaluators.prediction import MISSING, PREDICTION, missing_trajectory, trajectory_of
from toolhaft.evaluators.scoring import score_all
from toolhaft.types import Comparison, Prediction, Score, Task, ToolSpec, Trajectory

if TYPE_CHECKING:
    from toolhaft.hooks.registry import Registry

_MOST = 1_000_000
Predictions = Mapping[str, Sequence[Prediction]]
"""What each arm said, by its name; several predictions for one task are its trials, in their order."""
_NONE: Predictions = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedPredictions:
    """What came of an evaluation.

    Attributes:
        comparison: Every arm with its interval, and each pair of them.
        records: Trajectories and scores of each arm, as `toolhaft.report.store.save_evaluation` takes them.
    """

    comparison: Comparison
    records: Mapping[str, tuple[list[Trajectory], dict[str, list[Score]]]]


def evaluate_predictions(
    tasks: Sequence[Task],
    arms: Predictions,
    evaluators: Sequence[str | Evaluator],
    *,
    references: Predictions = _NONE,
    tools: Mapping[str, Sequence[ToolSpec]] | None = None,
    title: str = "Predictions",
    notes: Sequence[str] = (),
    seed: int = 0,
    resamples: int = RESAMPLES,
    registry: Registry | None = None,
) -> EvaluatedPredictions:
    """Score what several models said to the same tasks, and compare them pairwise.

    A task that an arm has no prediction for counts as failed in it, as ``missing``.

    Args:
        tasks: Each with an id of its own.
        arms: What is compared.
        evaluators: Names or evaluators; the first decides what has passed.
        references: Floors and ceilings: they get their rows, but are paired with nobody.
        tools: What each task offered, by its id, for evaluators that check calls against schemas.
        title: Heading.
        notes: What a reader must know.
        seed: Of the bootstrap.
        resamples: How often the bootstrap draws the tasks.
        registry: Where evaluators are looked up; the default finds every installed plugin.

    Raises:
        UsageError: Names, tasks or predictions make no sense, or a task lacks what an evaluator needs.
        UnknownNameError: There is no such evaluator.
    """
    from toolhaft.tools.loop import run_sync

    chosen = [_evaluator(each, registry) for each in evaluators]
    _check(tasks, arms, references, chosen)
    everything = {**arms, **references}
    records = run_sync(_score(tasks, everything, chosen, tools or {}))
    attempts = [
        _attempts(name, *records[name], reference=name in references, model=_model(everything[name]))
        for name in everything
    ]
    comparison = compare_arms(attempts, title=title, notes=notes, seed=seed, resamples=resamples)
    return EvaluatedPredictions(comparison=comparison, records=records)


async def _score(
    tasks: Sequence[Task],
    arms: Predictions,
    evaluators: Sequence[Evaluator],
    tools: Mapping[str, Sequence[ToolSpec]],
) -> dict[str, tuple[list[Trajectory], dict[str, list[Score]]]]:
    found: dict[str, tuple[list[Trajectory], dict[str, list[Score]]]] = {}
    for name, predictions in arms.items():
        said: dict[str, list[Prediction]] = {}
        for prediction in predictions:
            said.setdefault(prediction.task_id, []).append(prediction)
        trajectories: list[Trajectory] = []
        scores: dict[str, list[Score]] = {}
        for task in tasks:
            for trajectory in _trajectories(name, task, said.get(task.id, ()), tuple(tools.get(task.id, ()))):
                trajectories.append(trajectory)
                missing = not trajectory.steps
                scores[trajectory.id] = (
                    _missing(evaluators) if missing else list(await score_all(evaluators, task, trajectory))
                )
        found[name] = trajectories, scores
    return found


def _trajectories(
    arm: str, task: Task, said: Sequence[Prediction], tools: tuple[ToolSpec, ...]
) -> list[Trajectory]:
    settings = {"arm": arm, "trial": 0}
    if not said:
        trajectory = missing_trajectory(task, id=f"{arm}-{task.id}")
        return [replace(trajectory, tools=tools, settings=settings)]
    found = []
    for trial, prediction in enumerate(said):
        made = trajectory_of(task, prediction, id=f"{arm}-{task.id}-{trial}")
        found.append(replace(made, tools=tools, settings={**made.settings, "arm": arm, "trial": trial}))
    return found


def _missing(evaluators: Sequence[Evaluator]) -> list[Score]:
    return [
        Score(
            name=evaluator.name.replace("-", "_"),
            value=0.0,
            reason="there is no prediction for this task",
            details={"failure": MISSING},
            evaluator=evaluator.name,
            outcome=MISSING,
        )
        for evaluator in evaluators
    ]


def _attempts(
    name: str,
    trajectories: Sequence[Trajectory],
    scores: Mapping[str, Sequence[Score]],
    *,
    reference: bool,
    model: str,
) -> ArmAttempts:
    return ArmAttempts(
        name=name,
        planner=PREDICTION,
        model=model,
        reference=reference,
        attempts=tuple(
            Attempt.of(one, scores[one.id][0], trial=int(one.settings["trial"])) for one in trajectories
        ),
    )


def _model(predictions: Sequence[Prediction]) -> str:
    names = list(dict.fromkeys(prediction.model for prediction in predictions if prediction.model))
    return ", ".join(names[:3])


def _evaluator(given: str | Evaluator, registry: Registry | None) -> Evaluator:
    if isinstance(given, Evaluator):
        return given
    if registry is None:
        from toolhaft.hooks.registry import Registry

        registry = Registry.default()
    return registry.evaluator(given)


def _check(
    tasks: Sequence[Task], arms: Predictions, references: Predictions, evaluators: Sequence[Evaluator]
) -> None:
    if not evaluators:
        raise UsageError("no evaluator was given", hint="Name one that scores predictions, as 'match'")
    if not tasks or not (arms or references):
        raise UsageError("there is nothing to evaluate", hint="Give at least one task and one arm")
    if both := sorted(set(arms) & set(references)):
        raise UsageError(f"{both[0]!r} is an arm and a reference", hint="Give each a name of its own")
    known = Counter(task.id for task in tasks)
    for name, times in known.items():
        if times > 1:
            raise UsageError(f"{times} tasks are named {name!r}", hint="Give each a name of its own")
    for task in tasks:
        for evaluator in evaluators:
            evaluator.check_task(task)
    for name, predictions in {**arms, **references}.items():
        if len(predictions) > _MOST:
            raise UsageError(f"{len(predictions):,} predictions are more than {_MOST:,}", where=f"arm {name}")
        for prediction in predictions:
            if prediction.task_id not in known:
                raise UsageError(
                    f"there is a prediction for {prediction.task_id!r:.80}, which is no task",
                    where=f"arm {name}",
                    hint="Leave it out, or give the tasks that it belongs to",
                )
