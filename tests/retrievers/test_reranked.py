"""The retriever reranked: what one found, in the order of another."""

import pytest

from toolhaft.errors import PluginError, UnknownNameError, UsageError
from toolhaft.hooks import Registry, builtin, hookimpl
from toolhaft.retrievers.bm25 import BM25
from toolhaft.retrievers.reranked import Reranked
from toolhaft.retrievers.reranker import Reranker
from toolhaft.testing import check_reranker, check_retriever, tool_spec
from toolhaft.types import Scored

SPECS = [tool_spec(name, description="Weather forecast for a city.") for name in ("xc", "xa", "xb")]


class Longest(Reranker):
    """Puts long descriptions first."""

    name = "longest"
    change = staticmethod(lambda ranked: ranked)
    closed = False
    given = 0

    async def rerank(self, query, hits):
        self.given = len(hits)
        ranked = [Scored(hit.item, float(len(hit.item.description))) for hit in hits]
        return self.change(sorted(ranked, key=lambda hit: -hit.score))

    async def close(self):
        self.closed = True


def registry():
    made = Registry()
    made.add(builtin)
    made.add(
        type("Pack", (), {"register_rerankers": hookimpl(lambda self: {"longest": Longest})})(), name="pack"
    )
    return made


@pytest.mark.anyio
async def test_by_name():
    found = registry().retriever("reranked", reranker="longest", retriever="bm25", depth=2)
    assert found.engine.endswith("its first 2 re-ranked by longest")
    specs = [*SPECS, tool_spec("long", description="Weather forecast for a city, in many more words.")]
    await found.index(specs)
    hits = await found.retrieve("weather forecast", 4)
    assert [hit.item.name for hit in hits] == ["long", "xc", "xa", "xb"]
    assert await found.retrieve("weather forecast", 0) == await found.retrieve("zzz") == []
    for k in ("3", 1.5, True, None):
        with pytest.raises(UsageError, match="k is "):
            await found.retrieve("weather", k)
    await found.close()
    assert await check_reranker(Longest()) == []
    assert await check_retriever(Reranked(reranker=Longest(), retriever=BM25())) == []


def test_parts_written_as_text_may_have_settings_too():
    written = "reranked?reranker=longest&retriever=hybrid?retrievers=bm25,bm25?k1=0.5&depth=2"
    found = registry().retriever(written)
    assert "bm25?k1=0.5" in found.engine
    assert found.engine.endswith("its first 2 re-ranked by longest")
    with pytest.raises(UsageError, match=r"takes no setting 'bost'.*parent_boost"):
        registry().retriever("reranked?reranker=longest&retriever=bm25?bost=1")


def test_a_reranker_named_as_a_retriever_says_how_it_is_used():
    with pytest.raises(UnknownNameError, match=r"reranked\?retriever=bm25&reranker=longest"):
        registry().retriever("longest")
    with pytest.raises(UsageError) as caught:
        registry().retriever("reranked")
    assert "make_part" not in str(caught.value)


@pytest.mark.anyio
async def test_only_the_first_are_reranked_and_equal_scores_keep_their_order():
    last = Longest()
    found = Reranked(reranker=last, retriever=BM25(), depth=2)
    await found.index(SPECS)
    assert [hit.item.name for hit in await found.retrieve("weather", 1)] == ["xc"]
    assert last.given == 2


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda hits: hits[1:], "returns other tools than it was given"),
        (lambda hits: hits + hits, "returns other tools than it was given"),
        (lambda hits: [hit.item for hit in hits], "returns what are no Scored tools"),
        (lambda hits: None, "returns what are no Scored tools"),
        (
            lambda hits: [Scored(hit.item, float("nan")) for hit in hits],
            "gives a score that is no finite number",
        ),
        (lambda hits: 1 / 0, "raised ZeroDivisionError"),
    ],
)
async def test_a_reranker_that_breaks_its_word_is_named(change, says):
    second = Longest()
    second.change = change
    found = Reranked(reranker=second, retriever=BM25())
    await found.index(SPECS)
    with pytest.raises(PluginError) as caught:
        await found.retrieve("weather")
    assert "the part 'longest' of reranked" in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"reranker": "shortest"}, "unknown reranker 'shortest'"),
        ({"reranker": "cross-encoder"}, "pip install 'toolhaft-dense"),
        ({"reranker": "longest,longest"}, "reranker names 2 parts"),
        ({"reranker": "longest", "retriever": "bm52"}, "unknown retriever 'bm52'"),
        ({"reranker": "longest", "depth": 0}, "depth is 0"),
        ({"reranker": "longest", "depth": 1_001}, "depth is 1001"),
        ({"reranker": None}, "a part of reranked is None"),
        ({}, "needs the setting 'reranker'"),
    ],
)
def test_settings_that_make_no_sense(settings, says):
    with pytest.raises(UsageError) as caught:
        registry().retriever("reranked", **settings)
    assert says in str(caught.value)


@pytest.mark.anyio
async def test_both_are_closed_and_single_tools_changed():
    class Failing(BM25):
        async def close(self):
            raise UsageError("no")

        async def update(self, put=(), remove=()):
            raise UsageError("cannot")

    second = Longest()
    found = Reranked(reranker=second, retriever=Failing())
    with pytest.raises(UsageError, match="the part 'bm25' of reranked: cannot"):
        await found.update(remove=["xa"])
    with pytest.raises(UsageError):
        await found.close()
    assert second.closed


def test_a_name_that_is_missing_is_one_error():
    with pytest.raises(UnknownNameError, match="unknown reranker 'longer'"):
        registry().reranker("longer")
