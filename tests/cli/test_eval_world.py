"""``toolhaft eval``: the demo world's tasks by several arms, and what plugins add to it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import typer
from typer.testing import CliRunner

from toolhaft.cli.main import app
from toolhaft.hooks import Registry, hookimpl
from toolhaft.report.store import load_evaluation, save_evaluation
from toolhaft.types import Comparison, from_value

pytestmark = pytest.mark.slow  # each case starts a world


def test_two_planners_with_trials(toolhaft, tmp_path):
    code, out, err = toolhaft(
        "eval", "world", "--planner", "react", "--planner", "react@2", "--tag", "one_call", "--limit", 3,
        "--trials", 2, "--budget", "model_calls=5", "-k", 4, "--seed", 3, "-o", "out",
    )  # fmt: skip
    assert (code, err) == (0, "")
    for words in (
        "3 tasks, 2 trials each",
        "react@2 - react",
        "nothing",
        "too few tasks",
        "no language model",
    ):
        assert words in out
    stored = load_evaluation(tmp_path / "out")
    assert list(stored.arms) == ["react", "react@2", "nothing"]
    assert stored.settings["budget"] == {"model_calls": 5}
    trajectories, scores = stored.arms["react"]
    assert len(trajectories) == len(scores) == 6
    assert {(t.budget.model_calls, t.settings["k"]) for t in trajectories} == {(5, 4)}
    assert [t.seed for t in trajectories] == [3, 103] * 3  # 4 is that of the second try of react@2
    assert (tmp_path / "out" / "report.html").stat().st_size > 5_000
    assert len(stored.comparison.outcomes) == 3


def test_the_figures_are_those_of_the_records(toolhaft, tmp_path):
    code, out, _ = toolhaft("eval", "world", "--limit", 8, "-o", "out", "--json", "--concurrency", 2)
    said = json.loads(out)
    stored = load_evaluation(tmp_path / "out")
    assert code == 0
    facts = {name: said.pop(name) for name in ("stopped", "folder", "report")}
    assert facts == {"stopped": "", "folder": "out", "report": "out/report.html"}
    assert from_value(Comparison, said) == stored.comparison
    _, scores = stored.arms["react"]
    passed = sum(found[0].value >= 1 for found in scores.values())
    assert said["arms"][0]["passes"]["passed"] == passed > 0
    assert said["arms"][1]["name"] == "nothing"
    assert said["arms"][1]["passes"]["passed"] == 0


def test_the_same_seed_gives_the_same_result(toolhaft):
    words = ("eval", "world", "--limit", 6, "--planner", "react", "--planner", "react@2", "--json")
    results = []
    for concurrency in (1, 6):
        said = json.loads(toolhaft(*words, "--concurrency", concurrency, "-o", f"out{concurrency}")[1])
        for arm in said["arms"]:
            arm["seconds"] = 0
        results.append({name: said[name] for name in ("arms", "pairings", "outcomes", "notes")})
    assert results[0] == results[1]


TASK = "- {id: here, instruction: Go away., tags: [one_call], gold: {facts: [nowhere]}}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--planner", "reakt"], "unknown planner 'reakt'"),
        (["--planner", "react", "--planner", "react"], "'react' stands twice"),
        (["--model", "heuristik"], "unknown model"),
        (["--model", "openai:gpt-5"], "OPENAI_API_KEY"),
        (["--tasks", "gone"], "gone"),
        (["--tasks", "broken.yaml"], "broken.yaml"),
        (["--tasks", "bare.yaml"], "gold"),
        (["--tasks", "impossible.yaml"], "count is -1"),
        (["--tasks", "empty.yaml"], "no tasks"),
        (["--tag", "onecall"], "one_call"),
        (["--tag", "unsolvable", "--tag", "one_call"], "no task has the tags"),
        (["--budget", "model_call=3"], "model_calls"),
        (["--budget", "model_calls=-3"], "at least 0"),
        (["--budget", "model_calls"], "key=value"),
        (["--total-budget", "money=3"], "unknown budget"),
        (["--retriever", "bm26"], "unknown retriever"),
        (["--evaluator", "stat"], "unknown evaluator"),
        (["--evaluator", "match"], "calls that a good solution makes"),
        (["--world", "gone"], "no such folder"),
        (["--trials", "0"], "trials"),
        (["--limit", "0"], "limit"),
        (["--concurrency", "0"], "concurrency"),
        (["-k", "0"], "-k"),
        (["-o", "broken.yaml"], "broken.yaml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_error_before_anything_is_begun(toolhaft, tmp_path, monkeypatch, words, said):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "broken.yaml").write_text("- [")
    (tmp_path / "bare.yaml").write_text("- {id: a, instruction: Do., tags: [one_call]}\n")
    (tmp_path / "empty.yaml").write_text("[]\n")
    (tmp_path / "impossible.yaml").write_text(
        TASK.replace("facts: [nowhere]", "state: [{path: /writes, count: -1}]")
    )
    code, out, err = toolhaft("eval", "world", *words)
    assert code == (1 if words[-1] in ("broken.yaml", "bare.yaml") and words[0] == "--tasks" else 2)
    assert said in err
    assert "Traceback" not in err
    assert out == ""


def test_one_task_alone_says_so(toolhaft, tmp_path):
    (tmp_path / "one.yaml").write_text(TASK)
    words = ("--tasks", "one.yaml", "--planner", "react", "--planner", "react@2")
    code, out, _ = toolhaft("eval", "world", *words)
    assert code == 0
    assert "too few tasks (1) to say anything" in out
    assert len(list((tmp_path / "toolhaft-runs").glob("eval-*/evaluation.json"))) == 1


def test_a_total_budget_that_is_used_up_is_partial(toolhaft):
    code, out, _ = toolhaft(
        "eval", "world", "--limit", 5, "--total-budget", "model_calls=3", "--concurrency", 1
    )
    assert code == 3
    assert "not complete: its budget of model calls was used up after" in out


def test_errors_are_counted_and_partial(toolhaft):
    """Nobody listens at the model's address."""
    code, out, _ = toolhaft("eval", "world", "--limit", 1, "--model", "http://127.0.0.1:9/v1#m", "-o", "out")
    assert code == 3
    assert "error 1" in out
    assert "1 of 1 rollouts of react ended in an error; they count as failed. The error: " in out


def test_the_budget_of_all_is_held_and_what_it_cut_is_said(toolhaft, tmp_path):
    words = ("--planner", "react", "--planner", "dfsdt", "--total-budget", "model_calls=9", "--limit", 6)
    code, out, _ = toolhaft("eval", "world", *words, "-o", "out")
    assert code == 3
    stored = load_evaluation(tmp_path / "out")
    records = [record for trajectories, _ in stored.arms.values() for record in trajectories]
    assert sum(record.usage.model_calls for record in records) == 9
    cut = [record for record in records if record.settings.get("cut_short") == "model_calls"]
    assert f"Cut short: {len(cut)};" in out
    assert stored.comparison.notes[0].startswith("The evaluation is not complete")


def test_a_model_that_nobody_serves_ends_it_early(toolhaft):
    code, _, err = toolhaft("eval", "world", "--limit", 6, "--model", "http://127.0.0.1:9/v1#m", "-o", "out")
    assert code == 1
    assert "first 3 rollouts of react all ended in the same error" in err
    assert "cannot be reached" in err
    assert "Connection refused" in err
    assert "`toolhaft models detect`" in err


def test_tasks_of_another_world_are_refused(toolhaft, tmp_path):
    solution = "solution: {calls: [{tool: getNothing, arguments: {}}], answer: nowhere}"
    (tmp_path / "other.yaml").write_text(TASK.replace("gold:", f"{solution}, gold:"))
    code, out, err = toolhaft("eval", "world", "--tasks", "other.yaml", "-o", "out")
    assert (code, out) == (2, "")
    assert "there is no tool 'getNothing'" in err
    assert "toolhaft world lint" in err


def test_a_folder_is_used_again_for_an_evaluation_alone(toolhaft, tmp_path):
    words = ("eval", "world", "--limit", 1, "-o", "out", "--planner")
    assert toolhaft(*words, "react")[0] == toolhaft(*words, "dfsdt")[0] == 0
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == [
        "dfsdt",
        "evaluation.json",
        "nothing",
        "report.html",
    ]
    (tmp_path / "out" / "dfsdt" / "mine.txt").write_text("mine")
    code, _, err = toolhaft(*words, "react")
    assert (code, "mine.txt is none of it" in err) == (2, True)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "mine.txt").write_text("mine")
    code, _, err = toolhaft("eval", "world", "--limit", 1, "-o", "work")
    assert (code, "something else than an evaluation: mine.txt" in err) == (2, True)


def test_ctrl_c_keeps_what_is_done(tmp_path):
    script = "from toolhaft.cli.main import main; main()"
    words = ["eval", "world", "--trials", "50", "--concurrency", "2", "-o", "out", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-c", script, *words],
        cwd=tmp_path,
        env=os.environ | {"TOOLHAFT_HOME": str(tmp_path / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        time.sleep(4)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    said = json.loads(out)
    assert said["stopped"] == "interrupted"
    stored = load_evaluation(tmp_path / "out")
    done = sum(len(trajectories) for trajectories, _ in stored.arms.values())
    assert 0 < done < 500
    assert f"interrupted after {done} of" in stored.comparison.notes[0]


def test_ctrl_c_before_anything_is_done_keeps_what_is_there(tmp_path):
    """The model never answers."""
    words = ["eval", "world", "--limit", "2", "-o", "out", "--json"]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        save_evaluation(tmp_path / "out", Comparison(title="Measured before", arms=()), {})
        process = subprocess.Popen(
            [
                *[sys.executable, "-c", "from toolhaft.cli.main import main; main()"],
                *[*words, "--model", f"http://127.0.0.1:{silent.getsockname()[1]}/v1#m"],
            ],
            cwd=tmp_path,
            env=os.environ | {"TOOLHAFT_HOME": str(tmp_path / "home")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            silent.settimeout(60)
            asked, _ = silent.accept()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
        asked.close()
    assert (process.returncode, out) == (130, "")
    assert "nothing is written" in err
    assert load_evaluation(tmp_path / "out").comparison.title == "Measured before"


class Benchmarks:
    """A plugin with an evaluation, one with a name that is taken, and a broken one."""

    @hookimpl
    def register_commands(self):
        return {"eval acme": count, "eval world": count, "eval gone": "acme_gone:run"}


def count(n: int = 1) -> None:
    """Count."""
    typer.echo(f"counted {n}")


@pytest.fixture
def with_benchmarks(monkeypatch):
    registry = Registry.load()
    registry.add(Benchmarks(), name="benchmarks")
    monkeypatch.setattr("toolhaft.cli.eval._registry", lambda: registry)


@pytest.mark.usefixtures("with_benchmarks")
def test_plugins_add_evaluations():
    runner = CliRunner()
    listed = runner.invoke(app, ["eval", "--help"]).output
    assert "acme" in listed
    assert listed.count("world") == 1
    assert runner.invoke(app, ["eval", "acme", "--n", "3"]).output == "counted 3\n"
    assert "--planner" in runner.invoke(app, ["eval", "world", "--help"]).output
    broken = runner.invoke(app, ["eval", "gone"])
    assert "acme_gone" in str(broken.exception)
    assert "world" in str(runner.invoke(app, ["eval", "wrold"]).exception)
