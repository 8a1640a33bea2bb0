"""BM25 with settings, queries and kept indexes that nobody should trust."""

import json
import shutil

import pytest

from toolhaft.errors import UsageError
from toolhaft.retrievers.bm25 import BM25
from toolhaft.retrievers.lexical import choosing
from toolhaft.retrievers.lexical.manifest import _digest
from toolhaft.testing import CannedTool, tool_spec
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.catalog_file import open_catalog_file

pytestmark = pytest.mark.slow


class Kept(CannedTool):
    """A tool that can be kept in a file."""

    def binding(self):
        return {"kind": "kept", "format": 1}


@pytest.mark.parametrize("given", [2.5, None, "3", True, float("nan")], ids=repr)
@pytest.mark.anyio
async def test_k_is_a_whole_number(given):
    retriever = BM25()
    await retriever.index([tool_spec("weather")])
    for ask in (retriever.retrieve, retriever.rank):
        with pytest.raises(UsageError, match="k is"):
            await ask("weather", given)


@pytest.mark.parametrize("given", [None, 5, b"weather", ["weather"]], ids=repr)
@pytest.mark.anyio
async def test_a_query_is_text(given):
    retriever = BM25()
    await retriever.index([tool_spec("weather")])
    with pytest.raises(UsageError, match="query is"):
        await retriever.retrieve(given)


@pytest.mark.parametrize(
    "settings",
    [
        {"k1": "x"},
        {"k1": None},
        {"b": "0.5"},
        {"epsilon": []},
        {"k1": 1e308},
        {"parent_boost": "x"},
        {"parent_boost": None},
        {"weights": "name"},
        {"weights": 5},
        {"weights": {"name": True}},
    ],
    ids=repr,
)
def test_a_setting_of_another_kind_is_told_of(settings):
    with pytest.raises(UsageError):
        BM25(**settings)


@pytest.fixture(params=[2_000, 3], ids=["pure", "arrays"])
def two_catalogs(request, tmp_path, monkeypatch):
    """A catalog, and another one whose index is made to look like the first one's."""
    monkeypatch.setattr(choosing, "SMALL", request.param)
    subjects = {"ours": ("weather", "trains"), "theirs": ("storms", "storms")}
    for catalog, (first, second) in subjects.items():
        tools = [
            Kept(tool_spec(f"tool_{n}", description=f"Tells of {first if n < 4 else second}."))
            for n in range(8)
        ]
        Catalog(tools, name=catalog).save(tmp_path / f"{catalog}.catalog")
    return tmp_path


async def find(place, query):
    retriever = BM25()
    catalog = open_catalog_file(place, lambda spec, _: Kept(spec))
    await retriever.index(catalog.specs())
    found = [hit.item.name for hit in await retriever.retrieve(query, 4)]
    await retriever.close()
    await catalog.close()
    return found


@pytest.mark.anyio
async def test_an_index_that_ranks_tools_for_words_they_do_not_hold_is_made_anew(two_catalogs, caplog):
    ours, theirs = two_catalogs / "ours.catalog", two_catalogs / "theirs.catalog"
    right = await find(ours, "trains")
    assert right == ["tool_4", "tool_5", "tool_6", "tool_7"]
    await find(theirs, "storms")
    (manifest,) = (two_catalogs / "ours.catalog.index").glob("bm25-*/index.json")
    version = json.loads(manifest.read_text())["facts"]["version"]
    shutil.rmtree(two_catalogs / "ours.catalog.index")
    shutil.copytree(two_catalogs / "theirs.catalog.index", two_catalogs / "ours.catalog.index")
    told = json.loads(manifest.read_text())
    told["facts"]["version"] = version
    manifest.write_text(json.dumps({**told, "digest": _digest(told["facts"])}))
    assert await find(ours, "storms") == []
    assert "not of these tools" in caplog.text
    assert await find(ours, "trains") == right
    assert len(caplog.records) == 1
