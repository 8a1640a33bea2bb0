"""The evaluators of toolhaft-evals."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from toolhaft.errors import ToolError, UsageError
from toolhaft.evaluators.prediction import trajectory_of
from toolhaft.hooks import Registry
from toolhaft.testing import check_evaluator, check_in_child, record_trajectory, tool_spec
from toolhaft.types import Gold, Prediction, Step, Task, ToolCall
from toolhaft_evals import plugin
from toolhaft_evals.gold_recall import GoldRecall
from toolhaft_evals.schema_validity import SchemaValidity

WEATHER, RATES = tool_spec("weather"), tool_spec("rates")
TASK = Task(id="t1", instruction="Weather and rates", gold=Gold(tools=("weather", "rates")))


@pytest.fixture
def registry():
    registry = Registry()
    registry.add(plugin, name="evals")
    return registry


def call(name, id="1", /, **arguments):
    return ToolCall(id=id, name=name, arguments=arguments)


def test_the_installed_plugin_passes_the_conformance_kit():
    assert check_in_child("evals", timeout=60) == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("rounds", "value", "missing"),
    [
        ([(call("weather"), "rain"), (call("rates"), {"NOK": 11})], 1.0, []),
        ([(call("weather"), "rain"), (call("weather"), "sun")], 0.5, ["rates"]),
        ([(call("weather"), ToolError("down")), (call("rates"), 1)], 0.5, ["weather"]),
        ([(call("weather"), ToolError("down")), (call("weather"), "rain"), (call("rates"), 1)], 1.0, []),
        ([(call("other"), "x")], 0.0, ["weather", "rates"]),
        ([], 0.0, ["weather", "rates"]),
    ],
)
async def test_gold_recall_counts_tools_called_with_success(registry, rounds, value, missing):
    trajectory = record_trajectory(TASK, *rounds, answer="done")
    score = await registry.evaluator("gold-recall").evaluate(TASK, trajectory)
    assert (score.name, score.value, score.evaluator) == ("gold_recall", value, "gold-recall")
    assert score.details["missing"] == missing
    assert score.details["calls"] == len(rounds)
    assert all(name in score.reason for name in missing)


@pytest.mark.anyio
async def test_gold_recall_knows_the_answer_path_from_the_rest():
    first = record_trajectory(TASK, (call("weather"), "rain"))
    abandoned = first.steps[0]
    kept = record_trajectory(TASK, (call("rates"), 1)).steps[0]
    answer = Step(id=2, parent=1, thought="done", status="answered")
    steps = (abandoned, Step(id=1, calls=kept.calls, observations=kept.observations), answer)
    trajectory = record_trajectory(TASK, steps=steps, answer_step=2)
    assert (await GoldRecall().evaluate(TASK, trajectory)).value == 0.5
    assert (await GoldRecall(scope="trajectory").evaluate(TASK, trajectory)).value == 1.0


@pytest.mark.anyio
async def test_both_work_on_plain_predictions():
    calls = (call("weather", city="Oslo"), ToolCall(id="2", name="rates", problem="not JSON", raw="{"))
    said = trajectory_of(TASK, Prediction(task_id="t1", calls=calls))
    assert (await GoldRecall().evaluate(TASK, said)).value == 0.5
    offered = replace(said, tools=(WEATHER, RATES))
    assert (await SchemaValidity().evaluate(TASK, offered)).value == 0.5


@pytest.mark.anyio
async def test_gold_recall_takes_the_tools_of_gold_calls_and_wants_some():
    task = Task(id="t2", instruction="x", gold=Gold(calls=(call("rates"), call("rates"))))
    trajectory = record_trajectory(task, (call("rates"), 1), answer="done")
    assert (await GoldRecall().evaluate(task, trajectory)).value == 1.0
    for gold in (None, Gold(answer="x")):
        with pytest.raises(UsageError, match="task bare: gold-recall needs the tools"):
            await GoldRecall().evaluate(Task(id="bare", instruction="x", gold=gold), trajectory)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (call("weather", city="Oslo"), ""),
        (call("weather"), "city"),
        (call("weather", city=7), "7"),
        (call("weather", city="Oslo", days=3), "days"),
        (call("rates", city="Oslo"), "not offered"),
        (call("nothing"), "not offered"),
        (ToolCall(id="1", name="weather", problem="not JSON", raw="{"), "could not be read: not JSON"),
        (ToolCall(id="1", name="weather", arguments={"city": "Oslo"}, repaired=True), "mended"),
    ],
)
async def test_schema_validity_says_what_is_wrong_with_a_call(registry, made, problem):
    trajectory = record_trajectory(TASK, (made, "x"), answer="done", tools=[WEATHER])
    score = await registry.evaluator("schema-validity").evaluate(TASK, trajectory)
    assert score.value == float(not problem)
    assert score.details["calls"] == 1
    assert problem in score.reason


@pytest.mark.anyio
async def test_schema_validity_is_a_share_and_needs_no_calls():
    calls = [call("weather", city="Oslo"), call("weather"), call("weather", city="Bonn"), call("weather")]
    trajectory = record_trajectory(TASK, *((made, "x") for made in calls), tools=[WEATHER])
    assert (await SchemaValidity().evaluate(TASK, trajectory)).value == 0.5
    empty = await SchemaValidity().evaluate(TASK, record_trajectory(TASK, answer="no need"))
    assert (empty.value, empty.details["calls"]) == (1.0, 0)


@pytest.mark.anyio
async def test_a_tool_offered_in_another_step_was_not_offered_in_this_one():
    trajectory = record_trajectory(TASK, (call("rates", city="Oslo"), 1), tools=[WEATHER, RATES])
    step = Step(id=0, calls=trajectory.steps[0].calls, offered=("weather",))
    late = record_trajectory(TASK, tools=[WEATHER, RATES], steps=(step,), answer_step=0)
    assert (await SchemaValidity().evaluate(TASK, trajectory)).value == 1.0
    assert (await SchemaValidity().evaluate(TASK, late)).value == 0.0


@pytest.mark.anyio
async def test_a_broken_schema_is_the_tools_fault_and_said_so():
    broken = tool_spec("weather", parameters={"type": "object", "properties": {"city": {"type": 7}}})
    trajectory = record_trajectory(TASK, (call("weather", city="Oslo"), 1), tools=[broken])
    score = await SchemaValidity().evaluate(TASK, trajectory)
    assert score.value == 0.0
    assert "own schema is broken" in score.reason


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["gold-recall", "schema-validity"])
async def test_they_keep_the_contract_of_evaluators(registry, name):
    trajectory = record_trajectory(TASK, (call("weather", city="Oslo"), "rain"), answer="done")
    assert await check_evaluator(registry.evaluator(name), TASK, trajectory) == []
    with pytest.raises(UsageError, match="there is no scope 'all'"):
        registry.evaluator(name, scope="all")


def test_the_snippet_of_the_readme_prints_what_the_readme_says():
    text = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    snippet = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    printed = re.search(r"```text\n(.*?)```", text, re.DOTALL)[1]
    done = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout == printed
