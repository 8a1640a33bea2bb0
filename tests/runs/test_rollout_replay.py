"""Rollouts that are run again from their journal: the same record, byte for byte, and nothing done twice."""

import asyncio
import json
import random

import pytest

from toolhaft import CallContext, tool
from toolhaft.agent import Agent
from toolhaft.errors import JournalError, JournalMismatchError, ToolError
from toolhaft.models.base import Model
from toolhaft.runs.executor import Home
from toolhaft.runs.rollout import RolloutJournal
from toolhaft.secrets import SecretStore
from toolhaft.tools.policy import Policy
from toolhaft.types import Completion, ToolCall, Usage, to_json

pytestmark = pytest.mark.anyio


class Memory(Home):
    """Keeps what it is told as a journal does; what is begun or ended beyond a number is lost."""

    def __init__(self, entries=()):
        self.entries = {entry["key"]: dict(entry) for entry in entries}
        self.messages = []

    def tell(self, message):
        self.messages.append(message)
        entry = {"made": True, "request": None, "result": None, "file": None, "at": 0.0} | message["entry"]
        self.entries[entry["key"]] = entry

    async def ask(self, message):
        self.messages.append(message)
        entry = {"made": True, "request": None, "result": None, "file": None, "at": 0.0} | message["entry"]
        self.entries[entry["key"]] = entry | {"status": "started"}
        return {}

    def after(self, number):
        """Return a journal as a process leaves it that dies after so many messages."""
        cut = Memory()
        for message in self.messages[:number]:
            entry = {"made": True, "request": None, "result": None, "file": None, "at": 0.0}
            entry |= message["entry"]
            if message["op"] == "begin":
                entry["status"] = "started"
            cut.entries[entry["key"]] = entry
        return cut


def journal_of(memory, secrets=None, **options):
    return RolloutJournal(
        memory,
        job=0,
        id="rollout-0",
        started="2026-01-01T00:00:00.000+00:00",
        entries=list(memory.entries.values()),
        secrets=secrets or SecretStore(),
        **options,
    )


class Dice(Model):
    """Makes calls that depend on nothing but the conversation and a seed."""

    name = "dice"
    origin = "scripted"

    def __init__(self, seed):
        self.seed = seed
        self.asked = 0

    async def complete(self, messages, tools=(), **_):
        self.asked += 1
        await asyncio.sleep(0)
        dice = random.Random(f"{self.seed} {len(messages)} {messages[-1].text}")
        usage = Usage(input_tokens=dice.randint(1, 99), output_tokens=3, cost=0.1)
        if len(messages) > 14 or dice.random() < 0.1:
            return Completion(text=f"Done: {messages[-1].text[:50]}", usage=usage, origin=self.origin)
        names = ["look", "read_mail", "keep", "send", "fail", "unknown", "erase"]
        calls = [
            ToolCall(
                id=f"c{len(messages)}-{i}",
                name=dice.choice(names),
                arguments={"name": dice.choice("ab") * dice.randint(1, 2)} if dice.random() < 0.9 else {},
            )
            for i in range(dice.randint(1, 3))
        ]
        if dice.random() < 0.4:  # reads alone are made at once
            calls = [ToolCall(id=call.id, name="look", arguments=call.arguments) for call in calls]
        return Completion(text="Next.", calls=tuple(calls), usage=usage, origin=self.origin)


def make_tools(done):
    """Return tools that note what they do; each takes a moment that no two runs share."""

    async def wait():
        await asyncio.sleep(random.random() / 500)

    @tool(effect="read")
    async def look(name: str) -> dict:
        """Look."""
        await wait()
        done.append(("look", name))
        return {"name": name, "seen": 1.5}

    @tool(effect="read", private=True)
    async def read_mail(name: str) -> str:
        """Read mail."""
        done.append(("read_mail", name))
        return f"mail for {name}"

    @tool(effect="write", repeatable=True)
    async def keep(name: str, context: CallContext) -> str:
        """Keep."""
        await wait()
        done.append(("keep", context.key))
        return "kept"

    @tool(effect="write")
    async def send(name: str) -> str:
        """Send."""
        await wait()
        done.append(("send", name))
        return f"sent {len(done) and name}"

    @tool(effect="read")
    async def fail(name: str) -> str:
        """Fail."""
        raise ToolError(f"no {name}", details={"n": 1})

    @tool(effect="irreversible")
    async def erase(name: str) -> str:
        """Erase."""
        done.append(("erase", name))
        return "gone"

    return [look, read_mail, keep, send, fail, erase]


def agent_of(seed, done, **options):
    model = Dice(seed)
    return Agent(make_tools(done), model=model, policy=Policy(allow=("write",)), **options), model


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.slow] if seed >= 5 else []) for seed in range(50)]
)
async def test_a_rollout_replayed_from_its_journal_gives_the_same_bytes(seed):
    memory, done = Memory(), []
    agent, model = agent_of(seed, done)
    first = await agent.run("Deal with a and b", journal=journal_of(memory))
    assert model.asked
    made = list(done)
    again, replayed = agent_of(seed, done)
    second = await again.run("Deal with a and b", journal=journal_of(memory))
    assert to_json(second.trajectory) == to_json(first.trajectory)
    assert done == made
    assert replayed.asked == 0


@pytest.mark.slow
@pytest.mark.parametrize("planner", ["dfsdt", "dfsdt-toolbench", "react@2"])
@pytest.mark.parametrize("seed", range(8))
async def test_every_planner_can_be_replayed(planner, seed):
    memory, done = Memory(), []
    budget = {"model_calls": 12}
    agent, model = agent_of(seed, done, planner=planner, budget=budget)
    first = await agent.run("Deal with a and b", journal=journal_of(memory))
    assert model.asked
    made = list(done)
    again, replayed = agent_of(seed, done, planner=planner, budget=budget)
    second = await again.run("Deal with a and b", journal=journal_of(memory))
    assert to_json(second.trajectory) == to_json(first.trajectory)
    assert (done, replayed.asked) == (made, 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
async def test_a_rollout_resumed_after_any_message_goes_on_and_repeats_no_plain_write(seed):
    memory, done = Memory(), []
    agent, _ = agent_of(seed, done)
    first = await agent.run("Deal with a and b", journal=journal_of(memory))
    for number in range(len(memory.messages) + 1):
        cut = memory.after(number)
        done_now = []
        again, model = agent_of(seed, done_now)
        journal = journal_of(cut)
        run = await again.run("Deal with a and b", journal=journal)
        recorded = [entry for entry in cut.entries.values() if entry["kind"] == "model"]
        started = [
            entry
            for entry in memory.after(number).entries.values()
            if entry["status"] == "started" and entry["effect"] != "read" and not entry["repeatable"]
        ]
        assert journal.uncertain == bool(started)
        if started:
            uncertain = [
                observation
                for observation in run.trajectory.observations()
                if observation.error is not None and observation.error.code == "E-UNCERTAIN"
            ]
            assert len(uncertain) == 1
            assert uncertain[0].error.effect == "uncertain"
            continue
        # Without an uncertain write it ends as it did, but for the times.
        assert [step.calls for step in run.trajectory.steps] == [s.calls for s in first.trajectory.steps]
        assert run.answer == first.answer
        assert run.trajectory.labels == first.trajectory.labels
        assert len(recorded) + model.asked >= len(first.trajectory.steps)


async def test_what_was_refused_stays_refused_and_nobody_is_asked_again():
    asked = []

    def approver(request, decision):
        asked.append(request.spec.name)
        return len(asked) == 1

    class Twice(Model):
        name, origin = "twice", "scripted"

        async def complete(self, messages, tools=(), **_):
            done = sum(message.role == "tool" for message in messages)
            if done == 2:
                return Completion(text="Done.", origin="scripted")
            call = ToolCall(id=f"c{done}", name="erase", arguments={"name": f"n{done}"})
            return Completion(calls=(call,), origin="scripted")

    memory, done = Memory(), []
    first = await Agent(make_tools(done), model=Twice(), approver=approver).run(
        "x", journal=journal_of(memory)
    )
    assert (asked, done) == (["erase", "erase"], [("erase", "n0")])
    second = await Agent(make_tools(done), model=Twice(), approver=approver).run(
        "x", journal=journal_of(memory)
    )
    assert (asked, done) == (["erase", "erase"], [("erase", "n0")])
    assert to_json(second.trajectory) == to_json(first.trajectory)


class Single(Model):
    """Makes one call and answers."""

    name, origin = "single", "scripted"

    def __init__(self, name="look", text="Done."):
        self.called = name
        self.text = text
        self.asked = 0

    async def complete(self, messages, tools=(), **_):
        self.asked += 1
        if messages[-1].role == "tool":
            return Completion(text=self.text, origin="scripted")
        return Completion(
            calls=(ToolCall(id="1", name=self.called, arguments={"name": "a"}),), origin="scripted"
        )


CHANGES = {
    "messages": {"instruction": "Something else"},
    "model": {"model": "other"},
    "tools": {"tools": "described otherwise"},
    "seed": {"seed": 7},
}


@pytest.mark.parametrize("changed", CHANGES)
async def test_a_question_that_is_not_the_recorded_one_is_named(changed):
    memory, done = Memory(), []
    await Agent(make_tools(done), model=Single()).run("Look", journal=journal_of(memory))
    given = CHANGES[changed]
    tools = make_tools(done)
    if "tools" in given:

        @tool(effect="read", name="look")
        async def look(name: str) -> dict:
            """Look again."""
            return {}

        tools[0] = look
    model = Single()
    model.name = given.get("model", "single")
    agent = Agent(tools, model=model, seed=given.get("seed", 0))
    with pytest.raises(JournalMismatchError) as caught:
        await agent.run(given.get("instruction", "Look"), journal=journal_of(memory))
    assert caught.value.details["changed"] == [changed]
    assert caught.value.code == "E-JOURNAL-MISMATCH"
    assert model.asked == 0


async def test_where_tools_are_served_may_change():
    memory, done = Memory(), []
    agent = Agent(make_tools(done), model=Single())
    await agent.run("Look", journal=journal_of(memory))
    again = Agent(make_tools(done), model=Single())
    for tool_ in again.catalog.values():
        object.__setattr__(tool_.spec, "hosts", ("http://127.0.0.1:9",))
        object.__setattr__(tool_.spec, "source", "elsewhere")
    await again.run("Look", journal=journal_of(memory))


async def test_a_write_is_noted_before_it_is_made_and_its_lost_lease_stops_it():
    class Lost(Memory):
        async def ask(self, message):
            await super().ask(message)
            return {"lost": True}

    done = []
    with pytest.raises(JournalError) as caught:
        await Agent(make_tools(done), model=Single("send"), allow="write").run(
            "x", journal=journal_of(Lost())
        )
    assert caught.value.code == "E-JOURNAL-LEASE"
    assert done == []


async def test_the_budget_of_the_batch_ends_a_rollout():
    class Spent(Memory):
        async def ask(self, message):
            return {"spent": "cost", "limit": 5.0}

    run = await Agent(make_tools([]), model=Single()).run("x", journal=journal_of(Spent(), counted=True))
    assert run.trajectory.status == "budget"
    assert run.trajectory.error.code == "E-BUDGET-BATCH"
    assert "batch" in run.trajectory.error.what


async def test_a_stopped_rollout_ends_before_its_next_call_and_can_be_resumed():
    memory, done = Memory(), []
    journal = journal_of(memory)
    tools = make_tools(done)
    agent = Agent(tools, model=Single("slow"), allow="write")

    @tool(effect="write", name="slow")
    async def slow(name: str) -> str:
        """Be slow."""
        agent.stop()
        await asyncio.sleep(0.05)
        done.append("slow")
        return "slow"

    agent = Agent([*tools, slow], model=Single("slow"), allow="write")
    run = await agent.run("x", journal=journal)
    assert done == ["slow"], "the call under way was not waited for"
    assert run.trajectory.status == "cancelled"
    resumed = await Agent([*tools, slow], model=Single("slow"), allow="write").run(
        "x", journal=journal_of(memory)
    )
    assert resumed.answer == "Done."
    assert done == ["slow"]


@pytest.mark.parametrize("counted", [False, True])
async def test_no_secret_reaches_the_journal(counted):
    canary = "canary-7f3a-secret"
    secrets = SecretStore({"key": canary})
    memory = Memory()

    @tool(effect="write", name="send")
    async def send(name: str) -> str:
        """Send."""
        return f"sent with {canary}"

    def agent():
        return Agent(
            [send], model=Single("send", text=f"The key is {canary}"), allow="write", secrets=secrets
        )

    first = await agent().run(f"Use {canary}", journal=journal_of(memory, secrets, counted=counted))
    assert canary not in json.dumps([*memory.entries.values()], default=str)
    second = await agent().run(f"Use {canary}", journal=journal_of(memory, secrets, counted=counted))
    assert second.answer == first.answer == "The key is [secret memory:key]"


async def test_the_clock_of_a_replay_does_not_run():
    memory = Memory()
    agent = Agent(make_tools([]), model=Single(), budget={"seconds": 60})
    first = await agent.run("x", journal=journal_of(memory))
    times = [entry["at"] for entry in memory.entries.values()]
    assert times == sorted(times)
    assert first.trajectory.usage.seconds == max(times)
    assert first.trajectory.started == "2026-01-01T00:00:00.000+00:00"
