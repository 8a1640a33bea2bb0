"""Where a retriever finds too little, tools to begin with are offered."""

import pytest

from toolhaft.agent import Agent
from toolhaft.retrievers.openings import opening_tools
from toolhaft.testing import CannedTool, ScriptedModel, tool_spec
from toolhaft.types import ToolSpec


def spec(name, parent, *required, effect="read"):
    properties = {one: {"type": "string"} for one in required}
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    return ToolSpec(name=name, description=name, effect=effect, parent=parent, parameters=parameters)


SPECS = [
    spec("removeKite", "kites", "id", effect="irreversible"),
    spec("getKite", "kites", "id"),
    spec("listKites", "kites"),
    spec("getDrum", "drums", "id"),
    spec("listDrums", "drums"),
    spec("listDrummers", "drums"),
]


@pytest.mark.parametrize(
    ("chosen", "limit", "names"),
    [
        ([], 3, ["listKites", "listDrums", "listDrummers"]),
        ([SPECS[3]], 4, ["listDrums", "listDrummers", "listKites", "getKite"]),
        ([SPECS[1]], 2, ["listKites", "removeKite"]),
        ([SPECS[1]], 0, []),
        ([], 9, ["listKites", "listDrums", "listDrummers", "getKite", "getDrum", "removeKite"]),
    ],
    ids=["nothing chosen", "its service first", "the rest of it", "no room", "all"],
)
def test_what_needs_least_comes_first(chosen, limit, names):
    assert opening_tools(chosen, SPECS, limit=limit) == names


@pytest.mark.anyio
async def test_an_instruction_that_shares_no_word_with_any_tool_is_offered_k_tools():
    tools = [CannedTool(tool_spec(f"tool_{letter}"), "{}") for letter in "abcdef"]
    model = ScriptedModel("Nothing to do.")
    await Agent(tools, model=model, k=4).run("Zzyzx?")
    (request,) = model.requests
    assert [one.name for one in request.tools] == ["tool_a", "tool_b", "tool_c", "tool_d"]
