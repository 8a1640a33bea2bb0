"""The public test doubles and contract checks, which others rely on to be right."""

import pytest

from toolhaft.errors import ModelError, ToolError, UsageError
from toolhaft.evaluators.base import Evaluator
from toolhaft.retrievers.base import Retriever
from toolhaft.retrievers.bm25 import BM25
from toolhaft.retrievers.reranker import Reranker
from toolhaft.testing import (
    CannedTool,
    ScriptedModel,
    check_evaluator,
    check_plugin,
    check_reranker,
    check_retriever,
    check_specs,
    record_trajectory,
    tool_spec,
)
from toolhaft.tools.base import CallContext
from toolhaft.types import Completion, Message, Score, Scored, Task, ToolCall, from_json, to_json

ASK = (Message(role="user", text="Weather?"),)
CALL = ToolCall(id="1", name="weather", arguments={"city": "Oslo"})


@pytest.mark.anyio
async def test_a_scripted_model_says_its_turns_in_order_and_keeps_what_it_was_asked():
    heard = []
    model = ScriptedModel(
        CALL,
        [CALL, CALL],
        Completion(text="a", finish="length"),
        lambda r: Completion(text=str(r.seed)),
        "done",
    )
    first = await model.complete(ASK, (tool_spec(),))
    assert (first.calls, first.finish, first.origin) == ((CALL,), "tool_calls", "scripted")
    assert len((await model.complete(ASK)).calls) == 2
    assert (await model.complete(ASK)).finish == "length"
    assert (await model.complete(ASK, seed=7)).text == "7"
    last = await model.complete(ASK, avoid=(CALL,), on_delta=heard.append)
    assert (last.text, last.finish, heard) == ("done", "stop", ["done"])
    assert model.requests[0].tools == (tool_spec(),)
    assert model.requests[-1].avoid == (CALL,)


@pytest.mark.anyio
async def test_a_scripted_model_raises_on_cue_and_when_its_script_is_over():
    model = ScriptedModel(ModelError("overloaded"))
    with pytest.raises(ModelError, match="overloaded"):
        await model.complete(ASK)
    with pytest.raises(UsageError, match="the script has 1 turns"):
        await model.complete(ASK)


@pytest.mark.anyio
async def test_a_canned_tool_repeats_its_last_result():
    tool = CannedTool(tool_spec(), {"rain": 1}, ToolError("down"))
    assert await tool.call({"city": "Oslo"}, CallContext()) == {"rain": 1}
    for _ in range(2):
        with pytest.raises(ToolError, match="down"):
            await tool.call({}, CallContext())
    assert tool.calls == [{"city": "Oslo"}, {}, {}]


def test_a_recorded_trajectory_is_a_path_to_the_answer_and_survives_json():
    record = record_trajectory("Weather?", (CALL, "rain"), (CALL, ToolError("down")), answer="It rains.")
    assert [step.parent for step in record.path()] == [None, 0, 1]
    assert [each.failed for each in record.observations()] == [False, True]
    assert (record.origins, record.provenances) == (("scripted",), ("simulated",))
    assert from_json(type(record), to_json(record)) == record
    assert record_trajectory("Weather?").path() == ()


@pytest.mark.parametrize(
    ("spec", "severity", "part"),
    [
        (tool_spec("bad name"), "error", "is no tool name"),
        (
            tool_spec(parameters={"type": "object", "properties": {"a": {"type": 7}}}),
            "error",
            "no JSON Schema",
        ),
        (tool_spec(parameters={"type": "string"}), "error", "no object schema"),
        (tool_spec(parameters={"type": "object", "$ref": "file:///etc/passwd"}), "error", "no JSON Schema"),
        (tool_spec(description=" "), "warning", "has no description"),
        (tool_spec(description="x" * 5000), "warning", "5,000 characters"),
    ],
)
def test_specs_are_checked(spec, severity, part):
    (finding,) = check_specs([spec])
    assert finding.severity == severity
    assert part in finding.what


def test_good_specs_pass_and_names_are_unique():
    assert check_specs([tool_spec("a"), tool_spec("b")]) == []
    (finding,) = check_specs([tool_spec("a"), tool_spec("a")])
    assert "two tools are named 'a'" in str(finding)


class Everything(Retriever):
    """Never forgets, never stops."""

    def __init__(self):
        self.specs = [tool_spec("weather")]

    async def index(self, specs):
        self.specs += specs

    async def retrieve(self, query, k=5):
        return [Scored(spec, float(rank)) for rank, spec in enumerate(self.specs)]


@pytest.mark.anyio
async def test_retrievers_are_checked():
    assert await check_retriever(BM25()) == []
    found = " ".join(str(finding) for finding in await check_retriever(Everything()))
    assert "finds tools in an empty catalog" in found
    assert "not Scored tools of the catalog" in found or "not sorted" in found


class ByName(Reranker):
    """Alphabetical."""

    def __init__(self, change=lambda hits: hits):
        self.change = change

    async def rerank(self, query, hits):
        ordered = sorted(hits, key=lambda hit: hit.item.name)
        return self.change([Scored(hit.item, -float(place)) for place, hit in enumerate(ordered)])


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda hits: hits, ""),
        (lambda hits: hits or [Scored(tool_spec("new"), 1.0)], "returns tools where it was given none"),
        (lambda hits: tuple(hits), "not Scored tools in a list"),
        (lambda hits: hits[:1], "does not return each tool"),
        (lambda hits: hits + hits[:1], "does not return each tool"),
        (lambda hits: [Scored(hit.item, float("nan")) for hit in hits], "no finite number"),
        (lambda hits: hits[::-1], "not sorted, best first"),
    ],
)
async def test_rerankers_are_checked(change, says):
    found = " ".join(str(finding) for finding in await check_reranker(ByName(change)))
    assert says in found if says else not found


@pytest.mark.anyio
async def test_evaluators_are_checked():
    class Loud(Evaluator):
        async def evaluate(self, task, trajectory):
            return Score(name="", value=1.5)

    task = Task(id="t", instruction="Weather?")
    found = await check_evaluator(Loud(), task, record_trajectory(task))
    assert [finding.what for finding in found] == [
        "the score 1.5 is outside of [0, 1]",
        "the score lacks a name or a reason",
    ]


def test_the_built_ins_pass_the_conformance_kit_but_for_what_needs_a_file():
    errors = [finding for finding in check_plugin("builtin") if finding.severity == "error"]
    assert errors == []
