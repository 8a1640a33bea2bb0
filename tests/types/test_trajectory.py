"""The tree of steps: paths, children, and branches that share what they have in common."""

import gc
import sys
import time
from dataclasses import replace

import pytest

from toolhaft.errors import FormatError, UsageError
from toolhaft.types import (
    Completion,
    ErrorInfo,
    JSONPart,
    Observation,
    Step,
    Task,
    TextPart,
    ToolCall,
    ToolSpec,
    Trajectory,
    Usage,
)

TASK = Task(id="t", instruction="do")


def tree(*parents, answer=None):
    steps = tuple(Step(id=n, parent=parent) for n, parent in enumerate(parents))
    return Trajectory(id="r", task=TASK, steps=steps, answer_step=answer)


@pytest.mark.parametrize(
    ("parents", "answer", "path"),
    [
        ((), None, []),
        ((None,), 0, [0]),
        ((None, 0, 1), 2, [0, 1, 2]),
        ((None, 0, 0, 2), 3, [0, 2, 3]),
        ((None, None, 1), 2, [1, 2]),
        ((None, 0, 1), None, []),
    ],
)
def test_the_path_leads_from_the_root_to_the_answer(parents, answer, path):
    assert [step.id for step in tree(*parents, answer=answer).path()] == path


def test_children():
    found = tree(None, 0, 0, 1, None)
    assert [step.id for step in found.children(None)] == [0, 4]
    assert [step.id for step in found.children(0)] == [1, 2]
    assert found.children(3) == ()


@pytest.mark.parametrize("step", [5, -1])
def test_a_path_to_nowhere_is_refused(step):
    with pytest.raises(UsageError, match="there is no step"):
        tree(None).path_to(step)


def test_a_circle_of_parents_ends():
    with pytest.raises(FormatError, match="circle"):
        tree(1, 0, answer=0).path()


def test_branching_shares_the_steps():
    steps = tuple(
        Step(
            id=n,
            parent=n - 1 if n else None,
            observations=(Observation(call_id="c", tool="t", parts=(TextPart("x" * 1000),)),),
        )
        for n in range(1000)
    )
    trunk = Trajectory(id="r", task=TASK, steps=steps, answer_step=999)
    gc.collect()
    started = time.perf_counter()
    branches = [
        replace(trunk, steps=(*trunk.steps, Step(id=1000, parent=n)), answer_step=1000)
        for n in range(0, 1000, 10)
    ]
    assert time.perf_counter() - started < 0.5
    for branch in branches:
        assert all(mine is theirs for mine, theirs in zip(branch.steps[:-1], trunk.steps, strict=True))
    # A branch costs one tuple of pointers and the new step, not a copy of a megabyte of observations.
    assert sys.getsizeof(branches[0].steps) < 10_000
    assert [step.id for step in branches[3].path()] == [*range(31), 1000]


def test_origins_and_provenances_are_listed_once():
    observations = tuple(
        Observation(call_id="c", tool="t", provenance=kind) for kind in ("live", "cached", "live")
    )
    found = Trajectory(
        id="r",
        task=TASK,
        steps=(
            Step(id=0, origin="heuristic", observations=observations),
            Step(id=1, parent=0, origin="model"),
        ),
    )
    assert found.provenances == ("live", "cached")
    assert found.origins == ("heuristic", "model")
    assert [*found.observations()] == [*observations]


def test_usages_add_up_field_by_field():
    one = Usage(model_calls=1, tool_calls=2, input_tokens=3, output_tokens=4, cost=0.5, seconds=0.25)
    assert one + one == Usage(
        model_calls=2, tool_calls=4, input_tokens=6, output_tokens=8, cost=1.0, seconds=0.5
    )


@pytest.mark.parametrize(
    ("parts", "value", "text"),
    [
        ((), "", ""),
        ((TextPart("a"),), "a", "a"),
        ((JSONPart({"a": 1}),), {"a": 1}, '{"a":1}'),
        ((JSONPart(2**70),), 2**70, str(2**70)),
        ((TextPart("a"), JSONPart([1])), "a\n[1]", "a\n[1]"),
    ],
)
def test_an_observation_as_value_and_as_text(parts, value, text):
    observation = Observation(call_id="c", tool="t", parts=parts)
    assert observation.value() == value
    assert observation.text() == text
    assert not observation.failed


def test_a_failed_observation_reads_as_its_error():
    error = ErrorInfo(code="E-TOOL", what="no such pet", where="getPet#/id", hint="Search first")
    observation = Observation(call_id="c", tool="t", error=error)
    assert observation.failed
    assert observation.text() == "Error E-TOOL: getPet#/id: no such pet. Search first"


def test_a_completion_becomes_the_message_to_append():
    call = ToolCall(id="c", name="t")
    message = Completion(text="hm", calls=(call,)).message()
    assert (message.role, message.text, message.calls) == ("assistant", "hm", (call,))


@pytest.mark.parametrize("parameters", [{}, {"required": None}, {"properties": []}, {"properties": None}])
def test_a_spec_reads_odd_schemas(parameters):
    spec = ToolSpec(name="t", parameters=parameters)
    assert spec.required == ()
    assert spec.properties == {}
