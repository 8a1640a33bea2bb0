"""``toolhaft generate`` and ``toolhaft data``: the whole way, and what goes wrong on it."""

import json

import pytest

from toolhaft.generators.folder import read_tasks
from toolhaft.generators.rows import read_rows
from toolhaft.report.store import save_run
from toolhaft.testing import record_trajectory
from toolhaft.types import Step, ToolCall

pytestmark = pytest.mark.slow
TOOLS = '''
"""Two tools."""

from toolhaft import tool


@tool(effect="read")
def list_cities() -> list:
    """List the cities that are served."""
    return [{"name": "Oslo", "city_id": "CIT-1"}, {"name": "Rome", "city_id": "CIT-2"}]


@tool(effect="read")
def show_weather(city_id: str, days: int = 1) -> dict:
    """Show the weather of a city."""
    return {"city_id": city_id, "sky": "clear", "degrees": 12}


@tool
def report_fault(city_id: str, text: str) -> str:
    """Report a fault in a city."""
    raise RuntimeError("nobody may call this")
'''


@pytest.fixture
def tools(tmp_path):
    """Return the location of three tools."""
    (tmp_path / "city_tools.py").write_text(TOOLS)
    return f"python:{tmp_path / 'city_tools.py'}"


def test_a_plain_catalog(toolhaft, tools, tmp_path):
    words = ("generate", tools, "-o", "out", "-n", 9, "--generator", "one-tool", "--generator", "chain")
    code, out, err = toolhaft(*words)
    assert code == 0
    assert "9 tasks of 3 tools" in out
    assert "scripted" in err
    tasks = list(read_tasks(tmp_path / "out" / "tasks.jsonl"))
    assert {task.metadata["executed"] for task in tasks} == {True, False}
    rows = list(read_rows(tmp_path / "out" / "rows.jsonl"))
    assert rows
    assert all(row["metadata"]["labels"] == ["scripted"] for row in rows)
    before = (tmp_path / "out" / "rows.jsonl").read_bytes()
    code, out, _ = toolhaft(*words, "--json")
    assert (code, json.loads(out)["tasks"]) == (0, 9)
    assert (tmp_path / "out" / "rows.jsonl").read_bytes() == before


def test_rows_are_shown(toolhaft, tools):
    toolhaft("generate", tools, "-o", "out", "-n", 5)
    code, out, err = toolhaft("data", "show", "out/rows.jsonl", "--samples", 2)
    assert (code, err) == (0, "")
    for words in ("scripted 5", "one-tool 5", "user: ", "assistant calls "):
        assert words in out
    code, out, _ = toolhaft("data", "show", "out/rows.jsonl", "--samples", 0, "--json")
    said = json.loads(out)
    assert (said["rows"], said["labels"], said["samples"]) == (5, {"scripted": 5}, [])


def test_a_planner_with_the_heuristic_model_is_labelled(toolhaft, tools, tmp_path):
    words = ("generate", tools, "-n", 4, "--solve", "react", "--model", "heuristic", "--operations", "show_*")
    toolhaft(*words, "-o", "without")
    code, out, _ = toolhaft(*words, "-o", "with", "--include", "heuristic", "--json")
    said = json.loads(out)
    assert code == 0
    assert list(read_rows(tmp_path / "without" / "rows.jsonl")) == []
    rows = list(read_rows(tmp_path / "with" / "rows.jsonl"))
    assert len(rows) == said["solved"] > 0
    assert {tuple(row["metadata"]["labels"]) for row in rows} == {("heuristic",)}


def step(origin, **more):
    call = ToolCall(id="1", name="weather", arguments={})
    made = record_trajectory("Weather?", (call, {"rain": 1}), answer="It rains.")
    from dataclasses import replace

    steps: list[Step] = [replace(each, origin=origin) for each in made.steps]
    observed = replace(steps[0].observations[0], provenance=more.pop("provenance", "live"))
    steps[0] = replace(steps[0], observations=(observed,))
    return replace(made, steps=tuple(steps), id=more.pop("id"), **more)


def test_stored_runs_are_exported(toolhaft, tmp_path):
    save_run(
        tmp_path / "run",
        [
            step("model", id="a"),
            step("heuristic", id="b"),
            step("model", id="c", provenance="simulated"),
            step("model", id="d", status="gave_up"),
        ],
    )
    code, out, _ = toolhaft("data", "export", "run", "-o", "rows.jsonl", "--json")
    assert (code, json.loads(out)["rows"]) == (0, 1)
    assert json.loads(out)["drops"] == {
        "labelled heuristic": 1,
        "labelled simulated": 1,
        "labelled failed": 1,
    }
    code, out, _ = toolhaft("data", "export", "run", "-o", "rows.jsonl", "--include", "heuristic")
    assert "2 rows" in out
    names = [row["metadata"]["trajectory"] for row in read_rows(tmp_path / "rows.jsonl")]
    assert names == ["a", "b"]


BAD = {
    "no folder": (("generate", "TOOLS"), "output"),
    "no such source": (("generate", "nowhere:x", "-o", "o"), "nowhere"),
    "no such generator": (("generate", "TOOLS", "-o", "o", "--generator", "chian"), "chain"),
    "no such planner": (("generate", "TOOLS", "-o", "o", "--solve", "raect"), "react"),
    "no such retriever": (("generate", "TOOLS", "-o", "o", "--retriever", "bm26"), "bm25"),
    "no such model": (("generate", "TOOLS", "-o", "o", "--solve", "react", "--model", "nobody:x"), "nobody"),
    "no such teacher": (("generate", "TOOLS", "-o", "o", "--teacher", "nobody:x"), "nobody"),
    "no such label": (("generate", "TOOLS", "-o", "o", "--include", "best"), "label"),
    "no such tools": (("generate", "TOOLS", "-o", "o", "--operations", "zzz*"), "zzz"),
    "no such split": (("generate", "TOOLS", "-o", "o", "-n", "2", "--test", "0.5", "--split", "day"), "day"),
    "a threshold of 2": (("generate", "TOOLS", "-o", "o", "-n", "2", "--threshold", "2"), "threshold"),
    "none": (("generate", "TOOLS", "-o", "o", "-n", "0"), "-n"),
    "no held-out file": (("generate", "TOOLS", "-o", "o", "--held-out", "gone.jsonl"), "gone.jsonl"),
    "a damaged held-out file": (("generate", "TOOLS", "-o", "o", "--held-out", "bad.jsonl"), "bad.jsonl:1"),
    "a folder with something else": (("generate", "TOOLS", "-o", "full"), "something else"),
    "a file for a folder": (("generate", "TOOLS", "-o", "bad.jsonl"), "bad.jsonl"),
    "rows that are none": (("data", "show", "bad.jsonl"), "bad.jsonl:1"),
    "no rows": (("data", "show", "empty.jsonl"), "no rows"),
    "rows that are gone": (("data", "show", "gone.jsonl"), "gone.jsonl"),
    "a folder as rows": (("data", "show", "full"), "full"),
    "a run that is gone": (("data", "export", "gone", "-o", "r.jsonl"), "gone"),
    "a run that is none": (("data", "export", "bad.jsonl", "-o", "r.jsonl"), "bad.jsonl:1"),
    "a label to export that is none": (("data", "export", "full", "-o", "r", "--include", "all"), "label"),
    "a prompt that is gone": (("data", "export", "full", "-o", "r", "--system", "gone.txt"), "gone.txt"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_one_clear_error(kind, toolhaft, tools, tmp_path):
    words, told = BAD[kind]
    (tmp_path / "bad.jsonl").write_text('{"id": 3}\n')
    (tmp_path / "empty.jsonl").write_text("\n")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    code, out, err = toolhaft(*(tools if word == "TOOLS" else word for word in words))
    assert code in (1, 2)
    assert told in err
    assert "Traceback" not in err + out
    assert (tmp_path / "full" / "thesis.txt").read_text() == "years of work"
    if words[0] == "generate":
        assert not (tmp_path / "o" / "rows.jsonl").exists()


def test_the_demo_world(toolhaft, tmp_path):
    words = ("--operations", "half", "-n", 24, "--generator", "one-tool", "--generator", "chain")
    code, out, _ = toolhaft("generate", "world:", "-o", "out", *words, "--json")
    said = json.loads(out)
    assert (code, said["tasks"], said["solved"], said["rows"]) == (0, 24, 24, {"rows.jsonl": 24})
    assert said["tools"] > 15
    first = (tmp_path / "out" / "tasks.jsonl").read_bytes()
    toolhaft("generate", "world:", "-o", "again", *words)
    assert (tmp_path / "again" / "tasks.jsonl").read_bytes() == first
    code, out, _ = toolhaft(
        "eval", "world", "--tasks", "out/world-tasks.json", "--limit", 4, "-o", "e", "--json"
    )
    assert code == 0
    assert {arm["name"]: arm["passes"]["total"] for arm in json.loads(out)["arms"]} == {
        "react": 4,
        "nothing": 4,
    }
    assert next(arm for arm in json.loads(out)["arms"] if arm["name"] == "nothing")["passes"]["passed"] == 0
