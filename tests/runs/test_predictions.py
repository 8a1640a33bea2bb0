"""Plain predictions, evaluated as rollouts are."""

from dataclasses import replace

import pytest

from toolhaft.errors import UsageError
from toolhaft.evaluators.base import Evaluator
from toolhaft.evaluators.prediction import made_calls, trajectory_of
from toolhaft.report.comparison import comparison_html
from toolhaft.report.html import render_html
from toolhaft.report.store import load_evaluation, save_evaluation
from toolhaft.runs.predictions import evaluate_predictions
from toolhaft.types import Gold, Prediction, Score, Task, ToolCall

TASKS = [
    Task(
        id=f"t{n}",
        instruction=f"Weather of town {n}?",
        gold=Gold(calls=(ToolCall(id="1", name="weather", arguments={"town": n}),)),
        tags=("even" if n % 2 == 0 else "odd",),
    )
    for n in range(8)
]


def said(n, town, **fields):
    return Prediction(
        task_id=f"t{n}", calls=(ToolCall(id="1", name="weather", arguments={"town": town}),), **fields
    )


RIGHT = [said(n, n, model="m") for n in range(8)]
HALF = [said(n, n if n % 2 == 0 else 99) for n in range(6)]


def test_arms_are_scored_and_paired_and_what_is_missing_has_failed():
    found = evaluate_predictions(
        TASKS, {"right": RIGHT, "half": HALF}, ["match"], references={"gold": RIGHT}, resamples=500
    )
    right, half, gold = found.comparison.arms
    assert (right.passes.passed, right.passes.total, right.model) == (8, 8, "m")
    assert (half.passes.passed, half.passes.total) == (3, 8)
    assert half.failures == {"passed": 3, "wrong_answer": 3, "missing": 2}
    assert gold.passes.rate == 1.0
    assert [(one.a, one.b, one.tasks, one.losses) for one in found.comparison.pairings] == [
        ("right", "half", 8, 5)
    ]
    assert half.by_tag["even"].total == 4
    assert any("read from a file" in note for note in found.comparison.notes)


class Named(Evaluator):
    """Names an outcome for the even tasks, and parts for all."""

    name = "named"

    async def evaluate(self, task, trajectory):
        even = "even" in task.tags
        return Score(
            name="named", value=float(not even), parts={"api": 0.5}, outcome="hallucination" if even else ""
        )


def test_outcomes_and_parts_stand_in_the_report(tmp_path):
    found = evaluate_predictions(TASKS, {"a": RIGHT}, [Named()], resamples=200)
    (arm,) = found.comparison.arms
    assert (arm.failures, arm.parts) == ({"passed": 4, "hallucination": 4}, {"api": 0.5})
    html = save_evaluation(tmp_path, found.comparison, found.records).html.read_text(encoding="utf-8")
    assert "hallucination <b>4</b>" in html
    assert "kind-other-1" in html
    assert "Parts of the score" in html
    assert "50.0 %" in html


def test_several_predictions_of_a_task_are_its_trials():
    found = evaluate_predictions(TASKS[:1], {"a": [said(0, 0), said(0, 5)]}, ["match"], resamples=200)
    assert found.comparison.outcomes == {"t0": {"a": 0.5}}


def test_they_are_stored_and_read_as_evaluations_of_rollouts(tmp_path):
    found = evaluate_predictions(TASKS, {"right": RIGHT, "half": HALF}, ["match"], resamples=200)
    files = save_evaluation(tmp_path / "out", found.comparison, found.records)
    assert "missing" in files.html.read_text(encoding="utf-8")
    again = load_evaluation(tmp_path / "out")
    assert again.comparison == found.comparison
    trajectories, scores = again.arms["half"]
    assert [scores[one.id][0].outcome for one in trajectories[-2:]] == ["missing", "missing"]
    assert again.arms["right"][0][0].origins == ("replay",)


def test_the_calls_of_a_prediction_count_unless_they_cannot_be_read():
    broken = ToolCall(id="2", name="weather", problem="not JSON")
    prediction = Prediction(task_id="t0", calls=(*RIGHT[0].calls, broken))
    trajectory = trajectory_of(TASKS[0], prediction)
    assert made_calls(trajectory) == list(RIGHT[0].calls)
    # Of a rollout that was cut off before it made its calls, none counts.
    assert made_calls(replace(trajectory, planner="react")) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tasks": []}, "nothing to evaluate"),
        ({"arms": {}}, "nothing to evaluate"),
        ({"evaluators": []}, "no evaluator"),
        ({"evaluators": ["no-such"]}, "unknown evaluator"),
        ({"tasks": [*TASKS, TASKS[0]]}, "2 tasks are named 't0'"),
        ({"arms": {"a": [said(99, 1)]}}, "'t99', which is no task"),
        ({"references": {"right": RIGHT}}, "an arm and a reference"),
        ({"tasks": [Task(id="bare", instruction="x")]}, "needs the calls"),
    ],
    ids=["no task", "no arm", "no evaluator", "unknown", "a task twice", "stray", "both", "no gold"],
)
def test_what_makes_no_sense_is_refused(fields, message):
    given = {"tasks": TASKS, "arms": {"right": RIGHT}, "evaluators": ["match"], **fields}
    with pytest.raises(UsageError, match=message):
        evaluate_predictions(
            given["tasks"],
            given["arms"],
            given["evaluators"],
            references=given.get("references", {}),
            resamples=200,
        )


def test_a_prediction_for_another_task_is_no_trajectory_of_this_one():
    with pytest.raises(UsageError, match="a prediction for the task 't1'"):
        trajectory_of(TASKS[0], RIGHT[1])


def test_a_report_says_that_answers_were_read_and_counts_nothing_for_them():
    found = evaluate_predictions(TASKS, {"right": RIGHT}, ["match"], resamples=200)
    runs, _ = found.records["right"]
    page = render_html(runs)
    assert "read from a file" in page
    assert "replay, no language model" not in page
    assert not found.comparison.arms[0].measured
    assert "What it took" not in str(comparison_html(found.comparison))
