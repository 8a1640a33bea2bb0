"""Arms side by side: what is paired, what is counted, and what is said of it."""

from dataclasses import replace

import pytest

from toolhaft.errors import UsageError
from toolhaft.evaluators.comparing import ArmAttempts, Attempt, compare_arms
from toolhaft.evaluators.reading import verdict
from toolhaft.evaluators.statistics import mcnemar, wilson
from toolhaft.testing import record_trajectory
from toolhaft.types import Comparison, ErrorInfo, Pairing, Score, Task, ToolCall, Usage, from_json, to_json


def arm(name, outcomes, *, origin="model", **fields):
    """Make an arm of text: one word for each task, ``+`` a trial that passed, ``-`` one that did not."""
    attempts = [
        Attempt(
            task=f"task-{task}",
            trial=trial,
            kind="passed" if mark == "+" else "wrong_answer",
            origin=origin,
            **fields,
        )
        for task, word in enumerate(outcomes.split())
        for trial, mark in enumerate(word)
    ]
    return ArmAttempts(name=name, planner=name, model="m", attempts=tuple(attempts))


def compare(*arms, **settings):
    return compare_arms(arms, resamples=1_000, **settings)


def test_wins_ties_and_losses():
    a = arm("a", "+ + - - - - - - + +")
    b = arm("b", "+ - + + + + + - + +")
    (pairing,) = compare(a, b).pairings
    assert (pairing.a, pairing.b, pairing.tasks) == ("a", "b", 10)
    assert (pairing.wins, pairing.ties, pairing.losses) == (5, 4, 1)
    assert pairing.difference == pytest.approx(0.4)
    assert pairing.low < 0.4 < pairing.high
    assert pairing.mcnemar_p == pairing.adjusted_p == mcnemar(5, 1)
    (mirrored,) = compare(b, a).pairings
    assert (mirrored.wins, mirrored.losses, mirrored.difference) == (1, 5, -pairing.difference)
    assert (mirrored.low, mirrored.high) == pytest.approx((-pairing.high, -pairing.low))


def test_an_arms_row():
    usage = Usage(model_calls=2, tool_calls=3, input_tokens=100, output_tokens=20, cost=0.5, seconds=4.0)
    first = Attempt(task="x", kind="passed", tags=("write",), steps=4, usage=usage)
    second = Attempt(task="y", kind="budget", tags=("write", "shop"), steps=2)
    (row,) = compare(ArmAttempts(name="a", planner="p", model="m", attempts=(first, second))).arms
    assert (row.name, row.planner, row.model) == ("a", "p", "m")
    assert (row.passes.passed, row.passes.total, row.passes.rate) == (1, 2, 0.5)
    assert (row.passes.low, row.passes.high) == wilson(1, 2)
    assert {tag: (share.passed, share.total) for tag, share in row.by_tag.items()} == {
        "write": (1, 2),
        "shop": (0, 1),
    }
    assert (row.model_calls, row.tool_calls, row.steps, row.tokens) == (1, 1.5, 3, 60)
    assert (row.cost, row.seconds) == (0.25, 2.0)
    assert row.failures == {"passed": 1, "budget": 1}
    assert row.pass_all == row.pass_any == {}


def test_the_task_is_the_unit_of_several_trials():
    a = arm("a", "++ +- -- -- -- -- --")
    b = arm("b", "++ ++ +- -- -- -- +-")
    comparison = compare(a, b)
    (pairing,) = comparison.pairings
    assert (pairing.tasks, pairing.wins, pairing.ties, pairing.losses) == (7, 3, 4, 0)
    assert pairing.difference == pytest.approx((0.5 + 0.5 + 0.5) / 7)
    assert pairing.mcnemar_p == mcnemar(3, 0)
    row = comparison.arms[0]
    assert row.pass_all == pytest.approx({1: 3 / 14, 2: 1 / 7})
    assert row.pass_any == pytest.approx({1: 3 / 14, 2: 2 / 7})
    assert comparison.outcomes["task-1"] == {"a": 0.5, "b": 1.0}
    assert any("the task is the unit" in note for note in comparison.notes)


def test_only_what_both_tried_is_paired():
    a = arm("a", "+ + + + + + + +")
    b = arm("b", "- - - - - -")
    comparison = compare(a, b)
    (pairing,) = comparison.pairings
    assert (pairing.tasks, pairing.losses, pairing.difference) == (6, 6, -1.0)
    assert comparison.outcomes["task-7"] == {"a": 1.0}
    assert any("2 of 8 tasks were not tried by both" in note for note in comparison.notes)


def test_a_trial_that_one_arm_lacks_is_left_out_of_the_pair():
    a = arm("a", "+- +- +- +- +- +-")
    b = arm("b", "+ + + + + +")
    (pairing,) = compare(a, b).pairings
    assert (pairing.wins, pairing.ties, pairing.losses) == (0, 6, 0)


def test_arms_without_a_common_task_make_no_pair():
    other = ArmAttempts(name="b", attempts=(Attempt(task="elsewhere"),))
    assert compare(arm("a", "+ -"), other).pairings == ()


@pytest.mark.parametrize("number", [1, 5])
def test_too_few_tasks_say_so(number):
    comparison = compare(arm("a", "- " * number), arm("b", "+ " * number))
    (pairing,) = comparison.pairings
    assert pairing.difference == 1.0
    assert (pairing.low, pairing.high, pairing.mcnemar_p, pairing.detectable) == (None, None, None, None)
    assert not pairing.shown
    assert any(f"too few tasks ({number})" in note for note in comparison.notes)


def test_six_tasks_are_enough_to_tell_apart():
    comparison = compare(arm("a", "- " * 6), arm("b", "+ " * 6))
    assert comparison.pairings[0].mcnemar_p < 0.05
    assert any("b is better" in note for note in comparison.notes)


@pytest.mark.parametrize("mark", ["+ ", "- "])
def test_tasks_that_all_end_alike(mark):
    comparison = compare(arm("a", mark * 20), arm("b", mark * 20))
    (pairing,) = comparison.pairings
    assert (pairing.difference, pairing.ties, pairing.mcnemar_p) == (0.0, 20, 1.0)
    assert pairing.low < 0 < pairing.high
    assert any("no difference shown: all 20 tasks ended alike" in note for note in comparison.notes)


def test_the_floor_has_a_row_and_no_pair():
    comparison = compare(arm("a", "+ - - - - -"), arm("b", "+ + - - - -"), arm("nothing", "- + - - - -"))
    assert [row.name for row in comparison.arms] == ["a", "b", "nothing"]
    assert [(pairing.a, pairing.b) for pairing in comparison.pairings] == [("a", "b")]
    assert any("Doing nothing passes 1 of 6 tasks" in note for note in comparison.notes)


def test_several_pairs_are_adjusted_for():
    a, b, c = arm("a", "- " * 12), arm("b", "+ " * 6 + "- " * 6), arm("c", "+ " * 12)
    comparison = compare(a, b, c)
    raw = [pairing.mcnemar_p for pairing in comparison.pairings]
    adjusted = [pairing.adjusted_p for pairing in comparison.pairings]
    assert raw == pytest.approx([mcnemar(6, 0), mcnemar(12, 0), mcnemar(6, 0)])
    assert adjusted == pytest.approx([2 * raw[0], 3 * raw[1], 2 * raw[2]])
    assert any("3 pairs were compared" in note for note in comparison.notes)
    assert any("not sure" in note and "b against a" in note for note in comparison.notes)


def test_who_wrote_the_steps_is_said():
    notes = compare(arm("a", "+ -", origin="heuristic"), arm("b", "- +", origin="replay")).notes
    assert any("model of a is the built-in heuristic" in note for note in notes)
    assert any("What b did was read from a file" in note for note in notes)
    assert not any("heuristic" in note for note in compare(arm("a", "+ -"), arm("b", "- +")).notes)


def test_errors_count_and_are_said():
    broken = ArmAttempts(name="a", attempts=(Attempt(task="x", kind="error"), Attempt(task="y")))
    comparison = compare(broken)
    assert comparison.arms[0].passes.total == 2
    assert any("1 of 2 rollouts of a ended in an error" in note for note in comparison.notes)


def test_what_ended_most_rollouts_is_said():
    errors = ["the key is\nwrong", "no answer", "the key is\nwrong"]
    attempts = [Attempt(task=str(n), kind="error", error=error) for n, error in enumerate(errors)]
    (note,) = compare(ArmAttempts(name="a", attempts=tuple(attempts))).notes
    assert note.endswith("count as failed. The errors: the key is wrong (2 times); no answer (once).")
    (note,) = compare(ArmAttempts(name="a", attempts=(attempts[0],))).notes
    assert note.endswith("count as failed. The error: the key is wrong.")
    record = record_trajectory(
        Task(id="t", instruction="Do."), status="error", error=ErrorInfo(code="E", what="gone")
    )
    assert Attempt.of(record, Score(name="s", value=0.0)).error == "gone"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"difference": 0.1, "low": -0.05, "high": 0.2, "mcnemar_p": 0.3}, "includes 0 (+10.0 points"),
        ({"difference": 0.1, "low": 0.0, "high": 0.2, "mcnemar_p": 0.06}, "no difference shown"),
        ({"difference": 0.1, "low": 0.02, "high": 0.2, "mcnemar_p": 0.01}, "b is better"),
        ({"difference": -0.1, "low": -0.2, "high": -0.02, "mcnemar_p": 0.01}, "a is better"),
        (
            {"difference": 0.1, "low": 0.02, "high": 0.2, "mcnemar_p": 0.01, "adjusted_p": 0.09},
            "does not confirm it",
        ),
        ({"difference": 0.1, "low": -0.02, "high": 0.2, "mcnemar_p": 0.04}, "not sure: one wins more tasks"),
        ({"difference": 0.5}, "too few tasks"),
    ],
)
def test_verdicts(fields, said):
    assert said in verdict(Pairing(a="a", b="b", tasks=9, wins=3, ties=5, losses=1, **fields))


def test_a_comparison_survives_json():
    comparison = compare(arm("a", "++ +- -- -- -- --"), arm("b", "++ ++ -+ -- -- --"), title="T", notes=["N"])
    assert from_json(Comparison, to_json(comparison)) == comparison
    assert comparison.notes[0] == "N"
    assert (
        compare(arm("a", "++ +- -- -- -- --"), arm("b", "++ ++ -+ -- -- --"), title="T", notes=["N"])
        == comparison
    )


def test_an_attempt_is_what_trajectory_and_score_come_to():
    task = Task(id="t", instruction="Do.", tags=("write",))
    record = record_trajectory(
        task, (ToolCall(id="1", name="x"), "ok"), answer="Done.", usage=Usage(model_calls=2)
    )
    attempt = Attempt.of(record, Score(name="s", value=0.0), trial=3)
    assert attempt == Attempt(
        task="t",
        trial=3,
        kind="wrong_answer",
        tags=("write",),
        steps=2,
        usage=Usage(model_calls=2),
        origin="scripted",
    )
    named = Attempt.of(record, Score(name="s", value=0.0, details={"failure": "budget"}))
    assert named.kind == "budget"
    strange = Attempt.of(record, Score(name="s", value=1.0, details={"failure": "magic"}))
    assert strange.kind == "passed"


def test_an_outcome_that_the_evaluator_names_is_the_kind():
    record = record_trajectory(Task(id="t", instruction="Do."), answer="Done.")
    score = Score(name="s", value=0.0, outcome="hallucination", parts={"api": 0.0, "domain": 1.0})
    attempt = Attempt.of(record, score)
    assert (attempt.kind, attempt.parts) == ("hallucination", {"api": 0.0, "domain": 1.0})
    other = replace(attempt, task="u", parts={"api": 1.0})
    nothing = replace(attempt, task="v", parts={})
    (row,) = compare(ArmAttempts(name="a", attempts=(attempt, other, nothing))).arms
    assert row.failures == {"hallucination": 3}
    # Of what the second has not the mean leaves it out; what has no part at all is a failure.
    assert row.parts == {"api": pytest.approx(1 / 3), "domain": 0.5}
    assert Attempt.of(record, replace(score, outcome="passed")).kind == "no_call"
    assert Attempt.of(record, replace(score, outcome="Two words!")).kind == "no_call"
    ended = replace(record, status="budget")
    assert Attempt.of(ended, score).kind == "budget"


def test_references_get_their_rows_and_are_paired_with_nobody():
    ceiling = replace(arm("gold", "+ + + + + +", origin="scripted"), reference=True)
    comparison = compare(arm("a", "+ + - - - -"), arm("b", "+ - - - - -"), ceiling)
    assert [row.name for row in comparison.arms] == ["a", "b", "gold"]
    assert [(pairing.a, pairing.b) for pairing in comparison.pairings] == [("a", "b")]
    assert not any("gold" in note for note in comparison.notes)


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ([], "nothing to compare"),
        ([arm("a", "+"), arm("a", "-")], "2 arms are named 'a'"),
        ([ArmAttempts(name="a", attempts=(Attempt(task="x"), Attempt(task="x")))], "there 2 times"),
        ([ArmAttempts(name="a", attempts=(Attempt(task="x", kind="No word"),))], "no failure kind"),
    ],
    ids=["none", "a name twice", "a trial twice", "an unknown kind"],
)
def test_arms_that_make_no_sense(arms, message):
    with pytest.raises(UsageError, match=message):
        compare_arms(arms)


def test_an_arm_that_did_nothing_yet():
    comparison = compare(ArmAttempts(name="a"), arm("b", "+ -"))
    assert comparison.arms[0].passes.total == 0
    assert (comparison.arms[0].passes.low, comparison.arms[0].passes.high) == (0.0, 1.0)
    assert comparison.pairings == ()
