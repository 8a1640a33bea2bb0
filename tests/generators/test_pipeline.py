"""From a catalog to a folder of rows: checked, labelled, resumable, and the same as what a model is shown."""

import json
import shutil

import pytest

from toolhaft.errors import FormatError, RefusedError, ToolhaftError, UnknownNameError, UsageError
from toolhaft.evaluators.match import MatchEvaluator
from toolhaft.evaluators.state import StateEvaluator
from toolhaft.generators.environment import ReadOnly
from toolhaft.generators.folder import read_tasks
from toolhaft.generators.offering import Offer
from toolhaft.generators.pipeline import Pipeline, Plan
from toolhaft.generators.rows import (
    LABELS,
    call_row,
    check_include,
    labels_of,
    left_out,
    read_rows,
    row_of,
    write_rows,
)
from toolhaft.generators.solutions import PlaybackModel, Solver, checked_part
from toolhaft.generators.template import Category, Chain, OneTool
from toolhaft.models.rendering import chat_messages
from toolhaft.planners.dfsdt import DFSDT
from toolhaft.planners.react import ReAct
from toolhaft.report.store import load_run
from toolhaft.retrievers.bm25 import BM25
from toolhaft.testing import ScriptedModel, record_trajectory, tool_spec
from toolhaft.types import Gold, Task, ToolCall

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
SCRIPTED = ("scripted",)


def solver(shop, specs, *, planner=None, model=None, k=4, environment=None):
    return Solver(
        environment or shop,
        planner or ReAct(),
        Offer(specs, k=k),
        StateEvaluator(),
        fallback=MatchEvaluator(),
        model=model,
    )


async def make(shop, folder, *, generators=None, environment=None, model=None, planner=None, **plan):
    catalog = await shop.catalog("catalog")
    fields = {"n": 8, "include": SCRIPTED} | plan
    environment = environment or shop
    pipeline = Pipeline(
        catalog,
        folder,
        generators or [OneTool(), Chain()],
        Plan(**fields),
        environment=environment,
        solver=solver(shop, catalog.specs(), model=model, planner=planner, environment=environment),
    )
    return await pipeline.run()


@pytest.mark.parametrize("planner", [ReAct, DFSDT])
async def test_gold_calls_are_played_back_and_pass(planner, shop, tmp_path):
    result = await make(
        shop, tmp_path / "run", planner=planner(), generators=[OneTool(), Category(), Chain()]
    )
    assert (result.tasks, result.tried, result.solved, result.rows) == (8, 8, 8, {"rows.jsonl": 8})
    assert shop.runs == {}
    trajectories, scores = load_run(tmp_path / "run")
    rows = list(read_rows(tmp_path / "run" / "rows.jsonl"))
    for trajectory, row in zip(trajectories, rows, strict=True):
        assert trajectory.origins == SCRIPTED
        assert scores[trajectory.id][0].value == 1
        assert row == json.loads(json.dumps(row_of(trajectory, solver="reference", score=1.0, seed=0)))
        assert row["metadata"]["labels"] == ["scripted"]
        assert row["messages"][-1] == {"role": "assistant", "content": trajectory.answer}
        called = {call["function"]["name"] for each in row["messages"] for call in each.get("tool_calls", [])}
        offered = [tool["function"]["name"] for tool in row["tools"]]
        assert called <= set(offered)
        assert len(offered) == 4


async def test_rows_are_what_the_model_was_shown(shop, tmp_path):
    """The round trip: what is trained on is what is asked with."""
    shown = []

    class Watching(PlaybackModel):
        async def complete(self, messages, tools=(), **more):
            shown.append((chat_messages(messages), tools))
            return await super().complete(messages, tools, **more)

    catalog = await shop.catalog("catalog")
    tasks = [task async for task in Chain().generate(catalog, n=1, environment=shop)]
    model = Watching(tasks[0].gold.calls, "It is done.")
    solution = await solver(shop, catalog.specs(), model=model).solve(tasks[0])
    row = row_of(solution.trajectory)
    messages, tools = shown[-1]
    assert row["messages"][:-1] == messages
    assert [tool["function"]["name"] for tool in row["tools"]] == [spec.name for spec in tools]


async def test_what_was_not_asked_for_is_left_out_and_counted(shop, tmp_path):
    result = await make(shop, tmp_path / "run", include=())
    assert result.rows == {"rows.jsonl": 0}
    assert result.drops["labelled scripted, which was not asked for"] == 8


async def test_what_fails_its_check_is_left_out_and_counted(shop, tmp_path):
    model = ScriptedModel(*["I did it."] * 8, name="liar")
    result = await make(shop, tmp_path / "run", model=model)
    assert (result.solved, result.tried, result.drops["not solved"]) == (0, 8, 8)
    assert result.rows == {"rows.jsonl": 0}


async def test_it_goes_on_where_it_stopped(shop, tmp_path):
    folder, whole = tmp_path / "cut", tmp_path / "whole"
    first = await make(shop, whole)
    shutil.copytree(whole, folder)
    lines = (folder / "trajectories.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "trajectories.jsonl").write_bytes(b"".join(lines[:3]) + lines[3][:40])
    (folder / "rows.jsonl").unlink()
    shop.calls.clear()
    again = await make(shop, folder)
    assert (again.tasks, again.solved, again.rows, again.drops) == (8, 8, first.rows, first.drops)
    assert {run for run, _ in shop.calls if run.startswith("gold")} == set()
    assert len({run for run, _ in shop.calls if run.startswith("solve")}) == 5
    assert (folder / "rows.jsonl").read_bytes() == (whole / "rows.jsonl").read_bytes()


async def test_other_settings_are_refused(shop, tmp_path):
    await make(shop, tmp_path / "run")
    with pytest.raises(UsageError, match="other settings"):
        await make(shop, tmp_path / "run", seed=1)


async def test_a_folder_with_something_else_is_left_alone(shop, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="something else"):
        await make(shop, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("by", ["instruction", "tool"])
async def test_parts_have_files_of_their_own(by, shop, tmp_path):
    await make(shop, tmp_path / "run", n=30, generators=[OneTool()], share=0.3, by=by)
    rows = {part: list(read_rows(tmp_path / "run" / f"rows.{part}.jsonl")) for part in ("train", "test")}
    assert all(row["metadata"]["split"] == part for part, found in rows.items() for row in found)
    tools = {part: {row["metadata"]["gold_tools"][0] for row in found} for part, found in rows.items()}
    assert rows["train"]
    assert rows["test"]
    assert (tools["train"] & tools["test"] == set()) == (by == "tool")
    offered = {tool["function"]["name"] for row in rows["train"] for tool in row["tools"]}
    assert (offered & tools["test"] == set()) == (by == "tool")


async def test_nothing_near_the_held_out_set_is_made(shop, tmp_path):
    await make(shop, tmp_path / "one", generators=[OneTool()])
    held = [task.instruction for task in read_tasks(tmp_path / "one" / "tasks.jsonl")]
    catalog = await shop.catalog("catalog")
    pipeline = Pipeline(catalog, tmp_path / "two", [OneTool()], Plan(n=8), environment=shop, held_out=held)
    result = await pipeline.run()
    made = {task.instruction for task in read_tasks(tmp_path / "two" / "tasks.jsonl")}
    assert made & set(held) == set()
    assert result.drops["a near-copy of one held out"] >= 8


async def test_what_cannot_be_called_becomes_bare_calls(shop, tmp_path):
    live = await shop.catalog("live")
    result = await make(shop, tmp_path / "run", environment=ReadOnly(live), generators=[OneTool()], n=12)
    assert 0 < result.tried < result.tasks
    rows = list(read_rows(tmp_path / "run" / "rows.jsonl"))
    bare = [row for row in rows if not row["metadata"]["executed"]]
    assert bare
    for row in bare:
        assert [message["role"] for message in row["messages"]] == ["system", "user", "assistant"]
        assert row["messages"][-1]["tool_calls"]
    assert not {name for run, name in shop.calls if run == "live"} & {"createOrder", "cancelOrder"}


async def test_only_the_irreversible_call_of_the_gold_is_approved(shop):
    catalog = await shop.catalog("catalog")
    purge = ToolCall(id="1", name="purgeOrder", arguments={"order_id": "ORD-1"})
    state = ({"path": "/shop/orders/ORD-1", "equals": {"exists": False}},)
    task = Task(id="t", instruction="Purge", gold=Gold(tools=("purgeOrder",), calls=(purge,), state=state))
    good = await solver(shop, catalog.specs()).solve(task)
    assert good.passed
    other = ToolCall(id="1", name="purgeOrder", arguments={"order_id": "ORD-2"})
    bad = await solver(shop, catalog.specs(), model=ScriptedModel(other, "Done.")).solve(task)
    assert not bad.passed
    assert bad.trajectory.path()[0].observations[0].error.code == RefusedError.code


async def test_a_problem_of_one_task_does_not_end_the_others(shop):
    catalog = await shop.catalog("catalog")
    task = Task(id="t", instruction="x", gold=Gold(facts=("y",)))
    found = await solver(shop, catalog.specs(), model=ScriptedModel(ToolhaftError("no luck"))).solve(task)
    assert (found.passed, found.trajectory) == (False, None)
    assert "no luck" in found.problem


@pytest.mark.parametrize("retriever", [None, BM25])
async def test_the_needed_tools_are_among_those_offered(retriever, shop):
    specs = (await shop.catalog("catalog")).specs()
    offer = Offer(specs, k=3, retriever=retriever and retriever())
    tasks = [
        Task(id=f"t{n}", instruction="Cancel an order", gold=Gold(tools=("createOrder",))) for n in range(9)
    ]
    offered = [await offer.tools_for(task) for task in tasks]
    assert all(len(names) == len(set(names)) == 3 and "createOrder" in names for names in offered)
    assert len({names.index("createOrder") for names in offered}) > 1
    assert offered == [await offer.tools_for(task) for task in tasks]


def test_the_checked_part_of_a_state():
    gold = Gold(
        state=({"path": "/shop/orders/ORD-1/status", "equals": "x"}, {"path": "/writes", "equals": 1})
    )
    state = {"shop": {"orders": {"ORD-1": 1}, "reviews": []}, "bank": {}, "writes": []}
    kept = checked_part(state, Task(id="t", instruction="x", gold=gold))
    assert kept == {"shop": {"orders": {"ORD-1": 1}}, "writes": []}


def test_labels():
    call = ToolCall(id="1", name="weather", arguments={})
    trajectory = record_trajectory("x", (call, {"rain": 1}), answer="It rains.")
    assert labels_of(trajectory) == ("scripted", "simulated")
    assert left_out(("scripted", "simulated"), {"scripted"}) == "simulated"
    assert left_out((), ()) == ""
    assert check_include(LABELS) == set(LABELS)
    with pytest.raises(UnknownNameError, match="heuristics"):
        check_include(["heuristics"])
    assert labels_of(record_trajectory("x", (call, {}))) == ("scripted", "simulated", "failed")


def test_bare_calls_of_a_chain_are_no_row():
    task = Task(id="t", instruction="x", gold=Gold(calls=(ToolCall(id="1", name="a"),)))
    assert call_row(task, [tool_spec("a")])["metadata"]["labels"] == ["scripted"]
    assert call_row(Task(id="t", instruction="x"), []) is None
    assert (
        call_row(Task(id="t", instruction="x", gold=task.gold, metadata={"generator": "chain"}), []) is None
    )


GOOD = {"messages": [{"role": "user", "content": "x"}], "tools": [], "metadata": {}}
BAD_ROWS = {
    "no JSON": b"{",
    "no object": b"[]",
    "no messages": b"{}",
    "messages of another kind": json.dumps({"messages": "x"}).encode(),
    "no message at all": json.dumps({"messages": []}).encode(),
    "a message that is none": json.dumps({"messages": ["x"]}).encode(),
    "a role that is none": json.dumps({"messages": [{"role": "boss", "content": "x"}]}).encode(),
    "a role that cannot be one": json.dumps({"messages": [{"role": ["user"], "content": "x"}]}).encode(),
    "content of another kind": json.dumps({"messages": [{"role": "user", "content": 3}]}).encode(),
    "calls of another kind": json.dumps({"messages": [{"role": "assistant", "tool_calls": {}}]}).encode(),
    "a call without a name": json.dumps(
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": {}}}]}]}
    ).encode(),
    "arguments as text": json.dumps(
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "a", "arguments": "{}"}}]}]}
    ).encode(),
    "tools of another kind": json.dumps(GOOD | {"tools": 3}).encode(),
    "a tool without a name": json.dumps(GOOD | {"tools": [{"type": "function"}]}).encode(),
    "metadata of another kind": json.dumps(GOOD | {"metadata": []}).encode(),
    "not UTF-8": b'{"messages": "\xff"}',
    "nested without end": b'{"messages": ' + b"[" * 100_000,
}


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_bad_rows_are_told_with_their_line(kind, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(json.dumps(GOOD).encode() + b"\n\n" + BAD_ROWS[kind] + b"\n")
    with pytest.raises(FormatError, match=r"rows.jsonl:3"):
        list(read_rows(file))


def test_rows_come_back_as_they_were_written(tmp_path):
    rows = [GOOD, GOOD | {"metadata": {"n": 2**80, "text": "\u2028 \U0001f600"}}]
    assert write_rows(tmp_path / "deep" / "rows.jsonl", rows) == 2
    assert list(read_rows(tmp_path / "deep" / "rows.jsonl")) == rows


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("settings.json", "{"),
        ("settings.json", "[]"),
        ("tasks.jsonl", "{"),
        ("tasks.jsonl", '{"id": 3}'),
        ("drops.json", "{}"),
        ("drops.json", "nothing"),
        ("trajectories.jsonl", '{"id": "x"}\n'),
        ("scores.jsonl", '{"score": 1}\n'),
    ],
)
async def test_a_damaged_folder_is_told(name, text, shop, tmp_path):
    await make(shop, tmp_path / "run", n=2)
    (tmp_path / "run" / name).write_text(text)
    with pytest.raises((FormatError, UsageError), match=name.replace(".", r"\.")):
        await make(shop, tmp_path / "run", n=2)


@pytest.mark.parametrize(
    ("make_it", "word"),
    [
        (lambda: OneTool(calls=-1), "calls"),
        (lambda: OneTool(phrasings=0), "phrasings"),
        (lambda: OneTool(longest=True), "longest"),
        (lambda: Offer([], k=0), "k is 0"),
        (lambda: Pipeline(None, None, [], Plan(n=1)), "generator"),
    ],
)
def test_settings_that_make_no_sense(make_it, word):
    with pytest.raises(UsageError, match=word):
        make_it()


@pytest.mark.parametrize("n", [0, -1, True, 1.5, "3"])
async def test_numbers_that_make_no_sense(n, shop):
    with pytest.raises(UsageError, match="n is"):
        await anext(OneTool().generate(await shop.catalog("x"), n=n))
