"""An evaluation goes on whatever becomes of one rollout, and says what was done."""

import asyncio

import pytest

from toolhaft.agent import Agent
from toolhaft.errors import ConfigError, ModelError, ToolhaftError, UnknownNameError, UsageError
from toolhaft.evaluators.base import Evaluator
from toolhaft.report.store import load_evaluation, save_evaluation
from toolhaft.runs.evaluate import Arm, EvaluationRun
from toolhaft.testing import CannedTool, ScriptedModel, record_trajectory, tool_spec
from toolhaft.tools.loop import run_sync
from toolhaft.types import Budget, Gold, Score, Task, ToolCall, Usage

pytestmark = pytest.mark.anyio
TASKS = [
    Task(id=f"t{number}", instruction=f"Say {number}.", gold=Gold(facts=(str(number),)), tags=("say",))
    for number in range(8)
]
GOOD, BAD = Arm(name="good"), Arm(name="bad", planner="other")


def answer(arm, task, trial, text, **fields):
    call = ToolCall(id="1", name="say")
    return record_trajectory(
        task, (call, "ok"), answer=text, id=f"{arm.name}-{task.id}-{trial}", planner=arm.planner, **fields
    )


async def say(arm, task, trial):
    return answer(arm, task, trial, task.id[1:] if arm is GOOD else "no")


async def evaluate(rollout=say, *, arms=(GOOD, BAD), tasks=TASKS, **settings):
    run = EvaluationRun(arms, tasks, rollout, **settings)
    await run.run()
    return run


async def test_every_arm_does_every_task_and_is_scored():
    seen = []
    run = await evaluate(progress=lambda outcome, done, planned: seen.append((outcome.kind, done, planned)))
    assert [done for _, done, _ in seen] == list(range(1, 25))
    assert {planned for *_, planned in seen} == {24} == {run.planned}
    rows = {arm.name: arm for arm in run.compare().arms}
    assert {name: row.passes.passed for name, row in rows.items()} == {"good": 8, "bad": 0, "nothing": 0}
    assert rows["bad"].failures == {"wrong_answer": 8}
    assert rows["nothing"].failures == {"no_call": 8}
    assert rows["bad"].planner == "other"
    (pairing,) = run.compare().pairings
    assert (pairing.a, pairing.b, pairing.losses) == ("good", "bad", 8)
    assert run.stopped == ""


async def test_the_order_of_results_does_not_hang_on_who_finishes_first():
    async def slow_first(arm, task, trial):
        await asyncio.sleep(0.02 * (8 - int(task.id[1:])) / 8 + (0.01 if arm is GOOD else 0))
        return await say(arm, task, trial)

    finished = []
    run = await evaluate(
        slow_first, trials=2, progress=lambda outcome, *_: finished.append(outcome.trajectory.id)
    )
    order = [(o.trajectory.task.id, o.trial, o.arm) for o in run.outcomes]
    assert order == [
        (task.id, trial, arm)
        for task in TASKS
        for trial in (0, 1)
        for arm in ("good", "bad", "nothing")
        if arm != "nothing" or trial == 0
    ]
    assert finished != [outcome.trajectory.id for outcome in run.outcomes]
    assert run.compare(seed=3) == (await evaluate(trials=2)).compare(seed=3)


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_are_under_way_than_allowed(concurrency):
    under_way = most = 0

    async def count(arm, task, trial):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return await say(arm, task, trial)

    await evaluate(count, concurrency=concurrency)
    assert most == concurrency


async def test_an_error_is_an_outcome_and_the_rest_goes_on():
    async def fail(arm, task, trial):
        if arm is BAD and task.id == "t3":
            raise ModelError("the server is gone", where="http://model")
        if arm is BAD and task.id == "t4":
            error = ModelError("it broke off")
            error.trajectory = answer(arm, task, trial, "half", status="error")
            raise error
        return await say(arm, task, trial)

    run = await evaluate(fail)
    assert len(run.outcomes) == 24
    broken = [outcome for outcome in run.outcomes if outcome.kind == "error"]
    assert [(outcome.arm, outcome.trajectory.task.id) for outcome in broken] == [("bad", "t3"), ("bad", "t4")]
    assert broken[0].trajectory.error.what == "the server is gone"
    assert broken[0].trajectory.status == "error"
    assert len(broken[1].trajectory.steps) == 2
    row = run.compare().arms[1]
    assert row.failures == {"wrong_answer": 6, "error": 2}
    assert row.passes.total == 8


async def test_a_bug_is_no_outcome():
    async def crash(arm, task, trial):
        if task.id == "t2":
            raise ZeroDivisionError
        return await say(arm, task, trial)

    run = EvaluationRun([GOOD], TASKS, crash, concurrency=1)
    with pytest.raises(ZeroDivisionError):
        await run.run()
    assert [outcome.trajectory.task.id for outcome in run.outcomes if outcome.arm == "good"] == ["t0", "t1"]


async def test_a_missing_key_is_missing_for_all():
    async def lack(arm, task, trial):
        raise ConfigError("the variable OPENAI_API_KEY is not set")

    run = EvaluationRun([GOOD], TASKS, lack, concurrency=1)
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        await run.run()
    assert run.outcomes == ()


async def test_cancelling_keeps_what_is_done():
    async def stop_at_five(arm, task, trial):
        if task.id == "t5":
            run.cancel()
            await asyncio.sleep(60)
        return await say(arm, task, trial)

    run = EvaluationRun([GOOD, BAD], TASKS, stop_at_five, concurrency=1)
    async with asyncio.timeout(10):
        await run.run()
    assert run.stopped == "interrupted"
    assert len(run.outcomes) == 15
    comparison = run.compare()
    assert comparison.pairings[0].tasks == 5
    assert "interrupted after 15 of 24 rollouts" in comparison.notes[0]


async def test_cancelling_from_outside_ends_the_rollouts_too():
    ended = []

    async def wait(arm, task, trial):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(task.id)

    run = EvaluationRun([GOOD], TASKS, wait, concurrency=4)
    going = asyncio.create_task(run.run())
    await asyncio.sleep(0.05)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert len(ended) > 0


@pytest.mark.parametrize(
    ("limit", "quantity", "begun"),
    [
        ({"model_calls": 10}, "model_calls", 5),
        ({"tool_calls": 4}, "tool_calls", 4),
        ({"tokens": 500}, "tokens", 5),
        ({"cost": 1.0}, "cost", 2),
        ({"steps": 9}, "steps", 5),
        ({"seconds": 0.0}, "seconds", 0),
    ],
)
async def test_nothing_is_begun_beyond_the_limit_of_all(limit, quantity, begun):
    usage = Usage(model_calls=2, tool_calls=1, input_tokens=60, output_tokens=40, cost=0.5)

    async def spend(arm, task, trial):
        return answer(arm, task, trial, "no", usage=usage)

    nothing = {"steps": None, "model_calls": None, "tool_calls": None}
    run = await evaluate(spend, concurrency=1, limit=Budget(**{**nothing, **limit}))
    assert run.stopped == quantity
    assert len([outcome for outcome in run.outcomes if outcome.arm != "nothing"]) == begun
    assert f"its budget of {quantity.replace('_', ' ')} was used up" in run.compare().notes[0]


async def test_the_floor_sees_the_state_that_nobody_touched():
    tasks = [
        Task(id="kept", instruction="Do.", gold=Gold(state=({"path": "/writes", "count": 0},))),
        Task(id="done", instruction="Do.", gold=Gold(state=({"path": "/writes", "count": 1},))),
    ]

    async def rollout(arm, task, trial):
        return answer(arm, task, trial, "x", final_state={"writes": [1]})

    async def begin(task):
        return {"writes": []}

    run = await evaluate(rollout, tasks=tasks, arms=[GOOD], beginning=begin, trials=3)
    kinds = [
        (outcome.trajectory.task.id, outcome.kind) for outcome in run.outcomes if outcome.arm == "nothing"
    ]
    assert kinds == [("kept", "passed"), ("done", "no_call")]


async def test_several_evaluators_of_which_the_first_decides():
    class Long(Evaluator):
        name = "long"

        async def evaluate(self, task, trajectory):
            if task.id == "t1":
                raise UsageError("no opinion", where=task.id)
            return Score(name="long", value=0.5, evaluator="long")

    run = await evaluate(evaluators=["state", Long()])
    assert [score.evaluator for score in run.outcomes[0].scores] == ["state", "long"]
    assert run.outcomes[0].kind == "passed"
    unscored = run.outcomes[3].scores[1]
    assert run.outcomes[3].kind == "passed"
    assert (unscored.value, "no opinion" in unscored.reason) == (0.0, True)
    deciding = await evaluate(evaluators=[Long()])
    assert {outcome.kind for outcome in deciding.outcomes} == {"wrong_answer", "error", "no_call"}


async def test_records_say_which_arm_and_trial_they_are_of(tmp_path):
    run = await evaluate(trials=2)
    comparison = run.compare(title="All of it")
    save_evaluation(tmp_path, comparison, run.records(), settings={"trials": 2})
    stored = load_evaluation(tmp_path)
    assert stored.comparison == comparison
    trajectories, scores = stored.arms["bad"]
    assert [(t.task.id, t.settings["arm"], t.settings["trial"]) for t in trajectories][:3] == [
        ("t0", "bad", 0),
        ("t0", "bad", 1),
        ("t1", "bad", 0),
    ]
    assert scores[trajectories[0].id][0].details["failure"] == "wrong_answer"
    assert (tmp_path / "report.html").stat().st_size > 1000


def same(name):
    return Task(id=name, instruction="Do.", gold=Gold(facts=("x",)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"arms": []}, "there is no arm"),
        ({"arms": [GOOD, Arm(name="good")]}, "2 arms are named 'good'"),
        ({"arms": [Arm(name="nothing")]}, "does nothing"),
        ({"tasks": []}, "there is no task"),
        ({"tasks": [same("a"), same("a")]}, "2 tasks are named 'a'"),
        ({"tasks": [Task(id="bare", instruction="Do.")]}, "nothing to be checked"),
        (
            {"tasks": [Task(id="odd", instruction="Do.", gold=Gold(state=({"path": "/a", "count": -1},)))]},
            "count is -1",
        ),
        ({"evaluators": ["match"]}, "gold calls|calls that a good solution"),
        ({"evaluators": []}, "no evaluator"),
        ({"trials": 0}, "trials is 0"),
        ({"trials": True}, "trials is True"),
        ({"trials": 200_000}, "more than 1,000,000 rollouts"),
        ({"concurrency": 0}, "concurrency is 0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_makes_no_sense_is_said_before_anything_is_begun(settings, message):
    begun = []

    async def rollout(arm, task, trial):
        begun.append(task)

    given = {"arms": [GOOD], "tasks": TASKS, "rollout": rollout, **settings}
    with pytest.raises(UsageError, match=message):
        EvaluationRun(**given)
    assert begun == []


def test_an_evaluator_that_nobody_brings():
    with pytest.raises(UnknownNameError, match="stat"):
        EvaluationRun([GOOD], TASKS, say, evaluators=["stat"])


async def test_with_real_agents():
    """Two planners' worth of scripted models, one of which calls the tool and one of which makes it up."""

    async def rollout(arm, task, trial):
        call = ToolCall(id="1", name="number", arguments={})
        made_up = ["It is 7."]
        looked_up = [call, f"It is {task.id[1:]}."]
        tool = CannedTool(tool_spec("number", parameters={"type": "object"}), task.id[1:])
        model = ScriptedModel(*(made_up if arm is BAD else looked_up))
        agent = Agent([tool], model=model, budget=arm.budget)
        return (await agent.run(task)).trajectory

    run = await evaluate(rollout)
    rows = {arm.name: arm for arm in run.compare().arms}
    assert rows["good"].passes.passed == 8
    assert rows["bad"].failures == {"passed": 1, "no_call": 7}
    assert (rows["good"].tool_calls, rows["bad"].tool_calls) == (1.0, 0.0)


def test_from_code_that_is_not_async():
    run = EvaluationRun([GOOD], TASKS, say)
    run_sync(run.run(), on_interrupt=run.cancel)
    assert len(run.outcomes) == 16


def test_every_rollout_may_fail():
    async def fail(arm, task, trial):
        raise ToolhaftError("no")

    run = EvaluationRun([GOOD, BAD], TASKS, fail)
    run_sync(run.run())
    comparison = run.compare()
    assert [arm.failures for arm in comparison.arms] == [{"error": 8}, {"error": 8}, {"no_call": 8}]
    assert comparison.pairings[0].ties == 8


@pytest.mark.parametrize("concurrency", [1, 3, 8])
@pytest.mark.parametrize(
    ("limit", "quantity"), [({"model_calls": 9}, "model_calls"), ({"tool_calls": 5}, "tool_calls")]
)
async def test_the_budget_of_all_holds_exactly_at_any_concurrency(concurrency, limit, quantity):
    nothing = {"steps": None, "model_calls": None, "tool_calls": None}

    async def rollout(arm, task, trial):
        async def slow(request):
            await asyncio.sleep(0)
            return "7"

        calls = [ToolCall(id=str(n), name="number", arguments={"n": n}) for n in range(3)]
        model = ScriptedModel(*calls, f"It is {task.id[1:]}.")
        tool = CannedTool(tool_spec("number", parameters={"type": "object"}), "7", "8", "9")
        return (await Agent([tool], model=model).run(task, shared=run.meter)).trajectory

    run = EvaluationRun(
        [GOOD, BAD], TASKS, rollout, concurrency=concurrency, limit=Budget(**{**nothing, **limit})
    )
    await run.run()
    spent = sum(getattr(outcome.trajectory.usage, quantity) for outcome in run.outcomes)
    assert spent == getattr(run.meter, quantity) <= limit[quantity]
    assert run.stopped == quantity
    cut = [outcome for outcome in run.outcomes if outcome.cut]
    assert cut
    assert {outcome.kind for outcome in cut} <= {"budget", "passed"}
    comparison = run.compare()
    ended = {
        arm: {o.trajectory.task.id for o in run.outcomes if o.arm == arm and not o.cut}
        for arm in ("good", "bad")
    }
    both = ended["good"] & ended["bad"]
    assert [pairing.tasks for pairing in comparison.pairings] == ([len(both)] if both else [])
    note = comparison.notes[0]
    assert f"{len(ended['good'])} of 8 of good, {len(ended['bad'])} of 8 of bad" in note
    assert f"Cut short: {len(cut)};" in note


async def test_a_budget_that_is_just_enough_stops_nothing():
    async def rollout(arm, task, trial):
        agent = Agent([CannedTool(tool_spec())], model=ScriptedModel(task.id[1:]))
        return (await agent.run(task, shared=run.meter)).trajectory

    run = EvaluationRun([GOOD], TASKS, rollout, limit=Budget(steps=None, model_calls=8, tool_calls=None))
    await run.run()
    assert (run.stopped, len(run.outcomes), run.meter.model_calls) == ("", 16, 8)


@pytest.mark.parametrize(
    ("error", "hopeless"),
    [
        (ModelError("no key", where="http://model", hint="Give one"), True),
        (ModelError("nobody", retryable=True, details={"cause": "E-HTTP-UNREACHABLE"}), True),
        (ModelError("busy", retryable=True), False),
        (ToolhaftError("the task cannot be set up"), False),
    ],
    ids=["refused", "unreachable", "busy", "setup"],
)
async def test_an_arm_that_cannot_work_ends_it_early(error, hopeless):
    async def fail(arm, task, trial):
        if arm is BAD:
            raise error
        return await say(arm, task, trial)

    run = EvaluationRun([GOOD, BAD], TASKS, fail, concurrency=1)
    if not hopeless:
        await run.run()
        assert (len(run.outcomes), run.stopped) == (24, "")
        assert any(error.what in note for note in run.compare().notes)
        return
    with pytest.raises(ModelError, match="first 3 rollouts of bad all ended in the same error") as raised:
        await run.run()
    assert error.what in raised.value.what
    assert (raised.value.where, raised.value.hint) == (error.where, error.hint)
    assert len(run.outcomes) == 8
    assert "an error ended it after 8 of 24 rollouts" in run.compare().notes[0]


async def test_errors_that_differ_do_not_end_it():
    async def fail(arm, task, trial):
        raise ModelError(f"refused: {task.id}")

    run = await evaluate(fail, arms=[GOOD], concurrency=1)
    (note,) = [note for note in run.compare().notes if "ended in an error" in note]
    assert note.count("refused: ") == 3
    assert note.endswith("others (5 times).")


async def test_a_server_that_is_not_reached_in_other_words_is_the_same_error():
    async def fail(arm, task, trial):
        what = f"left alone for {task.id[1:]} s"
        raise ModelError(what, retryable=True, details={"cause": "E-HTTP-UNREACHABLE"})

    run = EvaluationRun([GOOD], TASKS, fail, concurrency=1)
    with pytest.raises(ModelError, match="left alone for 0 s"):
        await run.run()
