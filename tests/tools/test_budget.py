"""Budgets are asked before anything is spent; memory says what must not be done twice."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolhaft.errors import BudgetExceededError
from toolhaft.tools.budget import BudgetMeter
from toolhaft.tools.memory import CallMemory, canonical
from toolhaft.types import Budget, ErrorInfo, Observation, TextPart, ToolCall, Usage

LIMIT = st.none() | st.integers(0, 6)
STEPS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 4), st.integers(0, 3)), max_size=40
)


@given(steps=LIMIT, model_calls=LIMIT, tool_calls=LIMIT, tokens=st.none() | st.integers(0, 10), spent=STEPS)
@settings(max_examples=300, deadline=None)
def test_no_limit_is_ever_exceeded(steps, model_calls, tool_calls, tokens, spent):
    budget = Budget(steps=steps, model_calls=model_calls, tool_calls=tool_calls, tokens=tokens)
    meter = BudgetMeter(budget)
    refused = []
    for more_steps, more_models, more_tools, more_tokens in spent:
        before = (meter.steps, meter.model_calls, meter.tool_calls)
        used = meter.input_tokens + meter.output_tokens
        try:
            meter.reserve(steps=more_steps, model_calls=more_models, tool_calls=more_tools)
        except BudgetExceededError as error:
            assert (meter.steps, meter.model_calls, meter.tool_calls) == before
            refused.append(error.quantity)
            continue
        # Tokens are known only afterwards: nothing is begun once they are spent.
        assert tokens is None or used < tokens
        meter.record(Usage(input_tokens=more_tokens, output_tokens=1))
    assert all(getattr(budget, quantity) is not None for quantity in refused)
    for quantity in ("steps", "model_calls", "tool_calls"):
        limit = getattr(budget, quantity)
        assert limit is None or getattr(meter, quantity) <= limit


@pytest.mark.parametrize(
    ("budget", "quantity"),
    [
        (Budget(steps=0), "steps"),
        (Budget(model_calls=0), "model_calls"),
        (Budget(tool_calls=0), "tool_calls"),
        (Budget(tokens=0), "tokens"),
        (Budget(cost=0.0), "cost"),
        (Budget(seconds=0.0), "seconds"),
    ],
)
def test_a_budget_of_nothing_allows_nothing(budget, quantity):
    with pytest.raises(
        BudgetExceededError, match=f"budget of 0 {quantity.replace('_', ' ')} is spent"
    ) as caught:
        BudgetMeter(budget).reserve(steps=1, model_calls=1, tool_calls=1)
    assert caught.value.quantity == quantity
    assert f"'{quantity}'" in caught.value.hint


def test_cost_is_added_up():
    meter = BudgetMeter(Budget(cost=1.0))
    for _ in range(2):
        meter.reserve(model_calls=1)
        meter.record(Usage(cost=0.6))
    with pytest.raises(BudgetExceededError, match="cost"):
        meter.reserve(model_calls=1)
    assert math.isclose(meter.usage().cost, 1.2)
    assert meter.usage().model_calls == 2


def test_time_runs(monkeypatch):
    import toolhaft.tools.budget as module

    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    meter = BudgetMeter(Budget(seconds=5.0))
    assert meter.remaining_seconds() == 5.0
    now = 104.0
    assert meter.remaining_seconds() == 1.0
    meter.reserve(steps=1)
    now = 106.0
    assert meter.remaining_seconds() == 0.0
    with pytest.raises(BudgetExceededError, match="seconds"):
        meter.reserve(steps=1)
    assert BudgetMeter(Budget()).remaining_seconds() is None


def called(name="put", effect="write", error=None, **arguments):
    call = ToolCall(id="c", name=name, arguments=arguments)
    return call, Observation(
        call_id="c", tool=name, effect=effect, parts=() if error else (TextPart("ok"),), error=error
    )


UNSURE = ErrorInfo(code="E", what="lost", effect="uncertain")
FAILED = ErrorInfo(code="E", what="no")


@pytest.mark.parametrize(
    ("effect", "error", "abandoned", "written_since", "reads", "reused"),
    [
        ("write", None, False, False, True, False),
        ("write", None, True, False, False, True),
        ("write", None, True, True, False, True),
        ("irreversible", None, True, False, False, True),
        ("write", UNSURE, True, False, False, True),
        ("write", FAILED, True, False, False, False),
        ("read", None, False, False, True, True),
        ("read", None, False, False, False, False),
        ("read", None, True, False, False, False),
        ("read", None, False, True, True, False),
        ("read", FAILED, False, False, True, False),
    ],
)
def test_what_is_reused(effect, error, abandoned, written_since, reads, reused):
    memory = CallMemory()
    call, observation = called(effect=effect, error=error, a=1, b=2)
    memory.remember(call, observation)
    if abandoned:
        memory.abandon([call])
    if written_since:
        memory.remember(*called("other", a=1))
    again = memory.recall(ToolCall(id="d", name="put", arguments={"b": 2, "a": 1}), reads=reads)
    assert (again is not None) == reused
    if again is not None:
        assert (again.call_id, again.provenance, again.seconds) == ("d", "reused", 0.0)
        assert again.parts == observation.parts
    assert memory.recall(ToolCall(id="d", name="put", arguments={"a": 1}), reads=True) is None


def test_an_unknown_call_is_not_abandoned():
    memory = CallMemory()
    memory.abandon([ToolCall(id="c", name="put")])
    assert memory.writes == 0


def test_each_call_has_a_key_of_its_own():
    memory = CallMemory()
    same = [
        ToolCall(id="call_0", name="put", arguments={"a": 1, "b": 2}),
        ToolCall(id="x", name="put", arguments={"b": 2, "a": 1}),
    ]
    other = [
        ToolCall(id="call_0", name="put", arguments={"a": 2}),
        ToolCall(id="call_0", name="get", arguments={"a": 2}),
    ]
    keys = [memory.ordinal(call) for call in same + other]
    assert len(set(keys)) == 4
    again = CallMemory()
    assert [again.ordinal(call) for call in same + other] == keys


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({"a": 1, "b": [1, 2]}, {"b": [1, 2], "a": 1}, True),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": 2**70}, {"a": 2**70}, True),
        ({"a": 2**70}, {"a": 2**70 + 1}, False),
        ({"a": "\ud800"}, {"a": "\ud801"}, False),
        ({"ä": "ü"}, {"ä": "ü"}, True),
    ],
)
def test_equal_arguments_have_equal_texts(one, other, equal):
    assert (canonical(one) == canonical(other)) == equal


@given(
    shared=st.integers(0, 12),
    own=st.lists(st.none() | st.integers(0, 6), min_size=1, max_size=4),
    spent=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), max_size=40),
)
@settings(max_examples=200, deadline=None)
def test_a_shared_budget_is_never_exceeded_by_all_together(shared, own, spent):
    whole = BudgetMeter(Budget(steps=None, model_calls=shared, tool_calls=None))
    meters = [BudgetMeter(Budget(model_calls=limit), shared=whole) for limit in own]
    refused = []
    for which, more in spent:
        meter = meters[which % len(meters)]
        before = (meter.model_calls, whole.model_calls)
        limit = meter.budget.model_calls
        within = limit is None or before[0] + more <= limit
        try:
            meter.reserve(model_calls=more)
        except BudgetExceededError as error:
            refused.append((meter, before, more, within, error))
            assert (meter.model_calls, whole.model_calls) == before
    for meter, before, more, within, error in refused:
        assert error.code == ("E-BUDGET-TOTAL" if within else "E-BUDGET")
        assert ("of all rollouts together" in str(error)) == within
        assert not within or (before[1] + more > shared and meter.cut_short == "model_calls")
    assert whole.model_calls == sum(meter.model_calls for meter in meters) <= shared


def test_tokens_cost_and_time_are_shared_too():
    whole = BudgetMeter(Budget(tokens=10, seconds=5.0))
    meters = [BudgetMeter(Budget(), shared=whole) for _ in range(2)]
    assert 0 < meters[0].remaining_seconds() <= 5.0
    meters[0].reserve(model_calls=1)
    meters[0].record(Usage(input_tokens=8, output_tokens=2))
    with pytest.raises(BudgetExceededError, match="10 tokens of all rollouts"):
        meters[1].reserve(model_calls=1)
    late = BudgetMeter(Budget(seconds=60.0), shared=BudgetMeter(Budget(seconds=0.0)))
    assert late.remaining_seconds() == 0
    assert (late.out_of_time().code, late.cut_short) == ("E-BUDGET-TOTAL", "seconds")
    assert BudgetMeter(Budget(seconds=0.0), shared=whole).out_of_time().code == "E-BUDGET"
