"""Agents over catalog files: nothing is read that is not needed, and what changes in the file is found."""

import shutil

import pytest

from toolhaft import Agent, Catalog, search
from toolhaft.agent import search_catalog
from toolhaft.agent.offering import _LOOKED_AT
from toolhaft.errors import FormatError, UnknownNameError, UsageError
from toolhaft.retrievers.bm25 import BM25
from toolhaft.testing import CannedTool, ScriptedModel, tool_spec
from toolhaft.tools.catalog_database import CatalogDatabase
from toolhaft.tools.catalog_file import open_catalog_file

pytestmark = pytest.mark.anyio


class Kept(CannedTool):
    """A tool that can be kept in a file."""

    def binding(self):
        return {"kind": "kept"}


def tool(name, text):
    return Kept(tool_spec(name, description=text, parent=f"service {name[-1]}"))


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    path = tmp_path_factory.mktemp("agent") / "many.catalog"
    tools = [tool(f"count_{n}", f"Counts the sheep of meadow {n}.") for n in range(2 * _LOOKED_AT)]
    Catalog([*tools, tool("taxi", "Orders a taxi, a cab or a car with a driver.")], name="many").save(path)
    return path


@pytest.fixture
def place(many, tmp_path):
    return shutil.copy(many, tmp_path / many.name)


@pytest.fixture
def bound():
    return []


@pytest.fixture
def opened(place, bound):
    def bind(spec, binding):
        bound.append(spec.name)
        return Kept(spec, "answer")

    with open_catalog_file(place, bind) as catalog:
        yield catalog


async def test_choosing_reads_only_what_is_offered(opened, bound, monkeypatch):
    agent = Agent(opened, model=ScriptedModel([]), k=4)
    await agent.retriever()
    pages = []
    read = CatalogDatabase.pages

    def counted(self, columns):
        for row in read(self, columns):
            pages.append(row)
            yield row

    monkeypatch.setattr(CatalogDatabase, "pages", counted)
    tools, event = await agent.offering.choose("count the sheep")
    assert (len(tools.specs), event.pool) == (4, 2 * _LOOKED_AT + 1)
    assert (pages, bound) == ([], [])
    tools, event = await agent.offering.choose("a taxi")
    assert (event.hits[0][0], len(tools.specs)) == ("taxi", 4)
    assert len(pages) <= _LOOKED_AT
    assert tools.get("taxi").spec == tools.specs[0]
    assert bound == ["taxi"]
    await agent.close()


async def test_a_tool_that_is_added_is_chosen_by_the_next_rollout(opened, place):
    class Counted(BM25):
        indexed = 0

        async def index(self, specs):
            Counted.indexed += 1
            await super().index(specs)

    agent = Agent(opened, model=ScriptedModel([]), k=2, retriever=Counted())
    assert (await agent.offering.choose("fly me to the moon"))[1].hits == ()
    assert (await agent.offering.choose("a taxi"))[1].hits[0][0] == "taxi"
    assert Counted.indexed == 1
    Catalog.update_file(place, [tool("rocket", "Flies to the moon.")], remove=["taxi"])
    tools, event = await agent.offering.choose("fly me to the moon")
    assert event.hits[0][0] == "rocket"
    assert "rocket" in tools.names
    assert "taxi" not in [name for name, _ in (await agent.offering.choose("a taxi"))[1].hits]
    assert Counted.indexed == 2
    await agent.close()


async def test_a_catalog_is_searched_in_one_call(opened):
    hits = await search_catalog(opened, "order a cab", 3)
    assert hits[0].item == opened.spec("taxi")
    assert (await search_catalog(opened, "order a cab", retriever=BM25()))[0].item == opened.spec("taxi")
    assert await search_catalog(opened, "") == []
    assert await search_catalog(Catalog(), "order a cab") == []
    with pytest.raises(UsageError, match="k is 0"):
        await search_catalog(opened, "order a cab", 0)
    with pytest.raises(UnknownNameError, match="retriever"):
        await search_catalog(opened, "order a cab", retriever="bm26")


def test_searching_needs_no_event_loop(place, opened):
    assert search(opened, "order a cab", 1)[0].item.name == "taxi"
    Catalog.update_file(place, remove=["taxi"])
    assert "taxi" not in [hit.item.name for hit in search(opened, "order a cab", 1)]


async def test_an_agent_closes_what_it_opened_after_its_catalog(place):
    catalog = open_catalog_file(place, lambda spec, binding: Kept(spec))
    agent = Agent(catalog, model=ScriptedModel([]), k=2)
    await agent.offering.choose("a taxi")
    await catalog.close()
    await agent.close()
    with pytest.raises(FormatError, match="closed"):
        await agent.offering.choose("a taxi")
