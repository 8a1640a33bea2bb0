"""Win rate: both orders, ties, missing answers, the bias of the order, stored votes."""

import json
from dataclasses import replace

import pytest

from toolhaft.errors import BudgetExceededError, FormatError, ModelError, UsageError
from toolhaft.evaluators.bootstrap import difference_interval
from toolhaft.evaluators.statistics import wilson
from toolhaft.hooks.registry import Registry
from toolhaft.report.store import save_run
from toolhaft.testing import ScriptedModel, record_trajectory
from toolhaft.types import Completion, Gold, Score, Task, ToolCall, from_json, to_json
from toolhaft_evals.judge.prompts import prompt
from toolhaft_evals.judge.verdict import Vote
from toolhaft_evals.win_rate import WinRate, count_votes, count_votes_again, summarize_wins, winner_of

pytestmark = pytest.mark.slow

TASK = Task(id="t1", instruction="Will it rain in Oslo?")


def vote(verdict):
    call = ToolCall(id="v", name="give_verdict", arguments={"verdict": verdict, "reason": "because"})
    return Completion(calls=(call,), finish="tool_calls", model="judge", origin="scripted")


def done(answer, status="answered", task=TASK):
    return replace(record_trajectory(task, answer="x"), answer=answer, status=status)


def against(answer="It may rain.", **settings):
    return WinRate(reference={"t1": done(answer)}, **settings)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("said", "value", "flips", "changes"),
    [
        ("B A", 1.0, 0, 0),
        ("A B", 0.0, 0, 0),
        ("A A", 0.5, 1, 1),
        ("B B", 0.5, 1, 1),
        ("tie tie", 0.5, 0, 0),
        ("B tie", 1.0, 0, 1),
        ("A tie", 0.0, 0, 1),
        ("B A A B", 0.5, 0, 0),
        ("B A A A", 1.0, 1, 1),
    ],
)
async def test_each_vote_is_asked_in_both_orders(said, value, flips, changes):
    model = ScriptedModel(*map(vote, said.split()), name="judge")
    judged = against(judge=model, votes=len(said.split()) // 2)
    score = await judged.evaluate(TASK, done("It rains."))
    assert score.value == value
    assert (score.details["order_flips"], score.details["order_changes"]) == (flips, changes)
    orders = [each["order"] for each in score.details["ballots"]]
    assert orders == ["reference", "candidate"] * (len(said.split()) // 2)
    first, second = (request.messages[1].text for request in model.requests[:2])
    assert first.index("It may rain.") < first.index("| It rains.")
    assert second.index("| It rains.") < second.index("It may rain.")
    assert score.details["prompts"] == {"win": prompt("win").digest}
    assert count_votes_again(from_json(Score, to_json(score))) == score


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("reference", "mine", "value", "outcome"),
    [
        (done("It rains."), done("It rains. "), 0.5, "tie"),
        (done("It rains."), done(""), 0.0, "lost"),
        (done("No.", "gave_up"), done("It rains."), 1.0, ""),
        (done("half", "loop"), done("No.", "gave_up"), 0.5, "tie"),
        (None, done("It rains."), 1.0, ""),
        (done("It rains."), replace(done("x"), steps=(), answer=""), 0.0, "missing"),
        (None, replace(done("x"), steps=(), answer=""), 0.5, "tie"),
        (done(""), done(""), 0.5, "tie"),
    ],
)
async def test_what_needs_no_question(reference, mine, value, outcome):
    known = {"t1": reference} if reference is not None else {}
    score = await WinRate(reference=known, judge=ScriptedModel()).evaluate(TASK, mine)
    assert (score.value, score.outcome, score.details["judge"]) == (value, outcome, "none")


@pytest.mark.anyio
async def test_a_rule_decides_where_there_is_one():
    task = replace(TASK, gold=Gold(facts=("rains",)))
    judged = WinRate(reference={"t1": done("It snows.", task=task)}, judge=ScriptedModel())
    for answer, value in (("It rains.", 1.0), ("It hails.", 0.5)):
        score = await judged.evaluate(task, done(answer, task=task))
        assert (score.value, score.details["judge"]) == (value, "rule")


@pytest.mark.anyio
async def test_malformed_votes_and_budgets():
    # One that always names the first place, and is not read in the other order, would decide by its bias.
    biased = ScriptedModel(vote("A"), "no idea", vote("A"), "no idea", vote("B"), vote("A"))
    score = await against(judge=biased, votes=3).evaluate(TASK, done("It rains."))
    assert (score.value, score.details["malformed"], score.details["order_pairs"]) == (1.0, 2, 1)
    assert (score.details["candidate"], score.details["reference"]) == (2, 0)
    with pytest.raises(ModelError, match="none of 2 votes has a verdict in both orders"):
        await against(judge=ScriptedModel(vote("B"), "no idea")).evaluate(TASK, done("It rains."))
    with pytest.raises(ModelError, match="none of 2 votes"):
        await against(judge=ScriptedModel("a", "b")).evaluate(TASK, done("It rains."))
    half = ScriptedModel(vote("B"), vote("A"), vote("B"))
    score = await against(judge=half, votes=2, budget={"model_calls": 3}).evaluate(TASK, done("It rains."))
    assert (score.value, score.details["missing"], score.details["candidate"]) == (1.0, 1, 2)
    with pytest.raises(BudgetExceededError):
        await against(judge=ScriptedModel(vote("B")), budget={"model_calls": 1}).evaluate(TASK, done("Rain."))


@pytest.mark.anyio
async def test_votes_are_kept_and_need_no_model(tmp_path):
    path = tmp_path / "votes.jsonl"
    model = ScriptedModel(vote("B"), vote("A"), name="judge")
    first = await against(judge=model, judgements=path).evaluate(TASK, done("It rains."))
    again = await against(judge=ScriptedModel(name="judge"), judgements=path).evaluate(
        TASK, done("It rains.")
    )
    assert again == first


@pytest.mark.anyio
async def test_two_arms_with_missing_answers():
    tasks = [Task(id=f"t{number}", instruction="Rain?") for number in range(8)]
    theirs = {task.id: done("It may rain.", task=task) for task in tasks[:7]}
    mine = {task.id: done("It rains.", task=task) for task in tasks if task.id not in ("t0", "t1")}
    said = ["B A", "B A", "A B", "A A", "tie tie"]
    model = ScriptedModel(*(vote(each) for pair in said for each in pair.split()))
    found = await WinRate(reference=theirs, judge=model).compare(tasks, mine)
    assert (found.tasks, found.wins, found.ties, found.losses, found.missing) == (8, 3, 2, 3, 2)
    assert (found.rate.low, found.rate.high) == wilson(3, 8)
    assert (found.order_pairs, found.order_flips, found.order_bias) == (5, 1, 0.2)
    values = [2 * score.value - 1 for score in found.scores]
    assert (found.low, found.high) == difference_interval(values)
    assert found.difference == 0.0
    assert found.p == 1.0
    few = summarize_wins(found.scores[:3])
    assert (few.low, few.high, few.p) == (None, None, None)


@pytest.mark.anyio
async def test_a_folder_as_reference(tmp_path):
    save_run(tmp_path / "run", [done("It may rain.")])
    made = Registry.default().evaluator(
        "win-rate", reference=str(tmp_path / "run"), judge=ScriptedModel(vote("B"), vote("A"))
    )
    assert (await made.evaluate(TASK, done("It rains."))).value == 1.0
    with pytest.raises(UsageError):
        WinRate(reference=tmp_path / "nothing")
    with pytest.raises(UsageError, match="answers to compare with"):
        WinRate().check_task(TASK)
    with pytest.raises(UsageError, match="no tasks"):
        summarize_wins([])


def test_votes_by_order():
    for verdict, order, winner in (
        ("A", "reference", "reference"),
        ("B", "reference", "candidate"),
        ("A", "candidate", "candidate"),
        ("B", "candidate", "reference"),
        ("tie", "candidate", "tie"),
        ("", "reference", ""),
    ):
        assert winner_of(Vote(prompt="win", digest="", verdict=verdict, order=order)) == winner


def test_stored_votes_of_stabletoolbench(shared):
    import csv

    from toolhaft_evals.judge.published import read_preferences

    folder = shared / "toolbench/stabletoolbench/example/preference_results"
    (stored,), (table,) = folder.glob("*.json"), folder.glob("*.csv")
    methods = {"reference": "virtual_chatgpt_cot", "candidate": "virtual_chatgpt_dfs"}
    scores = read_preferences(stored, **methods)
    with table.open() as file:
        labels = {row["query_id"]: row["preference_label"] for row in csv.DictReader(file, delimiter="\t")}
    assert {query: {0.0: "1", 1.0: "2", 0.5: "3"}[score.value] for query, score in scores.items()} == labels
    votes = json.loads(stored.read_text())
    for query, score in scores.items():
        assert score.details["candidate"] == votes[query][methods["candidate"]]
        assert score.details["reference"] == votes[query][methods["reference"]]
    found = summarize_wins(list(scores.values()))
    assert (found.tasks, found.wins, found.order_pairs) == (3, 3, 0)


@pytest.mark.parametrize("value", [[], {"1": {}}, {"1": {"a": 1}}, {"1": {"a": -1, "b": 2}}, {"1": 3}])
def test_bad_vote_files_are_one_clear_error(value, tmp_path):
    from toolhaft_evals.judge.published import read_preferences

    path = tmp_path / "votes.json"
    path.write_text(json.dumps(value))
    with pytest.raises(FormatError) as caught:
        read_preferences(path, reference="a", candidate="b")
    assert str(path) in caught.value.where


def test_no_votes_at_all():
    with pytest.raises(ModelError, match="none was cast"):
        count_votes([], judge="x", votes=1)
