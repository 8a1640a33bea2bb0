"""NAME@n: independent tries in one budget."""

import pytest

from toolhaft.agent import Agent
from toolhaft.errors import ModelError, PluginError, ToolError, UnknownNameError, UsageError
from toolhaft.hooks import Registry
from toolhaft.planners.base import Planner
from toolhaft.planners.dfsdt import DFSDT
from toolhaft.planners.react import ReAct
from toolhaft.planners.tries import Tries
from toolhaft.testing import CannedTool, ScriptedModel, tool_spec
from toolhaft.tools.budget import BudgetMeter
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.context import RunContext
from toolhaft.tools.policy import Policy
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import Budget, Completion, RolloutStarted, Task, ToolCall, Trajectory, from_json, to_json

pytestmark = pytest.mark.anyio
TASK = Task(id="t", instruction="Weather in Oslo")
NO = ToolError("no such city")


def ask(city, name="weather"):
    return ToolCall(id=f"{name}-{city}", name=name, arguments={"city": city})


def gave_up(text="No way."):
    return Completion(text=text, finish="gave_up", origin="scripted")


async def rollout(*turns, tries=3, tools=None, planner=None, seed=0, past_writes=False, **budget):
    context = RunContext(
        id="r", seed=seed, meter=BudgetMeter(Budget(**budget)), policy=Policy(allow=("write",))
    )
    model = ScriptedModel(*turns)
    tools = ToolSet(Catalog(tools or [CannedTool(tool_spec(), "wet")]))
    made = Tries(planner or ReAct(), tries, past_writes=past_writes)
    events = [event async for event in made.rollout(TASK, tools, model, context)]
    trajectory = events[-1].trajectory
    assert [event.type for event in events].count("rollout_finished") == 1
    assert [event.type for event in events].count("rollout_started") == 1
    assert events[0].planner == trajectory.planner == made.name
    assert from_json(Trajectory, to_json(trajectory)) == trajectory
    assert (context.seed, context.meter.budget) == (seed, Budget(**budget))
    assert (trajectory.seed, trajectory.budget) == (seed, Budget(**budget))
    return trajectory, model, events


async def test_the_first_answer_is_taken():
    script = [ask("A"), gave_up(), ask("B"), "It rains."]
    trajectory, model, events = await rollout(*script, seed=7)
    assert (trajectory.status, trajectory.answer, trajectory.answer_step) == ("answered", "It rains.", 3)
    assert [(step.id, step.parent, step.status) for step in trajectory.steps] == [
        (0, None, "abandoned"),
        (1, 0, "gave_up"),
        (2, None, "continued"),
        (3, 2, "answered"),
    ]
    assert [request.seed for request in model.requests] == [7, 7, 8, 8]
    assert [len(request.messages) for request in model.requests] == [2, 4, 2, 4]
    assert [event.step for event in events if event.type == "call_started"] == [0, 2]
    assert [event.step.id for event in events if event.type == "step_finished"] == [0, 1, 2, 3]
    assert trajectory.usage.model_calls == 4


async def test_an_answer_after_a_dead_end_does_not_end_it():
    tools = [CannedTool(tool_spec(), NO, "wet")]
    trajectory, _, _ = await rollout(ask("A"), "No idea.", ask("B"), "It rains.", tools=tools)
    assert trajectory.answer == "It rains."
    assert [step.status for step in trajectory.steps] == ["abandoned", "abandoned", "continued", "answered"]
    tools = [CannedTool(tool_spec(), NO)]
    trajectory, _, _ = await rollout(ask("A"), "No idea.", ask("B"), "None.", tools=tools, tries=2)
    assert (trajectory.status, trajectory.answer, trajectory.answer_step) == ("answered", "No idea.", 1)


async def test_else_the_try_that_found_most_is_taken():
    script = [gave_up("zero"), [ask("A"), ask("B")], gave_up("two"), ask("C"), gave_up("one")]
    trajectory, _, _ = await rollout(*script)
    assert (trajectory.status, trajectory.answer, trajectory.answer_step) == ("gave_up", "two", 2)


@pytest.mark.parametrize(
    ("turns", "status"),
    [
        (["Which Oslo?"], "asked"),
        ([Completion(text="I will not.", finish="refusal")], "refused"),
        ([ask("A", "book"), gave_up()], "gave_up"),
        ([ask("A", "send"), gave_up()], "gave_up"),
        ([ask("A", "send"), ask("A"), "GIVE UP"], "gave_up"),
    ],
    ids=["asked", "declined", "wrote", "call refused", "call refused before"],
)
async def test_after_which_tries_there_is_no_other(turns, status):
    tools = [CannedTool(tool_spec()), CannedTool(tool_spec("book", effect="write"), "done")]
    tools.append(CannedTool(tool_spec("send", effect="irreversible"), "sent"))
    trajectory, model, _ = await rollout(*turns, tools=tools)
    assert (trajectory.status, len(model.requests)) == (status, len(turns))


async def test_past_writes_no_write_is_repeated():
    book = CannedTool(tool_spec("book", effect="write"), "done")
    script = [ask("A", "book"), gave_up(), ask("A", "book"), "Booked."]
    trajectory, _, _ = await rollout(*script, tools=[book], past_writes=True)
    assert (trajectory.status, len(book.calls)) == ("answered", 1)
    assert trajectory.steps[2].observations[0].provenance == "reused"


@pytest.mark.parametrize(
    ("limit", "shares"), [(9, [3, 3, 3]), (10, [4, 3, 3]), (2, [1, 1]), (1, [1]), (0, [])]
)
async def test_what_is_left_is_shared_evenly(limit, shares):
    turns = [ask(str(n)) for n in range(20)]
    trajectory, model, _ = await rollout(*turns, model_calls=limit)
    assert (trajectory.status, trajectory.error.code) == ("budget", "E-BUDGET")
    roots = [step.id for step in trajectory.steps if step.parent is None]
    ends = [*roots[1:], len(trajectory.steps)]
    assert [end - start for start, end in zip(roots, ends, strict=False)] == shares
    assert len(model.requests) == limit


async def test_a_short_try_leaves_more_to_the_next():
    turns = [gave_up(), *[ask(str(n)) for n in range(20)]]
    _, model, _ = await rollout(*turns, tries=2, steps=10)
    assert len(model.requests) == 10


async def test_a_failing_model_ends_it_after_the_record():
    context = RunContext(id="r")
    model = ScriptedModel(ask("A"), gave_up(), ask("B"), ModelError("down"))
    tools = ToolSet(Catalog([CannedTool(tool_spec())]))
    finished = []

    async def run():
        async for event in Tries(ReAct(), 3).rollout(TASK, tools, model, context):
            if event.type == "rollout_finished":
                finished.append(event.trajectory)

    with pytest.raises(ModelError):
        await run()
    (trajectory,) = finished
    assert (trajectory.status, len(trajectory.steps)) == ("error", 3)
    assert trajectory.error.what == "down"


async def test_tries_of_a_search():
    script = [ask("A"), gave_up(), ask("B"), gave_up(), ask("C"), "It rains."]
    trajectory, _, _ = await rollout(*script, planner=DFSDT(widest=1), tries=2)
    assert [step.parent for step in trajectory.steps] == [None, 0, None, 2, None, 4]
    assert (trajectory.answer, trajectory.answer_step, trajectory.planner) == ("It rains.", 5, "dfsdt@2")


class Endless(Planner):
    """Ends without a record."""

    name = "endless"

    async def rollout(self, task, tools, model, context):
        yield RolloutStarted(task=task, planner=self.name, model=model.name)


async def test_a_planner_without_a_record_is_named():
    with pytest.raises(PluginError, match="'endless' ended without a trajectory"):
        await rollout(planner=Endless())


@pytest.mark.parametrize("tries", [0, -1, 101, True, 1.5, 10**6])
def test_numbers_of_tries_that_make_no_sense(tries):
    with pytest.raises(UsageError, match="number of tries"):
        Tries(ReAct(), tries)


def test_the_registry_understands_the_name():
    registry = Registry.load(disabled=())
    planner = registry.planner("react@3", repeats=5)
    assert isinstance(planner, Tries)
    assert (planner.name, planner.tries, planner.planner.repeats) == ("react@3", 3, 5)
    assert registry.planner("dfsdt-toolbench@2").planner.profile.counting == "nodes"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("reakt@3", UnknownNameError),
        ("react@", UnknownNameError),
        ("react@x", UnknownNameError),
        ("react@3@2", UnknownNameError),
        ("@3", UnknownNameError),
        ("react@-1", UnknownNameError),
        ("react@\u0663", UnknownNameError),
        ("react@0", UsageError),
        ("react@999", UsageError),
        ("react@" + "9" * 5_000, UsageError),
    ],
    ids=["other name", "none", "letters", "twice", "no name", "negative", "digits", "0", "999", "huge"],
)
def test_names_that_make_no_sense(name, error):
    with pytest.raises(error):
        Registry.load(disabled=()).planner(name)


async def test_no_further_try_once_the_budget_of_all_is_spent():
    whole = BudgetMeter(Budget(model_calls=2))
    agent = Agent(
        [CannedTool(tool_spec())], model=ScriptedModel(gave_up(), ask("A"), "no"), planner="react@9"
    )
    trajectory = (await agent.run("Go.", shared=whole)).trajectory
    assert (trajectory.status, trajectory.usage.model_calls) == ("gave_up", 2)
    assert trajectory.settings["cut_short"] == "model_calls"
    assert whole.model_calls == 2


@pytest.mark.parametrize("name", ["react@x", "react@", "react@-1", "react@3.5"])
def test_a_number_of_tries_that_is_none_says_how_to_write_one(name):
    with pytest.raises(UnknownNameError, match=r"NAME@n, as in 'react@3'"):
        Registry.load().planner(name)
