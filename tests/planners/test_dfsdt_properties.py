"""What holds of every search, whatever the model does: drawn models, tools and budgets, by the hundred."""

import asyncio
import random
from dataclasses import replace

import pytest

from toolhaft.errors import ToolCrashError, ToolError
from toolhaft.models.base import Model
from toolhaft.planners.dfsdt import DFSDT, ToolBenchDFSDT
from toolhaft.planners.react import ReAct
from toolhaft.planners.tries import Tries
from toolhaft.testing import tool_spec
from toolhaft.tools.base import Tool
from toolhaft.tools.budget import BudgetMeter
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.context import RunContext
from toolhaft.tools.memory import canonical
from toolhaft.tools.policy import Policy
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import Budget, Completion, Task, ToolCall, Trajectory, Usage, from_json, to_json

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
TASK = Task(id="t", instruction="Do it.")
PLANNERS = {
    "dfsdt": DFSDT,
    "wide": lambda: DFSDT(width=4, depth=3, back_off=1, answers=2),
    "past writes": lambda: DFSDT(past_writes=True, width=3, depth=4, back_off=3),
    "toolbench": ToolBenchDFSDT,
    "tries": lambda: Tries(ReAct(), 3),
    "tries of a search": lambda: Tries(DFSDT(depth=3), 2, past_writes=True),
}


class Drawn(Model):
    """Does whatever the lot says: the lot of its seed and of what it has been asked so far."""

    name = "drawn"
    origin = "scripted"

    def __init__(self, seed, pause=False):
        self.lot = random.Random(seed)
        self.asked = 0
        self.pause = pause

    async def complete(self, messages, tools=(), *, avoid=(), on_delta=None, seed=None, max_tokens=None):
        if self.pause:
            await asyncio.sleep(0)
        self.asked += 1
        ids = [call.id for message in messages for call in message.calls]
        assert len(ids) == len(set(ids))
        answered = [message.call_id for message in messages if message.role == "tool"]
        assert ids == answered
        lot, usage = self.lot, Usage(input_tokens=7, output_tokens=3, cost=0.01)
        kind = lot.choices(("calls", "answer", "ask", "gave_up", "silent", "refuse"), (80, 5, 2, 10, 4, 1))[0]
        if kind != "calls":
            text = {"answer": "Done.", "ask": "Which?", "gave_up": "GIVE UP: no", "refuse": "I will not."}
            finish = "refusal" if kind == "refuse" else "stop"
            return Completion(text=text.get(kind, ""), finish=finish, usage=usage, origin="scripted")
        calls = tuple(
            ToolCall(
                id=f"{self.asked}-{n}",
                name=lot.choice(("look", "look", "save", "send", "nothing")),
                arguments=lot.choice(({"city": "A"}, {"city": "B"}, {"city": "C"}, {"town": "A"})),
            )
            for n in range(lot.choice((1, 1, 1, 2, 4)))
        )
        return Completion(calls=calls, text=lot.choice(("", "Hm.")), usage=usage, origin="scripted")


class Lottery(Tool):
    """Answers, fails, or crashes by lot, and writes down what it was asked."""

    def __init__(self, name, effect, lot, log, crashes):
        self.spec = tool_spec(name, effect=effect)
        self.lot, self.log, self.crashes = lot, log, crashes

    async def call(self, arguments, context):
        await asyncio.sleep(0)
        draw = self.lot.random()
        if draw < self.crashes:
            raise ValueError("bug")
        if draw < 0.35:
            effect = "none" if self.spec.effect == "read" else self.lot.choice(("none", "uncertain"))
            if effect != "none":
                self.log.append((self.spec.name, canonical(arguments)))
            raise ToolError("no", retryable=self.lot.random() < 0.3, effect=effect)
        self.log.append((self.spec.name, canonical(arguments)))
        return self.lot.choice(([], {"rooms": []}, "room", {"room": 7}))


def drawn_budget(lot):
    fields = {"steps": 60, "model_calls": 60, "tool_calls": 150}
    for name in fields:
        if lot.random() < 0.3:
            fields[name] = lot.randint(0, 15)
    if lot.random() < 0.2:
        fields["tokens"] = lot.randint(0, 200)
    if lot.random() < 0.2:
        fields["cost"] = lot.random() * 0.3
    return Budget(**fields)


async def rollout(seed, planner, **fields):
    """Run a drawn model; return the trajectory, the calls that tools made, the requests, the budget."""
    return await asyncio.create_task(_rollout(seed, planner, **fields))


async def _rollout(seed, planner, *, crashes=0.0, cancel_after=None):
    lot = random.Random(f"tools {seed}")
    log = []
    tools = [
        Lottery(name, effect, lot, log, crashes)
        for name, effect in (("look", "read"), ("save", "write"), ("send", "irreversible"))
    ]
    budget = drawn_budget(random.Random(f"budget {seed}"))
    context = RunContext(
        id="r", seed=seed, meter=BudgetMeter(budget), policy=Policy(allow=("write", "irreversible"))
    )
    model = Drawn(seed, pause=cancel_after is not None)
    trajectory = None
    me = asyncio.current_task()
    seen = 0
    try:
        async for event in planner.rollout(TASK, ToolSet(Catalog(tools)), model, context):
            assert trajectory is None
            seen += 1
            if cancel_after is not None and seen == cancel_after:
                asyncio.get_running_loop().call_soon(context.cancel, me)
            if event.type == "rollout_finished":
                trajectory = event.trajectory
    except ToolCrashError:
        assert crashes
    if trajectory.status == "cancelled":
        assert me.cancelling() == 0
    return trajectory, log, model.asked, budget


def check_tree(trajectory):
    trajectory.check()
    assert from_json(Trajectory, to_json(trajectory)) == trajectory
    path = {step.id for step in trajectory.path()}
    for step in trajectory.steps:
        assert len(step.calls) == len(step.observations)
        assert [call.id for call in step.calls] == [found.call_id for found in step.observations]
        if step.id not in path:
            assert step.status in ("abandoned", "gave_up", "failed", "answered")
        else:
            assert step.status in ("continued", "answered", "gave_up", "failed")
        if step.status in ("answered", "gave_up"):
            assert trajectory.children(step.id) == ()
    if trajectory.status in ("answered", "asked"):
        assert trajectory.steps[trajectory.answer_step].status == "answered"
        assert trajectory.answer == trajectory.steps[trajectory.answer_step].thought


def check_budget(trajectory, asked, budget):
    assert asked == trajectory.usage.model_calls <= budget.model_calls
    assert len(trajectory.steps) <= budget.steps
    assert trajectory.usage.tool_calls <= budget.tool_calls
    assert trajectory.usage.model_calls == sum(step.usage.model_calls for step in trajectory.steps)
    assert trajectory.budget == budget


def writes_of(step, *, sure=False):
    return [
        (found.tool, canonical(call.arguments))
        for call, found in zip(step.calls, step.observations, strict=True)
        if found.effect != "read"
        and found.provenance != "reused"
        and (found.error is None or (found.error.effect != "none" and not sure))
    ]


def check_writes(trajectory, *, in_a_row):
    """Check that no write of a branch that was left is made again, nor one twice in a row on one path."""
    for step in trajectory.steps:
        above = trajectory.path_to(step.id)[:-1]
        beside = [other for other in trajectory.steps[: step.id] if other not in above]
        made = set(writes_of(step))
        assert not made & {write for other in beside for write in writes_of(other)}
        before = next((other for other in reversed(above) if writes_of(other)), None)
        if before is not None and not in_a_row and len(step.calls) == 1:
            assert not made & set(writes_of(before, sure=True))


@pytest.mark.parametrize("name", PLANNERS)
async def test_whatever_the_model_does(name):
    statuses = set()
    for seed in range(120):
        trajectory, log, asked, budget = await rollout(seed, PLANNERS[name]())
        check_tree(trajectory)
        check_budget(trajectory, asked, budget)
        if "tries" not in name:
            check_writes(trajectory, in_a_row=name == "toolbench")
        written = [write for step in trajectory.steps for write in writes_of(step)]
        assert sorted(written) == sorted(entry for entry in log if entry[0] != "look")
        statuses.add(trajectory.status)
    assert {"answered", "budget"} <= statuses


def timeless(trajectory):
    steps = tuple(
        replace(
            step,
            started=0.0,
            usage=replace(step.usage, seconds=0.0),
            observations=tuple(replace(found, seconds=0.0) for found in step.observations),
        )
        for step in trajectory.steps
    )
    return replace(trajectory, steps=steps, started="", usage=replace(trajectory.usage, seconds=0.0))


@pytest.mark.parametrize("name", PLANNERS)
async def test_the_same_seed_gives_the_same_trajectory(name):
    for seed in range(60):
        first, second = [(await rollout(seed, PLANNERS[name]()))[0] for _ in range(2)]
        assert timeless(first) == timeless(second)


@pytest.mark.parametrize("name", PLANNERS)
async def test_cancelled_at_any_moment(name):
    statuses = []
    for seed in range(40):
        for moment in (1, 2, random.Random(seed).randint(3, 30)):
            trajectory, _, asked, budget = await rollout(seed, PLANNERS[name](), cancel_after=moment)
            check_tree(trajectory)
            assert asked <= budget.model_calls
            assert asked - len(trajectory.steps) in (0, 1)
            statuses.append(trajectory.status)
    assert statuses.count("cancelled") >= 50


@pytest.mark.parametrize("name", PLANNERS)
async def test_tools_that_crash(name):
    crashed = 0
    for seed in range(60):
        trajectory, _, _, _ = await rollout(seed, PLANNERS[name](), crashes=0.1)
        check_tree(trajectory)
        if trajectory.status == "error":
            crashed += 1
            assert trajectory.error.code == "E-TOOL-CRASH"
            assert trajectory.steps[-1].status == "failed"
            assert trajectory.answer_step is not None
    assert crashed >= 5
