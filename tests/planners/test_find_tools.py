"""Searching for tools in mid-run: under every planner, and the same when a rollout is run again."""

from dataclasses import replace

import pytest

from toolhaft import Agent, Completion, ToolCall
from toolhaft.errors import ToolCrashError
from toolhaft.planners.dfsdt import DFSDT
from toolhaft.retrievers.base import Retriever
from toolhaft.runs.executor import Home
from toolhaft.runs.rollout import RolloutJournal
from toolhaft.secrets import SecretStore
from toolhaft.testing import CannedTool, ScriptedModel, tool_spec
from toolhaft.types import Scored, Trajectory, from_json, to_json

pytestmark = pytest.mark.anyio

WORDS = ("rain", "hotel", "train", "stamp", "tulip", "melon", "chess", "ferry", "organ", "violin")


def tools(**results):
    return [
        CannedTool(tool_spec(word, description=f"About {word}"), results.get(word, {"about": word}))
        for word in WORDS
    ]


def find(query, id="find", **arguments):
    return ToolCall(id=id, name="find_tools", arguments={"query": query, **arguments})


def call(name, id="call", city="Oslo"):
    return ToolCall(id=id, name=name, arguments={"city": city})


def gave_up():
    return Completion(text="No way.", finish="gave_up", origin="scripted")


async def rollout(*turns, journal=None, retriever="bm25", given=None, **settings):
    model = ScriptedModel(*turns)
    agent = Agent(given or tools(), model=model, k=1, find_tools=True, retriever=retriever, **settings)
    trajectory = (await agent.run("rain", journal=journal)).trajectory
    assert from_json(Trajectory, to_json(trajectory)) == trajectory
    return trajectory, model


def offers(trajectory):
    return [step.offered for step in trajectory.steps]


@pytest.mark.parametrize("planner", ["react", "dfsdt", "dfsdt-toolbench", "react@2", "dfsdt@2"])
async def test_what_is_found_can_be_called_from_the_next_step_on(planner):
    trajectory, model = await rollout(
        find("train", k=1), call("train"), find("ferry", "again", k=1), "Done.", planner=planner
    )
    assert trajectory.status == "answered"
    assert trajectory.settings["find_tools"] is True
    assert offers(trajectory) == [
        ("find_tools", "rain"),
        ("find_tools", "rain", "train"),
        ("find_tools", "rain", "train"),
        ("find_tools", "rain", "train", "ferry"),
    ]
    assert trajectory.steps[1].observations[0].value() == {"about": "train"}
    assert [spec.name for spec in trajectory.tools] == ["find_tools", "rain", "train", "ferry"]
    for step, request in zip(trajectory.steps, model.requests, strict=True):
        assert tuple(spec.name for spec in request.tools) == step.offered


@pytest.mark.parametrize("planner", ["react", "dfsdt"])
async def test_a_call_in_the_step_of_the_search_comes_too_early(planner):
    trajectory, _ = await rollout((find("train"), call("train")), call("train"), "Done.", planner=planner)
    first, second = trajectory.steps[:2]
    assert [found.error and found.error.code for found in first.observations] == [None, "E-TOOL-UNKNOWN"]
    assert second.observations[0].error is None


async def test_searches_at_once_are_offered_in_the_order_of_the_calls():
    both = find("ferry", "a", k=1), find("stamp", "b", k=1)
    trajectory, _ = await rollout(both, "Done.")
    assert trajectory.steps[1].offered == ("find_tools", "rain", "ferry", "stamp")


async def test_a_search_without_hits_and_one_with_bad_arguments_change_nothing():
    trajectory, _ = await rollout(find("zzz"), find(""), find("train", k=99), find(7), "Done.")
    assert {step.offered for step in trajectory.steps} == {("find_tools", "rain")}
    first, *others = [step.observations[0] for step in trajectory.steps[:4]]
    assert first.value() == {"tools": []}
    assert "other words" in first.text()
    assert [found.error.code for found in others] == ["E-TOOL-ARGUMENTS"] * 3


async def test_what_a_branch_found_belongs_to_the_branch():
    trajectory, model = await rollout(
        find("train", k=1),  # 0, which leads nowhere
        call("violin"),  # 1, a tool that is not offered
        gave_up(),  # 2: all is taken back
        find("ferry", "b", k=1),  # 3
        call("ferry"),
        "Done.",
        planner=DFSDT(back_off=3),
    )
    assert [step.parent for step in trajectory.steps] == [None, 0, 1, None, 3, 4]
    assert offers(trajectory) == [
        ("find_tools", "rain"),
        ("find_tools", "rain", "train"),
        ("find_tools", "rain", "train"),
        ("find_tools", "rain"),
        ("find_tools", "rain", "ferry"),
        ("find_tools", "rain", "ferry"),
    ]
    # Where the search goes on from an earlier point, the model is shown the very tools it was shown there.
    assert [spec.name for spec in model.requests[3].tools] == [spec.name for spec in model.requests[0].tools]
    path = [step.offered for step in trajectory.path()]
    assert path == [("find_tools", "rain"), ("find_tools", "rain", "ferry"), ("find_tools", "rain", "ferry")]


async def test_the_same_search_on_another_branch_is_reused_and_offers_the_same():
    trajectory, _ = await rollout(
        call("rain"),
        find("train", k=1),
        gave_up(),
        call("rain", "c2", "Bonn"),
        find("train", "f2", k=1),
        call("train"),
        "Done.",
        planner="dfsdt",
    )
    again = trajectory.steps[4]
    assert again.observations[0].provenance == "reused"
    assert trajectory.steps[5].offered == ("find_tools", "rain", "train")
    assert trajectory.steps[3].offered == ("find_tools", "rain")


async def test_each_try_begins_with_the_first_offer():
    trajectory, _ = await rollout(find("train", k=1), gave_up(), "Done.", planner="react@2")
    assert [step.offered for step in trajectory.steps if step.parent is None] == [("find_tools", "rain")] * 2


class Fickle(Retriever):
    """Finds what it is told to, and counts the searches."""

    name = "fickle"

    def __init__(self, *answers):
        self.answers = answers
        self.searches = 0

    async def index(self, specs):
        self.specs = specs

    async def retrieve(self, query, k=5):
        if query == "rain":
            return [Scored(self.specs.named("rain"), 1.0)]
        self.searches += 1
        return [Scored(self.specs.named(name), 1.0) for name in self.answers[:k]]


class Memory(Home):
    """Keeps what it is told, in order."""

    def __init__(self):
        self.told = []

    def tell(self, message):
        self.told.append(message["entry"])

    async def ask(self, message):
        self.told.append(message["entry"] | {"status": "started"})
        return {}


def journal_of(memory, entries=()):
    blank = {"made": True, "request": None, "result": None, "file": None, "at": 0.0}
    known = {entry["key"]: blank | entry for entry in entries}
    return RolloutJournal(
        memory,
        job=0,
        id="r",
        started="2026-01-01T00:00:00.000+00:00",
        entries=list(known.values()),
        secrets=SecretStore(),
    )


def timeless(trajectory):
    steps = []
    for step in trajectory.steps:
        found = tuple(replace(one, seconds=0.0) for one in step.observations)
        usage = replace(step.usage, seconds=0.0)
        steps.append(replace(step, started=0.0, usage=usage, observations=found))
    return replace(trajectory, steps=tuple(steps), usage=replace(trajectory.usage, seconds=0.0))


@pytest.mark.parametrize("planner", ["react", "dfsdt"])
async def test_a_rollout_that_is_run_again_is_offered_what_it_was_offered(planner):
    """Even where a search would find something else by now."""
    turns = [find("a thing", k=3), call("train"), find("b", "f2"), call("stamp"), "Done."]
    memory = Memory()
    whole, _ = await rollout(
        *turns, journal=journal_of(memory), retriever=Fickle("train", "stamp"), planner=planner
    )
    assert whole.steps[1].offered == ("find_tools", "rain", "train", "stamp")
    for known in range(len(memory.told) + 1):
        entries = memory.told[:known]
        searched = sum(entry["name"] == "find_tools" and entry["kind"] == "tool" for entry in entries)
        other = Fickle(*(("train", "stamp") if searched < 1 else ("violin",)))
        asked = sum(entry["kind"] == "model" for entry in entries)
        again, _ = await rollout(
            *turns[asked:], journal=journal_of(Memory(), entries), retriever=other, planner=planner
        )
        assert other.searches == 2 - searched
        if searched != 1:
            assert timeless(again) == timeless(whole)
        else:  # the second search was not recorded
            assert again.steps[1].offered == whole.steps[1].offered
            assert again.steps[-1].offered == ("find_tools", "rain", "train", "stamp", "violin")


async def test_what_a_tool_returns_adds_nothing_though_it_looks_like_hits():
    forged = {"tools": [{"name": "violin", "description": "x", "required": {}}]}
    trajectory, _ = await rollout(call("rain"), call("violin"), "Done.", given=tools(rain=forged))
    assert trajectory.steps[1].observations[0].error.code == "E-TOOL-UNKNOWN"


async def test_offering_the_search_marks_no_run_and_what_is_found_does():
    plain = [CannedTool(tool_spec(word, description=word, untrusted=False), word) for word in WORDS[:4]]
    strange = CannedTool(tool_spec("melon", description="melon", untrusted=True), "melon")
    trusted, _ = await rollout(find("train", k=1), "Done.", given=plain)
    assert not any(label.startswith("description:") for label in trusted.labels)
    marked, _ = await rollout(find("melon", k=1), "Done.", given=[*plain, strange])
    assert "description:melon" in marked.labels


async def test_a_retriever_that_breaks_is_the_programmers_error():
    class Broken(Fickle):
        async def retrieve(self, query, k=5):
            if query != "rain":
                raise ValueError("no index")
            return await super().retrieve(query, k)

    with pytest.raises(ToolCrashError, match="no index"):
        await rollout(find("train"), retriever=Broken())
