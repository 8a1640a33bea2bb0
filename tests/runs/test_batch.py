"""Batches: begun, resumed, stopped, bounded by a budget, and told apart from others."""

import asyncio
import json
from collections import Counter

import pytest

from toolhaft import Agent, Task, ToolCall, tool
from toolhaft.agent.batch import Batch, BatchOptions, run_batch, run_batch_sync
from toolhaft.errors import (
    FormatError,
    JournalError,
    ModelError,
    ToolError,
    ToolhaftError,
    UnknownNameError,
    UsageError,
)
from toolhaft.models.base import Model
from toolhaft.report.store import check_output
from toolhaft.runs.journal import read_results
from toolhaft.runs.tasks import read_tasks
from toolhaft.types import Completion, Trajectory, from_json

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


class Echo(Model):
    """Looks its word up and answers; words can make it fail."""

    name, origin = "echo", "scripted"

    def __init__(self, failing=0):
        self.asked = Counter()
        self.failing = failing

    async def complete(self, messages, tools=(), **_):
        word = messages[1].text.split()[-1]
        self.asked[word] += 1
        await asyncio.sleep(0.001)
        if word == "bug":
            raise ZeroDivisionError("a bug")
        if word == "down" and self.asked[word] <= self.failing:
            raise ModelError("the endpoint is down", retryable=True)
        if word == "broken":
            raise ModelError("the answer is no JSON")
        if messages[-1].role == "tool":
            return Completion(text=f"Found {word}.", origin=self.origin)
        return Completion(
            calls=(ToolCall(id="1", name="look", arguments={"word": word}),), origin=self.origin
        )


def make_agent(failing=0, calls=None, **options):
    @tool(effect="write")
    async def look(word: str) -> str:
        """Look a word up."""
        if calls is not None:
            calls[word] += 1
        if word == "lost":
            raise ToolError("no answer", effect="uncertain")
        return word

    return Agent([look], model=Echo(failing), allow="write", **options)


def tasks(*words):
    return [Task(id=f"t-{number}", instruction=f"Look up {word}") for number, word in enumerate(words)]


def statuses(folder):
    return {row["id"]: (row["status"], row["outcome"]) for row in read_results(folder)}


async def test_a_batch_is_done_once_and_exported(tmp_path):
    calls = Counter()
    batch = Batch(tmp_path, tasks("a", "b", "c"), agent=make_agent(calls=calls))
    result = await batch.run()
    assert result.counts == {"done": 3}
    assert result.exit_code == 0
    assert result.outcomes == {"answered": 3}
    assert result.spent["model_calls"] == 6
    assert result.spent["tool_calls"] == 3
    files = batch.export()
    lines = files.jsonl.read_bytes().splitlines()
    found = [from_json(Trajectory, line) for line in lines]
    assert [trajectory.answer for trajectory in found] == ["Found a.", "Found b.", "Found c."]
    assert [trajectory.task.id for trajectory in found] == ["t-0", "t-1", "t-2"]
    assert files.html.is_file()
    again = await run_batch(tmp_path, tasks("a", "b", "c"), agent=make_agent(calls=calls))
    assert again.counts == {"done": 3}
    assert (again.outcomes, again.here) == ({"answered": 3}, 0)
    assert calls == {"a": 1, "b": 1, "c": 1}


def test_a_batch_from_code_that_is_not_async(tmp_path):
    result = run_batch_sync(tmp_path, tasks("a"), agent=make_agent())
    assert result.exit_code == 0
    assert (tmp_path / "report.html").is_file()


async def test_one_that_fails_does_not_end_the_others(tmp_path):
    result = await run_batch(tmp_path, tasks("a", "bug", "broken", "lost", "b"), agent=make_agent())
    assert result.counts == {"done": 2, "failed": 2, "uncertain": 1}
    assert result.exit_code == 4
    assert statuses(tmp_path) == {
        "t-0": ("done", "answered"),
        "t-1": ("failed", "error"),
        "t-2": ("failed", "error"),
        "t-3": ("uncertain", "answered"),
        "t-4": ("done", "answered"),
    }
    errors = {row["id"]: json.loads(row["error"]) for row in read_results(tmp_path) if row["error"]}
    assert errors["t-1"]["code"] == "E-CRASH"
    assert "ZeroDivisionError" in errors["t-1"]["what"]
    assert errors["t-2"]["code"] == "E-MODEL"


async def test_a_model_that_is_down_for_a_moment_costs_no_job(tmp_path):
    agent = make_agent(failing=2)
    result = await run_batch(tmp_path, tasks("a", "down"), agent=agent)
    assert result.counts == {"done": 2}
    assert agent.model.asked["down"] == 4


async def test_a_model_that_stays_down_stops_the_batch_and_leaves_the_rest_waiting(tmp_path):
    many = tasks(*["down"] * 60)
    result = await run_batch(tmp_path, many, agent=make_agent(10_000), options=BatchOptions(concurrency=4))
    assert "the model failed" in result.stopped
    assert result.exit_code == 3
    assert result.counts["waiting"] > 40
    after = await run_batch(tmp_path, many, agent=make_agent(0))
    assert after.counts.get("waiting", 0) == 0
    assert after.counts["done"] > 40


async def test_a_stopped_batch_goes_on_where_it_stopped(tmp_path):
    calls = Counter()
    words = [f"w{i}" for i in range(40)]
    batch = Batch(tmp_path, tasks(*words), agent=make_agent(calls=calls), options=BatchOptions(concurrency=3))
    running = asyncio.create_task(batch.run())
    while sum(calls.values()) < 8:
        await asyncio.sleep(0.001)
    batch.stop()
    result = await running
    assert result.stopped == "interrupted"
    assert 0 < result.counts["waiting"] < 40
    assert result.counts.get("leased", 0) == 0
    assert result.exit_code == 3
    after = await run_batch(tmp_path, tasks(*words), agent=make_agent(calls=calls))
    assert after.counts == {"done": 40}
    assert calls == dict.fromkeys(words, 1)


async def test_the_budget_of_a_batch_stops_it_and_more_of_it_lets_it_go_on(tmp_path):
    words = [f"w{i}" for i in range(10)]
    calls = Counter()
    options = BatchOptions(concurrency=2, budget={"model_calls": 7})
    result = await run_batch(tmp_path, tasks(*words), agent=make_agent(calls=calls), options=options)
    assert result.spent["model_calls"] == 7
    assert "budget" in result.stopped
    assert result.exit_code == 3
    assert result.counts["waiting"] == 10 - result.counts["done"]
    options = BatchOptions(concurrency=2, budget={"model_calls": 100})
    after = await run_batch(tmp_path, tasks(*words), agent=make_agent(calls=calls), options=options)
    assert after.counts == {"done": 10}
    assert calls == dict.fromkeys(words, 1)
    assert after.spent["model_calls"] == 20


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"tasks": tasks("a", "z")}, ["tasks"]),
        ({"agent": {"k": 3}}, ["k"]),
        ({"agent": {"seed": 3, "budget": {"steps": 2}}}, ["budget", "seed"]),
    ],
)
async def test_a_changed_batch_is_named_and_refused(tmp_path, changed, named):
    await run_batch(tmp_path, tasks("a", "b"), agent=make_agent())
    agent = make_agent(**changed.get("agent", {}))
    with pytest.raises(JournalError) as caught:
        await run_batch(tmp_path, changed.get("tasks", tasks("a", "b")), agent=agent)
    assert caught.value.code == "E-JOURNAL-CHANGED"
    assert caught.value.details["changed"] == named
    settings = [name for name in named if name != "tasks"]
    assert all(f"{name} was " in caught.value.what for name in settings)
    works = "tasks" not in named
    assert caught.value.hint.endswith("with --resume-changed") is works, "it is offered where it works"


async def test_as_long_as_no_job_has_begun_everything_may_change(tmp_path):
    settings = {"tools": ["world:"], "model": "nope"}
    with pytest.raises(UnknownNameError, match="nope"):
        await run_batch(tmp_path, tasks("a", "b"), settings=settings)
    assert set(statuses(tmp_path).values()) == set()
    result = await run_batch(tmp_path, tasks("c"), settings=settings | {"model": "heuristic", "k": 3})
    assert list(statuses(tmp_path)) == ["t-0"]
    assert sum(result.counts.values()) == result.here == 1
    with pytest.raises(JournalError, match="k was 3 and is not given"):
        await run_batch(tmp_path, tasks("c"), settings=settings | {"model": "heuristic"})


async def test_a_file_that_cannot_be_read_leaves_no_journal(tmp_path):
    with pytest.raises(UsageError, match=r"none\.txt"):
        await run_batch(tmp_path / "batch", tmp_path / "none.txt", settings={"tools": ["world:"]})
    assert not (tmp_path / "batch").exists()


async def test_a_batch_and_an_evaluation_do_not_share_a_folder(tmp_path):
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation" / "evaluation.json").write_text("{}")
    with pytest.raises(UsageError, match="holds an evaluation"):
        await run_batch(tmp_path / "evaluation", tasks("a"), agent=make_agent())
    assert [entry.name for entry in (tmp_path / "evaluation").iterdir()] == ["evaluation.json"]
    await run_batch(tmp_path / "batch", tasks("a"), agent=make_agent())
    (tmp_path / "batch" / "evaluation.json").write_text("{}")
    with pytest.raises(UsageError, match="holds a batch"):
        check_output(tmp_path / "batch", ["react"])


async def test_a_changed_batch_can_go_on_with_what_was_not_begun(tmp_path):
    options = BatchOptions(budget={"model_calls": 2}, concurrency=1)
    await run_batch(tmp_path, tasks("a", "b", "c"), agent=make_agent(), options=options)
    changed = BatchOptions(resume_changed=True)
    with pytest.raises(JournalError, match="t-0"):
        await run_batch(tmp_path, tasks("x", "b"), agent=make_agent(), options=changed)
    result = await run_batch(tmp_path, tasks("a", "b", "d", "e"), agent=make_agent(), options=changed)
    assert result.counts == {"done": 4}
    answers = [json.loads(row["result"])["answer"] for row in read_results(tmp_path)]
    assert answers == ["Found a.", "Found b.", "Found d.", "Found e."]


async def test_a_tool_that_changed_under_a_job_stops_the_batch_by_name(tmp_path):
    def agent(description, *, slow):
        @tool(effect="read", description=description)
        async def look(word: str) -> str:
            """Look."""
            if slow:
                batch.stop()
            return word

        return Agent([look], model=Echo())

    batch = Batch(tmp_path, tasks("a", "b"), agent=agent("One.", slow=True))
    assert (await batch.run()).counts == {"waiting": 2}
    result = await run_batch(tmp_path, tasks("a", "b"), agent=agent("Two.", slow=False))
    assert "E-JOURNAL-MISMATCH" in result.stopped
    assert "tools changed" in result.stopped
    assert "--resume-changed" in result.advice
    assert result.counts == {"waiting": 2}
    result = await run_batch(
        tmp_path,
        tasks("a", "b"),
        agent=agent("Two.", slow=False),
        options=BatchOptions(resume_changed=True),
    )
    assert result.counts == {"done": 2}, "a job that wrote nothing may begin anew"


async def test_a_batch_needs_one_way_to_find_its_agent(tmp_path):
    with pytest.raises(UsageError):
        Batch(tmp_path, tasks("a"), agent=make_agent(), settings={})
    with pytest.raises(UsageError):
        await Batch(tmp_path, tasks("a")).run()
    with pytest.raises(UsageError, match="this process"):
        Batch(tmp_path, tasks("a"), agent=make_agent(), options=BatchOptions(executor="process"))
    with pytest.raises(JournalError) as caught:
        await Batch(tmp_path / "none", None, agent=make_agent()).run()
    assert caught.value.code == "E-JOURNAL-MISSING"


@pytest.mark.parametrize(
    "options",
    [
        {"concurrency": 0},
        {"workers": "two"},
        {"durability": "some"},
        {"budget": {"steps": 3}},
        {"budget": {"cost": -1}},
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_named(options):
    with pytest.raises(UsageError, match=next(iter(options))):
        BatchOptions(**options)


FILES = {
    "lines.txt": "Do a\n\n  Do b  \n",
    "rows.jsonl": '{"id": 7, "instruction": "Do a", "extra": 1}\n\n"Do b"\n',
    "rows.json": '[{"instruction": "Do a"}, "Do b"]',
    "rows.yaml": "- instruction: Do a\n  solution: {calls: []}\n- Do b\n",
}


@pytest.mark.parametrize("name", FILES)
def test_tasks_are_read_from_any_format(tmp_path, name):
    (tmp_path / name).write_text(FILES[name])
    found = list(read_tasks(tmp_path / name))
    assert [task.instruction for task in found] == ["Do a", "Do b"]
    if name == "rows.jsonl":
        assert [task.id for task in found] == ["7", "line-3"]
        assert found[0].metadata == {"extra": 1}


BAD_FILES = {
    "no JSON": ("x.jsonl", '"fine"\n{"instruction": \n', ":2"),
    "no task": ("x.jsonl", '"fine"\n3\n', ":2"),
    "no instruction": ("x.jsonl", '"fine"\n{"id": "a"}\n', ":2"),
    "an empty instruction": ("x.jsonl", '"fine"\n{"instruction": " "}\n', ":2"),
    "twice": ("x.jsonl", '{"id": "a", "instruction": "b"}\n{"id": "a", "instruction": "b"}\n', ":2"),
    "not a number": ("x.jsonl", '"fine"\n{"instruction": "a", "metadata": {"x": NaN}}\n', ":2"),
    "a NUL": ("x.txt", "fine\na\0b\n", ":2"),
    "deep": ("x.jsonl", '"fine"\n' + "[" * 100_000 + "\n", ":2"),
    "row of a list": ("x.json", '["fine", 3]', "#/1"),
    "row of YAML": ("x.yaml", "- fine\n- 3\n", "#/1"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_row_has_its_line_and_can_be_left_out(tmp_path, kind):
    name, text, where = BAD_FILES[kind]
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        list(read_tasks(path))
    assert where in caught.value.where
    assert "--skip-bad" in caught.value.hint
    skipped = []
    assert len(list(read_tasks(path, skip=skipped.append))) == 1
    assert len(skipped) == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.jsonl", b""),
        ("x.txt", b"\n \n"),
        ("x.json", b"{}"),
        ("x.json", b"["),
        ("x.yaml", b"a: [\n"),
        ("x.yaml", b"\xff\xfe"),
        ("x.txt", b"\xff\xfe\n"),
        ("missing.txt", None),
    ],
)
def test_a_file_without_tasks_is_one_clear_error(tmp_path, name, data):
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ToolhaftError) as caught:
        list(read_tasks(path))
    assert str(path) in caught.value.where


@pytest.mark.slow
async def test_memory_does_not_hold_what_is_done(tmp_path):
    import gc

    agent = make_agent()
    batch = Batch(tmp_path, tasks(*(f"w{i}" for i in range(300))), agent=agent)
    await batch.run()
    gc.collect()
    assert sum(isinstance(found, Trajectory) for found in gc.get_objects()) < 20
