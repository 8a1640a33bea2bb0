"""The names in tasks are looked over without carrying anything out."""

import json
from dataclasses import replace

import pytest

from toolhaft.types import Gold, Task
from toolhaft.world.lint import quick_findings
from toolhaft.world.tasks import load_tasks

ROW = {
    "id": "plot",
    "instruction": "Which garden plot is free?",
    "tags": ["one_call", "garden"],
    "gold": {"facts": ["P-2"], "state": [{"path": "/writes", "where": {}, "count": 0}]},
    "solution": {"calls": [{"tool": "listPlots"}], "answer": "P-2"},
}


def load(folder, **more):
    file = folder / "own.json"
    file.write_text(json.dumps([{**ROW, **more}]))
    return load_tasks(file)


def test_the_bundled_tasks_name_what_there_is():
    assert [str(finding) for finding in quick_findings(load_tasks())] == []


def test_the_guide_s_tasks_name_what_there_is(garden):
    assert quick_findings(load_tasks(garden / "tasks"), garden) == []


@pytest.mark.parametrize(
    ("more", "code", "pointer", "message"),
    [
        (
            {"solution": {"calls": [{"tool": "listPlot"}]}},
            "tool-unknown",
            "/solution/calls/0/tool",
            "listPlots",
        ),
        ({"faults": [{"tool": "listPlats", "status": 409}]}, "tool-unknown", "/faults/0/tool", "listPlots"),
        ({"faults": [{"tool": "listPlots"}]}, "fault-hidden", "/faults/0/times", "3 times"),
        ({"approve": [{"tool": "endLeese"}]}, "tool-unknown", "/approve/0/tool", "endLease"),
        ({"approve": ["leasePlot"]}, "approval-unneeded", "/approve/0", "leasePlot"),
        (
            {"gold": {"state": [{"path": "/gardn/plots", "count": 1}]}},
            "service-unknown",
            "/gold/state/0/path",
            "garden",
        ),
        (
            {"gold": {"state": [{"path": "/garden/plot", "count": 1}]}},
            "pointer-nowhere",
            "/gold/state/0/path",
            "plots",
        ),
        (
            {"gold": {"state": [{"path": "/writes", "where": {"operation": "leasePlat"}}]}},
            "tool-unknown",
            "/gold/state/0/where/operation",
            "leasePlot",
        ),
    ],
)
def test_a_name_of_nothing_is_found(garden, tmp_path, more, code, pointer, message):
    found = quick_findings(load(tmp_path, **more), garden)
    named = [finding for finding in found if (finding.code, finding.pointer) == (code, pointer)]
    assert len(named) == 1, [str(finding) for finding in found]
    assert message in named[0].message
    assert named[0].task == "plot"


def test_tasks_of_another_world_are_found_at_once(garden):
    found = quick_findings(load_tasks()[:5], garden)
    assert {finding.code for finding in found} >= {"tool-unknown"}
    assert len({finding.task for finding in found}) == 5


@pytest.mark.parametrize(
    "metadata",
    [{}, {"faults": 3}, {"approve": [3]}, {"solution": []}, {"solution": {"calls": [1]}}],
    ids=["nothing", "faults", "approve", "solution", "calls"],
)
def test_tasks_that_no_file_was_read_for_give_no_traceback(garden, metadata):
    task = Task(id="x", instruction="y", gold=Gold(facts=("z",)), metadata=metadata)
    found = quick_findings([task, replace(task, gold=None)], garden)
    assert [finding.code for finding in found] == ["task-malformed"] * (2 if metadata else 0)


def test_a_part_that_does_not_load_hides_what_follows_from_it(garden, tmp_path):
    (garden / "rules" / "garden.yaml").write_text("operations: {}")
    found = quick_findings(load(tmp_path, approve=["nothing"]), garden)
    assert len(found) == 1
    assert "there is no rule" in found[0].message
    assert [finding.code for finding in quick_findings([], tmp_path / "nowhere")] == ["world"]
