"""Predictions as trajectories, so that every evaluator works on both."""

from __future__ import annotations

from collections.abc import Iterable

from toolhaft.errors import UsageError
from toolhaft.types import ErrorInfo, Prediction, Step, Task, ToolCall, Trajectory

PREDICTION = "prediction"
"""What stands for the planner where there was no rollout."""
MISSING = "missing"
"""The failure kind of a task that an arm has no prediction for."""


def trajectory_of(task: Task, prediction: Prediction, *, id: str = "") -> Trajectory:
    """Return a prediction as a trajectory of one step, whose calls nobody carried out.

    Args:
        task: What was asked.
        prediction: What was said to it.
        id: Of the trajectory; the default is the task's with ``prediction-`` before it.

    Raises:
        UsageError: The prediction is one for another task.
    """
    if prediction.task_id != task.id:
        raise UsageError(
            f"this is a prediction for the task {prediction.task_id!r:.80}", where=f"task {task.id}"
        )
    step = Step(
        id=0,
        thought=prediction.text,
        calls=prediction.calls,
        status="answered",
        usage=prediction.usage,
        origin=prediction.origin,
        model=prediction.model,
    )
    return Trajectory(
        id=id or f"prediction-{task.id}",
        task=task,
        steps=(step,),
        answer=prediction.text,
        answer_step=0,
        usage=prediction.usage,
        planner=PREDICTION,
        model=prediction.model,
        settings={"prediction": dict(prediction.metadata)},
    )


def missing_trajectory(task: Task, *, id: str = "") -> Trajectory:
    """Return the record of a task that was never answered; it counts as failed."""
    said = ErrorInfo(
        code="E-NO-PREDICTION",
        what="there is no prediction for this task",
        hint="It stays in the denominator; answer it, or leave the task out for every arm",
    )
    return Trajectory(
        id=id or f"prediction-{task.id}", task=task, status="error", error=said, planner=PREDICTION
    )


def made_calls(trajectory: Trajectory, steps: Iterable[Step] | None = None) -> list[ToolCall]:
    """Return the calls that succeeded; of a prediction, which nobody carried out, those that can be read.

    Args:
        trajectory: A rollout, or what `trajectory_of` made.
        steps: Those that count; the default is the path to the answer.
    """
    counted = trajectory.path() if steps is None else steps
    if trajectory.planner == PREDICTION:
        return [call for step in counted for call in step.calls if not call.problem]
    return [
        call
        for step in counted
        for call, observation in zip(step.calls, step.observations, strict=False)
        if not observation.failed
    ]
