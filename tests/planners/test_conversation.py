"""What the record says the model was shown is what it was shown."""

import json

import pytest

from toolhaft.errors import ToolError
from toolhaft.models.rendering import chat_messages, chat_tools
from toolhaft.planners.conversation import conversation, system_of
from toolhaft.planners.dfsdt import DFSDT, ToolBenchDFSDT
from toolhaft.planners.prompts import prompt
from toolhaft.planners.react import ReAct
from toolhaft.testing import CannedTool, ScriptedModel, tool_spec
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.context import RunContext
from toolhaft.tools.policy import Policy
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import Artifact, Completion, Message, Task, ToolCall, Trajectory, from_json, to_json

pytestmark = pytest.mark.anyio
SOLD_OUT = ToolError("sold out", effect="none")


class Rooms(CannedTool):
    """Answers by the city: an exception is raised, anything else returned."""

    async def call(self, arguments, context):
        result = self._results[0].get(arguments["city"], {"room": arguments["city"]})
        if isinstance(result, Exception):
            raise result
        return result


def ask(city="Oslo", name="look"):
    return ToolCall(id=f"{name}-{city}", name=name, arguments={"city": city})


def gave_up():
    return Completion(text="GIVE UP no way", finish="gave_up", origin="scripted")


def retold(trajectory):
    """Return the record as it is after a trip through a file."""
    return from_json(Trajectory, to_json(trajectory))


async def roll_out(planner, turns, results):
    tools = [Rooms(tool_spec("look"), results), Rooms(tool_spec("book", effect="write"), results)]
    model = ScriptedModel(*turns)
    context = RunContext(id="r", policy=Policy(allow=("write",)))
    events = [
        event
        async for event in planner.rollout(
            Task(id="t", instruction="Book a room"), ToolSet(Catalog(tools)), model, context
        )
    ]
    return retold(events[-1].trajectory), model.requests


def shown_last(requests):
    """Return the messages of the last request, without what stands in that one request only."""
    again = prompt("dfsdt_again")
    return tuple(message for message in requests[-1].messages if message.text != again)


SHAPES = {
    "an answer at once": (ReAct, ["It is done."], {}),
    "a call": (ReAct, [ask(), "Booked."], {}),
    "calls at once": (ReAct, [[ask("Oslo"), ask("Rome")], ask(name="book"), "Booked."], {}),
    "an error": (ReAct, [ask(), ask("Rome"), "Booked."], {"Oslo": SOLD_OUT}),
    "a thought beside a call": (
        ReAct,
        [Completion(text="First I look.", calls=(ask(),), finish="tool_calls"), "Booked."],
        {},
    ),
    "silence": (ReAct, [ask(), "", "Booked."], {}),
    "a repetition": (ReAct, [ask(), ask(), "Booked."], {}),
    "an earlier repetition": (ReAct, [ask(), ask(), ask("Rome"), "Booked."], {}),
    "a question": (ReAct, [ask(), "Which room?"], {}),
    "a give-up": (ReAct, [ask(), gave_up()], {"Oslo": SOLD_OUT}),
    "a search without a way back": (DFSDT, [ask(), "Booked."], {}),
    "a search that went back": (
        DFSDT,
        [ask(), gave_up(), ask("Rome"), ask("Rome", "book"), "Booked."],
        {"Oslo": SOLD_OUT},
    ),
    "a search with silence": (DFSDT, [ask(), "", "Booked."], {}),
    "a search that went back past a write": (
        lambda: DFSDT(past_writes=True),
        [ask(name="book"), gave_up(), ask("Rome"), ask("Rome", "book"), "Booked."],
        {},
    ),
    "the search of ToolBench": (
        ToolBenchDFSDT,
        [ask(name="book"), gave_up(), ask("Rome"), ask("Rome", "book"), "Booked."],
        {},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_the_record_tells_what_the_model_was_shown(shape):
    planner, turns, results = SHAPES[shape]
    trajectory, requests = await roll_out(planner(), turns, results)
    assert len(requests) == len(turns)
    *before, last = conversation(trajectory)
    assert tuple(before) == shown_last(requests)
    assert (last.role, last.text) == ("assistant", trajectory.path()[-1].thought)
    assert chat_messages(before) == chat_messages(shown_last(requests))


async def test_a_search_forgets_what_it_took_back():
    planner, turns, results = SHAPES["a search that went back"]
    trajectory, _ = await roll_out(planner(), turns, results)
    assert len(trajectory.steps) == 5
    calls = [call for message in conversation(trajectory) for call in message.calls]
    assert [call.arguments["city"] for call in calls] == ["Rome", "Rome"]


async def test_a_search_past_a_write_tells_of_it():
    planner, turns, results = SHAPES["a search that went back past a write"]
    trajectory, _ = await roll_out(planner(), turns, results)
    texts = [message.text for message in conversation(trajectory)]
    assert prompt("dfsdt_written") in texts


async def test_a_rollout_that_was_cut_has_no_answer():
    trajectory, _ = await roll_out(ReAct(), [ask(), ask(), ask()], {})
    assert trajectory.status == "loop"
    assert conversation(trajectory)[-1].role in ("tool", "user")


async def test_a_system_prompt_of_ones_own():
    trajectory, requests = await roll_out(ReAct(system="Be brief."), [ask(), "Done."], {})
    assert conversation(trajectory, system="Be brief.")[:-1] == requests[-1].messages
    assert conversation(trajectory)[0].text == system_of("react") != "Be brief."


def test_messages_are_as_templates_take_them():
    call = ask()
    messages = [
        Message(role="system", text="s"),
        Message(role="user", text="one"),
        Message(role="user", text="two"),
        Message(role="assistant", calls=(call,)),
        Message(role="tool", text='{"room":1}', call_id=call.id, name="look"),
        Message(role="assistant", text="Done."),
    ]
    assert chat_messages(messages) == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "one\n\ntwo"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "type": "function",
                    "id": "look-Oslo",
                    "function": {"name": "look", "arguments": {"city": "Oslo"}},
                }
            ],
        },
        {"role": "tool", "name": "look", "tool_call_id": "look-Oslo", "content": '{"room":1}'},
        {"role": "assistant", "content": "Done."},
    ]


def test_an_image_is_told_of_in_words():
    image = Artifact(id="a" * 64, media_type="image/png", size=3, name="cat.png")
    [said] = chat_messages([Message(role="user", text="Crop it", artifacts=(image,))])
    assert said["content"].startswith("Crop it\n")
    assert "cat.png" in said["content"]


def test_tools_are_as_templates_take_them():
    spec = tool_spec("weather")
    [shown] = chat_tools([spec])
    assert shown == {
        "type": "function",
        "function": {
            "name": "weather",
            "description": spec.description,
            "parameters": spec.parameters,
        },
    }
    assert json.loads(json.dumps(shown)) == shown
