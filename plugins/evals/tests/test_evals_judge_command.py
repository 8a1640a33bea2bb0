"""``toolhaft eval judge``: a stored evaluation, judged from a recording of the judge."""

import json

import pytest
import typer

from toolhaft.errors import UnknownNameError, UsageError
from toolhaft.models.replay import RecordingModel
from toolhaft.report.store import load_evaluation, save_evaluation
from toolhaft.runs.predictions import evaluate_predictions
from toolhaft.testing import ScriptedModel
from toolhaft.tools.loop import run_sync
from toolhaft.types import Completion, Prediction, Task, ToolCall
from toolhaft_evals.judge.command import judge_evaluation
from toolhaft_evals.judge.scoring import judge_arms, judge_pairs
from toolhaft_evals.pass_rate import PassRate
from toolhaft_evals.schema_validity import SchemaValidity
from toolhaft_evals.win_rate import WinRate

pytestmark = pytest.mark.slow

TASKS = [Task(id=f"t{number}", instruction=f"Rain in town {number}?") for number in range(7)]


def verdict(request):
    text = request.messages[1].text
    if "Final answer of A" in text:
        first, second = text.index("plain"), text.index("better")
        label = "A" if second < first else "B"
    else:
        label = "Solved" if "better" in text else "Unsolved"
    call = ToolCall(id="v", name="give_verdict", arguments={"verdict": label, "reason": "r"})
    return Completion(calls=(call,), finish="tool_calls", model="judge", origin="scripted")


@pytest.fixture
def folder(tmp_path):
    arms = {
        "plain": [Prediction(task_id=task.id, text="A plain answer.") for task in TASKS],
        "better": [Prediction(task_id=task.id, text="A better answer.") for task in TASKS[:6]],
    }
    made = evaluate_predictions(TASKS, arms, [SchemaValidity()])
    save_evaluation(tmp_path / "out", made.comparison, made.records)
    return tmp_path / "out"


@pytest.fixture
def recording(tmp_path):
    """The judge's answers, recorded."""
    path = tmp_path / "judge.jsonl"
    model = RecordingModel(ScriptedModel(*[verdict] * 99, name="judge"), path)
    made = {
        "plain": [Prediction(task_id=task.id, text="A plain answer.") for task in TASKS],
        "better": [Prediction(task_id=task.id, text="A better answer.") for task in TASKS[:6]],
    }
    found = evaluate_predictions(TASKS, made, [SchemaValidity()])
    arms = {name: {each.task.id: each for each in runs} for name, (runs, _) in found.records.items()}
    run_sync(judge_arms(PassRate(judge=model, votes=2), TASKS, arms))
    run_sync(judge_pairs(WinRate(reference=arms["plain"], judge=model, votes=2), TASKS, arms, "plain"))
    return f"replay:{path}"


def judge(folder, **options):
    defaults = {"judge": "auto", "votes": 2, "legacy": False, "rule": True, "reference": None}
    defaults |= {"budget": None, "judgements": None, "seed": 0, "output": None, "as_json": False}
    with pytest.raises(typer.Exit) as caught:
        judge_evaluation(folder, **{**defaults, **options})
    return caught.value.exit_code


def test_a_stored_evaluation_is_judged(folder, recording, capsys):
    assert judge(folder, judge=recording, reference="plain") == 0
    text = capsys.readouterr().out
    assert "Against plain; a missing answer is a loss:" in text
    rows = {
        line.split()[0]: line.split() for line in text.splitlines() if line.startswith(("plain", "better"))
    }
    assert rows["plain"][1:4] == ["7", "0.0", "%"]
    assert rows["better"][1:6] == ["7", "6", "0", "1", "1"]


def test_judgements_take_the_place_of_the_judge(folder, recording, tmp_path, capsys):
    kept = tmp_path / "votes.jsonl"
    assert judge(folder, judge=recording, judgements=kept, reference="plain", as_json=True) == 0
    first = json.loads(capsys.readouterr().out)
    lines = kept.read_text().splitlines()
    (tmp_path / "judge.jsonl").unlink()
    assert judge(folder, judge=recording, judgements=kept, reference="plain", as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == first
    assert kept.read_text().splitlines() == lines
    assert first["pass_rate"]["better"]["summary"]["mean"] == pytest.approx(6 / 7)
    assert first["win_rate"]["better"]["order_pairs"] == 12
    assert first["win_rate"]["better"]["order_flips"] == 0


def test_judged_answers_are_stored_as_an_evaluation(folder, recording, tmp_path, capsys):
    target = tmp_path / "judged"
    assert judge(folder, judge=recording, reference="plain", output=target) == 0
    assert "Report: " in capsys.readouterr().err
    stored = load_evaluation(target)
    figures = {arm.name: (arm.passes.passed, arm.passes.total) for arm in stored.comparison.arms}
    assert figures == {"plain": (0, 7), "better": (6, 7)}
    trajectories, scores = stored.arms["better"]
    assert [len(scores[each.id]) for each in trajectories] == [2] * 7


def test_a_budget_that_ends_is_said(folder, recording, capsys):
    assert judge(folder, judge=recording, budget=["model_calls=4"], reference="plain", as_json=True) == 3
    found = json.loads(capsys.readouterr().out)
    assert len(found["pass_rate"]["plain"]["unscored"]) == 6
    assert found["win_rate"]["better"]["unjudged"] == 6
    assert found["win_rate"]["better"]["losses"] == 1


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"judge": "heuristic"}, UsageError),
        ({"judge": "replay:none.jsonl"}, UsageError),
        ({"judge": "nobody"}, UsageError),
        ({"reference": "plane"}, UnknownNameError),
        ({"votes": 1000}, UsageError),
        ({"budget": ["calls=3"]}, UsageError),
    ],
)
def test_wrong_usage(options, error, folder):
    with pytest.raises(error):
        judge_evaluation(
            folder,
            **{
                "judge": "auto",
                "votes": 1,
                "legacy": False,
                "rule": True,
                "reference": None,
                "budget": None,
                "judgements": None,
                "seed": 0,
                "as_json": False,
                **options,
            },
        )


def test_a_folder_without_an_evaluation(tmp_path):
    with pytest.raises(UsageError):
        judge_evaluation(tmp_path, judge="heuristic")
