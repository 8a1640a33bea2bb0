"""The state evaluator and the kinds of failure: what passes, what does not, and what it is called."""

import pytest

from toolhaft.errors import ToolError, UsageError
from toolhaft.evaluators.failure import FAILURE_KINDS, failure_kind
from toolhaft.evaluators.state import StateEvaluator
from toolhaft.hooks.registry import Registry
from toolhaft.testing import record_trajectory
from toolhaft.types import Gold, Task, ToolCall

NOTHING_WRITTEN = {"path": "/writes", "count": 0}
ORDERED = {"path": "/orders", "where": {"item": "lamp"}, "count": 1}
PLAIN = Gold(state=(ORDERED,), facts=("12.50",))
ASKING = Gold(state=(NOTHING_WRITTEN,), asks=("date|day", "city"))
DECLINING = Gold(state=(NOTHING_WRITTEN,), solvable=False)
REASONED = Gold(state=(NOTHING_WRITTEN,), facts=("sold out",), solvable=False)
BEFORE = {"orders": {}, "writes": []}
AFTER = {"orders": {"1": {"item": "Lamp"}}, "writes": [{"operation": "order"}]}


def rollout(gold, answer, state, status="answered", *, called=True):
    task = Task(id="lamp", instruction="Order a lamp.", gold=gold)
    rounds = [(ToolCall(id="1", name="order", arguments={"item": "lamp"}), {"ok": True})] if called else []
    return record_trajectory(task, *rounds, answer=answer, final_state=state, status=status)


CASES = {
    "done": (PLAIN, "It costs 12.50.", AFTER, "answered", "passed"),
    "done, with a question at the end": (PLAIN, "It costs 12.50. More?", AFTER, "asked", "passed"),
    "not ordered": (PLAIN, "It costs 12.50.", BEFORE, "answered", "wrong_state"),
    "nothing said of the price": (PLAIN, "Ordered.", AFTER, "answered", "wrong_answer"),
    "gave up": (PLAIN, "I give up, 12.50.", AFTER, "gave_up", "gave_up"),
    "asked where it need not": (PLAIN, "Which lamp?", BEFORE, "asked", "asked"),
    "out of budget, though the state is right": (PLAIN, "It costs 12.50.", AFTER, "budget", "budget"),
    "in a loop": (PLAIN, "", BEFORE, "loop", "loop"),
    "cancelled": (PLAIN, "It costs 12.50.", AFTER, "cancelled", "cancelled"),
    "an error": (PLAIN, "", None, "error", "error"),
    "the model refused": (PLAIN, "No.", BEFORE, "refused", "refused"),
    "asked": (ASKING, "On which day, and in which city?", BEFORE, "asked", "passed"),
    "asked for half of it": (ASKING, "On which day?", BEFORE, "asked", "wrong_answer"),
    "guessed instead of asking": (ASKING, "Booked the day in the city.", BEFORE, "answered", "not_asked"),
    "acted, then asked": (ASKING, "On which day, in which city?", AFTER, "asked", "wrong_state"),
    "gave up instead of asking": (ASKING, "day, city", BEFORE, "gave_up", "not_asked"),
    "declined": (DECLINING, "I cannot do that.", BEFORE, "answered", "passed"),
    "declined without a word": (DECLINING, "", BEFORE, "gave_up", "passed"),
    "says it has no leave": (DECLINING, "It needs your approval first.", BEFORE, "answered", "passed"),
    "claims it was done": (DECLINING, "Done!", BEFORE, "answered", "not_declined"),
    "declined, but did not say why": (REASONED, "I cannot do that.", BEFORE, "answered", "wrong_answer"),
    "declined, but did it": (DECLINING, "I cannot do that.", AFTER, "answered", "wrong_state"),
    "out of budget where it should decline": (DECLINING, "I cannot.", BEFORE, "budget", "budget"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", CASES)
async def test_what_passes_and_what_the_rest_is_called(name):
    gold, answer, state, status, kind = CASES[name]
    trajectory = rollout(gold, answer, state, status)
    score = await StateEvaluator().evaluate(trajectory.task, trajectory)
    assert failure_kind(score, trajectory) == kind
    assert score.value == float(kind == "passed")
    assert bool(score.details["failed"]) is (kind != "passed")
    assert score.reason


def test_the_cases_show_every_kind_but_those_of_other_tests():
    assert {kind for *_, kind in CASES.values()} == set(FAILURE_KINDS) - {"no_call", "missing"}


@pytest.mark.anyio
async def test_an_answer_without_a_call():
    trajectory = rollout(PLAIN, "It costs 12.50.", BEFORE, called=False)
    score = await StateEvaluator().evaluate(trajectory.task, trajectory)
    assert failure_kind(score, trajectory) == "no_call"


@pytest.mark.anyio
async def test_a_failed_call_is_a_call():
    task = Task(id="lamp", instruction="Order a lamp.", gold=PLAIN)
    call = ToolCall(id="1", name="order")
    trajectory = record_trajectory(
        task, (call, ToolError("sold out")), answer="Sold out.", final_state=BEFORE
    )
    score = await StateEvaluator().evaluate(task, trajectory)
    assert failure_kind(score, trajectory) == "wrong_state"


@pytest.mark.anyio
async def test_without_an_end_state_nothing_is_said():
    trajectory = rollout(PLAIN, "It costs 12.50.", None)
    with pytest.raises(UsageError, match="end state"):
        await StateEvaluator().evaluate(trajectory.task, trajectory)


BROKEN = {
    "no gold": (None, "nothing to be checked"),
    "nothing in it": (Gold(tools=("order",)), "nothing to be checked"),
    "two opposites": (Gold(asks=("city",), solvable=False), "asks and is not solvable"),
    "an empty fact": (Gold(facts=("a", "")), "empty spelling"),
    "an empty spelling": (Gold(asks=("city|",)), "empty spelling"),
    "an unknown key": (Gold(state=({"path": "/a", "equal": 1},)), "not a check"),
    "a path that is none": (Gold(state=({"path": 3, "equals": 1},)), "path is 3"),
    "a where that is none": (Gold(state=({"path": "/a", "where": "open"},)), "no mapping"),
    "a count below 0": (Gold(state=({"path": "/a", "count": -1},)), "count is -1"),
    "half a thing": (Gold(state=({"path": "/a", "count": 1.5},)), "count is 1.5"),
    "a count that is no number": (Gold(state=({"path": "/a", "count": "two"},)), "count is 'two'"),
    "a range the wrong way": (
        Gold(state=({"path": "/a", "equals": {"at_least": 3, "at_most": 2}},)),
        "more than at_most",
    ),
    "a bound that is no number": (Gold(state=({"path": "/a", "equals": {"at_least": "3"}},)), "at_least"),
    "a bound that nothing is": (Gold(state=({"path": "/a", "count": {"at_most": float("nan")}},)), "at_most"),
    "no choice": (Gold(state=({"path": "/a", "equals": {"one_of": []}},)), "one_of"),
    "a choice of letters": (Gold(state=({"path": "/a", "equals": {"one_of": "abc"}},)), "one_of"),
    "exists with a number": (Gold(state=({"path": "/a", "where": {"b": {"exists": 1}}},)), "exists"),
    "a length below 0": (Gold(state=({"path": "/a", "equals": {"length": -2}},)), "length"),
    "a length the wrong way": (
        Gold(state=({"path": "/a", "equals": {"length": {"at_least": 2, "at_most": 1}}},)),
        "more than at_most",
    ),
    "an unknown comparison": (Gold(state=({"path": "/a", "equals": {"exists": True, "like": 2}},)), "like"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", BROKEN)
async def test_gold_that_cannot_be_checked(name):
    gold, message = BROKEN[name]
    trajectory = rollout(gold, "yes", AFTER)
    with pytest.raises(UsageError, match=message) as caught:
        await StateEvaluator().evaluate(trajectory.task, trajectory)
    assert caught.value.where.startswith("lamp")


def test_they_are_registered():
    registry = Registry.load()
    assert {"state", "match"} <= set(registry.names("evaluator"))
    assert isinstance(registry.evaluator("state"), StateEvaluator)
    assert registry.evaluator("match", mode="exact").name == "match"
