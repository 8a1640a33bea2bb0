"""The linter finds what is wrong with tasks, and says where."""

import copy
import json

import pytest

from toolhaft.world.lint import lint_world
from toolhaft.world.mutations import fitting_record, mutations

FREE = {
    "id": "free",
    "instruction": "Which garden plot is free and has at least 50 square metres?",
    "tags": ["one_call", "garden"],
    "gold": {"facts": ["P-3"], "state": [{"path": "/writes", "where": {}, "count": 0}]},
    "solution": {
        "calls": [{"tool": "listPlots", "arguments": {"free": True, "at_least": 50}, "save": "found"}],
        "answer": "It is ${found/plots/0/plot_id}.",
    },
}
LEASE = {
    "id": "lease",
    "instruction": "Lease a garden plot to Ann Olsen, any free one.",
    "tags": ["multi_call", "garden", "write"],
    "gold": {
        "state": [
            {"path": "/garden/leases", "where": {"gardener": "Ann Olsen"}, "count": 1},
            {"path": "/garden/leases/L-1/gardener", "equals": "Kim Sato"},
        ]
    },
    "solution": {
        "calls": [
            {"tool": "listPlots", "arguments": {"free": True}, "save": "found"},
            {
                "tool": "leasePlot",
                "arguments": {"plot_id": "${found/plots/0/plot_id}", "gardener": "Ann Olsen"},
                "save": "made",
            },
        ],
        "answer": "It is ${made/plot_id}.",
    },
}
END = {
    "id": "end",
    "instruction": "Give the garden plot P-1 back.",
    "tags": ["approval", "garden", "write"],
    "approve": ["endLease"],
    "gold": {"state": [{"path": "/garden/leases/L-1", "equals": {"exists": False}}]},
    "solution": {"calls": [{"tool": "endLease", "arguments": {"plot_id": "P-1"}}], "answer": "Done."},
}
ASK = {
    "id": "ask",
    "instruction": "Lease the garden plot P-2 to my neighbour.",
    "tags": ["ask", "garden"],
    "gold": {"asks": ["name|who"], "state": [{"path": "/writes", "where": {}, "count": 0}]},
    "solution": {"answer": "What is the name of your neighbour?"},
}
NEVER = {
    "id": "never",
    "instruction": "Sell the garden plot P-1 to me.",
    "tags": ["unsolvable", "garden"],
    "gold": {"solvable": False, "state": [{"path": "/writes", "where": {}, "count": 0}]},
    "solution": {"answer": "I have no tool that sells plots."},
}
GOOD = {row["id"]: row for row in (FREE, LEASE, END, ASK, NEVER)}
GONE = object()


def changed(row, path, value):
    """Return a task with another value at a path, or without what is there."""
    row = copy.deepcopy(row)
    *parents, last = path
    place = row
    for token in parents:
        place = place[token]
    if value is GONE:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return row


def lint_rows(garden, rows):
    for file in (garden / "tasks").iterdir():
        file.unlink()
    (garden / "tasks" / "own.json").write_text(json.dumps(rows))
    return lint_world(garden)


def test_good_tasks_are_clean(garden):
    assert [str(finding) for finding in lint_rows(garden, list(GOOD.values()))] == []


LEASES = "/garden/leases"
BROKEN = [
    # what is malformed
    ("free", ("golf",), {}, "task-malformed", ""),
    ("free", ("gold", "fact"), [], "task-malformed", "/gold"),
    ("free", ("gold",), GONE, "task-malformed", ""),
    ("free", ("instruction",), GONE, "task-malformed", "/instruction"),
    ("free", ("seed",), "x", "task-malformed", "/seed"),
    ("free", ("solution", "call"), [], "task-malformed", "/solution"),
    ("free", ("solution", "calls", 0, "args"), {}, "task-malformed", "/solution/calls/0"),
    ("free", ("solution", "calls", 0, "tool"), 3, "task-malformed", "/solution/calls/0/tool"),
    ("free", ("solution", "calls", 0, "arguments"), [], "task-malformed", "/solution/calls/0/arguments"),
    ("free", ("setup",), {}, "task-malformed", "/setup"),
    ("free", ("setup",), [{"put": "/x"}], "task-malformed", "/setup/0"),
    ("free", ("setup",), [{"insert": "leases", "value": {}}], "task-malformed", "/setup/0"),
    ("free", ("setup",), [{"set": "garden", "value": 1}], "task-malformed", "/setup/0/set"),
    ("free", ("setup",), [{"set": "/garden"}], "task-malformed", "/setup/0"),
    ("free", ("setup",), [{"set": "/garden/x", "value": "${y}"}], "task-malformed", "/setup/0"),
    ("free", ("faults",), [{"tool": "listPlots", "time": 1}], "task-malformed", "/faults/0"),
    ("free", ("faults",), [{"tool": "listPlots", "status": 200}], "task-malformed", "/faults/0/status"),
    ("free", ("faults",), [{"tool": "listPlots", "times": 0}], "task-malformed", "/faults/0/times"),
    ("free", ("faults",), [{"tool": "listPlots", "after": True}], "task-malformed", "/faults/0/after"),
    ("end", ("approve",), "endLease", "task-malformed", "/approve"),
    ("end", ("approve", 0), {"tool": "endLease", "with": {}}, "task-malformed", "/approve/0"),
    ("end", ("approve", 0), 3, "task-malformed", "/approve/0"),
    # names that nothing answers to
    ("free", ("gold", "tools"), ["listPlot"], "tool-unknown", "/gold/tools/0"),
    ("free", ("faults",), [{"tool": "listPlats"}], "tool-unknown", "/faults/0/tool"),
    ("end", ("approve", 1), "endLeases", "tool-unknown", "/approve/1"),
    ("end", ("approve", 1), {"tool": "sellPlot"}, "tool-unknown", "/approve/1/tool"),
    ("end", ("approve", 1), "leasePlot", "approval-unneeded", "/approve/1"),
    ("free", ("tags", 1), "gardn", "tag-unknown", "/tags/1"),
    ("lease", ("gold", "state", 0, "path"), "/gardn/leases", "service-unknown", "/gold/state/0/path"),
    (
        "lease",
        ("gold", "state", 1, "path"),
        f"{LEASES}/L-2/gardener",
        "pointer-nowhere",
        "/gold/state/1/path",
    ),
    (
        "free",
        ("gold", "state", 0),
        {"path": "/garden/lease", "where": {}, "count": 0},
        "pointer-nowhere",
        "/gold/state/0/path",
    ),
    (
        "free",
        ("gold", "state", 0),
        {"path": LEASES, "where": {"gardner": "x"}, "count": 0},
        "field-nowhere",
        "/gold/state/0/where",
    ),
    ("free", ("gold", "state", 0, "where"), {"operation": "leasPlot"}, "tool-unknown", "/where/operation"),
    # checks
    ("free", ("gold", "state", 0, "at_least"), 3, "check-malformed", "/gold/state/0"),
    ("lease", ("gold", "state", 1, "equals"), {"atleast": 3, "at_most": 3}, "check-malformed", "/equals"),
    ("free", ("gold", "facts", 0), " ", "check-malformed", "/gold/facts/0"),
    ("free", ("gold", "state", 0, "count"), {"at_least": 0}, "check-cannot-fail", "/gold/state/0"),
    (
        "lease",
        ("gold", "state", 1),
        {"path": f"{LEASES}/L-1", "equals": {"exists": True, "length": {"at_least": 0}}},
        None,
        "",
    ),
    ("free", ("gold", "facts"), [], "passes-untouched", "/gold"),
    ("lease", ("gold", "state"), [{"path": "/writes", "count": {"at_most": 9}}], "passes-untouched", "/gold"),
    ("free", ("gold", "facts"), ["50"], "passes-by-echo", "/gold"),
    ("free", ("gold", "facts"), ["can not|cannot|P-3"], "passes-untouched", "/gold"),
    # solutions
    ("free", ("gold", "facts", 0), "P-4", "solution-fails", "/solution"),
    ("lease", ("gold", "state", 0, "count"), 2, "solution-fails", "/solution"),
    ("ask", ("solution", "answer"), "Which colour do you want?", "solution-fails", "/solution"),
    ("never", ("solution", "answer"), "It is sold.", "solution-fails", "/solution"),
    ("free", ("solution",), GONE, "solution-malformed", "/solution"),
    ("free", ("solution", "answer"), "${fond/plots}", "solution-malformed", "/solution"),
    ("free", ("solution", "answer"), "${found/plots/7/plot_id}", "solution-malformed", "/solution"),
    ("free", ("solution", "calls", 0, "tool"), "listPlats", "solution-refused", "/solution/calls/0/tool"),
    ("free", ("solution", "calls", 0, "arguments", "colour"), "x", "solution-refused", "/solution/calls/0"),
    ("lease", ("solution", "calls", 1, "arguments", "plot_id"), "P-1", "solution-refused", "/calls/1"),
    (
        "lease",
        ("solution", "calls", 1, "arguments", "plot_id"),
        GONE,
        "solution-refused",
        "/calls/1/arguments",
    ),
    ("end", ("solution", "calls", 0, "arguments", "plot_id"), "P-2", "solution-refused", "/solution/calls/0"),
    ("end", ("approve",), [], "approval-missing", "/solution/calls/0"),
    (
        "end",
        ("approve", 0),
        {"tool": "endLease", "arguments": {"plot_id": "P-2"}},
        "approval-missing",
        "/solution/calls/0",
    ),
    ("free", ("faults",), [{"tool": "listPlots", "times": 2}], "fault-hidden", "/faults/0/times"),
    ("end", ("faults",), [{"tool": "endLease", "status": 429}], "fault-hidden", "/faults/0/times"),
    ("free", ("faults",), [{"tool": "listPlots", "times": 100}], "solution-refused", "/solution/calls/0"),
    ("free", ("setup",), [{"remove": "/garden/plots/P-9"}], "setup-fails", "/setup"),
    ("lease", ("setup",), [{"add": "/garden/plots/P-1/free", "value": 1}], "setup-fails", "/setup"),
    # tags
    ("free", ("tags", 0), "look_alike", "kind", "/tags"),
    ("free", ("tags", 2), "approval", "kind", "/tags"),
    ("free", ("tags", 2), "write", "tag-wrong", "/tags"),
    ("free", ("tags", 0), "multi_call", "tag-wrong", "/tags"),
    ("lease", ("tags", 0), "one_call", "tag-wrong", "/tags"),
    ("lease", ("tags", 0), "cross_service", "tag-wrong", "/tags"),
    ("lease", ("tags", 2), GONE, "tag-wrong", "/tags"),
    ("lease", ("tags", 1), "look_alike", "tag-wrong", "/tags"),
    ("free", ("tags", 2), "fault", "tag-wrong", "/tags"),
    ("never", ("tags", 0), "dead_end", "tag-wrong", "/tags"),
    ("ask", ("tags", 0), "multi_call", "tag-wrong", "/tags"),
    ("free", ("instruction",), "Call listPlots for me, please.", "instruction-names-tool", "/instruction"),
]


@pytest.mark.parametrize(
    ("name", "path", "value", "code", "pointer"),
    BROKEN,
    ids=[f"{number}-{row[0]}-{row[3]}" for number, row in enumerate(BROKEN)],
)
def test_what_is_wrong_with_a_task_is_found(garden, name, path, value, code, pointer):
    findings = lint_rows(garden, [FREE if name != "free" else NEVER, changed(GOOD[name], path, value)])
    if code is None:
        assert findings == []
        return
    assert findings
    named = [finding for finding in findings if finding.code == code]
    assert named, [str(finding) for finding in findings]
    assert all(finding.task == name for finding in findings)
    assert all(finding.file == str(garden / "tasks" / "own.json") for finding in findings)
    assert any(finding.pointer.startswith("/1") and finding.pointer.endswith(pointer) for finding in named), [
        finding.pointer for finding in named
    ]


def test_one_mistake_hides_no_other(garden):
    rows = [changed(FREE, ("golf",), 1), LEASE, LEASE, {**changed(END, ("approve",), []), "id": "other"}, 3]
    findings = lint_rows(garden, rows)
    assert [(finding.code, finding.pointer) for finding in findings] == [
        ("task-malformed", "/0"),
        ("id-twice", "/2/id"),
        ("task-malformed", "/4"),
        ("approval-missing", "/3/solution/calls/0"),
    ]
    (garden / "tasks" / "bad.yaml").write_text("[")
    (garden / "tasks" / "list.yaml").write_text("a: 1")
    assert [finding.code for finding in lint_world(garden)][:2] == ["tasks", "tasks"]


def test_a_claim_does_not_pass(garden):
    row = changed(LEASE, ("gold", "state"), [{"path": "/garden/leases/L-1/gardener", "equals": "Kim Sato"}])
    row["gold"]["facts"] = ["P-2"]
    assert [finding.code for finding in lint_rows(garden, [row])] == ["passes-by-claim"]


def test_an_answer_that_is_not_as_documented_is_found(garden):
    rules = garden / "rules" / "garden.yaml"
    rules.write_text(
        rules.read_text().replace("answer: '${lease}'", "answer: {lease: '${lease}', plot_id: 3}")
    )
    (finding, *_) = lint_rows(garden, [LEASE])
    assert finding.code == "answer-undocumented"
    assert "leasePlot" in finding.message


def test_operations_of_one_name_are_found(garden):
    for folder in ("", "data/", "rules/"):
        text = (garden / f"{folder}garden.yaml").read_text().replace("gardenKey", "yardKey")
        (garden / f"{folder}yard.yaml").write_text(text)
    codes = [finding.code for finding in lint_world(garden)]
    assert codes == ["operation-twice"] * 3


def test_a_world_without_tasks(garden):
    (garden / "tasks" / "garden.yaml").unlink()
    (garden / "tasks").rmdir()
    assert [finding.code for finding in lint_world(garden)] == ["tasks"]


def test_linting_changes_nothing_and_says_the_same_again(garden):
    rows = [changed(FREE, ("gold", "facts"), []), changed(END, ("approve",), [])]
    first = lint_rows(garden, rows)
    assert len(first) == 2
    assert lint_rows(garden, rows) == first


STATE = {"a": {"rows": {"k": {"n": 1, "t": "x"}}, "list": [{"n": 1}], "n": 3}, "writes": []}


@pytest.mark.parametrize(
    ("row", "different"),
    [
        ({"path": "/a/n", "equals": 3}, 8),
        ({"path": "/a/rows/k/t", "equals": "x"}, 8),
        ({"path": "/a/list/0", "equals": {}}, 8),
        ({"path": "/a/[n=1]", "equals": {}}, 8),
        ({"path": "/a/rows", "where": {"n": 1}, "count": 1}, 2),
        ({"path": "/writes", "where": {"operation": "x"}, "count": 0}, 1),
        ({"path": "/b", "where": {}, "count": 0}, 0),
    ],
)
def test_mutations_leave_the_state_alone(row, different):
    before = copy.deepcopy(STATE)
    found = list(mutations(row, STATE))
    assert before == STATE
    assert len([state for state in found if state != STATE]) >= different


def test_a_record_that_fits_is_made():
    conditions = {
        "a": 1,
        "b/c": {"contains": "x"},
        "d": {"one_of": [3, 4]},
        "e": {"at_least": 2},
        "f": {"exists": False},
        "g": {"exists": True},
        "h": {"length": 2},
        "i": {"at_most": 5},
        "j": {"contains": 7},
    }
    assert fitting_record(conditions) == {
        "a": 1,
        "b": {"c": "x"},
        "d": 3,
        "e": 2,
        "g": "x",
        "h": ["x", "x"],
        "i": 5,
        "j": [7],
    }
