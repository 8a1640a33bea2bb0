"""Recorded runs, replayed from their journal alone: byte for byte the same; other questions are noticed."""

import asyncio
import json
import random
import shutil
import sqlite3
from contextlib import closing

import pytest

from toolhaft.agent import Agent
from toolhaft.agent.batch import Batch, BatchOptions
from toolhaft.errors import JournalError, ToolError
from toolhaft.models.base import Model
from toolhaft.planners.react import ReAct
from toolhaft.runs.journal import read_results
from toolhaft.testing import tool_spec
from toolhaft.tools.base import Tool
from toolhaft.types import Completion, Task, ToolCall, Usage

TASKS = 5
TOOLS = {"find": "read", "count": "read", "save": "write", "send": "write", "wire": "irreversible"}


class Wanderer(Model):
    """Does this and that: what, depends on nothing but what it is asked."""

    origin = "scripted"

    def __init__(self, seed, name="wanderer"):
        self.name = name
        self.seed = seed

    async def complete(self, messages, tools=(), *, avoid=(), **_):
        said = [(message.role, message.text, [call.name for call in message.calls]) for message in messages]
        draw = random.Random(f"{self.seed} {said} {len(avoid)}")
        await asyncio.sleep(draw.random() * 0.002)
        usage = Usage(model_calls=1, input_tokens=draw.randrange(99), output_tokens=draw.randrange(9))
        base = {"usage": usage, "model": self.name, "origin": self.origin}
        rounds = sum(message.role == "assistant" for message in messages)
        chance = draw.random()
        if chance < 0.1 and rounds:
            return Completion(text="This leads nowhere.", finish="gave_up", **base)
        if chance < 0.1 + 0.07 * rounds:
            return Completion(text=draw.choice(["It is so.", "Which one?"]), **base)
        if draw.random() < 0.6:
            names = draw.choices(["find", "count"], k=draw.randrange(2, 4))
        else:
            names = [draw.choice(list(TOOLS))]
        calls = tuple(
            ToolCall(id=f"c{number}", name=name, arguments={"city": f"city {draw.randrange(9)}"})
            for number, name in enumerate(names)
        )
        return Completion(text="Let us see.", calls=calls, finish="tool_calls", **base)


class CityTool(Tool):
    """Answers by the city's name, later or sooner; some cities are an error."""

    def __init__(self, name, description="Do it for a city."):
        again = TOOLS[name] == "write" and name == "save"
        self.spec = tool_spec(name, effect=TOOLS[name], repeatable=again, description=description)

    async def call(self, arguments, context):
        draw = random.Random(f"{self.spec.name} {arguments}")
        await asyncio.sleep(draw.random() * 0.003)
        if draw.random() < 0.25:
            raise ToolError(f"no such city: {arguments['city']}", hint="Try another")
        return {"city": arguments["city"], "people": draw.randrange(10**6)}


class Silent(Model):
    """Must not be asked."""

    origin = "scripted"

    def __init__(self, name="wanderer"):
        self.name = name

    async def complete(self, messages, tools=(), **_):
        raise AssertionError("the model was asked")


class Idle(CityTool):
    """Must not be called."""

    async def call(self, arguments, context):
        raise AssertionError(f"{self.spec.name} was called")


def approve(request, decision):
    return random.Random(str(request.arguments)).random() < 0.5


def refuse_to_be_asked(request, decision):
    raise AssertionError("the approver was asked")


def make_batch(folder, model, *, planner="react", tool=CityTool, approver=approve, seed=0, change=None):
    agent = Agent(
        [tool(name, "Do something else.") if name == change else tool(name) for name in TOOLS],
        model=model,
        planner=planner,
        allow=("write",),
        approver=approver,
        seed=seed,
        budget={"model_calls": 30},
    )
    tasks = [Task(id=f"t{number}", instruction=f"Tour {number}") for number in range(TASKS)]
    return Batch(folder, tasks, agent=agent, options=BatchOptions(concurrency=3))


def records(folder):
    return {row["id"]: row["result"] for row in read_results(folder)}


def forget_ends(folder, entries=None):
    """Have every job wait again with what is recorded of it, or the first of those entries only."""
    with closing(sqlite3.connect(folder / "journal.sqlite")) as connection:
        connection.execute(
            "UPDATE jobs SET status = 'waiting', result = NULL, file = NULL, outcome = NULL, owner = NULL"
        )
        if entries is not None:
            connection.execute("DELETE FROM entries WHERE sequence > ?", (entries,))
        total = connection.execute("SELECT max(sequence) FROM entries").fetchone()[0]
        connection.commit()
    return total


def cases(count):
    return [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, count))]


@pytest.mark.anyio
@pytest.mark.parametrize("seed", cases(5))
@pytest.mark.parametrize("planner", ["react", "dfsdt"])
async def test_recorded_runs_are_replayed_byte_for_byte(tmp_path, planner, seed):
    folder = tmp_path / "batch"
    await make_batch(folder, Wanderer(seed), planner=planner).run()
    before = records(folder)
    assert len(before) == TASKS
    steps = [step for text in before.values() for step in json.loads(text)["steps"]]
    assert any(len(step.get("calls", ())) > 1 for step in steps), "no calls at once: a poor sample"
    assert any(seen.get("error") for step in steps for seen in step.get("observations", ()))
    forget_ends(folder)
    again = make_batch(folder, Silent(), planner=planner, tool=Idle, approver=refuse_to_be_asked)
    result = await again.run()
    assert result.stopped == ""
    assert records(folder) == before


def timeless(value):
    """Leave out of a record what a clock said."""
    if isinstance(value, dict):
        return {
            name: timeless(one) for name, one in value.items() if name not in ("seconds", "started", "at")
        }
    return [timeless(one) for one in value] if isinstance(value, list) else value


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("planner", ["react", "dfsdt"])
async def test_runs_that_are_recorded_in_part_end_as_they_would_have(tmp_path, planner, seed):
    folder = tmp_path / "batch"
    await make_batch(folder, Wanderer(seed), planner=planner).run()
    before = {name: timeless(json.loads(text)) for name, text in records(folder).items()}
    draw = random.Random(f"part {planner} {seed}")
    for attempt in range(3):
        cut = shutil.copytree(folder, tmp_path / f"cut-{attempt}")
        total = forget_ends(cut)
        forget_ends(cut, draw.randrange(total))
        await make_batch(cut, Wanderer(seed), planner=planner).run()
        found = {name: timeless(json.loads(text)) for name, text in records(cut).items()}
        assert found == before


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"change": "find"}, "E-JOURNAL-MISMATCH", "tools changed"),
        ({"change": "wire"}, "E-JOURNAL-MISMATCH", "tools changed"),
        ({"planner": ReAct(system="Be quick.")}, "E-JOURNAL-MISMATCH", "messages changed"),
        ({"model": Silent("another")}, "E-JOURNAL-CHANGED", "model"),
        ({"seed": 7}, "E-JOURNAL-CHANGED", "seed"),
        ({"planner": "dfsdt"}, "E-JOURNAL-CHANGED", "planner"),
    ],
    ids=["a-read", "a-write", "prompt", "model", "seed", "planner"],
)
async def test_what_was_changed_is_named(tmp_path, changes, code, named):
    folder = tmp_path / "batch"
    await make_batch(folder, Wanderer(0)).run()
    forget_ends(folder)
    fields = {"model": Silent(), "tool": Idle, "approver": refuse_to_be_asked} | changes
    model = fields.pop("model")
    try:
        result = await make_batch(folder, model, **fields).run()
        assert result.counts == {"waiting": TASKS}
        said = result.stopped
    except JournalError as error:
        said = f"{error.code}: {error.what}"
    assert said.startswith(code)
    assert named in said
