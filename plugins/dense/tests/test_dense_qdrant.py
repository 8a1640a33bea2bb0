"""The retriever ``qdrant``: in memory, and a server on loopback."""

import subprocess
import sys
from pathlib import Path

import pytest

from toolhaft.errors import ConfigError, EgressError, ToolhaftError, UnreachableError, UsageError
from toolhaft.hooks import Registry
from toolhaft.testing import check_retriever, tool_spec
from toolhaft.tools.specs import HeldSpecs, SpecChanges
from toolhaft_dense.encoder import Encoder
from toolhaft_dense.qdrant import Qdrant
from toolhaft_dense.weights import find_encoder

from .qdrant_stub import Stub, serving

pytestmark = [pytest.mark.slow, pytest.mark.anyio]

SPECS = (
    tool_spec("getForecast", description="Weather for the coming days."),
    tool_spec("createTransfer", description="Move money from one account to another."),
    tool_spec("listPlaylists", description="The music that the user has collected."),
)
UMBRELLA = "Do I need an umbrella on Friday?"


class Versioned(HeldSpecs):
    """Specs of a catalog file whose versions are known."""

    place = Path("/catalogs/tools.catalog")
    version = ""

    def __init__(self, specs, changed=None):
        super().__init__(specs)
        self.changed = changed

    def changes(self, since):
        return self.changed if self.changed is not None else super().changes(since)


class First(Versioned):
    version = "v1"


class Second(Versioned):
    version = "v2"


def names(hits):
    return [hit.item.name for hit in hits]


class Shared(Encoder):
    """The packaged weights, loaded once."""

    def close(self):
        pass


@pytest.fixture(scope="session")
def encoder():
    return Shared(find_encoder(None), threads=1)


@pytest.fixture(autouse=True)
def one_encoder(encoder, monkeypatch):
    monkeypatch.setattr("toolhaft_dense.qdrant.Encoder", lambda *_, **__: encoder)


@pytest.fixture
def server(monkeypatch):
    """A server with a key."""
    monkeypatch.setenv("QDRANT_TEST_KEY", "open-sesame")
    with serving(Stub(key="open-sesame")) as stub:
        yield stub


@pytest.fixture
def at(server):
    """A retriever at that server."""

    def make(**settings):
        given = {"url": server.url, "allow_hosts": "127.0.0.1", "key": "env:QDRANT_TEST_KEY"}
        return Qdrant(**given | {"threads": 1, "collection": "tools"} | settings)

    return make


async def test_it_keeps_the_contract_of_retrievers():
    assert await check_retriever(Registry.load().retriever("qdrant", threads=1)) == []


async def test_single_tools_are_added_changed_and_removed():
    retriever = Qdrant(threads=1)
    with pytest.raises(UsageError, match="no index to change"):
        await retriever.update(remove=["x"])
    await retriever.index(SPECS)
    await retriever.update(
        put=[tool_spec("getUmbrella", description="Umbrellas.")], remove=["getForecast", "absent"]
    )
    assert names(await retriever.retrieve(UMBRELLA, 2))[0] == "getUmbrella"
    assert "getForecast" not in names(await retriever.retrieve(UMBRELLA, 9))
    await retriever.update(put=[tool_spec("getUmbrella", description="Money transfers.")])
    assert retriever.sent == 1
    assert names(await retriever.retrieve("send money", 2))[0] in ("getUmbrella", "createTransfer")
    await retriever.close()


async def test_equal_tools_stand_in_the_order_of_the_catalog():
    retriever = Qdrant(threads=1)
    await retriever.index(
        [tool_spec(name, parent="x", description="Weather.") for name in ("z-", "_z", "z_")]
    )
    assert names(await retriever.retrieve("Weather", 3)) == ["z-", "_z", "z_"]
    await retriever.close()


async def test_a_server_gets_what_changed_and_the_key(at, server):
    first = at()
    await first.index(First(SPECS))
    assert names(await first.retrieve(UMBRELLA, 1)) == ["getForecast"]
    assert {key for _, _, key in server.seen} == {"open-sesame"}
    await first.close()

    server.seen.clear()
    same = at()
    await same.index(First(SPECS))
    assert same.sent == 0
    assert not any(path.endswith("scroll") or method == "PUT" for method, path, _ in server.seen)
    await same.close()

    changed = SpecChanges(put=("createTransfer",), removed=("listPlaylists",))
    newer = [SPECS[0], tool_spec("createTransfer", description="Wire money.")]
    third = at()
    await third.index(Second(newer, changed))
    assert (third.sent, third.engine.rpartition(", ")[2]) == (1, "2 tools")
    assert not any("scroll" in path for _, path, _ in server.seen)
    await third.close()


async def test_many_tools_are_sent_in_batches_and_read_in_pages(at, server):
    specs = [tool_spec(f"tool{number}", description=f"Number {number}.") for number in range(25)]
    retriever = at(batch=10, collection="many")
    await retriever.index(specs)
    assert sum(method == "PUT" and "points" in path for method, path, _ in server.seen) == 3
    await retriever.index(specs[5:])
    assert (retriever.sent, retriever.engine.rpartition(", ")[2]) == (0, "20 tools")
    await retriever.close()


async def test_a_failed_index_is_resumed_by_the_next(at, server):
    retriever = at(batch=1)
    server.fail = 507
    with pytest.raises(ToolhaftError, match="the Qdrant server answers with status 507"):
        await retriever.index(First(SPECS))
    assert await retriever.retrieve(UMBRELLA) == []
    server.fail = 0
    await retriever.index(First(SPECS))
    assert retriever.sent == 3
    server.fail = 503
    with pytest.raises(ToolhaftError, match="503"):
        await retriever.retrieve(UMBRELLA)
    await retriever.close()


async def test_what_is_not_ours_is_left_alone(at, server):
    from qdrant_client import models

    vectors = models.VectorParams(size=384, distance=models.Distance.COSINE)
    server.client.create_collection("theirs", vectors)
    with pytest.raises(ConfigError, match="'theirs' was not made by this retriever; it is left alone"):
        await at(collection="theirs").index(SPECS)
    mark = {"toolhaft": {"format": 1, "encoder": "x", "version": ""}}
    small = models.VectorParams(size=7, distance=models.Distance.COSINE)
    for name, config in (("small", small), ("other", vectors)):
        server.client.create_collection(name, config, metadata=mark)
        with pytest.raises(ConfigError, match="vectors of another encoder"):
            await at(collection=name).index(SPECS)
    retriever = at(collection="mine")
    await retriever.index(SPECS)
    server.client.upsert("mine", [models.PointStruct(id=1, vector=[0.05] * 384, payload={})])
    with pytest.raises(ToolhaftError, match="holds a point that no tool of ours has"):
        await retriever.retrieve(UMBRELLA, 3)
    await retriever.close()


async def test_servers_that_are_away_or_refuse(at, server, monkeypatch):
    with pytest.raises(EgressError, match="private or reserved"):
        await at(allow_hosts=()).index(SPECS)
    assert server.seen == []
    with pytest.raises(UnreachableError):
        await at(url="http://127.0.0.1:1").index(SPECS)
    monkeypatch.setenv("QDRANT_TEST_KEY", "wrong-key")
    with pytest.raises(ConfigError, match="refuses the key") as caught:
        await at().index(SPECS)
    assert "wrong-key" not in str(caught.value)
    monkeypatch.delenv("QDRANT_TEST_KEY")
    with pytest.raises(ConfigError, match="env:QDRANT_TEST_KEY is not set"):
        await at().index(SPECS)


async def test_tools_of_no_file_need_a_collection_of_their_own_on_a_server(at, server):
    retriever = at(collection="")
    with pytest.raises(ConfigError, match="need a collection of their own") as caught:
        await retriever.index(SPECS)
    assert "collection=" in caught.value.hint
    assert server.seen == []
    await retriever.index(First(SPECS))
    assert "collection toolhaft-tools-" in retriever.engine
    await retriever.close()


async def test_a_tool_that_leaves_the_catalog_while_changes_are_followed_is_removed(at):
    retriever = at()
    await retriever.index(First(SPECS))
    left = Second(SPECS[:2], SpecChanges(put=("createTransfer", "listPlaylists")))
    await retriever.index(left)
    assert names(await retriever.retrieve("music", 9)).count("listPlaylists") == 0
    assert retriever.engine.endswith("2 tools")
    await retriever.close()


async def test_a_tool_that_left_the_catalog_is_left_out(at):
    specs = HeldSpecs(SPECS)
    retriever = at()
    await retriever.index(specs)
    del specs._named["getForecast"]
    assert "getForecast" not in names(await retriever.retrieve(UMBRELLA, 3))
    await retriever.close()


def test_without_the_package_it_says_what_to_install():
    code = (
        "import asyncio, sys\nsys.modules['qdrant_client'] = None\n"
        "from toolhaft.testing import tool_spec\nfrom toolhaft_dense.qdrant import Qdrant\n"
        "try:\n    asyncio.run(Qdrant().index([tool_spec('a')]))\n"
        "except Exception as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "pip install 'toolhaft-dense[onnx,qdrant]'" in done.stdout, done.stderr
