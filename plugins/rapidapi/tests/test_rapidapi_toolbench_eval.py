"""``toolhaft eval toolbench``: from a query file to the report, and on after the process was killed."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from toolhaft.report.store import load_evaluation
from toolhaft.testing import record_trajectory
from toolhaft.types import Task
from toolhaft_rapidapi.toolbench.finish import ValidFinish

ENTRY = [sys.executable, "-m", "toolhaft", "eval", "toolbench"]


def api(name, **more):
    return {
        "category_name": "Weather",
        "tool_name": "Weather",
        "api_name": name,
        "api_description": f"The {name} of a city today",
        "required_parameters": [{"name": "city", "type": "STRING", "description": "A city", "default": ""}],
        "optional_parameters": [],
        "method": "GET",
        "template_response": {name: "str"},
        **more,
    }


@pytest.fixture
def queries(tmp_path):
    value = [
        {
            "query": f"What is the {name} of the city 'Oslo {number}'?",
            "query_id": number,
            "api_list": [api("forecast"), api("humidity"), api("pressure")],
            "relevant APIs": [["Weather", name]],
        }
        for number, name in enumerate(["forecast", "humidity", "pressure"] * 20)
    ]
    path = tmp_path / "G1_made.json"
    path.write_text(json.dumps(value))
    return path


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "answer", "value"),
    [("answered", "It rains.", 1.0), ("answered", " ", 0.0), ("gave_up", "No.", 0.0), ("loop", "x", 0.0)],
)
async def test_a_valid_finish(status, answer, value):
    from dataclasses import replace

    task = Task(id="1", instruction="Rain?")
    done = replace(record_trajectory(task, answer="x"), status=status, answer=answer)
    assert (await ValidFinish().evaluate(task, done)).value == value


@pytest.mark.slow
def test_queries_to_report(queries, tmp_path, toolhaft):
    out = tmp_path / "out"
    words = ("--queries", queries, "--limit", 6, "--planner", "react", "--planner", "dfsdt", "-o", out)
    code, text, problems = toolhaft("eval", "toolbench", *words)
    assert code == 0, problems
    assert "ToolBench: 6 queries with simulated APIs" in text
    assert "every observation was made up by the built-in simulator" in text
    stored = load_evaluation(out)
    assert set(stored.arms) == {"react", "dfsdt", "nothing"}
    assert stored.settings["provenance"] == "simulated"
    for arm in ("react", "dfsdt"):
        trajectories, scores = stored.arms[arm]
        assert len(trajectories) == 6
        for trajectory in trajectories:
            assert set(trajectory.provenances) <= {"simulated", "reused"}
            assert [spec.name for spec in trajectory.tools] == trajectory.task.metadata["candidates"]
            names = [score.name for score in scores[trajectory.id]]
            assert names[0] == "valid_finish"
    assert any(outcome["react"] == 1.0 for outcome in stored.comparison.outcomes.values())
    before = {path: path.read_bytes() for path in out.glob("*/trajectories.jsonl")}
    code, _, problems = toolhaft("eval", "toolbench", *words, "--seed", 1)
    assert code == 1
    assert "Take another folder with -o" in problems
    code, again, _ = toolhaft("eval", "toolbench", *words)
    assert (code, again) == (0, text), "what was done is not done again"
    assert before == {path: path.read_bytes() for path in out.glob("*/trajectories.jsonl")}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT], ids=["kill", "interrupt"])
def test_it_goes_on_after(kind, queries, tmp_path, toolhaft):
    out = tmp_path / "out"
    words = ["--queries", str(queries), "-o", str(out), "--concurrency", "1"]
    process = subprocess.Popen(
        [*ENTRY, *words], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    journal = out / "journals" / "react" / "journal.sqlite-wal"
    end = time.monotonic() + 60
    while time.monotonic() < end and not (journal.exists() and journal.stat().st_size > 300_000):
        time.sleep(0.01)
    os.kill(process.pid, kind)
    assert process.wait() == (-9 if kind is signal.SIGKILL else 130)
    assert not (out / "evaluation.json").exists(), "it was over before it was killed"
    code, _, problems = toolhaft("eval", "toolbench", *words)
    assert code == 0, problems
    resumed = load_evaluation(out)
    code, _, problems = toolhaft("eval", "toolbench", *words[:2], "-o", tmp_path / "whole")
    assert code == 0, problems
    whole = load_evaluation(tmp_path / "whole")
    assert len(resumed.arms["react"][0]) == 60
    assert resumed.comparison.outcomes == whole.comparison.outcomes
    for a, b in zip(resumed.arms["react"][0], whole.arms["react"][0], strict=True):
        assert (a.task, a.answer, a.status) == (b.task, b.answer, b.status)
        assert [step.calls for step in a.steps] == [step.calls for step in b.steps]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--queries", "none.json"), "cannot read the file"),
        (("--queries", "{queries}", "--naming", "long"), "there is no naming 'long'"),
        (("--queries", "{queries}", "--planner", "reactt"), "reactt"),
        (("--queries", "{queries}", "--evaluator", "gold-recal"), "gold-recal"),
        (("--queries", "{queries}", "-o", "full"), "the folder holds something else"),
        (("--queries", "open.json"), "no api_list"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_done(words, message, queries, tmp_path, toolhaft):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    (tmp_path / "open.json").write_text('[{"query": "Rain?", "query_id": 1}]')
    code, _, problems = toolhaft("eval", "toolbench", *(word.format(queries=queries) for word in words))
    assert code == 2
    assert message in problems
    assert "Traceback" not in problems
