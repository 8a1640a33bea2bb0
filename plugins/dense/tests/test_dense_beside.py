"""The index beside a catalog: opened, brought up to date, rebuilt, resumed."""

import logging
import os
import signal
import subprocess
import sys
import time

import pytest

from toolhaft.testing import CannedTool, tool_spec
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.catalog_file import open_catalog_file
from toolhaft_dense import arrays_file, segments
from toolhaft_dense.checks import Checks
from toolhaft_dense.retriever import Dense

pytestmark = pytest.mark.slow

TOPICS = ("cats", "trains", "money", "weather", "music", "recipes", "football", "stars")


class Kept(CannedTool):
    """A tool that can be kept in a file."""

    def binding(self):
        return {"kind": "canned"}


def tool(name, text):
    return Kept(tool_spec(name, description=text), "")


@pytest.fixture
def place(tmp_path):
    path = tmp_path / "many.catalog"
    tools = [tool(f"tool{n}", f"Does thing {n} with {TOPICS[n % 8]}.") for n in range(40)]
    Catalog(tools, name="many").save(path)
    return path


@pytest.fixture
def opened(place, tiny_encoder):
    """Index the file as a process that has just begun would."""

    async def index(**settings):
        catalog = _open(place)
        retriever = Dense(**{"model": tiny_encoder, "threads": 1} | settings)
        await retriever.index(catalog.specs())
        return retriever

    return index


def _open(place):
    return open_catalog_file(place, lambda spec, binding: Kept(spec, ""))


async def everything(retriever):
    return dict(await retriever.rank("thing", 1_000))


@pytest.mark.anyio
async def test_it_is_opened_without_encoding_or_reading_a_tool(opened, place, monkeypatch):
    first = await opened()
    assert first.encoded == 40
    found = await everything(first)
    (folder,) = place.with_name("many.catalog.index").iterdir()
    assert sorted(file.suffix for file in folder.iterdir()) == [".json", ".vectors"]
    from toolhaft.tools.file_specs import FileSpecs

    monkeypatch.setattr(FileSpecs, "__iter__", lambda self: pytest.fail("a tool was read"))
    second = await opened()
    assert second.encoded == 0
    assert await everything(second) == pytest.approx(found, abs=1e-6)
    hits = await second.retrieve("Does thing 7 with stars.", 1)
    assert hits[0].item.description == "Does thing 7 with stars."


@pytest.mark.anyio
async def test_single_changes_are_followed(opened, place):
    before = await opened()
    found = await everything(before)
    Catalog.update_file(
        place, put=[tool("new", "A new thing."), tool("tool3", "Quite another thing.")], remove=["tool5"]
    )
    after = await opened(sentences=False)
    assert after.encoded == 2
    now = await everything(after)
    assert set(now) == set(found) - {"tool5"} | {"new"}
    same = set(found) - {"tool3", "tool5"}
    assert {name: now[name] for name in same} == pytest.approx({name: found[name] for name in same}, abs=1e-6)
    hit = (await after.retrieve("tool 3. Quite another thing.", 1))[0]
    assert (hit.item.name, hit.item.description) == ("tool3", "Quite another thing.")
    again = await opened()
    assert again.encoded == 0
    assert await everything(again) == pytest.approx(now, abs=1e-6)
    Catalog.update_file(place, put=[tool("tool5", "Back again.")], remove=["new"])
    last = await opened()
    assert last.encoded == 1
    assert set(await everything(last)) == set(found)


@pytest.mark.anyio
async def test_many_changes_never_read_all_tools_again(opened, place, monkeypatch):
    from toolhaft.tools.file_specs import FileSpecs

    await opened()
    monkeypatch.setattr(FileSpecs, "__iter__", lambda self: pytest.fail("all tools were read"))
    for number in range(40):
        Catalog.update_file(place, put=[tool(f"tool{number % 3}", f"Version {number}.")])
        retriever = await opened(sentences=False)
        assert retriever.encoded == 1
    Catalog.update_file(place, remove=["tool7"])
    (folder,) = place.with_name("many.catalog.index").iterdir()
    assert len(list(folder.glob("*.vectors"))) <= 16
    retriever = await opened(sentences=False)
    monkeypatch.undo()
    fresh = await opened(sentences=False, folder=False)
    found = await everything(retriever)
    assert found == pytest.approx(await everything(fresh), abs=0.02)
    assert len(found) == 39


@pytest.mark.anyio
async def test_update_changes_what_is_in_memory(opened):
    retriever = await opened()
    await retriever.update([tool_spec("pets", description="Adopt a pet.")], remove=["tool1", "nowhere"])
    assert retriever.encoded == 1
    found = await everything(retriever)
    assert "pets" in found
    assert "tool1" not in found
    assert [hit.item.name for hit in await retriever.retrieve("Adopt a pet.", 100)].count("pets") == 1
    assert "40 tools" in retriever.engine
    for number in range(40):
        await retriever.update([tool_spec("pets", description=f"Adopt {number} pets.")])
    hits = [hit for hit in await retriever.retrieve("Adopt 39 pets.", 100) if hit.item.name == "pets"]
    assert [hit.item.description for hit in hits] == ["Adopt 39 pets."]
    assert "40 tools" in retriever.engine
    assert len(await everything(await opened())) == 40


def _text(name, content):
    return lambda folder: next(folder.glob(name)).write_bytes(content)


def _pipe(name):
    def damage(folder):
        file = next(folder.glob(name))
        file.unlink()
        os.mkfifo(file)

    return damage


def _link(folder):
    file = next(folder.glob("*.vectors"))
    file.unlink()
    file.symlink_to("/dev/zero")


def _of_another(folder):
    file = next(folder.glob("*.json"))
    file.write_text(file.read_text().replace('"dead": []', '"dead": [99]'))


def _of_another_position(folder):
    file = next(folder.glob("*.json"))
    file.write_text(file.read_text().replace('"dead": []', '"dead": [9]'))


DAMAGES = {
    "manifest empty": (_text("index.json", b""), 0),
    "manifest of another kind": (_text("index.json", b"[]"), 0),
    "manifest with a path": (_text("index.json", b'{"format":1,"composition":"1","layers":["../x"]}'), 0),
    "manifest without end": (_text("index.json", b"[" * 100_000), 0),
    "manifest of other positions": (_of_another, 0),
    "manifest with a flipped bit": (_of_another_position, 0),
    "manifest is a pipe": (_pipe("index.json"), 0),
    "vectors are a pipe": (_pipe("*.vectors"), 40),
    "vectors are a link": (_link, 40),
    "vectors cut": (_text("*.vectors", b"toolhaft arrays 1\n"), 40),
    "vectors missing": (lambda folder: next(folder.glob("*.vectors")).unlink(), 40),
}


@pytest.mark.anyio
@pytest.mark.parametrize("case", DAMAGES)
async def test_a_damaged_one_is_told_of_and_made_anew(opened, place, caplog, case):
    damage, encoded = DAMAGES[case]
    found = await everything(await opened())
    (folder,) = place.with_name("many.catalog.index").iterdir()
    damage(folder)
    with caplog.at_level(logging.WARNING):
        retriever = await opened()
    assert "made anew" in caplog.text
    assert str(folder) in caplog.text
    assert retriever.encoded == encoded
    assert await everything(retriever) == pytest.approx(found, abs=0.02)
    caplog.clear()
    assert (await opened()).encoded == 0
    assert caplog.text == ""


@pytest.mark.anyio
async def test_vectors_that_are_found_to_be_damaged_by_a_query_are_made_anew(
    opened, place, caplog, monkeypatch
):
    """As those of a large file, which are not checked when it is opened."""
    check_rows = Checks.check_rows
    opening = [True]

    def check_later(self, *rows):
        if not opening:
            check_rows(self, *rows)

    monkeypatch.setattr(Checks, "check_rows", check_later)
    right = await everything(await opened())
    (file,) = place.parent.rglob("*.vectors")
    arrays, _ = arrays_file.open_arrays(file)
    content = file.read_bytes()
    spot = content.index(arrays["whole"][20].tobytes())
    file.unlink()
    file.write_bytes(content[:spot] + bytes([content[spot] ^ 0x40]) + content[spot + 1 :])
    retriever = await opened()
    assert retriever.encoded == 0
    opening.clear()
    assert await everything(retriever) == pytest.approx(right, abs=0.02)
    assert retriever.encoded == 40
    assert "damaged" in caplog.text
    assert str(file) in caplog.text


@pytest.mark.anyio
async def test_where_nothing_can_be_written_the_vectors_are_kept_at_the_users_own(opened, place, caplog):
    place.with_name("many.catalog.index").write_text("a file in the way")
    for encoded, said in ((40, "vectors are kept in"), (0, "the index is not kept")):
        caplog.clear()
        retriever = await opened()
        assert retriever.encoded == encoded
        assert len(await everything(retriever)) == 40
        assert [record.getMessage()[: len(said)] for record in caplog.records] == [said]


@pytest.mark.anyio
async def test_what_lies_behind_a_link_is_left_alone(opened, place, tmp_path, caplog):
    (tmp_path / "own").mkdir()
    (tmp_path / "own/mine.vectors").write_text("mine")
    place.with_name("many.catalog.index").symlink_to(tmp_path / "own")
    assert len(await everything(await opened())) == 40
    assert "is a link" in caplog.text
    assert [file.name for file in (tmp_path / "own").iterdir()] == ["mine.vectors"]


@pytest.mark.anyio
async def test_a_full_disk_costs_only_the_keeping(opened, caplog, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(segments, "write_arrays", full)
    retriever = await opened()
    assert len(await everything(retriever)) == 40
    assert [record.getMessage().partition(":")[0].split(" /")[0] for record in caplog.records] == [
        "vectors are kept in",
        "vectors are not kept, and will be made again the next time",
    ]
    assert "No space left on device" in caplog.text


@pytest.mark.anyio
async def test_the_approximate_search_lies_beside_the_catalog_too(opened):
    exact = await opened(search="exact")
    first = await opened(search="approximate")
    assert first.encoded == 0
    second = await opened(search="approximate")
    assert second.encoded == 0
    assert "approximate" in second.engine
    third = await opened(search="exact")
    assert third.encoded == 0
    assert "exact" in third.engine
    assert await everything(third) == pytest.approx(await everything(exact), abs=1e-6)
    assert await everything(second) == pytest.approx(await everything(first))
    assert (await second.rank("Does thing 7 with stars.", 1))[0][0] == (
        await exact.rank("Does thing 7 with stars.", 1)
    )[0][0]


@pytest.mark.anyio
async def test_an_empty_catalog_finds_nothing(tmp_path, tiny_encoder):
    Catalog([], name="none").save(tmp_path / "none.catalog")
    catalog = _open(tmp_path / "none.catalog")
    retriever = Dense(model=tiny_encoder)
    await retriever.index(catalog.specs())
    assert await retriever.retrieve("anything") == []
    assert await retriever.rank("anything") == []


def test_two_processes_that_index_one_catalog_agree(place, tiny_encoder):
    both = [_start(place, tiny_encoder) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0].split() for process in both]
    assert [output[-1] for output in outputs] == ["40", "40"]
    third = _start(place, tiny_encoder)
    assert third.communicate(timeout=60)[0].split()[-2:] == ["0", "40"]


def test_what_was_encoded_before_a_kill_is_not_encoded_again(tmp_path, tiny_encoder):
    path = tmp_path / "large.catalog"
    Catalog([tool(f"tool{n}", f"Thing {n}. " * 30) for n in range(6_000)], name="large").save(path)
    killed = _start(path, tiny_encoder)
    folder = path.with_name("large.catalog.index")
    until = time.monotonic() + 60
    while len(list(folder.rglob("*.vectors"))) < 2 and killed.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    whole = sum(1 for file in folder.rglob("*.vectors") if not file.name.startswith("."))
    resumed = _start(path, tiny_encoder)
    encoded, found = map(int, resumed.communicate(timeout=120)[0].split()[-2:])
    assert found == 6_000
    assert 0 < encoded <= 6_000 - 1_024 * whole + whole
    assert sorted(file.suffix for file in folder.rglob("*.*") if file.is_file()) == [".json", ".vectors"]


def _start(place, model):
    code = (
        "import asyncio, sys\n"
        "from toolhaft.tools.catalog_file import open_catalog_file\n"
        "from toolhaft_dense.retriever import Dense\n"
        "r = Dense(model=sys.argv[2], threads=1)\n"
        "specs = open_catalog_file(sys.argv[1], lambda spec, binding: None).specs()\n"
        "asyncio.run(r.index(specs))\n"
        "print(r.encoded, r.engine.split()[-2].replace(',', ''), flush=True)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(place), str(model)], stdout=subprocess.PIPE, text=True
    )
