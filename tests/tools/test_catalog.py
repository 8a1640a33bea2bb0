"""Catalogs: tools by name, lazily, in views of views, called, closed."""

import asyncio
import threading
import time

import pytest

from toolhaft.errors import (
    InvalidArgumentsError,
    RefusedError,
    ReplayMissError,
    ToolTimeoutError,
    UnknownNameError,
    UsageError,
)
from toolhaft.testing import CannedTool, tool_spec
from toolhaft.tools.base import CallContext, Tool, ToolResult
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.function import tool
from toolhaft.tools.memory import canonical
from toolhaft.tools.toolset import ToolSet
from toolhaft.tools.wrappers import Approved, Cached, Replayed, ToolWrapper
from toolhaft.types import Exchange


class Noted(CannedTool):
    """Counts how often it was closed."""

    def __init__(self, spec, *results):
        super().__init__(spec, *results)
        self.closed = 0

    async def close(self):
        self.closed += 1


class Unclosable(Noted):
    async def close(self):
        await super().close()
        raise OSError("stuck")


def weather(name="weather", *results, **fields):
    return Noted(tool_spec(name, **fields), *results or ({"rain": True},))


def lazy(*names, made=None):
    made = [] if made is None else made

    def factory(name):
        def make():
            made.append(name)
            return weather(name)

        return make

    return Catalog.lazy({name: factory(name) for name in names}, name="lazy"), made


def test_a_catalog_is_a_mapping():
    one, two = weather("one"), weather("two", effect="write")
    catalog = Catalog([one, two], name="both")
    assert catalog.names == ("one", "two")
    assert list(catalog) == ["one", "two"]
    assert len(catalog) == 2
    assert catalog["one"] is one
    assert catalog.get("three") is None
    assert "two" in catalog
    assert "three" not in catalog
    assert [spec.effect for spec in catalog.specs()] == ["read", "write"]
    assert repr(catalog) == "<Catalog 'both' of 2 tools>"


def test_catalogs_are_compared_without_making_their_tools():
    one, made = lazy("a", "b")
    other, _ = lazy("a", "b")
    assert one != other
    assert one == one
    assert len({one, other}) == 2
    assert made == []


def test_duplicates_and_strangers_are_refused():
    with pytest.raises(UsageError, match="two tools are named 'weather'"):
        Catalog([weather(), weather()])
    with pytest.raises(UsageError, match="is not a tool"):
        Catalog([lambda: 1])
    with pytest.raises(UsageError, match="is not a tool name"):
        Catalog([CannedTool(tool_spec("get weather"))])


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c["wether"],
        lambda c: c.spec("wether"),
        lambda c: c.select("wether"),
        lambda c: c.rename({"wether": "x"}),
        lambda c: c.call_sync("wether"),
    ],
)
def test_unknown_names_show_the_nearest(ask):
    with pytest.raises(UnknownNameError, match=r"unknown tool 'wether'\. Did you mean 'weather'\?"):
        ask(Catalog([weather(), weather("time")]))


def test_tools_are_made_once_and_only_when_used():
    catalog, made = lazy("a", "b", "c")
    view = catalog.prefix("x_").rename({"x_b": "bee"}).select("bee", "x_a").wrap(Cached)
    assert (len(view), view.names, "bee" in view, made) == (2, ("bee", "x_a"), True, [])
    assert ToolSet(view, ["bee"]).names == ("bee",)
    assert made == []
    assert view["bee"] is view["bee"]
    assert view.spec("bee").name == "bee"
    view.call_sync("bee", city="Oslo")
    assert made == ["b"]
    assert catalog["b"].calls == [{"city": "Oslo"}]


def test_tools_are_made_once_by_many_threads():
    slow = []

    def make():
        slow.append(1)
        time.sleep(0.02)
        return weather("a")

    catalog = Catalog.lazy({"a": make})
    threads = [threading.Thread(target=catalog.spec, args=("a",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert slow == [1]


def test_a_factory_that_makes_another_tool_is_refused():
    with pytest.raises(UsageError, match="is named 'b'"):
        Catalog.lazy({"a": lambda: weather("b")}).spec("a")


def test_filter():
    catalog = Catalog([weather("a"), weather("b", effect="write"), weather("c", tags=("x",))])
    assert catalog.filter(lambda spec: spec.effect == "read").names == ("a", "c")
    assert catalog.filter(lambda spec: "x" in spec.tags).select("c").names == ("c",)
    hidden = catalog.filter(lambda spec: spec.name != "a")
    assert hidden.get("a") is None
    with pytest.raises(UnknownNameError):
        hidden.call_sync("a", city="Oslo")


def test_rename_refuses_what_clashes_or_is_no_name():
    catalog = Catalog([weather("a"), weather("b")])
    assert catalog.rename({"a": "b", "b": "a"}).spec("a").name == "a"
    assert catalog.rename({"a": "b", "b": "a"})["a"].inner is catalog["b"]
    with pytest.raises(UsageError, match="two tools would be named 'b'"):
        catalog.rename({"a": "b"})
    with pytest.raises(UsageError, match="is not a tool name"):
        catalog.rename({"a": "a b"})


def test_long_prefixes_are_cut_and_stay_unique():
    names = [f"{'n' * 50}{n}" for n in range(5)]
    catalog = Catalog([weather(name) for name in names]).prefix("p" * 30)
    assert len(set(catalog.names)) == 5
    assert all(len(name) == 64 for name in catalog.names)
    assert catalog.prefix("q").names == catalog.prefix("q").names
    assert Catalog([weather("a")]).prefix("shop_").names == ("shop_a",)


def test_merge():
    shop, zoo = Catalog([weather("a")], name="shop"), Catalog([weather("a"), weather("b")], name="zoo")
    with pytest.raises(UsageError, match="two catalogs have a tool named 'a'") as caught:
        Catalog.merge(shop, zoo)
    assert "prefix" in caught.value.hint
    both = Catalog.merge(shop.prefix("shop_"), zoo, name="both")
    assert both.names == ("shop_a", "a", "b")
    assert both["shop_a"].inner is shop["a"]
    assert [part.name for part in both.parts] == ["shop", "zoo"]


def test_views_of_views_compose():
    catalog = Catalog.merge(
        Catalog([weather("a", "A"), weather("b", "B")]).prefix("x_"),
        Catalog([weather("c", "C")]).wrap(Cached),
    ).rename({"x_a": "first"})
    kept = catalog.filter(lambda spec: spec.name != "x_b").prefix("v1_")
    assert kept.names == ("v1_first", "v1_c")
    assert [kept.call_sync(name, city="Oslo") for name in kept] == ["A", "C"]


@pytest.mark.anyio
async def test_call_checks_and_returns_the_value():
    catalog = Catalog([weather("weather", ToolResult(value={"rain": True}, provenance="cached"))])
    assert await catalog.call("weather", city="Oslo") == {"rain": True}
    with pytest.raises(InvalidArgumentsError, match="Did you mean 'city'"):
        await catalog.call("weather", citty="Oslo")
    assert catalog["weather"].calls == [{"city": "Oslo"}]


@pytest.mark.anyio
async def test_call_sync_works_where_a_loop_runs_as_in_a_notebook():
    @tool(effect="read")
    async def where() -> str:
        return threading.current_thread().name

    assert asyncio.get_running_loop().is_running()
    assert Catalog([where]).call_sync("where") == "toolhaft"


def test_a_sync_call_from_within_an_async_tool_is_refused_instead_of_hanging():
    @tool(effect="read")
    async def outer() -> str:
        return inner.call_sync("weather", city="Oslo")

    inner = Catalog([weather()])
    with pytest.raises(UsageError, match="inside an async one"):
        Catalog([outer]).call_sync("outer")


def test_a_sync_call_from_within_a_sync_tool_works():
    @tool(effect="read")
    def outer() -> str:
        return inner.call_sync("weather", city="Oslo")

    inner = Catalog([weather("weather", "wet")])
    assert Catalog([outer]).call_sync("outer") == "wet"


@pytest.mark.anyio
@pytest.mark.parametrize(("effect", "doubt"), [("read", "none"), ("write", "uncertain")])
async def test_call_keeps_the_tools_own_time_limit(effect, doubt):
    @tool(effect=effect, timeout=0.02)
    async def slow():
        await asyncio.sleep(30)

    with pytest.raises(ToolTimeoutError, match=r"no result after 0.02 seconds") as caught:
        await Catalog([slow]).call("slow")
    assert caught.value.effect == doubt


@pytest.mark.anyio
async def test_a_tools_own_timeout_error_passes():
    @tool(effect="read")
    async def impatient():
        raise TimeoutError("gave up")

    with pytest.raises(TimeoutError, match="gave up"):
        await Catalog([impatient]).call("impatient")


@pytest.mark.anyio
async def test_the_places_of_a_tool_are_shared_by_every_view():
    most = now = 0

    @tool(effect="read", concurrency=2)
    async def slow():
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1

    catalog = Catalog([slow])
    views = [
        catalog,
        catalog.prefix("p_").rename({"p_slow": "slow"}),
        catalog.wrap(ToolWrapper),
        Catalog([slow]),
    ]
    await asyncio.gather(*(view.call("slow") for view in views for _ in range(4)))
    assert most == 2


def test_the_places_of_a_tool_belong_to_the_loop():
    @tool(effect="read", concurrency=1)
    async def slow():
        await asyncio.sleep(0.001)

    catalog = Catalog([slow])

    async def both():
        await asyncio.gather(catalog.call("slow"), catalog.call("slow"))

    for _ in range(5):
        asyncio.run(both())
    assert len(slow._places) <= 1


@pytest.mark.anyio
async def test_close_closes_once_whatever_fails():
    order = []
    tools = [weather("a"), Unclosable(tool_spec("b")), weather("c")]
    catalog = Catalog(tools, close=lambda: order.append([made.closed for made in tools]))
    with pytest.raises(OSError, match="stuck"):
        await catalog.close()
    await catalog.close()
    assert [made.closed for made in tools] == [1, 1, 1]
    assert order == [[1, 1, 1]]


@pytest.mark.anyio
async def test_views_close_what_they_show():
    one, two = weather("a"), weather("b")
    first, second = Catalog([one]), Catalog([two])
    merged = Catalog.merge(first.prefix("x_"), second)
    async with merged.filter(lambda spec: True):
        pass
    await first.close()
    assert (one.closed, two.closed) == (1, 1)


@pytest.mark.anyio
async def test_only_tools_that_were_made_are_closed():
    catalog, made = lazy("a", "b")
    used = catalog["a"]
    await catalog.close()
    assert (used.closed, made) == (1, ["a"])


def test_a_catalog_is_closed_by_with():
    used = weather()
    with Catalog([used]) as catalog:
        catalog.call_sync("weather", city="Oslo")
    assert used.closed == 1


CONTEXT = CallContext()


@pytest.mark.anyio
async def test_cached_answers_are_kept_by_arguments():
    exchange = Exchange(method="GET", url="http://a/")
    inner = weather("weather", ToolResult(value=1, exchanges=(exchange,)), 2, 3)
    cached = Cached(inner, largest=2)
    first = await cached.call({"city": "Oslo"}, CONTEXT)
    again = await cached.call({"city": "Oslo"}, CONTEXT)
    assert (first.provenance, again.provenance, again.value, again.exchanges) == ("live", "cached", 1, ())
    assert await cached.call({"city": "Rome"}, CONTEXT) == 2
    assert await cached.call({"city": "Bern"}, CONTEXT) == 3  # the oldest goes
    assert (await cached.call({"city": "Rome"}, CONTEXT)).value == 2
    assert await cached.call({"city": "Oslo"}, CONTEXT) == 3
    assert len(inner.calls) == 4


@pytest.mark.anyio
@pytest.mark.parametrize("effect", ["write", "irreversible"])
async def test_writes_are_never_cached(effect):
    inner = weather("weather", effect=effect)
    cached = Cached(inner)
    for _ in range(3):
        await cached.call({"city": "Oslo"}, CONTEXT)
    assert len(inner.calls) == 3


def test_a_cache_of_nothing_is_refused():
    with pytest.raises(UsageError, match="largest is 0"):
        Cached(weather(), largest=0)


@pytest.mark.anyio
async def test_replayed_answers_come_from_the_recording_alone():
    inner = weather()
    replayed = Replayed(inner, {canonical({"city": "Oslo"}): {"rain": False}})
    found = await replayed.call({"city": "Oslo"}, CONTEXT)
    assert (found.value, found.provenance) == ({"rain": False}, "replayed")
    with pytest.raises(ReplayMissError, match="no call with"):
        await replayed.call({"city": "Rome"}, CONTEXT)
    assert inner.calls == []


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_approved_asks_first(kind):
    asked = []

    def ask(spec, arguments):
        asked.append((spec.name, arguments))
        return arguments["city"] == "Oslo"

    async def ask_later(spec, arguments):
        return ask(spec, arguments)

    catalog = Catalog([weather()]).wrap(lambda inner: Approved(inner, ask if kind == "sync" else ask_later))
    assert await catalog.call("weather", city="Oslo") == {"rain": True}
    with pytest.raises(RefusedError, match="not approved"):
        await catalog.call("weather", city="Rome")
    assert asked == [("weather", {"city": "Oslo"}), ("weather", {"city": "Rome"})]
    assert len(catalog["weather"].inner.calls) == 1


def test_a_tool_needs_a_call():
    with pytest.raises(TypeError, match="abstract"):
        Tool()


def test_a_toolset_is_live():
    catalog = Catalog([weather("a"), weather("b"), weather("c")])
    tools = ToolSet(catalog, ["a"])
    specs = tools.specs
    assert tools.specs is specs
    tools.add("a")
    assert tools.specs is specs
    tools.add("c", "b")
    assert [spec.name for spec in tools.specs] == ["a", "c", "b"]
    with pytest.raises(UnknownNameError):
        tools.add("d")
    tools.remove("a", "nothing")
    assert tools.names == ("c", "b")
    assert tools.get("a") is None
    assert tools.get("b") is catalog["b"]
    assert len(tools) == 2
