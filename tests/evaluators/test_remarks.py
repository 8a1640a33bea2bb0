"""What rollouts show that figures hide, and the order of tags."""

import pytest

from toolhaft.evaluators.comparing import ArmAttempts, Attempt, compare_arms
from toolhaft.evaluators.remarks import count_tries, is_idle
from toolhaft.evaluators.tag_order import in_order
from toolhaft.testing import record_trajectory
from toolhaft.types import Gold, Score, Step, Task, ToolCall

CALL = ToolCall(id="1", name="look", arguments={"city": "Oslo"})
SOLVED = {"solution": {"calls": [{"tool": "look"}]}}


@pytest.mark.parametrize(
    ("gold", "metadata", "called", "idle"),
    [
        (Gold(facts=("x",)), SOLVED, False, True),
        (Gold(facts=("x",), tools=("look",)), {}, False, True),
        (Gold(facts=("x",)), SOLVED, True, False),
        (Gold(facts=("x",)), {}, False, False),
        (Gold(facts=("x",)), {"solution": {"calls": []}}, False, False),
        (Gold(facts=("x",)), {"solution": "none"}, False, False),
        (Gold(solvable=False), SOLVED, False, False),
        (Gold(asks=("x",)), SOLVED, False, False),
    ],
)
def test_nothing_was_called_though_the_solution_does(gold, metadata, called, idle):
    task = Task(id="t", instruction="Do.", gold=gold, metadata=metadata)
    record = record_trajectory(task, *([(CALL, "ok")] if called else []), answer="x")
    assert is_idle(record) == idle
    attempt = Attempt.of(record, Score(name="s", value=1.0))
    notes = compare_arms([ArmAttempts(name="a", attempts=(attempt,))]).notes
    assert any("1 task of a was passed without a call" in note for note in notes) == idle


def tries(*thoughts, planner="react@3"):
    steps = [
        Step(id=number, parent=None, thought=thought, status="gave_up")
        for number, thought in enumerate(thoughts)
    ]
    record = record_trajectory(Task(id="t", instruction="Do."), answer="no", planner=planner)
    from dataclasses import replace

    return replace(record, steps=tuple(steps), answer_step=0)


def test_tries_that_are_alike_are_said():
    assert count_tries(tries("no", "no", "no")) == (3, True)
    assert count_tries(tries("no", "no", "yes")) == (3, False)
    assert count_tries(tries("no")) == (1, False)
    assert count_tries(tries("no", "no", planner="dfsdt")) == (1, False)

    def notes(*records):
        attempts = tuple(
            Attempt.of(record, Score(name="s", value=0.0), trial=trial)
            for trial, record in enumerate(records)
        )
        return " ".join(compare_arms([ArmAttempts(name="react@3", attempts=attempts)]).notes)

    said = "identical in all 2 rollouts with more than one"
    assert said in notes(tries("no", "no"), tries("a"), tries("b", "b", "b"))
    assert "identical" not in notes(tries("no", "no"), tries("b", "c"))


def test_kinds_come_first_then_traits_then_services():
    tags = ["shop", "write", "unsolvable", "bank", "one_call", "look_alike", "dead_end"]
    assert in_order(tags) == ["one_call", "dead_end", "unsolvable", "look_alike", "write", "shop", "bank"]
    attempts = (Attempt(task="x", tags=("shop", "fault", "ask")),)
    (arm,) = compare_arms([ArmAttempts(name="a", attempts=attempts)]).arms
    assert list(arm.by_tag) == ["ask", "fault", "shop"]
