"""The index beside a catalog file: kept, opened, brought up to date, made anew where it must be."""

import asyncio
import logging
import os
import shutil

import pytest

from toolhaft.errors import FormatError
from toolhaft.retrievers import bm25
from toolhaft.retrievers.bm25 import BM25
from toolhaft.retrievers.lexical import choosing, pure, shelf
from toolhaft.testing import CannedTool, tool_spec
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.catalog_file import open_catalog_file
from toolhaft.tools.catalog_lock import apply_lock, lock_catalog

pytestmark = pytest.mark.slow


class Kept(CannedTool):
    """A tool that can be kept in a file."""

    def binding(self):
        return {"kind": "kept", "format": 1}


def tool(name, text, parent="shop"):
    return Kept(tool_spec(name, description=text, parent=parent))


def bind(spec, binding):
    return Kept(spec)


TOOLS = [tool(f"tool_{n}", f"Does thing{n} with pets.", f"service{n % 7}") for n in range(40)]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(choosing, "SMALL", 10)
    path = tmp_path / "pets.catalog"
    Catalog(TOOLS, name="pets").save(path)
    return path


@pytest.fixture
def built(monkeypatch):
    """Count how often all tools are read."""
    calls = []
    build = bm25.build_index

    def count(*arguments, **keywords):
        calls.append(keywords.get("folder"))
        return build(*arguments, **keywords)

    monkeypatch.setattr(bm25, "build_index", count)
    return calls


def folders(place):
    """Return where indexes of a catalog are kept."""
    return sorted((place.parent / "pets.catalog.index").glob("bm25-*"))


async def search(path, *queries, **settings):
    retriever = BM25(**settings)
    catalog = open_catalog_file(path, bind)
    await retriever.index(catalog.specs())
    found = [[hit.item.name for hit in await retriever.retrieve(query, 3)] for query in queries]
    await retriever.close()
    await catalog.close()
    return found


@pytest.mark.anyio
async def test_a_second_opening_reads_no_tool(place, built):
    first = await search(place, "thing7", "thing23 pets")
    assert first[0][0] == "tool_7"
    assert len(folders(place)) == 1
    before = len([folder for folder in built if folder])
    assert await search(place, "thing7", "thing23 pets") == first
    assert len([folder for folder in built if folder]) == before == 1


@pytest.mark.anyio
async def test_single_tools_that_changed_in_the_file_are_taken_over(place, built):
    await search(place, "pets")
    Catalog.update_file(
        place, [tool("tool_3", "Sells zebras."), tool("late", "Late zeppelins.")], remove=["tool_7"]
    )
    found = await search(place, "zebras", "zeppelins", "thing7")
    assert found[:2] == [["tool_3"], ["late"]]
    assert "tool_7" not in found[2]
    assert len([folder for folder in built if folder]) == 1, "nothing was indexed anew"


@pytest.mark.anyio
async def test_a_tool_added_while_it_is_open_is_kept(place, built):
    catalog = open_catalog_file(place, bind)
    retriever = BM25()
    await retriever.index(catalog.specs())
    late = tool("late", "Late zeppelins.")
    Catalog.update_file(place, [late], remove=["tool_5"])
    await retriever.update(put=[late.spec], remove=["tool_5"])
    assert [hit.item.name for hit in await retriever.retrieve("zeppelins")] == ["late"]
    await retriever.close()
    assert await search(place, "zeppelins", "thing5 tool_5") != []
    assert len([folder for folder in built if folder]) == 1


@pytest.mark.anyio
async def test_a_change_that_the_file_does_not_have_does_not_stay(place, built):
    catalog = open_catalog_file(place, bind)
    retriever = BM25()
    await retriever.index(catalog.specs())
    await retriever.update(put=[tool("ghost", "Ghostly zeppelins.").spec], remove=["tool_7"])
    assert [hit.item.name for hit in await retriever.retrieve("zeppelins")] == ["ghost"]
    await retriever.close()
    found = await search(place, "zeppelins", "thing7")
    assert found[0] == []
    assert found[1][0] == "tool_7"
    assert len([folder for folder in built if folder]) == 1, "what is kept is as it was"


@pytest.mark.anyio
async def test_a_few_other_tools_beside_those_of_a_file_leave_its_index_in_use(place, built):
    await search(place, "pets")
    loose = Catalog([tool("walker", "Walks zebras."), tool("feeder", "Feeds yaks.")])
    for _ in range(2):
        opened = open_catalog_file(place, bind)
        retriever = BM25()
        await retriever.index(Catalog.merge(opened, loose).specs())
        found = [(await retriever.retrieve(query, 1))[0].item.name for query in ("zebras", "thing7", "yaks")]
        assert found == ["walker", "tool_7", "feeder"]
        assert "42 tools" in retriever.engine
        await retriever.update(put=[tool("late", "Late zeppelins.").spec], remove=["walker"])
        assert [hit.item.name for hit in await retriever.retrieve("zeppelins zebras")] == ["late"]
        await retriever.close()
        await opened.close()
    assert await search(place, "zebras", "zeppelins") == [[], []], "what is kept is the file's alone"
    assert len([folder for folder in built if folder]) == 1


@pytest.mark.anyio
async def test_many_other_tools_are_indexed_with_those_of_a_file(place, built):
    await search(place, "pets")
    loose = Catalog([tool(f"more_{n}", f"Does other{n}.") for n in range(20)])
    opened = open_catalog_file(place, bind)
    retriever = BM25()
    await retriever.index(Catalog.merge(loose, opened).specs())
    assert (await retriever.retrieve("other3", 1))[0].item.name == "more_3"
    assert (await retriever.retrieve("thing7", 1))[0].item.name == "tool_7"
    assert len(built) > 1
    assert (await search(place, "other"))[0] == [], "what is kept is the file's alone"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("changed", "removed"),
    [("Sells lions.", ["tool_7"]), ("Sells zebras.", ["tool_7", "tool_8"])],
    ids=["another-text", "more-removed"],
)
async def test_a_change_that_the_file_has_otherwise_does_not_stay(place, changed, removed):
    catalog = open_catalog_file(place, bind)
    retriever = BM25()
    await retriever.index(catalog.specs())
    Catalog.update_file(place, [tool("tool_3", "Sells zebras.")], remove=["tool_7"])
    await retriever.update(put=[tool("tool_3", changed).spec], remove=removed)
    await retriever.close()
    found = await search(place, "zebras", "thing8")
    assert found[0] == ["tool_3"]
    assert found[1][0] == "tool_8"


@pytest.mark.anyio
async def test_changes_at_the_same_time_are_all_made():
    retriever = BM25()
    await retriever.index([each.spec for each in TOOLS])
    late = [tool(f"late_{n}", f"Late zeppelin{n}.").spec for n in range(12)]
    await asyncio.gather(*(retriever.update(put=[spec], remove=[f"tool_{n}"]) for n, spec in enumerate(late)))
    found = [(await retriever.rank(f"zeppelin{n}"))[0][0] for n in range(12)]
    assert found == [spec.name for spec in late]
    assert "40 tools" in retriever.engine


@pytest.mark.anyio
async def test_an_index_under_way_says_how_far_it_is(place):
    told = []
    retriever = BM25(keep=False)
    retriever.progress = lambda done, total: told.append((done, total))
    await retriever.index([tool(f"t{n}", "Pets.").spec for n in range(2_100)])
    assert told == [(1_000, 2_100), (2_000, 2_100)]


@pytest.mark.anyio
async def test_other_settings_make_another_index_and_leave_the_first(place, built):
    for _ in range(2):
        await search(place, "pets")
        await search(place, "pets", weights={"name": 1})
        await search(place, "pets", k1=1.2)
    assert len([folder for folder in built if folder]) == len(folders(place)) == 3


@pytest.mark.anyio
async def test_a_lock_makes_another_index_and_leaves_the_first(place, built):
    lock = lock_catalog(Catalog(TOOLS))
    for _ in range(2):
        for locked in (False, True):
            opened = open_catalog_file(place, bind)
            retriever = BM25()
            await retriever.index((apply_lock(opened, lock) if locked else opened).specs())
            assert (await retriever.retrieve("thing7", 1))[0].item.name == "tool_7"
            await retriever.close()
            await opened.close()
    assert len([folder for folder in built if folder]) == len(folders(place)) == 2


@pytest.mark.anyio
async def test_the_indexes_that_were_opened_longest_ago_make_room(place, built):
    for k1 in (1.1, 1.2, 1.3, 1.4):
        await search(place, "pets", k1=k1)
    for number, folder in enumerate(folders(place)):
        os.utime(folder / "index.json", (number, number))
    first, second, *_ = folders(place)
    (second / "mine.txt").write_text("somebody's own")
    strange = place.parent / "pets.catalog.index" / "bm25-0123456789abcdef"
    strange.mkdir()
    (strange / "index.json").write_text("{}")
    await search(place, "pets", k1=1.5)
    await search(place, "pets", k1=1.6)
    assert not first.exists()
    assert [file.name for file in second.iterdir()] == ["mine.txt"]
    assert (strange / "index.json").read_text() == "{}"
    assert len(list((place.parent / "pets.catalog.index").glob("bm25-*/segment-*"))) == shelf.MOST_KEPT


@pytest.mark.anyio
async def test_an_index_that_is_opened_again_is_not_the_oldest(place):
    for k1 in (1.1, 1.2, 1.3, 1.4):
        await search(place, "pets", k1=k1)
    kept = folders(place)
    for folder in kept:
        os.utime(folder / "index.json", (1, 1))
    await search(place, "pets", k1=1.2)
    (used,) = (folder for folder in kept if (folder / "index.json").stat().st_mtime > 1)
    for k1 in (1.5, 1.6, 1.7):
        await search(place, "pets", k1=k1)
    assert used in folders(place)
    assert len(folders(place)) == shelf.MOST_KEPT


@pytest.mark.anyio
@pytest.mark.parametrize("damage", ["cut", "garbage", "gone", "foreign"])
async def test_a_damaged_index_is_told_and_made_anew(place, damage, caplog):
    expected = await search(place, "thing7 pets")
    (folder,) = folders(place)
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    for file in files:
        if damage == "cut":
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        elif damage == "garbage":
            file.write_bytes(b"\xff" * file.stat().st_size)
        elif damage == "foreign":
            file.write_text('{"some": "other file"}')
    if damage == "gone":
        shutil.rmtree(folder)
    with caplog.at_level(logging.WARNING):
        assert await search(place, "thing7 pets") == expected
    assert damage == "gone" or "anew" in caplog.text or "again" in caplog.text
    assert await search(place, "thing7 pets") == expected


@pytest.mark.anyio
async def test_an_index_harmed_while_it_is_open_is_made_anew_with_what_was_changed(
    place, monkeypatch, caplog
):
    catalog = open_catalog_file(place, bind)
    retriever = BM25()
    await retriever.index(catalog.specs())
    await retriever.update(put=[tool("ghost", "Ghostly zeppelins.").spec], remove=["tool_7"])

    def fail(*arguments, **keywords):
        raise FormatError("the file is damaged", where="segment")

    monkeypatch.setattr(retriever._searched.index, "top", fail)
    with caplog.at_level(logging.WARNING):
        assert [hit.item.name for hit in await retriever.retrieve("zeppelins")] == ["ghost"]
    assert "anew" in caplog.text
    assert "tool_7" not in [hit.item.name for hit in await retriever.retrieve("thing7 pets", 50)]
    await retriever.close()
    assert (await search(place, "thing7"))[0][0] == "tool_7", "the file's own index knows nothing of it"


@pytest.mark.anyio
async def test_nothing_is_kept_where_that_is_not_wished(place):
    await search(place, "pets", keep=False)
    assert not (place.parent / "pets.catalog.index").exists()


@pytest.mark.anyio
async def test_a_tool_removed_from_the_file_is_left_out_of_what_is_found(place):
    catalog = open_catalog_file(place, bind)
    retriever = BM25()
    await retriever.index(catalog.specs())
    Catalog.update_file(place, remove=["tool_7"])
    assert all(hit.item.name != "tool_7" for hit in await retriever.retrieve("thing7 pets"))
    await retriever.close()


@pytest.mark.anyio
async def test_single_tools_in_memory_are_changed():
    retriever = BM25()
    await retriever.index([each.spec for each in TOOLS] + [tool("tool_1", "Twin of thing1.").spec])
    await retriever.update(put=[tool("tool_1", "Sells zebras.").spec], remove=["tool_2", "nobody"])
    assert [hit.item.description for hit in await retriever.retrieve("zebras")] == ["Sells zebras."]
    assert all(
        "thing1" not in hit.item.description.split() for hit in await retriever.retrieve("thing1 twin", 50)
    )
    assert "tool_2" not in [hit.item.name for hit in await retriever.retrieve("thing2 pets", 50)]
    assert "39 tools" in retriever.engine


@pytest.mark.anyio
async def test_the_first_query_finds_everything_prepared(monkeypatch):
    made = []

    class Counted(pure.Okapi):
        def __init__(self, *arguments, **keywords):
            made.append(keywords)
            super().__init__(*arguments, **keywords)

    monkeypatch.setattr(pure, "Okapi", Counted)
    retriever = BM25()
    await retriever.index([each.spec for each in TOOLS])
    await retriever.update(remove=["tool_3"])
    prepared = len(made)
    assert await retriever.retrieve("thing7 pets")
    assert len(made) == prepared > 0
