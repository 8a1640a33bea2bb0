"""The retriever hybrid, of retrievers by hand and of the real BM25."""

import asyncio

import pytest

from toolhaft.errors import ConfigError, PluginError, ToolhaftError, UnknownNameError, UsageError
from toolhaft.hooks import Registry, builtin, hookimpl
from toolhaft.retrievers.base import Retriever
from toolhaft.retrievers.bm25 import BM25
from toolhaft.retrievers.hybrid import Hybrid
from toolhaft.testing import check_retriever, tool_spec
from toolhaft.types import Scored

SPECS = (
    tool_spec("weather", description="Weather forecast for a city."),
    tool_spec("currency", description="Exchange rate between two currencies."),
    tool_spec("timetable", description="Departures of trains from a station."),
)


class Canned(Retriever):
    """Finds what it was told to, and keeps what was asked of it."""

    def __init__(self, name, scores=(), *, fails=None, waits=0.0):
        self.name = name
        self.scores = dict(scores)
        self.fails = fails
        self.waits = waits
        self.asked = []
        self.specs = {}

    async def index(self, specs):
        self.asked.append("index")
        if isinstance(self.fails, SyntaxError):
            raise self.fails
        self.specs = {spec.name: spec for spec in specs}

    async def retrieve(self, query, k=5):
        self.asked.append(k)
        await asyncio.sleep(self.waits)
        if self.fails is not None:
            raise self.fails
        found = [Scored(self.specs[name], score) for name, score in self.scores.items() if name in self.specs]
        return sorted(found, key=lambda hit: -hit.score)[:k]

    async def update(self, put=(), remove=()):
        if self.fails is not None:
            raise self.fails
        self.specs.update({spec.name: spec for spec in put})
        for name in remove:
            self.specs.pop(name, None)

    @property
    def engine(self):
        return "by hand" if self.name == "one" else ""

    async def close(self):
        self.asked.append("close")
        if self.fails is not None:
            raise self.fails


class Meaning(Canned):
    """Stands in for dense: knows one synonym."""

    def __init__(self):
        super().__init__("dense", {"weather": 0.4, "timetable": 0.1})


def registry_of(**retrievers):
    registry = Registry()
    registry.add(builtin)
    if retrievers:
        pack = type("Pack", (), {"register_retrievers": hookimpl(lambda self: retrievers)})()
        registry.add(pack, name="pack")
    return registry


def names(hits):
    return [hit.item.name for hit in hits]


@pytest.mark.anyio
async def test_by_name_it_is_bm25_and_dense():
    hybrid = registry_of(dense=Meaning).retriever("hybrid")
    assert hybrid.labels == ("bm25", "dense")
    await hybrid.index(SPECS)
    assert names(await hybrid.retrieve("umbrella", 3)) == ["weather", "timetable"]
    assert names(await hybrid.retrieve("exchange rate", 3)) == ["currency", "weather", "timetable"]
    assert await check_retriever(registry_of(dense=lambda: BM25()).retriever("hybrid")) == []


def test_without_dense_it_says_what_to_install():
    with pytest.raises(UnknownNameError) as caught:
        registry_of().retriever("hybrid")
    assert "the part 'dense' of hybrid: unknown retriever 'dense'" in str(caught.value)
    assert "pip install 'toolhaft-dense" in str(caught.value)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "retrievers",
    [
        "bm25, dense",
        ["bm25", "dense"],
        {"bm25": {"k1": 1.2}, "dense": None},
        [{"bm25": {}}, "dense"],
        [BM25(), Meaning()],
        ("bm25", Meaning()),
    ],
)
async def test_parts_are_named_in_many_ways(retrievers):
    hybrid = registry_of(dense=Meaning).retriever("hybrid", retrievers=retrievers)
    await hybrid.index(SPECS)
    assert hybrid.labels == ("bm25", "dense")
    assert names(await hybrid.retrieve("umbrella for the trains", 2)) == ["timetable", "weather"]


def test_two_of_one_name_are_told_apart():
    hybrid = Hybrid(retrievers=[BM25(), BM25(k1=1.2)], weights={"bm25": 1, "bm25#2": 0.5})
    assert hybrid.labels == ("bm25", "bm25#2")


@pytest.mark.anyio
async def test_weights_decide_and_the_depth_is_asked_for():
    one, two = Canned("one", {"weather": 2.0, "currency": 1.0}), Canned("two", {"currency": 9.0})
    for weights, first in (((1, 0.1), "weather"), ("0.1, 1", "currency"), ({"two": 1}, "currency")):
        hybrid = Hybrid(retrievers=[one, two], weights=weights, depth=7)
        await hybrid.index(SPECS)
        assert names(await hybrid.retrieve("x", 1)) == [first]
    assert one.asked[-1] == two.asked[-1] == 7
    await hybrid.retrieve("x", 50)
    assert one.asked[-1] == 50
    assert await hybrid.retrieve("x", 0) == []
    assert hybrid.engine == "z-score of one (by hand), two"


@pytest.mark.anyio
async def test_a_service_is_lifted_after_the_fusion():
    specs = [tool_spec("a", parent="s"), tool_spec("b", parent="s"), tool_spec("c")]
    one = Canned("one", {"a": 3.0, "c": 1.0, "b": 0.9})
    hybrid = Hybrid(retrievers=[one], parent_boost=1)
    await hybrid.index(specs)
    assert names(await hybrid.retrieve("x")) == ["a", "b", "c"]


@pytest.mark.anyio
async def test_retrievers_run_side_by_side():
    parts = [Canned(name, {"weather": 1.0}, waits=0.2) for name in ("one", "two", "three")]
    hybrid = Hybrid(retrievers=parts)
    await hybrid.index(SPECS)
    started = asyncio.get_running_loop().time()
    await hybrid.retrieve("x")
    assert asyncio.get_running_loop().time() - started < 0.4


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("part", "error", "says"),
    [
        (
            Canned("two", fails=UsageError("no luck", hint="Pray")),
            UsageError,
            "the part 'two' of hybrid: no luck",
        ),
        (
            Canned("two", fails=ValueError("odd")),
            PluginError,
            "the part 'two' of hybrid raised ValueError: odd",
        ),
        (Canned("two", waits=30.0), ToolhaftError, "the part 'two' of hybrid took longer than 0.05 s"),
        (Canned("two", {"weather": float("nan")}), PluginError, "gives 'weather' the score nan"),
        (Canned("two", {"weather": float("inf")}), PluginError, "gives 'weather' the score inf"),
    ],
    ids=["told", "raises", "slow", "nan", "infinite"],
)
async def test_an_error_names_the_part(part, error, says):
    hybrid = Hybrid(retrievers=[Canned("one", {"weather": 1.0}), part], timeout=0.05)
    await hybrid.index(SPECS)
    with pytest.raises(error) as caught:
        await hybrid.retrieve("x")
    assert says in str(caught.value)


@pytest.mark.anyio
async def test_being_cancelled_ends_the_parts():
    part = Canned("one", waits=30.0)
    hybrid = Hybrid(retrievers=[part])
    await hybrid.index(SPECS)
    before = asyncio.all_tasks()
    task = asyncio.create_task(hybrid.retrieve("x"))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == before


@pytest.mark.anyio
async def test_single_tools_are_changed_in_every_part():
    one, two = Canned("one", {"new": 2.0, "weather": 1.0}), Canned("two", {"new": 1.0})
    hybrid = Hybrid(retrievers=[one, two])
    await hybrid.index(SPECS)
    await hybrid.update(put=[tool_spec("new", description="n")], remove=iter(["weather"]))
    assert names(await hybrid.retrieve("x")) == ["new"]
    assert "weather" not in one.specs.keys() | two.specs.keys()


@pytest.mark.anyio
async def test_parts_that_differ_find_nothing_until_the_next_index():
    two = Canned("two", {"weather": 1.0})
    hybrid = Hybrid(retrievers=[Canned("one", {"weather": 1.0}), two])
    await hybrid.index(SPECS)
    two.fails = UsageError("cannot")
    with pytest.raises(UsageError, match="the part 'two' of hybrid: cannot"):
        await hybrid.update(put=[tool_spec("new")])
    two.fails = None
    with pytest.raises(UsageError, match="may hold different tools: the update of 'two' failed"):
        await hybrid.retrieve("x")
    await hybrid.index(SPECS)
    assert names(await hybrid.retrieve("x")) == ["weather"]
    two.fails = SyntaxError("bad")
    with pytest.raises(PluginError, match="the part 'two' of hybrid raised SyntaxError"):
        await hybrid.index(SPECS)
    with pytest.raises(UsageError, match="the last index failed"):
        await hybrid.retrieve("x")


@pytest.mark.anyio
async def test_all_are_closed_even_if_one_fails():
    parts = [Canned("one", fails=UsageError("no")), Canned("two")]
    with pytest.raises(UsageError):
        await Hybrid(retrievers=parts).close()
    assert [part.asked for part in parts] == [["close"], ["close"]]


@pytest.mark.anyio
async def test_odd_catalogs_and_queries():
    hybrid = Hybrid(retrievers=[BM25(), BM25()])
    assert await hybrid.retrieve("x") == []
    for k in ("3", 1.5, True, None):
        with pytest.raises(UsageError, match="k is "):
            await hybrid.retrieve("weather", k)
    await hybrid.index(())
    assert await hybrid.retrieve("x") == []
    await hybrid.index(
        [tool_spec("same", description="天气预报"), tool_spec("same", description="b"), *SPECS]
    )
    for query in ("", "   ", "天气怎么样", "x" * 100_000, "weather \ud800 \x00"):
        assert len(await hybrid.retrieve(query, 3)) <= 3


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"retrievers": []}, "hybrid has 0 parts"),
        ({"retrievers": ""}, "a part of hybrid is ''"),
        ({"retrievers": "bm25,,bm25"}, "a part of hybrid is ''"),
        ({"retrievers": ["bm25"] * 17}, "hybrid has 17 parts"),
        ({"retrievers": 7}, "a part of hybrid is 7"),
        ({"retrievers": {}}, "a part of hybrid is {}"),
        ({"retrievers": {"bm25": 3}}, "the settings of the part 'bm25' of hybrid are 3"),
        ({"retrievers": {"bm25": {"kk1": 3}}}, "takes no setting 'kk1'"),
        ({"retrievers": "bm52"}, "Did you mean 'bm25'"),
        ({"retrievers": "bm25", "fusion": "sum"}, "fusion is 'sum'"),
        ({"retrievers": "bm25", "weights": [1, 2]}, "2 weights for 1 parts"),
        ({"retrievers": "bm25", "weights": {"dense": 1}}, "a weight for 'dense', which is no part of hybrid"),
        ({"retrievers": "bm25", "weights": "much"}, "weights is 'much'"),
        ({"retrievers": "bm25", "weights": 2}, "weights is 2"),
        ({"retrievers": "bm25", "depth": 0}, "depth is 0"),
        ({"retrievers": "bm25", "depth": 1.5}, "depth is 1.5"),
        ({"retrievers": "bm25", "depth": True}, "depth is True"),
        ({"retrievers": "bm25", "constant": -1}, "constant is -1"),
        ({"retrievers": "bm25", "parent_boost": "x"}, "parent_boost is 'x'"),
        ({"retrievers": "bm25", "timeout": float("nan")}, "timeout is nan"),
        ({"retrievers": "bm25", "learned": "absent.json"}, "absent.json: the learned fusion cannot be read"),
        ({"retrievers": "bm25", "learned": "x.json", "depth": 3}, "are in what was learned"),
    ],
)
def test_settings_that_make_no_sense(settings, says):
    with pytest.raises(UsageError) as caught:
        registry_of().retriever("hybrid", **settings)
    assert says in str(caught.value)


def test_without_a_registry_parts_are_handed_over():
    with pytest.raises(ConfigError, match="is only named, and there is nothing to look it up in"):
        Hybrid(retrievers="bm25")
