"""``toolhaft compare``: stored runs of the same tasks."""

import json

import pytest

from toolhaft.evaluators.base import Evaluator
from toolhaft.report.store import save_evaluation, save_run
from toolhaft.runs.evaluate import Arm, EvaluationRun
from toolhaft.runs.predictions import evaluate_predictions
from toolhaft.testing import record_trajectory
from toolhaft.tools.loop import run_sync
from toolhaft.types import Gold, Prediction, Score, Task, ToolCall

pytestmark = pytest.mark.slow


def task(number, text="Say it."):
    return Task(id=f"t{number}", instruction=text, gold=Gold(facts=("yes",)), tags=("say",))


def rollout(task, answer, **fields):
    call = ToolCall(id="1", name="say")
    return record_trajectory(task, (call, "ok"), answer=answer, **{"id": f"r-{task.id}", **fields})


def save(folder, answers, *, text="Say it.", scored=True, first=0):
    """Store a run of text: ``+`` a task that passed, ``-`` one that did not."""
    trajectories = [
        rollout(task(number + first, text), "yes" if mark == "+" else "no")
        for number, mark in enumerate(answers)
    ]
    scores = {
        trajectory.id: [Score(name="check", value=float(trajectory.answer == "yes"), evaluator="state")]
        for trajectory in trajectories
    }
    save_run(folder, trajectories, scores=scores if scored else {})
    return folder


@pytest.mark.parametrize("scored", [True, False])
def test_two_runs(toolhaft, tmp_path, scored):
    a = save(tmp_path / "a", "--------++", scored=scored)
    b = save(tmp_path / "b", "++++++++++", scored=scored)
    code, out, err = toolhaft("compare", a, b, "--json", "-o", tmp_path / "made" / "c.html")
    assert (code, err) == (0, "")
    said = json.loads(out)
    (pairing,) = said["pairings"]
    assert (pairing["a"], pairing["b"]) == ("a", "b")
    assert (pairing["wins"], pairing["ties"], pairing["losses"]) == (8, 2, 0)
    assert said["arms"][0]["passes"]["passed"] == 2
    assert "b against a: b is better (+80.0 points" in said["notes"][0]
    html = (tmp_path / "made" / "c.html").read_text()
    assert "<html" in html
    assert said["report"].endswith("c.html")
    code, out, _ = toolhaft("compare", a, b)
    assert "b - a" in out
    assert "8/2/0" in out


def test_more_than_two_and_runs_of_one_name(toolhaft, tmp_path):
    runs = [save(tmp_path / name / "react", "+-+-+-+-") for name in ("x", "y", "z")]
    code, out, _ = toolhaft("compare", *runs, "--json")
    assert code == 0
    said = json.loads(out)
    assert [arm["name"] for arm in said["arms"]] == ["x/react", "y/react", "z/react"]
    assert len(said["pairings"]) == 3


def test_what_not_every_run_has_is_left_out_of_all_figures_and_said_once(toolhaft, tmp_path):
    a, b = save(tmp_path / "a", "--" + "+" * 7 + "-"), save(tmp_path / "b", "-" * 12, first=2)
    code, out, _ = toolhaft("compare", a, b, "--json")
    said = json.loads(out)
    assert (code, said["pairings"][0]["tasks"], said["pairings"][0]["losses"]) == (0, 8, 7)
    first, second = said["arms"]
    assert (first["passes"]["passed"], first["passes"]["total"]) == (7, 8)
    assert (second["passes"]["passed"], second["passes"]["total"]) == (0, 8)
    assert first["by_tag"]["say"]["total"] == 8
    assert len(said["outcomes"]) == 8
    (left_out,) = [note for note in said["notes"] if "left out" in note]
    assert left_out.startswith("6 tasks that not every run has are left out of all figures, 8 counted: ")
    assert "a has 2 of them (t0, t1); b has 4 of them (t10, t11, t12, t13)." in left_out


def test_several_runs_are_compared_on_what_all_have(toolhaft, tmp_path):
    runs = [save(tmp_path / name, "+-+-+-+-", first=first) for name, first in (("x", 0), ("y", 1), ("z", 2))]
    said = json.loads(toolhaft("compare", *runs, "--json")[1])
    assert {arm["passes"]["total"] for arm in said["arms"]} == {6}
    assert {pairing["tasks"] for pairing in said["pairings"]} == {6}
    far = save(tmp_path / "far", "+-", first=50)
    code, _, err = toolhaft("compare", *runs, far)
    assert (code, "no task in common" in err) == (2, True)
    assert "far has t50, t51" in err


def test_trials_are_paired_by_what_was_recorded(toolhaft, tmp_path):
    def store(name, passes):
        trajectories, scores = [], {}
        for number in range(6):
            for trial, passed in passes:
                record = rollout(task(number), "x", id=f"{number}-{trial}", settings={"trial": trial})
                trajectories.append(record)
                scores[record.id] = [Score(name="check", value=float(passed))]
        save_run(tmp_path / name, trajectories, scores=scores)
        return tmp_path / name

    a = store("a", [(0, True), (1, False)])
    b = store("b", [(1, False), (2, True)])
    said = json.loads(toolhaft("compare", a, b, "--json")[1])
    assert (said["pairings"][0]["ties"], said["pairings"][0]["difference"]) == (6, 0.0)


def test_arms_of_evaluations(toolhaft, tmp_path):
    async def say(arm, task, trial):
        return rollout(task, arm.name, id=f"{arm.name}-{task.id}")

    for folder, arms in (("one", ["yes"]), ("two", ["yes", "no"])):
        run = EvaluationRun([Arm(name=name) for name in arms], [task(n) for n in range(6)], say)
        run_sync(run.run())
        save_evaluation(tmp_path / folder, run.compare(), run.records())
    code, out, _ = toolhaft("compare", tmp_path / "one", tmp_path / "two" / "no", "--json")
    said = json.loads(out)
    assert (code, said["pairings"][0]["losses"]) == (0, 6)
    assert said["arms"][1]["failures"] == {"wrong_answer": 6}
    code, _, err = toolhaft("compare", tmp_path / "one", tmp_path / "two")
    assert code == 2
    assert "has 2 arms" in err
    assert "two/no" in err
    code, out, _ = toolhaft("compare", tmp_path / "two" / "yes", tmp_path / "two" / "nothing")
    assert code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a"], "nothing to compare it with"),
        (["a", "a"], "compared with itself"),
        (["a", "a/../a/"], "compared with itself"),
        (["a", "gone"], "cannot read the run"),
        (["a", "elsewhere"], "no task in common"),
        (["a", "other"], "do not say the same"),
        (["a", "empty"], "the run is empty"),
        (["a", "broken"], "broken/trajectories.jsonl:1"),
        (["a", "strange"], "broken off"),
        (["a", "doubled"], "the trial 0 twice"),
        (["a", "bare"], "has no score"),
        (["a", "b", "--evaluator", "stat"], "unknown evaluator"),
        (["a", "b", "--evaluator", "match"], "match gives it none"),
        (["a", "b", "-o", "c.pdf"], "does not end in .html"),
        (["a", "b", "-o", "a/trajectories.jsonl/c.html"], "cannot write"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_error(toolhaft, tmp_path, words, said):
    save(tmp_path / "a", "+-+-+-")
    save(tmp_path / "b", "+-+-++")
    save(tmp_path / "elsewhere", "+-+-+-", first=50)
    save(tmp_path / "other", "+-+-+-", text="Say something else.")
    save_run(tmp_path / "empty", [])
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "trajectories.jsonl").write_text('{"id": "r", "task"')
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "evaluation.json").write_text('{"broken off": ')
    twice = [rollout(task(0), "yes", id=name, settings={"trial": 0}) for name in ("x", "y")]
    save_run(tmp_path / "doubled", twice)
    save_run(tmp_path / "bare", [rollout(Task(id="t0", instruction="Say it."), "yes")])
    code, out, err = toolhaft("compare", *words)
    if said == "broken off":
        said = "evaluation.json"
    assert (code in (1, 2), out) == (True, "")
    assert said in err
    assert "Traceback" not in err


def test_it_says_which_scores_it_used(toolhaft, tmp_path):
    a, b = save(tmp_path / "a", "+-+-+-"), save(tmp_path / "b", "+-+-++", scored=False)
    notes = " ".join(json.loads(toolhaft("compare", a, b, "--json")[1])["notes"])
    assert "a is judged by its stored scores (state)." in notes
    assert "b has no stored scores: its rollouts were evaluated now (state)." in notes
    assert "Warning" not in notes
    lines = (a / "scores.jsonl").read_text().splitlines(keepends=True)
    lines[1] = lines[1].replace('"value":0.0', '"value":1.0')
    (a / "scores.jsonl").write_text("".join(lines[:4]))
    said = json.loads(toolhaft("compare", a, b, "--json")[1])
    notes = " ".join(said["notes"])
    assert "Warning: 1 of 6 stored scores of a are not what the evaluator state gives now (t1)" in notes
    assert "Warning: 2 of 6 rollouts of a have no stored score" in notes
    assert said["arms"][0]["passes"]["passed"] == 4


def test_evaluations_of_one_model_beside_floors_and_ceilings(toolhaft, tmp_path):
    tasks = [task(n) for n in range(8)]

    def said(text):
        return [Prediction(task_id=each.id, text=text) for each in tasks]

    for folder, answer in (("one", "no"), ("two", "yes")):
        found = evaluate_predictions(
            tasks, {"mine": said(answer)}, [Judge()], references={"floor": said("no"), "ceiling": said("yes")}
        )
        save_evaluation(tmp_path / folder, found.comparison, found.records)
        assert toolhaft("view", tmp_path / folder)[0] == 0
    code, out, _ = toolhaft("compare", tmp_path / "one", tmp_path / "two", "--json")
    assert code == 0
    (pairing,) = json.loads(out)["pairings"]
    assert (pairing["a"], pairing["b"], pairing["wins"]) == ("one/mine", "two/mine", 8)


class Judge(Evaluator):
    """Wants a yes."""

    name = "judge"

    async def evaluate(self, task, trajectory):
        return Score(name="yes", value=float(trajectory.answer == "yes"), evaluator=self.name)
