"""An agent: tools, model and planner put together, many at a time, cancelled, interrupted, misused."""

import asyncio
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace

import pytest

from toolhaft import Agent, Catalog, Task, ToolCall, open_catalog, tool
from toolhaft.agent import split_location
from toolhaft.errors import ModelError, SpecError, ToolCrashError, UnknownNameError, UsageError
from toolhaft.models.base import Model
from toolhaft.planners.base import Planner
from toolhaft.retrievers.base import Retriever
from toolhaft.testing import CannedTool, ScriptedModel, tool_spec
from toolhaft.tools.policy import Policy
from toolhaft.types import Budget, Completion, RolloutStarted, Scored, to_json

anyio = pytest.mark.anyio


def ask(name="weather", id="c1", **arguments):
    return ToolCall(id=id, name=name, arguments=arguments or {"city": "Oslo"})


def weather(name="weather", *results, **fields):
    return CannedTool(tool_spec(name, **fields), *results or ({"rain": True},))


def agent(*turns, tools=None, **settings):
    model = turns[0] if turns and isinstance(turns[0], Model) else ScriptedModel(*turns)
    return Agent(tools or [weather()], model=model, **settings)


class FirstOnes(Retriever):
    """Finds the first k tools, whatever is asked."""

    name = "first"

    def __init__(self, *failures, wait=None):
        self.indexed = 0
        self.failures = list(failures)
        self.wait = wait

    async def index(self, specs):
        self.indexed += 1
        if self.wait is not None:
            self.wait.set()
            await asyncio.sleep(30)
        if self.failures:
            raise self.failures.pop()
        self.specs = list(specs)

    async def retrieve(self, query, k=5):
        return [Scored(spec, 1.0 - n / 10) for n, spec in enumerate(self.specs[:k])]


def test_run_sync():
    run = agent(ask(), "It rains.").run_sync("Weather in Oslo?")
    assert (run.answer, run.trajectory.status) == ("It rains.", "answered")
    assert run.trajectory.settings == {"k": 8, "pool": 1, "retriever": "bm25"}
    assert run.trajectory.planner == "react"


@anyio
async def test_run_and_stream():
    assert (await agent(ask(), "It rains.").run("Weather in Oslo?")).answer == "It rains."
    events = [event.type async for event in agent(ask(), "It rains.").stream("Weather in Oslo?")]
    assert events == [
        "rollout_started",
        "call_started",
        "call_finished",
        "step_finished",
        "text_delta",
        "step_finished",
        "rollout_finished",
    ]


@anyio
async def test_run_sync_works_where_a_loop_runs_as_in_a_notebook():
    assert agent(ask(), "It rains.").run_sync("Weather?").answer == "It rains."


def test_run_sync_in_many_threads():
    shared = Catalog([weather()])
    answers = []

    def work(n):
        answers.append(agent(ask(), f"answer {n}", tools=shared).run_sync("Weather?").answer)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted(f"answer {n}" for n in range(16))


@anyio
async def test_fifty_agents_share_a_catalog():
    most = now = 0

    @tool(effect="read", concurrency=5)
    async def look(n: int) -> int:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1
        return n

    catalog = Catalog([look])
    runs = await asyncio.gather(
        *(
            agent(
                *[ask("look", id=f"c{step}", n=n + step) for step in range(3)], f"saw {n}", tools=[catalog]
            ).run("Look")
            for n in range(50)
        )
    )
    assert most == 5
    for n, run in enumerate(runs):
        assert run.answer == f"saw {n}"
        assert [step.observations[0].value() for step in run.trajectory.steps[:3]] == [n, n + 1, n + 2]
    assert len({run.trajectory.id for run in runs}) == 50


@anyio
async def test_one_agent_runs_many_tasks_at_once():
    class Echo(Model):
        name = "echo"

        async def complete(self, messages, tools=(), **rest):
            await asyncio.sleep(0)
            if messages[-1].role == "user":
                return Completion(calls=(ask(city=messages[-1].text),))
            return Completion(text=messages[-1].text)

    @tool(effect="read")
    async def weather(city: str) -> str:
        await asyncio.sleep(0)
        return city

    shared = agent(Echo(), tools=[weather])
    runs = await asyncio.gather(*(shared.run(f"city {n}") for n in range(30)))
    assert [run.answer for run in runs] == [f"city {n}" for n in range(30)]
    assert [run.trajectory.labels for run in runs] == [("user", "tool:weather")] * 30


def test_the_same_seed_and_script_give_the_same_trajectory():
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
        usage = replace(trajectory.usage, seconds=0.0)
        return to_json(replace(trajectory, id="", started="", steps=steps, usage=usage))

    one, other = (agent([ask(), ask("x")], "ok", seed=3).run_sync("Weather?").trajectory for _ in range(2))
    assert timeless(one) == timeless(other)
    assert one.seed == 3


@anyio
async def test_few_tools_are_all_offered_and_many_are_retrieved():
    tools = [weather(f"tool{n}") for n in range(20)]
    retriever = FirstOnes()
    few = ScriptedModel("ok")
    run = await agent(few, tools=tools[:3], retriever=retriever, k=3).run("x")
    assert (len(few.requests[0].tools), retriever.indexed, run.trajectory.retrieved) == (3, 0, ())
    many = ScriptedModel(ask("tool1"), ask("tool9"), "ok", "ok")
    made = agent(many, tools=tools, retriever=retriever, k=3)
    events = [event async for event in made.stream("x")]
    assert [event.type for event in events[:2]] == ["rollout_started", "tools_retrieved"]
    assert (events[1].pool, events[1].retriever, len(events[1].hits)) == (20, "first", 3)
    trajectory = events[-1].trajectory
    assert trajectory.retrieved == (("tool0", 1.0), ("tool1", 0.9), ("tool2", 0.8))
    assert trajectory.steps[0].observations[0].error is None
    assert trajectory.steps[1].observations[0].error.code == "E-TOOL-UNKNOWN"  # not offered
    await made.run("x")
    assert retriever.indexed == 1


@anyio
async def test_the_index_is_made_once_by_many():
    retriever = FirstOnes()
    made = agent(*["ok"] * 10, tools=[weather(f"t{n}") for n in range(9)], retriever=retriever, k=1)
    await asyncio.gather(*(made.run("x") for _ in range(10)))
    assert retriever.indexed == 1


@anyio
async def test_an_index_that_failed_is_tried_again():
    retriever = FirstOnes(SpecError("no"))
    made = agent("ok", tools=[weather("a"), weather("b")], retriever=retriever, k=1)
    with pytest.raises(SpecError):
        await made.run("x")
    assert (await made.run("x")).answer == "ok"


@anyio
async def test_an_index_made_on_another_loop_is_used():
    retriever = FirstOnes()
    made = agent("ok", "ok", tools=[weather("a"), weather("b")], retriever=retriever, k=1)
    assert made.run_sync("x").answer == "ok"
    assert (await made.run("x")).answer == "ok"
    assert retriever.indexed == 1


def test_permission_is_given_by_effect_name_or_policy():
    for settings, made in [
        ({}, False),
        ({"allow": "write"}, True),
        ({"allow": ["send"]}, True),
        ({"allow": "se*"}, True),
        ({"allow": "irreversible"}, False),
        ({"policy": Policy(allow=("write",))}, True),
        ({"approver": lambda request, decision: True}, True),
    ]:
        send = weather("send", "sent", effect="write", untrusted=False)
        agent(ask("send"), "ok", tools=[send], **settings).run_sync("x")
        assert (send.calls != []) == made, settings


def test_a_private_instruction_marks_the_run():
    send = weather("send", "sent", effect="write")  # its description is untrusted
    agent(ask("send"), "ok", tools=[send], allow="write", private=True).run_sync("x")
    assert send.calls == []


@anyio
async def test_errors_carry_what_was_done():
    with pytest.raises(ModelError, match="down") as caught:
        await agent(ask(), ModelError("down")).run("x")
    assert (len(caught.value.trajectory.steps), caught.value.trajectory.status) == (1, "error")
    with pytest.raises(ToolCrashError) as caught:
        agent(ask(), tools=[weather("weather", ValueError("bug"))]).run_sync("x")
    assert caught.value.trajectory.steps[0].observations[0].error.code == "E-TOOL-CRASH"


def slow_tool(started):
    @tool(effect="read", name="slow")
    async def wait():
        started.set()
        await asyncio.sleep(30)

    return wait


@anyio
async def test_cancel_in_a_tool():
    started = asyncio.Event()
    made = agent([ask(), ToolCall(id="s", name="slow")], tools=[weather(), slow_tool(started)])
    task = asyncio.create_task(made.run("x"))
    await started.wait()
    made.cancel()
    made.cancel()
    run = await task
    assert run.trajectory.status == "cancelled"
    assert run.trajectory.steps[0].observations[0].value() == {"rain": True}
    assert task.cancelling() == 0


@anyio
async def test_cancel_in_the_model_keeps_the_steps():
    started = asyncio.Event()

    class Waits(ScriptedModel):
        async def complete(self, messages, tools=(), **rest):
            if len(self.requests) == 1:
                started.set()
                await asyncio.sleep(30)
            return await super().complete(messages, tools, **rest)

    made = agent(Waits(ask(), "never"))
    task = asyncio.create_task(made.run("x"))
    await started.wait()
    made.cancel()
    run = await task
    assert (run.trajectory.status, len(run.trajectory.steps), task.cancelling()) == ("cancelled", 1, 0)


@anyio
async def test_cancel_while_tools_are_retrieved():
    started = asyncio.Event()
    made = agent("never", tools=[weather("a"), weather("b")], retriever=FirstOnes(wait=started), k=1)
    task = asyncio.create_task(made.run("x"))
    await started.wait()
    made.cancel()
    run = await task
    assert (run.trajectory.status, run.trajectory.steps, task.cancelling()) == ("cancelled", (), 0)
    made._index._indexing.cancel()


@anyio
async def test_cancel_while_the_listener_is_busy_does_not_hit_the_listener():
    made = agent(ask(), ask(), "never")
    seen = []
    async for event in made.stream("x"):
        seen.append(event.type)
        if event.type == "step_finished":
            made.cancel()
            await asyncio.sleep(0)  # a cancelled task would end here
    assert seen[-1] == "rollout_finished"
    assert event.trajectory.status == "cancelled"
    assert len(event.trajectory.steps) == 1
    assert asyncio.current_task().cancelling() == 0


@anyio
async def test_cancel_by_a_tool_of_the_agent():
    @tool(effect="read")
    async def stop() -> str:
        made.cancel()
        return "stopping"

    made = agent(ToolCall(id="c", name="stop"), "never", tools=[stop])
    run = await made.run("x")
    assert (run.trajectory.status, run.trajectory.steps[0].observations[0].text()) == (
        "cancelled",
        "stopping",
    )
    assert asyncio.current_task().cancelling() == 0


@anyio
async def test_cancel_ends_every_rollout_and_none_that_comes_later():
    started = asyncio.Event()
    slow = ToolCall(id="s", name="slow")
    made = agent(slow, slow, slow, "later", tools=[slow_tool(started)])
    tasks = [asyncio.create_task(made.run("x")) for _ in range(3)]
    await asyncio.sleep(0.01)
    made.cancel()
    assert [(await task).trajectory.status for task in tasks] == ["cancelled"] * 3
    assert (await made.run("x")).answer == "later"
    made.cancel()


@anyio
async def test_a_listener_that_leaves_ends_the_rollout():
    made = agent([ask()] * 2, "never")
    stream = made.stream("x")
    async for event in stream:
        if event.type == "call_started":
            break
    await stream.aclose()
    assert made._active == {}


@anyio
async def test_a_timeout_around_a_run_works():
    started = asyncio.Event()
    made = agent(ToolCall(id="s", name="slow"), tools=[slow_tool(started)])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await made.run("x")
    assert (made._active, asyncio.current_task().cancelling()) == ({}, 0)


INTERRUPTED = """
import asyncio, sys, time
from toolhaft import Agent, ToolCall, tool
from toolhaft.testing import ScriptedModel

@tool(effect="read")
{kind}def slow() -> str:
    print("ready", flush=True)
    {wait}

@tool(effect="read")
def quick() -> str:
    return "done"

model = ScriptedModel(ToolCall(id="a", name="quick"), ToolCall(id="b", name="slow"), "never")
run = Agent([quick, slow], model=model).run_sync("x")
print(run.trajectory.status, len(run.trajectory.steps), run.trajectory.steps[0].observations[0].text())
"""


@pytest.mark.parametrize(
    ("kind", "wait"),
    [("async ", "await asyncio.sleep(60)"), ("", "time.sleep(60)")],
    ids=["async", "blocking"],
)
def test_ctrl_c_keeps_what_was_done(kind, wait):
    script = textwrap.dedent(INTERRUPTED).format(kind=kind, wait=wait)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
    assert rest == "cancelled 2 done\n"
    assert process.returncode == 0
    assert time.monotonic() - started < 4


STUBBORN = """
from toolhaft.tools import loop
import asyncio, time

loop._GRACE = 0.2

async def stubborn():
    print("ready", flush=True)
    await asyncio.sleep(60)

try:
    loop.run_sync(stubborn(), on_interrupt=lambda: None)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_ends_what_does_not_end_by_itself():
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
    assert rest == "interrupted\n"


FORKED = """
import os
from toolhaft import Catalog, tool

@tool(effect="read")
async def one() -> int:
    return 1

catalog = Catalog([one])
catalog.call_sync("one")
child = os.fork()
if child == 0:
    os._exit(10 + catalog.call_sync("one"))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="the platform cannot fork")
def test_sync_calls_work_in_a_forked_process():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout == "11\n"


def test_artifacts_come_with_the_instruction(tmp_path):
    (tmp_path / "a.png").write_bytes(b"pixels")
    model = ScriptedModel("a picture", "a picture")
    made = agent(model)
    run = made.run_sync("What is this?", artifacts=[tmp_path / "a.png"])
    assert made.artifacts.get(run.trajectory.task.artifacts[0]) == b"pixels"
    assert model.requests[0].messages[1].artifacts == run.trajectory.task.artifacts
    again = made.run_sync(Task(id="t", instruction="And this?"), artifacts=[str(tmp_path / "a.png")])
    assert (again.trajectory.task.id, len(again.trajectory.task.artifacts)) == ("t", 1)
    with pytest.raises(UsageError, match="cannot read the file"):
        made.run_sync("x", artifacts=[tmp_path / "none.png"])


def test_the_end_state_is_asked_for():
    async def state():
        return {"pets": 3}

    assert agent("ok").run_sync("x", final_state=state).trajectory.final_state == {"pets": 3}


@pytest.mark.parametrize(
    ("given", "budget"),
    [
        (None, Budget()),
        ({"steps": 2, "cost": 0.5}, Budget(steps=2, cost=0.5)),
        ({"steps": None}, Budget(steps=None)),
        (Budget(seconds=1.0), Budget(seconds=1.0)),
    ],
)
def test_budgets(given, budget):
    assert agent("ok", budget=given).run_sync("x").trajectory.budget == budget


@pytest.mark.parametrize(
    ("settings", "kind", "said"),
    [
        ({"k": 0}, UsageError, "k is 0"),
        ({"budget": {"stepps": 1}}, UnknownNameError, "Did you mean 'steps'"),
        ({"budget": {"steps": -1}}, UsageError, "at least 0"),
        ({"budget": {"steps": True}}, UsageError, "at least 0"),
        ({"budget": {"steps": 1.5}}, UsageError, "whole number"),
        ({"budget": {"tokens": float("inf")}}, UsageError, "whole number"),
        ({"budget": {"cost": float("nan")}}, UsageError, "at least 0"),
        ({"budget": {"seconds": "5"}}, UsageError, "at least 0"),
        ({"allow": "wirte"}, UnknownNameError, "Did you mean 'write'"),
        ({"allow": ["write", "wether"]}, UnknownNameError, "Did you mean 'weather'"),
    ],
)
def test_settings_that_make_no_sense(settings, kind, said):
    with pytest.raises(kind, match=said):
        agent("ok", **settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model": "heuristc"}, "unknown model 'heuristc'. Did you mean 'heuristic'.*there are .*openai"),
        ({"model": "nope"}, "unknown model 'nope'.*there are .*heuristic"),
        ({"planner": "reakt"}, "unknown planner 'reakt'. Did you mean 'react'"),
        ({"retriever": "bm52"}, "unknown retriever 'bm52'. Did you mean 'bm25'"),
    ],
)
def test_a_mistyped_name_is_told_at_first_use(settings, said):
    with pytest.raises(UnknownNameError, match=said):
        Agent([weather()], **{"model": "heuristic", **settings}).run_sync("What is the weather in Rome?")


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        ("openapi:petstore.yaml", "open_catalog"),
        ([print], "is not a tool"),
        ([weather(), weather()], "two tools are named 'weather'"),
        ([Catalog([weather()]), weather()], "two catalogs have a tool named 'weather'"),
    ],
)
def test_tools_that_make_no_catalog(tools, said):
    with pytest.raises(UsageError, match=said):
        Agent(tools, model=ScriptedModel())


def test_a_single_tool_or_catalog_will_do():
    assert agent("ok", tools=weather()).catalog.names == ("weather",)
    catalog = Catalog([weather()])
    assert agent("ok", tools=catalog).catalog is catalog
    assert agent("ok", tools=[catalog]).catalog is catalog
    assert Agent([], model=ScriptedModel("ok")).run_sync("x").answer == "ok"


@pytest.mark.parametrize("instruction", ["", "  \n", Task(id="t", instruction=" ")])
def test_an_empty_instruction_is_refused(instruction):
    with pytest.raises(UsageError, match="instruction is empty"):
        agent("ok").run_sync(instruction)


class Mute(Planner):
    """Ends without a word."""

    name = "mute"

    async def rollout(self, task, tools, model, context):
        yield RolloutStarted(task=task, planner="mute", model="m")


def test_a_planner_without_a_trajectory_is_named():
    with pytest.raises(UsageError, match="ended without a trajectory"):
        agent("ok", planner=Mute()).run_sync("x")


@anyio
async def test_close_closes_the_model_and_the_retriever():
    closed = []

    class Closing(ScriptedModel):
        async def close(self):
            closed.append("model")

    class ClosingRetriever(FirstOnes):
        async def close(self):
            closed.append("retriever")

    made = agent(Closing("ok"), tools=[weather("a"), weather("b")], retriever=ClosingRetriever(), k=1)
    await made.run("x")
    await made.close()
    assert closed == ["model", "retriever"]
    await Agent([weather()]).close()


def test_the_built_in_model_says_that_it_is_none():
    notices = []
    run = Agent([weather()], warn=notices.append).run_sync("What is the weather in Oslo?")
    assert len(notices) == 1
    assert "heuristic" in notices[0]
    assert run.trajectory.origins == ("heuristic",)


@pytest.mark.parametrize(
    ("location", "scheme", "rest"),
    [
        ("openapi:a.yaml", "openapi", "a.yaml"),
        ("catalog:a", "catalog", "a"),
        ("a.catalog", "catalog", "a.catalog"),
        ("a/b.json", "openapi", "a/b.json"),
        ("a.yml", "openapi", "a.yml"),
        ("https://a.example/openapi.json", "openapi", "https://a.example/openapi.json"),
        ("http://a.example", "openapi", "http://a.example"),
        ("python:my.tools", "python", "my.tools"),
        ("tool-files:a:b", "tool-files", "a:b"),
        (r"C:\a.yaml", "openapi", r"C:\a.yaml"),
    ],
)
def test_locations(location, scheme, rest):
    assert split_location(location) == (scheme, rest)


def test_a_parsed_document_is_a_location():
    assert split_location({"openapi": "3.1.0"}) == ("openapi", {"openapi": "3.1.0"})


@pytest.mark.parametrize("location", ["petstore", "", "a.txt", 5])
def test_a_location_that_does_not_say_what_it_is(location):
    with pytest.raises(UsageError, match="does not say what kind"):
        open_catalog(location)


def test_an_unknown_scheme_shows_the_nearest():
    with pytest.raises(UnknownNameError, match="openapi"):
        open_catalog("opanapi:a.yaml")


def test_a_saved_catalog_opens_by_its_path(tmp_path):
    operation = {"operationId": "listPets", "responses": {"200": {"description": "Pets."}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "servers": [{"url": "https://pets.example"}],
        "paths": {"/pets": {"get": operation}},
    }
    with open_catalog(document) as catalog:
        catalog.save(tmp_path / "pets.catalog")
        spec = catalog.spec("listPets")
    with open_catalog(tmp_path / "pets.catalog") as catalog:
        assert catalog.spec("listPets") == spec


def test_a_run_is_saved_as_report_and_record(tmp_path):
    run = agent(ask(), "ok").run_sync("x")
    run.save(tmp_path / "run.html")
    assert (tmp_path / "run.html").read_text().startswith("<!")
    with pytest.raises(UsageError, match="does not end in"):
        run.save(tmp_path / "run.txt")


@pytest.mark.parametrize("instruction", [None, 3, ["x"], {"instruction": "x"}, "", "  \n"])
def test_an_instruction_is_text_or_a_task(instruction):
    with pytest.raises(UsageError, match="instruction"):
        agent("ok").run_sync(instruction)


@pytest.mark.parametrize("k", [0, -1, "8", 2.5])
def test_k_is_a_whole_number(k):
    with pytest.raises(UsageError, match="k is"):
        Agent([], k=k)
