"""Indexing a large catalog file does not hold up the event loop."""

import asyncio
import gc
import time
from contextlib import asynccontextmanager

import pytest

from toolhaft.retrievers.bm25 import BM25
from toolhaft.testing import CannedTool, tool_spec
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.catalog_file import open_catalog_file

pytestmark = pytest.mark.slow
LONGEST = 0.1
"""Seconds of this process's own work between two turns of the loop: a busy machine makes them no longer."""


class Kept(CannedTool):
    """A tool that can be kept in a file."""

    def binding(self):
        return {"kind": "kept", "format": 1}


@asynccontextmanager
async def ticking():
    """Give a list that fills with how long the process worked from each turn of the loop to the next."""
    worked = []

    async def tick():
        last = time.process_time()
        while True:
            await asyncio.sleep(0.002)
            now = time.process_time()
            worked.append(now - last)
            last = now

    gc.collect()
    gc.freeze()  # what other tests left would be gone through again and again
    task = asyncio.create_task(tick())
    await asyncio.sleep(0.01)
    try:
        yield worked
    finally:
        task.cancel()
        gc.unfreeze()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "large.catalog"
    tools = (
        tool_spec(f"tool_{n}", description=f"Does thing{n} with word{n % 997}.", parent=f"service{n // 7}")
        for n in range(20_000)
    )
    Catalog([Kept(spec) for spec in tools], name="large").save(path)
    return path


@pytest.mark.anyio
async def test_a_ticker_that_is_held_up_is_seen():
    async with ticking() as worked:
        end = time.process_time() + 2 * LONGEST
        while time.process_time() < end:
            pass
        await asyncio.sleep(0.01)
    assert max(worked) > LONGEST


@pytest.mark.anyio
async def test_the_loop_turns_while_a_catalog_file_is_indexed_opened_and_changed(place):
    for step in ("made", "opened"):
        catalog = open_catalog_file(place, lambda spec, _: Kept(spec))
        retriever = BM25()
        async with ticking() as worked:
            await retriever.index(catalog.specs())
            assert step == "opened" or len(worked) > 20
            assert (await retriever.retrieve("thing777", 1))[0].item.name == "tool_777"
            await retriever.update(put=[tool_spec("late", description="Late zeppelins.")])
            await asyncio.sleep(0.01)
        assert max(worked) < LONGEST
        await retriever.close()
        await catalog.close()
