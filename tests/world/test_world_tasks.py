"""The tasks of the bundled world, and the reading of tasks."""

import re

import pytest

from toolhaft.errors import FormatError, ToolhaftError, UsageError
from toolhaft.evaluators.pointer import MISSING, find
from toolhaft.evaluators.state_check import check
from toolhaft.types import Task, from_json, to_json
from toolhaft.world.lint import lint_world
from toolhaft.world.solution import fill_in
from toolhaft.world.tasks import kind_of, load_tasks, reference_solution

TASKS = load_tasks()


def test_there_are_enough_of_every_kind():
    assert len(TASKS) >= 20
    tags = [tag for task in TASKS for tag in task.tags]
    for wanted in (
        "one_call",
        "multi_call",
        "cross_service",
        "look_alike",
        "write",
        "unsolvable",
        "form_body",
    ):
        assert tags.count(wanted) >= 2, wanted


@pytest.mark.slow
def test_the_bundled_world_has_no_faults():
    """Every solution passes, doing nothing does not, and every check can fail: see `lint_world`."""
    assert [str(finding) for finding in lint_world()] == []


def spread(tasks, n):
    """Return tasks of every kind, alike many."""
    kinds = {}
    for task in tasks:
        kinds.setdefault(kind_of(task), []).append(task)
    return [task for kind in kinds.values() for task in kind[:: max(1, len(kind) // n)][:n]]


@pytest.mark.anyio
@pytest.mark.parametrize("task", spread(TASKS, 4), ids=lambda task: task.id)
async def test_reference_solutions_pass_over_http(world, caller, run, task):
    await world.prepare(run, task)

    async def call(name, arguments):
        answer = caller.send(run, name, arguments)
        tries = 0
        while answer.status_code in {429, 503, *faults} and tries < 5:
            answer, tries = caller.send(run, name, arguments), tries + 1
        assert answer.status_code < 400, answer.text
        return answer.json() if answer.content else None

    faults = {row.get("status", 503) for row in task.metadata.get("faults", ())}
    answer = await reference_solution(task).run(call)
    score = check(task, answer, world.store.state(run), status="asked" if task.gold.asks else "answered")
    assert score.value == 1.0, score.reason


def test_instructions_are_sentences():
    odd = [task.id for task in TASKS if not re.fullmatch(r"[A-Z\"].*[.?!\"]", task.instruction)]
    assert odd == []


def test_tasks_are_plain_data():
    for task in TASKS:
        assert from_json(Task, to_json(task)) == task


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1", "not a list"),
        ("- 1", "not a task"),
        ("- {id: a}", "instruction"),
        ("- {id: a, instruction: b}", "needs gold"),
        ("- {id: a, instruction: b, gold: {facts: 3}}", "gold/facts"),
        ("- {id: a, instruction: b, gold: {}}\n- {id: a, instruction: b, gold: {}}", "two tasks"),
        ("- {id: a, instruction: b, gold: {}, format: 9}", "format 9"),
        ("[", "not YAML"),
    ],
)
def test_malformed_files_are_refused(tmp_path, text, message):
    file = tmp_path / "tasks.yaml"
    file.write_text(text)
    with pytest.raises(ToolhaftError, match=message):
        load_tasks(file)


def test_a_folder_and_a_json_file(tmp_path):
    (tmp_path / "b.json").write_text(
        '[{"id": "b", "instruction": "Do.", "gold": {"facts": ["x"]}, "seed": 4}]'
    )
    (tmp_path / "a.yaml").write_text("- {id: a, instruction: Do., gold: {facts: [x]}}")
    (tmp_path / "notes.txt").write_text("no tasks")
    tasks = load_tasks(tmp_path)
    assert [(task.id, task.metadata["seed"]) for task in tasks] == [("a", 0), ("b", 4)]


def test_a_task_without_a_solution():
    with pytest.raises(FormatError, match="no reference solution"):
        reference_solution(Task(id="x", instruction="Do."))


DATA = {"a": [{"b": 1, "t": True}, {"b": "x/y"}], "": 5, "m/n": 6}


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("", DATA),
        ("/a/0/b", 1),
        ("/a/[b=1]/t", True),
        ("/a/[t=true]/b", 1),
        ("/m~1n", 6),
        ("/a/7", MISSING),
        ("/a/-1", MISSING),
        ("/a/[b=2]", MISSING),
        ("/a/0/b/c", MISSING),
        ("a/0/b", 1),
    ],
)
def test_pointers(pointer, found):
    assert find(DATA, pointer) is found or find(DATA, pointer) == found


def test_references_keep_types_when_whole():
    results = {"x": {"n": 3, "list": [1]}}
    assert fill_in({"a": "${x/n}", "b": ["${x/list}", "n is ${x/n}"], "c": 4}, results) == {
        "a": 3,
        "b": [[1], "n is 3"],
        "c": 4,
    }
    for wrong in ("${y}", "${x/m}"):
        with pytest.raises(UsageError, match="leads nowhere"):
            fill_in(wrong, results)
