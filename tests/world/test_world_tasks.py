"""Every task can be done, is not done by doing nothing, and is written as a user would."""

import re

import pytest

from toolhaft.errors import FormatError, ToolhaftError, UsageError
from toolhaft.evaluators.pointer import MISSING, find
from toolhaft.evaluators.state_check import check
from toolhaft.types import Task, from_json, to_json
from toolhaft.world.solution import fill_in
from toolhaft.world.tasks import load_tasks, reference_solution

TASKS = load_tasks()
NAMES = [task.id for task in TASKS]


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


@pytest.mark.anyio
@pytest.mark.parametrize("task", TASKS, ids=NAMES)
async def test_the_reference_solution_passes_and_nothing_fails(world, caller, run, task):
    nothing = check(task, "", world.store.state(run))
    assert nothing.value == 0.0
    made = []

    async def call(name, arguments):
        made.append(name)
        return caller.call(run, name, arguments)

    answer = await reference_solution(task).run(call)
    score = check(task, answer, world.store.state(run))
    assert score.value == 1.0, score.reason
    assert tuple(dict.fromkeys(made)) == task.gold.tools
    if "multi_call" in task.tags:
        assert len(made) > 1
    if "one_call" in task.tags:
        assert len(made) == 1
    assert ("write" in task.tags) == bool(world.store.state(run)["writes"])
    assert ("unsolvable" in task.tags) == (not task.gold.solvable)


@pytest.mark.anyio
@pytest.mark.parametrize("task", [t for t in TASKS if "cross_service" in t.tags], ids=lambda task: task.id)
async def test_cross_service_tasks_need_more_than_one_service(task):
    from toolhaft.world.contract import contracts
    from toolhaft.world.documents import read_document, service_names

    home = {contract.id: name for name in service_names() for contract in contracts(read_document(name))}
    assert len({home[tool] for tool in task.gold.tools}) > 1


@pytest.mark.anyio
@pytest.mark.parametrize("task", [t for t in TASKS if "write" in t.tags], ids=lambda task: task.id)
async def test_a_write_that_is_only_claimed_does_not_pass(world, caller, run, task):
    solution = reference_solution(task)

    async def call(name, arguments):
        return caller.call(run + "-dry", name, arguments)

    answer = await solution.run(call)
    assert check(task, answer, world.store.state(run)).value == 0.0


@pytest.mark.parametrize("task", TASKS, ids=NAMES)
def test_instructions_are_sentences_that_name_no_tool(task):
    assert re.fullmatch(r"[A-Z].*[.?!]", task.instruction)
    for tool in task.gold.tools:
        assert tool.casefold() not in task.instruction.casefold()


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
