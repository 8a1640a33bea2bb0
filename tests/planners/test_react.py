"""ReAct: one path of thoughts, calls and observations, and every way in which it ends."""

import asyncio
from dataclasses import replace

import pytest

from toolhaft.errors import ModelError, ToolCrashError, ToolError, UsageError
from toolhaft.models.base import Model
from toolhaft.planners.react import ReAct
from toolhaft.testing import CannedTool, ScriptedModel, tool_spec
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.tools.budget import BudgetMeter
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.context import RunContext
from toolhaft.tools.function import tool
from toolhaft.tools.policy import Policy
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import Budget, Completion, Task, ToolCall, Trajectory, Usage, from_json, to_json

pytestmark = pytest.mark.anyio
TASK = Task(id="t", instruction="Weather in Oslo")


@pytest.fixture(autouse=True)
async def no_task_is_left(anyio_backend):
    yield
    left = [task for task in asyncio.all_tasks() if "TestRunner" not in task.get_coro().__qualname__]
    assert left == []


def ask(name="weather", id="c1", **arguments):
    return ToolCall(id=id, name=name, arguments=arguments or {"city": "Oslo"})


async def rollout(model, *tools, context=None, planner=None, task=TASK, **budget):
    """Run to the end; return the trajectory and the events before it."""
    context = context or RunContext(id="r", policy=Policy(allow=("write",)))
    if budget:
        context.meter = BudgetMeter(Budget(**budget))
    tools = tools or (CannedTool(tool_spec(), {"rain": True}),)
    model = model if isinstance(model, Model) else ScriptedModel(*model)
    events = [
        event async for event in (planner or ReAct()).rollout(task, ToolSet(Catalog(tools)), model, context)
    ]
    *before, last = events
    assert last.type == "rollout_finished"
    assert from_json(Trajectory, to_json(last.trajectory)) == last.trajectory
    assert asyncio.current_task().cancelling() == 0
    return last.trajectory, before


async def test_call_read_answer():
    model = ScriptedModel(ask(), "It rains.")
    trajectory, events = await rollout(model)
    assert (trajectory.status, trajectory.answer, trajectory.answer_step) == ("answered", "It rains.", 1)
    assert [event.type for event in events] == [
        "rollout_started",
        "call_started",
        "call_finished",
        "step_finished",
        "step_finished",
    ]
    first, second = trajectory.path()
    assert (first.parent, first.status, second.parent, second.status) == (None, "continued", 0, "answered")
    assert first.observations[0].value() == {"rain": True}
    assert (first.origin, trajectory.origins) == ("scripted", ("scripted",))
    assert trajectory.usage.model_calls == 2
    assert trajectory.usage.tool_calls == 1
    assert first.usage.tool_calls == 1
    assert [spec.name for spec in trajectory.tools] == ["weather"]
    assert first.offered == ("weather",)
    roles = [[message.role for message in request.messages] for request in model.requests]
    assert roles == [["system", "user"], ["system", "user", "assistant", "tool"]]
    answer = model.requests[1].messages[-1]
    assert (answer.text, answer.call_id, answer.name) == ('{"rain":true}', "c1", "weather")
    assert model.requests[0].seed == 0


async def test_a_step_says_what_the_model_had_read_when_it_wrote_it():
    trajectory, _ = await rollout([ask(), ask(), "done"])
    assert [step.labels for step in trajectory.steps] == [
        ("user",),
        ("user", "tool:weather"),
        ("user", "tool:weather"),
    ]


async def test_the_same_tuple_of_tools_is_sent_until_they_change():
    model = ScriptedModel(ask(), ask(), "done")
    seen = []
    original = model.complete

    async def complete(messages, tools=(), **rest):
        seen.append(tools)
        return await original(messages, tools, **rest)

    model.complete = complete
    await rollout(model)
    assert seen[0] is seen[1] is seen[2]


def meeting(count):
    """Return reads of which each waits until all of them run."""
    here = []

    def make(name):
        @tool(effect="read", name=name)
        async def wait() -> str:
            here.append(name)
            async with asyncio.timeout(2):
                while len(here) < count:
                    await asyncio.sleep(0)
            return name

        return wait

    return [make(f"read{n}") for n in range(count)]


async def test_reads_are_made_at_once():
    reads = meeting(4)
    calls = [ToolCall(id=str(n), name=f"read{n}") for n in range(4)]
    trajectory, events = await rollout([calls, "done"], *reads)
    assert [found.text() for found in trajectory.steps[0].observations] == [
        "read0",
        "read1",
        "read2",
        "read3",
    ]
    assert [event.type for event in events[1:9]] == ["call_started"] * 4 + ["call_finished"] * 4


async def test_with_a_write_among_them_calls_are_made_in_order():
    log = []

    def make(name, effect):
        @tool(effect=effect, name=name)
        async def step() -> str:
            log.append(f"{name} begins")
            await asyncio.sleep(0.001)
            log.append(f"{name} ends")

        return step

    names = ["a", "w", "b"]
    tools = [make("a", "read"), make("w", "write"), make("b", "read")]
    _, events = await rollout([[ToolCall(id=name, name=name) for name in names], "done"], *tools)
    assert log == [f"{name} {what}" for name in names for what in ("begins", "ends")]
    assert [event.type for event in events[1:7]] == ["call_started", "call_finished"] * 3


async def test_an_error_is_read_and_repaired():
    model = ScriptedModel(ask(town="Oslo"), ask(), "It rains.")
    trajectory, _ = await rollout(model)
    assert [step.observations[0].failed for step in trajectory.steps[:2]] == [True, False]
    said = model.requests[1].messages[-1].text
    assert "E-TOOL-ARGUMENTS" in said
    assert "'town' was unexpected" in said or '"city" is a required property' in said
    assert trajectory.status == "answered"


async def test_an_unreadable_call_is_read_and_repaired():
    broken = ToolCall(id="c0", name="weather", problem="cut off", raw='{"city": ')
    model = ScriptedModel(broken, ask(), "ok")
    trajectory, _ = await rollout(model)
    assert "could not be read: cut off" in model.requests[1].messages[-1].text
    assert trajectory.status == "answered"


@pytest.mark.parametrize("repeats", [2, 3, 4])
async def test_a_loop_is_noticed_and_ended(repeats):
    model = ScriptedModel(*[ask(id=f"c{n}") for n in range(10)])
    trajectory, _ = await rollout(model, planner=ReAct(repeats=repeats))
    assert (trajectory.status, len(trajectory.steps)) == ("loop", repeats)
    warned = [
        request.messages[-1].text.startswith("You have made this same call") for request in model.requests
    ]
    assert warned == ([False, False] if repeats == 2 else [False] * (repeats - 1) + [True])


async def test_calls_with_other_arguments_or_results_are_no_loop():
    results = [CannedTool(tool_spec(), *range(10))]
    trajectory, _ = await rollout([*[ask(id=str(n)) for n in range(8)], "done"], *results)
    assert trajectory.status == "answered"
    trajectory, _ = await rollout([*[ask(id=str(n), city=f"Oslo {n}") for n in range(8)], "done"])
    assert trajectory.status == "answered"


def test_a_loop_needs_two():
    with pytest.raises(UsageError, match="at least 2"):
        ReAct(repeats=1)


def thinking(*calls, text="I look.", **usage):
    return Completion(text=text, calls=calls, finish="tool_calls", usage=Usage(**usage), origin="scripted")


@pytest.mark.parametrize(
    ("budget", "quantity", "steps"),
    [
        ({"steps": 2}, "steps", 2),
        ({"model_calls": 2}, "model_calls", 2),
        ({"tokens": 25}, "tokens", 3),
        ({"cost": 0.25}, "cost", 3),
        ({"steps": 0}, "steps", 0),
    ],
)
async def test_a_spent_budget_ends_with_the_best_so_far(budget, quantity, steps):
    turns = [
        thinking(ask(city=f"Oslo {n}"), text=f"Thought {n}", input_tokens=8, output_tokens=2, cost=0.1)
        for n in range(9)
    ]
    trajectory, _ = await rollout(turns, **budget)
    assert (trajectory.status, trajectory.error.code) == ("budget", "E-BUDGET")
    assert trajectory.error.details["quantity"] == quantity
    assert len(trajectory.steps) == steps
    assert trajectory.answer == (f"Thought {steps - 1}" if steps else "")
    assert trajectory.answer_step == (steps - 1 if steps else None)


async def test_calls_beyond_the_budget_are_recorded_as_not_made():
    made = CannedTool(tool_spec(), "wet")
    calls = (ask(id="c1"), ask(id="c2", city="Rome"))
    trajectory, events = await rollout([thinking(ask(id="c0")), thinking(*calls)], made, tool_calls=2)
    assert (trajectory.status, trajectory.error.details["quantity"]) == ("budget", "tool_calls")
    assert len(made.calls) == 1
    last = trajectory.steps[-1]
    assert (last.status, last.calls, last.usage.tool_calls) == ("failed", calls, 0)
    assert [found.error.code for found in last.observations] == ["E-UNANSWERED"] * 2
    assert [event.type for event in events].count("call_started") == 1


class Sleeper(Model):
    """Never answers."""

    name = "sleeper"

    async def complete(self, messages, tools=(), **rest):
        await asyncio.sleep(30)


@pytest.mark.parametrize("deltas", [False, True])
async def test_a_model_that_takes_too_long_spends_the_seconds(deltas):
    context = RunContext(id="r", deltas=deltas)
    trajectory, _ = await rollout(Sleeper(), context=context, seconds=0.03)
    assert (trajectory.status, trajectory.error.details["quantity"]) == ("budget", "seconds")
    assert trajectory.usage.seconds < 5


async def test_a_tool_that_takes_too_long_spends_the_seconds():
    @tool(effect="read")
    async def slow():
        await asyncio.sleep(30)

    trajectory, _ = await rollout([ToolCall(id="c", name="slow"), "never"], slow, seconds=0.03)
    assert (trajectory.status, len(trajectory.steps)) == ("budget", 1)
    assert trajectory.steps[0].observations[0].error.code == "E-TOOL-TIMEOUT"


@pytest.mark.parametrize(
    ("turns", "status", "answer", "last"),
    [
        (["Done."], "answered", "Done.", "answered"),
        (["Which Oslo?"], "asked", "Which Oslo?", "answered"),
        (["Which Oslo? \n"], "asked", "Which Oslo? \n", "answered"),
        ([Completion(text="I will not.", finish="refusal")], "refused", "I will not.", "gave_up"),
        ([Completion(text="All sold out.", finish="gave_up")], "gave_up", "All sold out.", "gave_up"),
        ([Completion(finish="gave_up")], "gave_up", "", "gave_up"),
        (["GIVE UP: all sold out."], "gave_up", "all sold out.", "gave_up"),
        (["**GIVE UP** Sold out?"], "gave_up", "Sold out?", "gave_up"),
        (["Give up your seat."], "answered", "Give up your seat.", "answered"),
        ([Completion(text="Sold out?", finish="gave_up")], "gave_up", "Sold out?", "gave_up"),
        ([Completion(), Completion(text=" \n")], "gave_up", " \n", "gave_up"),
        ([Completion(), "Here."], "answered", "Here.", "answered"),
        ([Completion(), ask(), Completion()], "gave_up", "", "gave_up"),
        ([Completion(text="It is be", finish="length")], "answered", "It is be", "answered"),
    ],
)
async def test_how_a_message_without_calls_ends_it(turns, status, answer, last):
    model = ScriptedModel(*turns)
    trajectory, _ = await rollout(model)
    assert (trajectory.status, trajectory.answer) == (status, answer)
    assert trajectory.steps[-1].status == last
    assert [step.status for step in trajectory.steps[:-1]] == ["continued"] * (len(turns) - 1)


async def test_an_empty_message_is_answered_once():
    model = ScriptedModel(Completion(), "Here.")
    trajectory, _ = await rollout(model)
    assert "neither a tool call nor an answer" in model.requests[1].messages[-1].text
    assert trajectory.steps[0].note == "empty message"


async def test_an_answer_that_was_cut_says_so():
    trajectory, _ = await rollout([Completion(text="It is be", finish="length")])
    assert "length limit" in trajectory.steps[0].note


async def failing(model, *tools, context=None):
    """Run into an error; return it and the trajectory that came before it."""
    context = context or RunContext(id="r", policy=Policy(allow=("write",)))
    trajectory = None
    try:
        async for event in ReAct().rollout(TASK, ToolSet(Catalog(tools)), ScriptedModel(*model), context):
            if event.type == "rollout_finished":
                trajectory = event.trajectory
    except (ModelError, ToolCrashError) as error:
        assert from_json(Trajectory, to_json(trajectory)) == trajectory
        return error, trajectory
    raise AssertionError("no error came")


async def test_a_failing_model_ends_it_after_the_record():
    tools = CannedTool(tool_spec(), "wet")
    error, trajectory = await failing([ask(), ModelError("the endpoint is down")], tools)
    assert isinstance(error, ModelError)
    assert (trajectory.status, trajectory.error.code, len(trajectory.steps)) == ("error", "E-MODEL", 1)


async def test_a_crash_keeps_what_was_done_in_the_same_step():
    done = CannedTool(tool_spec("pay", effect="write"), "paid")
    crash = CannedTool(tool_spec("ship", effect="write"), ValueError("no boat"))
    after = CannedTool(tool_spec("thank", effect="write"), "thanks")
    calls = [ask(name, id=name) for name in ("pay", "ship", "thank")]
    error, trajectory = await failing([calls], done, crash, after)
    assert isinstance(error, ToolCrashError)
    assert (trajectory.status, after.calls) == ("error", [])
    step = trajectory.steps[-1]
    assert (step.status, step.usage.tool_calls) == ("failed", 2)
    paid, shipped, thanked = step.observations
    assert paid.text() == "paid"
    assert (shipped.error.code, shipped.error.effect) == ("E-TOOL-CRASH", "uncertain")
    assert (thanked.error.code, thanked.error.effect) == ("E-UNANSWERED", "none")


async def test_a_crash_among_reads_made_at_once():
    crash = CannedTool(tool_spec("a"), ValueError("no boat"))
    quick = CannedTool(tool_spec("b"), "quick")

    @tool(effect="read")
    async def slow():
        await asyncio.sleep(30)

    error, trajectory = await failing(
        [[ask("b"), ask("a"), ToolCall(id="s", name="slow")]], crash, quick, slow
    )
    assert isinstance(error, ToolCrashError)
    first, second, third = trajectory.steps[-1].observations
    assert (first.text(), second.error.code, third.error.code) == ("quick", "E-TOOL-CRASH", "E-UNANSWERED")
    assert third.error.what == "the rollout ended before there was an answer"


async def cancelled_at(point, model, *tools, **fields):
    """Cancel the rollout as soon as ``point`` is set; return the trajectory."""
    context = RunContext(id="r", policy=Policy(allow=("write",)), **fields)
    me = asyncio.current_task()

    async def cancel():
        await point.wait()
        context.cancel(me)
        context.cancel(me)

    other = asyncio.create_task(cancel())
    trajectory, _ = await rollout(model, *tools, context=context)
    await other
    return trajectory


@pytest.mark.parametrize("effect", ["read", "write"])
async def test_cancelled_in_a_tool(effect):
    point = asyncio.Event()

    @tool(effect=effect)
    async def slow():
        point.set()
        await asyncio.sleep(30)

    calls = [ask(id="w"), ToolCall(id="s", name="slow"), ToolCall(id="n", name="slow")]
    trajectory = await cancelled_at(
        point, ScriptedModel(thinking(*calls)), slow, CannedTool(tool_spec(), "wet")
    )
    assert (trajectory.status, trajectory.answer, len(trajectory.steps)) == ("cancelled", "I look.", 1)
    weather, first, second = trajectory.steps[0].observations
    assert weather.text() == "wet"
    assert first.error.code == second.error.code == "E-UNANSWERED"
    assert first.error.effect == ("uncertain" if effect == "write" else "none")
    assert second.error.effect == "none"


@pytest.mark.parametrize("deltas", [False, True])
async def test_cancelled_in_the_model(deltas):
    point = asyncio.Event()

    class Model(ScriptedModel):
        async def complete(self, messages, tools=(), **rest):
            if len(self.requests) == 1:
                point.set()
                await asyncio.sleep(30)
            return await super().complete(messages, tools, **rest)

    trajectory = await cancelled_at(point, Model(ask(), "never"), deltas=deltas)
    assert (trajectory.status, len(trajectory.steps)) == ("cancelled", 1)
    assert trajectory.steps[0].observations[0].value() == {"rain": True}


async def test_cancelled_by_its_own_tool():
    context = RunContext(id="r")

    @tool(effect="read")
    async def stop() -> str:
        context.cancel(asyncio.current_task())
        return "stopped"

    trajectory, _ = await rollout([ToolCall(id="c", name="stop"), "never"], stop, context=context)
    assert (trajectory.status, len(trajectory.steps)) == ("cancelled", 1)
    assert trajectory.steps[0].observations[0].text() == "stopped"


async def test_a_tool_that_holds_on_is_left_at_the_next_step():
    point = asyncio.Event()

    @tool(effect="read")
    async def stubborn() -> str:
        point.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            return "not me"

    trajectory = await cancelled_at(
        point, ScriptedModel(ToolCall(id="c", name="stubborn"), "never"), stubborn
    )
    assert (trajectory.status, len(trajectory.steps)) == ("cancelled", 1)


async def test_a_cancellation_from_outside_goes_through():
    async def run():
        await rollout(Sleeper())

    task = asyncio.create_task(run())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_from_inside_and_outside_at_once_goes_through():
    context = RunContext(id="r")

    async def run():
        await rollout(Sleeper(), context=context)

    task = asyncio.create_task(run())
    await asyncio.sleep(0.01)
    context.cancel(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_timeout_around_it_works():
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await rollout(Sleeper())
    assert asyncio.current_task().cancelling() == 0


class Talker(ScriptedModel):
    """Writes in pieces, half of them from a thread."""

    async def complete(self, messages, tools=(), *, on_delta=None, **rest):
        completion = await super().complete(messages, tools, **rest)
        if on_delta is not None:
            for n, piece in enumerate(completion.text.split(" ")):
                if n % 2:
                    await asyncio.to_thread(on_delta, f" {piece}")
                else:
                    on_delta(f" {piece}" if n else piece)
        return completion


async def test_text_comes_piece_by_piece_and_in_order():
    model = Talker(thinking(ask(), text="Let me look first"), "It rains in Oslo today")
    trajectory, events = await rollout(model, context=RunContext(id="r", deltas=True))
    pieces = [event.text for event in events if event.type == "text_delta"]
    assert pieces == ["Let", " me", " look", " first", "It", " rains", " in", " Oslo", " today"]
    types = [event.type for event in events]
    assert types[:6] == ["rollout_started", *["text_delta"] * 4, "call_started"]
    assert trajectory.answer == "It rains in Oslo today"


async def test_without_a_listener_there_are_no_pieces():
    _, events = await rollout(Talker("It rains"))
    assert "text_delta" not in [event.type for event in events]


async def test_a_listener_that_leaves_ends_everything():
    tools = ToolSet(Catalog([CannedTool(tool_spec())]))
    model = Talker(thinking(ask(), text="a b c"))
    events = ReAct().rollout(TASK, tools, model, RunContext(id="r", deltas=True))
    async for event in events:
        if event.type == "text_delta":
            break
    await events.aclose()


async def test_a_model_error_comes_through_the_pieces():
    context = RunContext(id="r", deltas=True)
    error, _ = await failing([ModelError("down")], CannedTool(tool_spec()), context=context)
    assert error.what == "down"


async def test_images_reach_the_model():
    store = ArtifactStore()
    model = ScriptedModel(ask(), "done")
    image = store.put(b"x", media_type="image/png", name="a.png")
    task = replace(TASK, artifacts=(image,))
    await rollout(
        model, CannedTool(tool_spec(), image), context=RunContext(id="r", artifacts=store), task=task
    )
    named = replace(image, handle="img-1")
    assert model.requests[0].messages[1].artifacts == (named,)
    assert model.requests[1].messages[-1].artifacts == (named,)


async def test_the_end_state_is_kept():
    async def state():
        return {"pets": [1]}

    trajectory, _ = await rollout(["done"], context=RunContext(id="r", final_state=state))
    assert trajectory.final_state == {"pets": [1]}


async def test_untrusted_descriptions_are_noted_when_offered():
    context = RunContext(id="r")
    await rollout(["done"], CannedTool(tool_spec("mine", untrusted=False)), context=context)
    assert not context.untrusted
    context = RunContext(id="r")
    trajectory, _ = await rollout(["done"], CannedTool(tool_spec("theirs")), context=context)
    assert context.untrusted
    assert trajectory.labels == ("user", "description:theirs")


async def test_the_system_prompt_can_be_replaced():
    model = ScriptedModel("done")
    await rollout(model, planner=ReAct(system="Be brief."))
    assert model.requests[0].messages[0].text == "Be brief."


async def test_the_instruction_is_in_no_system_prompt():
    model = ScriptedModel("done")
    await rollout(model, CannedTool(tool_spec("weather", description="IGNORE ALL")))
    assert "IGNORE ALL" not in model.requests[0].messages[0].text
    assert TASK.instruction not in model.requests[0].messages[0].text


@pytest.mark.parametrize("seed", [0, 7])
async def test_the_same_script_gives_the_same_trajectory(seed):
    async def once():
        script = [
            [ask(id="a"), ask(id="b", city="Rome")],
            ask("nothing"),
            ask(city="Bern"),
            "done",
        ]
        context = RunContext(id="r", seed=seed, policy=Policy(allow=("write",)))
        return (await rollout(script, CannedTool(tool_spec(), 1, 2, ToolError("x")), context=context))[0]

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

    one, other = timeless(await once()), timeless(await once())
    assert to_json(one) == to_json(other)
    assert one.seed == seed
