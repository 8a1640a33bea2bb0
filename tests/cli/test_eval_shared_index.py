"""Agents with the same tools share one index."""

import asyncio

import pytest

from toolhaft.cli.shared_index import SharedIndex
from toolhaft.retrievers.bm25 import BM25
from toolhaft.testing import tool_spec

pytestmark = pytest.mark.anyio
TOOLS = [
    tool_spec("weather", description="Weather of a city."),
    tool_spec("taxi", description="Order a taxi."),
]


class Counted(BM25):
    """Counts how often it indexes."""

    indexed = 0
    closed = False

    async def index(self, specs):
        self.indexed += 1
        await asyncio.sleep(0.01)
        await super().index(specs)

    async def close(self):
        self.closed = True


async def test_the_same_tools_are_indexed_once():
    inner = Counted()
    shared = SharedIndex(inner)
    await asyncio.gather(*(shared.index(list(TOOLS)) for _ in range(5)))
    assert inner.indexed == 1
    assert shared.name == "bm25"
    assert [hit.item.name for hit in await shared.retrieve("a taxi please", 1)] == ["taxi"]
    assert await shared.rank("a taxi please", 1) == await inner.rank("a taxi please", 1)
    assert shared.engine == inner.engine != ""
    await shared.close()
    assert not inner.closed
    await shared.end()
    assert inner.closed


async def test_other_tools_are_indexed_anew():
    inner = Counted()
    shared = SharedIndex(inner)
    await shared.index(TOOLS)
    await shared.index(TOOLS[:1])
    assert inner.indexed == 2
    assert [hit.item.name for hit in await shared.retrieve("weather or taxi", 5)] == ["weather"]
