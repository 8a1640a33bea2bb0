"""The search for tools as a tool: inside an agent, and given to agents of another make."""

import asyncio
import json

import pytest

from toolhaft import Agent, CallContext, Catalog, ToolCall, ToolError, tool
from toolhaft.agent import CallTool, FindTools, searchable
from toolhaft.agent.catalog_index import CatalogIndex
from toolhaft.agent.finding import LONGEST_QUERY, MOST, describe
from toolhaft.errors import InvalidArgumentsError, RefusedError, UnknownNameError, UsageError
from toolhaft.models.rendering import chat_tools
from toolhaft.retrievers.base import Retriever
from toolhaft.testing import CannedTool, ScriptedModel, tool_spec
from toolhaft.tools.catalog_file import open_catalog_file
from toolhaft.tools.policy import Policy
from toolhaft.types import Scored

anyio = pytest.mark.anyio
WORDS = ("rain", "hotel", "train", "stamp", "tulip", "melon", "chess", "ferry", "organ", "violin")


def catalog(*more, words=WORDS, **fields):
    made = [
        CannedTool(tool_spec(word, description=f"About {word}", **fields), {"about": word}) for word in words
    ]
    return Catalog([*made, *more])


def kept(name, description):
    class Kept(CannedTool):
        def binding(self):
            return {"kind": "kept", "format": 1}

    return Kept(tool_spec(name, description=description), 1)


class Everything(Retriever):
    """Finds the first tools, whatever is asked."""

    name = "everything"
    indexed = 0

    async def index(self, specs):
        self.indexed += 1
        self.specs = specs

    async def retrieve(self, query, k=5):
        return [Scored(spec, 1.0) for spec in self.specs[:k]]


def test_a_search_tells_names_descriptions_and_required_arguments():
    found = Catalog([FindTools(catalog())]).call_sync("find_tools", query="the ferry", k=1)
    assert found == {
        "tools": [{"name": "ferry", "description": "About ferry", "required": {"city": "string"}}]
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "query"),
        ({"query": ""}, "query"),
        ({"query": 3}, "query"),
        ({"query": "x" * (LONGEST_QUERY + 1)}, "query"),
        ({"query": "x", "k": 0}, "k"),
        ({"query": "x", "k": MOST + 1}, "k"),
        ({"query": "x", "k": 2.5}, "k"),
        ({"query": "x", "k": "2"}, "k"),
        ({"query": "x", "catalog": "other"}, "catalog"),
    ],
)
def test_what_is_asked_is_checked(arguments, said):
    with pytest.raises(InvalidArgumentsError, match=said):
        Catalog([FindTools(catalog())]).call_sync("find_tools", **arguments)


@anyio
async def test_a_query_in_any_language_or_none_is_an_answer_or_nothing():
    finder = FindTools(catalog(CannedTool(tool_spec("ship", description="查询渡轮时刻表"), 1)))
    for query, found in [("渡轮时刻", ["ship"]), ("\0\ud800", []), ("?!", []), ("  ", [])]:
        result = await finder.call({"query": query, "k": 3}, CallContext())
        assert [entry["name"] for entry in result.value["tools"]] == found
        assert bool(result.notes) == (not found)


@anyio
async def test_answers_are_bounded_whatever_the_tools_say_of_themselves():
    long = "word " * 4_000
    schema = {
        "type": "object",
        "properties": {f"argument{n}": {"type": ["string"] * 90, "description": long} for n in range(60)},
        "required": [f"argument{n}" for n in range(60)],
    }
    hostile = [
        CannedTool(tool_spec(f"hostile{n}", description=f"\x1b[2J\u202e{long}", parameters=schema), 1)
        for n in range(40)
    ]
    for schemas in (False, True):
        finder = FindTools(Catalog(hostile), Everything(), schemas=schemas)
        found = (await finder.call({"query": "word", "k": MOST}, CallContext())).value
        assert 1 <= len(found["tools"]) <= MOST
        assert len(json.dumps(found)) < 20_000
        assert "\x1b" not in str(found) and "\u202e" not in str(found)  # noqa: PT018


@pytest.mark.parametrize(
    ("parameters", "required"),
    [
        ({"type": "object"}, {}),
        ({"type": "object", "required": ["a"]}, {"a": "any"}),
        ({"type": "object", "properties": {"a": True}, "required": ["a"]}, {"a": "any"}),
        (
            {"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "required": ["a"]},
            {"a": "string or null"},
        ),
        ({"type": "object", "properties": {"a": {"type": []}}, "required": ["a"]}, {"a": "any"}),
    ],
    ids=["none", "undeclared", "boolean", "two", "no-type"],
)
def test_odd_schemas_are_told_as_far_as_they_go(parameters, required):
    assert describe(tool_spec("a", parameters=parameters))["required"] == required


@anyio
async def test_tools_that_the_hits_name_come_with_them():
    needs = CannedTool(tool_spec("forecast", description="Forecast. The id comes from `placeSearch`."), 1)
    gives = CannedTool(tool_spec("placeSearch", description="Where is it"), 1)
    found = await FindTools(catalog(needs, gives)).call({"query": "forecast", "k": 1}, CallContext())
    assert [entry["name"] for entry in found.value["tools"]] == ["forecast", "placeSearch"]


@anyio
async def test_the_retriever_is_indexed_once_and_hits_that_are_gone_are_left_out():
    whole, retriever = catalog(), Everything()
    finder = FindTools(whole.select("hotel", "rain"), retriever)
    for _ in range(2):
        await finder.call({"query": "x"}, CallContext())
    assert retriever.indexed == 1
    await retriever.index(whole.specs())
    found = await finder.call({"query": "x", "k": 4}, CallContext())
    assert [entry["name"] for entry in found.value["tools"]] == ["rain", "hotel"]
    await finder.close()


@anyio
async def test_a_tool_that_is_added_to_the_file_is_found(tmp_path):
    path = tmp_path / "trips.catalog"
    Catalog([kept("ferry", "Timetable of ferries"), kept("rain", "Rain of tomorrow")]).save(path)
    opened = open_catalog_file(path, lambda spec, binding: kept(spec.name, spec.description))
    finder = FindTools(opened)
    for added in ("zebra", "yak"):
        found = await finder.call({"query": f"feed a {added}"}, CallContext())
        assert found.value["tools"] == []
        Catalog.update_file(path, [kept(added, f"Feeds a {added}")])
        found = await finder.call({"query": f"feed a {added}", "k": 1}, CallContext())
        assert [entry["name"] for entry in found.value["tools"]] == [added]
        await finder.close()
        Catalog.update_file(path, remove=[added])
    await opened.close()


@anyio
async def test_a_search_that_is_cut_off_while_it_indexes_can_be_made_again():
    class Slow(Everything):
        async def index(self, specs):
            await super().index(specs)
            if self.indexed == 1:
                await asyncio.sleep(30)

    index = CatalogIndex(catalog(), Slow)
    first = asyncio.ensure_future(index.retriever())
    await asyncio.sleep(0.01)
    index._indexing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await index.retriever()).indexed == 2


@anyio
async def test_an_unknown_retriever_is_named():
    with pytest.raises(UnknownNameError, match="nothing-such"):
        await FindTools(catalog(), "nothing-such").call({"query": "x"}, CallContext())
    with pytest.raises(UsageError):
        FindTools(catalog(), name="find tools")


def test_an_agent_of_another_make_is_given_two_tools_in_place_of_many():
    many = catalog(
        CannedTool(tool_spec("pay", description="Pay a bill", effect="irreversible"), "paid"), effect="read"
    )
    two = searchable(many)
    assert [shown["function"]["name"] for shown in chat_tools(two.specs())] == ["find_tools", "call_tool"]
    (hit,) = two.call_sync("find_tools", query="ferry", k=1)["tools"]
    assert hit["parameters"] == many.spec("ferry").parameters
    assert two.call_sync("call_tool", name=hit["name"], arguments={"city": "Oslo"}) == {"about": "ferry"}
    with pytest.raises(RefusedError, match="irreversible"):
        two.call_sync("call_tool", name="pay", arguments={"city": "Oslo"})
    free = searchable(many, policy=Policy(allow=("pay",)))
    assert free.call_sync("call_tool", name="pay", arguments={"city": "Oslo"}) == "paid"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"name": "nobody"}, ToolError),
        ({"name": "rain"}, InvalidArgumentsError),
        ({"name": "rain", "arguments": {"town": "Oslo"}}, InvalidArgumentsError),
        ({"name": "rain", "arguments": "Oslo"}, InvalidArgumentsError),
        ({"name": "x" * 65}, InvalidArgumentsError),
        ({"arguments": {}}, InvalidArgumentsError),
        ({"name": "look", "arguments": {"image": "/etc/passwd"}}, ToolError),
    ],
    ids=["unknown", "missing", "other", "text", "long", "nameless", "path"],
)
def test_a_call_of_what_was_found_is_checked(arguments, error):
    from toolhaft import Artifact

    @tool(effect="read")
    def look(image: Artifact) -> str:
        """Look at an image."""
        return image.media_type

    with pytest.raises(error):
        Catalog([CallTool(catalog(look))]).call_sync("call_tool", **arguments)


def test_the_tool_that_calls_says_what_it_may_do():
    assert CallTool(catalog()).spec.effect == "read"
    assert CallTool(catalog(), policy=Policy(allow=("write",))).spec.effect == "irreversible"


def test_a_catalog_that_has_such_a_tool_keeps_it():
    own = CannedTool(tool_spec("find_tools", description="Find a hammer in the shed"), "hammer")
    model = ScriptedModel("ok")
    Agent(catalog(own), model=model, k=1, find_tools=True).run_sync("rain")
    assert [spec.name for spec in model.requests[0].tools] == ["find_tools_2", "rain"]


def test_where_all_tools_are_offered_there_is_nothing_to_find():
    model = ScriptedModel("ok")
    run = Agent(catalog(), model=model, find_tools=True).run_sync("rain")
    assert [spec.name for spec in model.requests[0].tools] == list(WORDS)
    assert "find_tools" not in run.trajectory.settings


@pytest.mark.parametrize(
    ("count", "words", "k", "offered"),
    [
        (8, 10, None, 8),
        (10, 10, None, 10),
        (16, 10, None, 16),
        (17, 10, None, 8),
        (16, 800, None, 8),
        (10, 10, 8, 8),
        (10, 10, 10, 10),
    ],
)
def test_small_catalogs_are_offered_whole(count, words, k, offered):
    tools = [CannedTool(tool_spec(f"tool{n}", description="word " * words), 1) for n in range(count)]
    model = ScriptedModel("ok")
    run = Agent(tools, model=model, k=k).run_sync("a word")
    assert len(model.requests[0].tools) == offered
    assert run.trajectory.settings["k"] == (k or 8)


def test_the_built_in_model_passes_the_search_over():
    plain, searching = (
        Agent(catalog(effect="read"), model="heuristic", k=2, find_tools=search, warn=lambda _: None)
        .run_sync("Find tools about the ferry in Oslo")
        .trajectory
        for search in (False, True)
    )
    assert [step.calls for step in plain.steps] == [step.calls for step in searching.steps]
    assert plain.answer == searching.answer
    assert searching.steps[0].offered[0] == "find_tools"


def test_the_built_in_model_reads_nothing_from_a_search():
    from toolhaft.models.heuristic.model import HeuristicModel

    heuristic = HeuristicModel()

    class Half(ScriptedModel):
        async def complete(self, messages, tools=(), **rest):
            if self.requests:
                return await heuristic.complete(messages, tools)
            return await super().complete(messages, tools, **rest)

    model = Half(ToolCall(id="f", name="find_tools", arguments={"query": "ferry", "k": 1}))
    run = Agent(catalog(effect="read"), model=model, k=1, find_tools=True).run_sync(
        "What about the ferry to Oslo?"
    )
    assert [call.name for step in run.trajectory.steps for call in step.calls] == ["find_tools", "ferry"]


def test_writing_after_private_data_and_strangers_text_takes_the_tools_name():
    tools = [
        CannedTool(tool_spec("inbox", private=True, untrusted=True), "mail"),
        CannedTool(tool_spec("post", effect="write", untrusted=False), "posted"),
    ]
    city = {"city": "Oslo"}
    two = searchable(Catalog(tools), policy=Policy(allow=("write",)))
    assert two.call_sync("call_tool", name="post", arguments=city) == "posted"
    two.call_sync("call_tool", name="inbox", arguments=city)
    with pytest.raises(RefusedError, match="private data"):
        two.call_sync("call_tool", name="post", arguments=city)

    named = searchable(Catalog(tools), policy=Policy(allow=("post",)))
    named.call_sync("call_tool", name="inbox", arguments=city)
    assert named.call_sync("call_tool", name="post", arguments=city) == "posted"
