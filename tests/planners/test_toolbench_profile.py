"""The reference profile asks the model at the same points and in the same order as ToolBench's own search."""

import random

import pytest

from toolhaft.models.base import Model
from toolhaft.planners.dfsdt import DFSDT, ToolBenchDFSDT
from toolhaft.tools.budget import BudgetMeter
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.context import RunContext
from toolhaft.tools.function import tool
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import Budget, Completion, Task, ToolCall

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
TASK = Task(id="t", instruction="Find the way.")
FREE = Budget(steps=None, model_calls=None, tool_calls=None)


@tool(effect="read")
def go(where: str) -> str:
    """Go somewhere."""
    return f"you are at {where}"


class Decided(Model):
    """Decides by the calls that led here and by how often it was asked here, and writes down both."""

    name = "decided"
    origin = "scripted"

    def __init__(self, decide):
        self.decide = decide
        self.asked = []

    async def complete(self, messages, tools=(), *, avoid=(), on_delta=None, seed=None, max_tokens=None):
        path = tuple(call.arguments["where"] for message in messages for call in message.calls)
        tried = sum(entry[0] == path for entry in self.asked)
        self.asked.append((path, tried))
        kind, text, places = self.decide(path, tried)
        calls = tuple(
            ToolCall(id=f"c{len(self.asked)}-{n}", name="go", arguments={"where": place})
            for n, place in enumerate(places)
        )
        if kind == "calls":
            return Completion(text=text, calls=calls, finish="tool_calls", origin="scripted")
        return Completion(text=text, finish="gave_up" if kind == "gave_up" else "stop", origin="scripted")


async def search(decide, planner=None, budget=FREE):
    model = Decided(decide)
    context = RunContext(id="r", meter=BudgetMeter(budget))
    trajectory = None
    async for event in (planner or ToolBenchDFSDT()).rollout(TASK, ToolSet(Catalog([go])), model, context):
        if event.type == "rollout_finished":
            trajectory = event.trajectory
    return model.asked, trajectory


def reference(decide, *, width=2, most=12, limit=200, answers=1, back_off=2):
    """Ask in the order of the recursion of ToolBench's ``DFS_tree_search``, written down anew.

    ``search(node)`` returns how many levels to go back; a round is one node for a thought and two for each
    call. Ours stops before the call that is one too many, so that the last one is not asked in vain.
    """
    asked, found, counts = [], [], {}

    class Over(Exception):
        pass

    def descend(path, depth, end):
        if end == "answered":
            found.append(path)
            return back_off
        if end == "gave_up":
            return back_off
        if depth >= most:
            return 1
        for _ in range(width):
            if len(asked) >= limit:
                raise Over
            tried = counts[path] = counts.get(path, 0) + 1
            asked.append((path, tried - 1))
            kind, text, places = decide(path, tried - 1)
            if kind == "calls":
                nodes = bool(text) + 2 * len(places)
                back = descend((*path, *places), depth + nodes, None)
            else:
                back = descend(path, depth, kind)
            if len(found) >= answers:
                return 10_000
            if back > 1:
                return back - 1
        return 1

    try:
        descend((), 0, None)
    except Over:
        return asked, "budget"
    return asked, "answered" if found else "gave_up"


def endless(thought):
    return lambda path, tried: ("calls", thought, [f"{len(path)}/{tried}"])


@pytest.mark.parametrize(("thought", "calls", "rounds"), [("", 126, 6), ("I wonder.", 30, 4)])
async def test_a_model_that_never_finishes(thought, calls, rounds):
    asked, trajectory = await search(endless(thought))
    assert len(asked) == trajectory.usage.model_calls == calls
    assert max(len(path) for path, _ in asked) + 1 == rounds
    assert (asked, "gave_up") == reference(endless(thought))
    assert trajectory.status == "gave_up"


async def test_the_call_beyond_the_limit_is_not_made():
    asked, trajectory = await search(endless(""), planner=ToolBenchDFSDT(model_calls=50))
    assert (len(asked), trajectory.status) == (50, "budget")
    assert trajectory.error.details["quantity"] == "model_calls"


def drawn(seed):
    """Return a model's mind, drawn by lot, and the same whenever it is asked the same."""
    lot = random.Random(seed)
    give_up, answer, think = lot.random() * 0.5, lot.random() * 0.2, lot.random()
    most = lot.choice((1, 1, 2, 3))
    same = lot.random() * 0.3

    def decide(path, tried):
        own = random.Random(f"{seed} {path} {tried}")
        draw = own.random()
        if draw < give_up:
            return "gave_up", "No way.", []
        if draw < give_up + answer:
            return "answered", "Here it is.", []
        where = "again" if own.random() < same else f"{len(path)}/{tried}"
        count = own.randint(1, most)
        return "calls", "I think." if own.random() < think else "", [f"{where}-{n}" for n in range(count)]

    return decide


@pytest.mark.parametrize(
    "first", [0, *[pytest.param(first, marks=pytest.mark.slow) for first in range(100, 600, 100)]]
)
async def test_it_asks_like_the_reference(first):
    ends = set()
    for seed in range(first, first + 100):
        asked, trajectory = await search(drawn(seed))
        expected, status = reference(drawn(seed))
        assert asked == expected, seed
        assert trajectory.status == status, seed
        ends.add(status)
    assert ends == {"answered", "gave_up"}


@pytest.mark.parametrize(
    ("width", "depth", "back_off", "answers"), [(1, 6, 2, 1), (3, 5, 1, 1), (2, 9, 2, 2), (4, 4, 2, 3)]
)
async def test_it_asks_like_the_reference_with_other_settings(width, depth, back_off, answers):
    planner = DFSDT(
        width=width,
        widest=1,
        depth=depth,
        counting="nodes",
        back_off=back_off,
        answers=answers,
        model_calls=60,
        past_writes=True,
        doubt=False,
        repeats=True,
    )
    for seed in range(60):
        asked, trajectory = await search(drawn(seed), planner=planner)
        expected, status = reference(
            drawn(seed), width=width, most=depth, limit=60, answers=answers, back_off=back_off
        )
        assert asked == expected, seed
        if status != "budget":
            assert trajectory.status == status, seed
