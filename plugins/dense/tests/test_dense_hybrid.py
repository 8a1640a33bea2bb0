"""The retriever hybrid of the core with this plugin's retriever: each finds what the other does not."""

import pytest

from toolhaft.hooks import Registry
from toolhaft.testing import check_retriever, tool_spec

pytestmark = [pytest.mark.slow, pytest.mark.anyio]

SPECS = (
    tool_spec("getForecast", description="Weather for the coming days."),
    tool_spec("createTransfer", description="Move money from one account to another."),
    tool_spec("getZx81Manual", description="Handbook of the ZX81."),
)


def names(hits):
    return [hit.item.name for hit in hits]


async def test_words_and_meaning_are_both_found():
    registry = Registry.load()
    hybrid = registry.retriever("hybrid", retrievers=["bm25", {"dense": {"folder": False, "threads": 1}}])
    await hybrid.index(SPECS)
    for query, name in (
        ("Do I need an umbrella on Friday?", "getForecast"),
        ("Pay the rent to my landlord", "createTransfer"),
        ("zx81", "getZx81Manual"),
    ):
        assert names(await hybrid.retrieve(query, 1)) == [name]
    assert hybrid.engine.startswith("z-score of bm25")
    await hybrid.update(put=[tool_spec("getUmbrella", description="An umbrella.")], remove=["getForecast"])
    assert names(await hybrid.retrieve("umbrella", 1)) == ["getUmbrella"]
    assert "getForecast" not in names(await hybrid.retrieve("weather", 9))
    await hybrid.close()


async def test_it_keeps_the_contract_of_retrievers():
    registry = Registry.load()
    for fusion in ("rrf", "z-score", "min-max"):
        assert await check_retriever(registry.retriever("hybrid", fusion=fusion)) == []
