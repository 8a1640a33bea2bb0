"""A kept index: opened as it was, never trusted, never in the way."""

import json
import logging
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from toolhaft.errors import FormatError
from toolhaft.retrievers.lexical import (
    Document,
    IndexSettings,
    build_index,
    choosing,
    open_index,
    segment_file,
)
from toolhaft.retrievers.lexical import sources as sources_module
from toolhaft.retrievers.lexical.array_index import ArrayIndex
from toolhaft.retrievers.lexical.pure import PureIndex

pytestmark = pytest.mark.slow
SETTINGS = IndexSettings(composition="test 1")
QUERY = {"w1": 1.0, "w2": 1.0, "w17": 1.0, "w40": 0.5}
ENGINES = pytest.mark.parametrize("engine", [ArrayIndex, PureIndex], ids=["arrays", "pure"])


def drawn_documents(size=300, seed=1):
    draw = random.Random(seed)
    return [
        Document(
            name=f"tool {number} é",
            terms=[f"w{min(int(draw.expovariate(0.05)), 90)}" for _ in range(draw.randint(1, 20))],
            parent=f"p{number % 25}",
            category=draw.choice("abc"),
        )
        for number in range(size)
    ]


def ranked(index):
    return [
        [(hit.name, round(hit.score, 4)) for hit in index.top(QUERY, 12, parent_share=p, category_share=c)]
        for p, c in ((0, 0), (1.2, 0), (0, 0.5))
    ]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with an index of two segments and removed documents, and what it finds."""
    folder = tmp_path_factory.mktemp("kept") / "bm25"
    index = ArrayIndex.build(drawn_documents(), SETTINGS, folder=folder, version="1")
    index.change([Document(name="late", terms=["w1", "w2"], parent="p3")], ["tool 5 é"], version="2")
    assert len(index._segments) == 2
    return folder, ranked(index)


@ENGINES
def test_an_opened_index_finds_what_the_built_one_found(tmp_path, engine):
    built = engine.build(drawn_documents(), SETTINGS, folder=tmp_path / "a" / "b", version="v1")
    opened = open_index(tmp_path / "a" / "b", SETTINGS)
    assert type(opened) is engine
    assert opened.version == "v1"
    assert opened.engine == built.engine
    assert ranked(opened) == ranked(built)


@ENGINES
def test_changes_are_kept(tmp_path, engine):
    built = engine.build(drawn_documents(), SETTINGS, folder=tmp_path, version="v1")
    built.change([Document(name="new", terms=["w1"])], ["tool 3 é"], version="v2")
    opened = open_index(tmp_path, SETTINGS)
    assert (opened.version, len(opened)) == ("v2", 300)
    assert ranked(opened) == ranked(built)
    opened.change([Document(name="newer", terms=["w2"])], version="v3")
    assert open_index(tmp_path, SETTINGS).version == "v3"


def test_nothing_is_kept_without_a_version_or_a_folder(tmp_path):
    ArrayIndex.build(drawn_documents(), SETTINGS, folder=tmp_path / "none")
    assert not (tmp_path / "none").exists()
    assert open_index(tmp_path / "none", SETTINGS) is None


@pytest.mark.parametrize(
    "other",
    [IndexSettings(composition="test 2"), IndexSettings(k1=1.2, composition="test 1")],
    ids=["composition", "k1"],
)
def test_an_index_of_other_settings_is_not_opened(kept, other, caplog):
    assert open_index(kept[0], other) is None
    assert not caplog.records


def test_what_is_applied_to_queries_may_differ(kept):
    assert open_index(kept[0], IndexSettings(composition="test 1", idf="smoothed", epsilon=0.5)) is not None


def test_files_that_are_not_needed_any_more_are_removed(tmp_path):
    index = ArrayIndex.build(drawn_documents(), SETTINGS, folder=tmp_path, version="1")
    for number in range(12):
        index.change([Document(name=f"n{number}", terms=["w1"])], [f"tool {number} é"], version=f"x{number}")
    named = json.loads((tmp_path / "index.json").read_text())["facts"]["parts"]
    files = {name for part in named for name in (part["file"], part["removed"]) if name}
    assert {place.name for place in tmp_path.iterdir()} == {*files, "index.json", "lock"}


def damage(folder, place, change):
    data = bytearray((folder / place).read_bytes())
    (folder / place).write_bytes(change(data))


def outcome_of(index, right):
    try:
        found = ranked(index)
    except FormatError:
        return "found"
    return "unharmed" if found == right else "wrong"


def files_of(folder):
    return sorted(place.name for place in folder.iterdir() if place.name != "lock")


@pytest.mark.parametrize("checked", ["at once", "as used"])
def test_changed_bytes_anywhere_are_found_or_do_no_harm(kept, tmp_path, monkeypatch, caplog, checked):
    if checked == "as used":
        monkeypatch.setattr(segment_file, "CHECKED_AT_ONCE", 0)
    folder, right = kept
    draw = random.Random(9)
    outcomes = {"refused": 0, "found": 0, "unharmed": 0}
    for name in files_of(folder):
        size = (folder / name).stat().st_size
        for _ in range(25):
            copy = tmp_path / "copy"
            shutil.copytree(folder, copy)
            spot, value = draw.randrange(size), draw.randrange(1, 256)
            damage(copy, name, lambda data, s=spot, v=value: data[:s] + bytes([data[s] ^ v]) + data[s + 1 :])
            index = open_index(copy, SETTINGS)
            if index is None:
                outcomes["refused"] += 1
            else:
                outcomes[outcome_of(index, right)] += 1
            shutil.rmtree(copy)
    assert all("made anew" in record.getMessage() for record in caplog.records)
    assert outcomes["refused"] > 20
    if checked == "as used":
        assert outcomes["found"] > 10


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: data[:100],
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: b"SQLite format 3\0" + data[16:],
        lambda data: b"toolhaft terms 3" + data[16:],
        lambda data: bytes(len(data)),
        lambda data: bytes(reversed(data)),
    ],
    ids=["empty", "100 bytes", "half", "byte less", "byte more", "foreign", "newer", "zeros", "reversed"],
)
@pytest.mark.parametrize("which", ["segment-", "removed-", "index.json"])
def test_files_that_are_cut_or_foreign_are_refused_with_a_warning(kept, tmp_path, caplog, which, change):
    copy = tmp_path / "copy"
    shutil.copytree(kept[0], copy)
    name = next(name for name in files_of(copy) if name.startswith(which))
    damage(copy, name, change)
    assert open_index(copy, SETTINGS) is None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert name in record.getMessage()
    assert record.getMessage().endswith("it is made anew")


@pytest.mark.parametrize("which", ["segment-", "removed-"])
def test_a_missing_file_is_told(kept, tmp_path, caplog, which):
    copy = tmp_path / "copy"
    shutil.copytree(kept[0], copy)
    next(copy.glob(f"{which}*")).unlink()
    assert open_index(copy, SETTINGS) is None
    assert "is missing; it is made anew" in caplog.text


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", "null", "[" * 5_000, '{"format": 2}', '{"format": 1, "facts": 3}', "\xff"],
    ids=["list", "empty", "null", "deep", "newer", "facts", "bytes"],
)
def test_a_manifest_that_is_none_is_refused(tmp_path, caplog, text):
    (tmp_path / "index.json").write_bytes(text.encode("latin-1"))
    assert open_index(tmp_path, SETTINGS) is None
    assert "index.json" in caplog.text


def test_a_manifest_cannot_name_a_file_elsewhere(kept, tmp_path, caplog):
    from toolhaft.retrievers.lexical.manifest import KeptPart, Manifest, made_with, write_manifest

    (tmp_path / "in").mkdir()
    shutil.copy(next(kept[0].glob("segment-*")), tmp_path / "outside.bin")
    part = KeptPart(file="../outside.bin", digest="0")
    facts = {"version": "1", "made_with": made_with(SETTINGS), "kind": "arrays", "generation": "1"}
    write_manifest(tmp_path / "in", Manifest(**facts, parts=(part,), next_order=1))
    assert open_index(tmp_path / "in", SETTINGS) is None
    assert "names a file outside" in caplog.text


def test_segments_of_two_indexes_are_not_mixed(kept, tmp_path, caplog):
    copy = tmp_path / "copy"
    shutil.copytree(kept[0], copy)
    ArrayIndex.build(drawn_documents(seed=2), SETTINGS, folder=tmp_path / "other", version="1")
    other = next((tmp_path / "other").glob("segment-*"))
    for place in copy.glob("segment-*"):
        shutil.copy(other, place)
    assert open_index(copy, SETTINGS) is None
    assert "parts of two are mixed" in caplog.text


@ENGINES
@pytest.mark.parametrize("where", ["under a file", "in proc"])
def test_a_folder_that_cannot_be_written_leaves_the_index_in_memory(tmp_path, caplog, engine, where):
    if where == "in proc" and not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "bm25" if where == "under a file" else Path("/proc/self/bm25")
    index = engine.build(drawn_documents(), SETTINGS, folder=folder, version="1")
    assert ranked(index) == ranked(engine.build(drawn_documents(), SETTINGS))
    index.change([Document(name="new", terms=["w1"])], version="2")
    (record,) = caplog.records
    assert "held in memory only" in record.getMessage()
    assert str(folder) in record.getMessage()


FULL_DISK = """
import logging, resource, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_lexical_files import *
logging.basicConfig(format="%(message)s")
sources_module.Spill.__init__.__defaults__ = (1,)
from toolhaft.retrievers.lexical import collecting
collecting._RUN = 500
resource.setrlimit(resource.RLIMIT_FSIZE, ({largest}, {largest}))
index = ArrayIndex.build(drawn_documents(), SETTINGS, folder=Path({folder!r}), version="1")
index.change([Document(name="new", terms=["w1"])], version="2")
print(ranked(index) != [])
print(len(index))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of file sizes")
@pytest.mark.parametrize("largest", [0, 3_000, 20_000])
def test_a_full_disk_leaves_the_index_in_memory(tmp_path, largest):
    folder = tmp_path / "bm25"
    code = FULL_DISK.format(tests=str(Path(__file__).parent), largest=largest, folder=str(folder))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "301"]
    assert done.stderr.count("held in memory only") == 1
    assert open_index(folder, SETTINGS) is None
    assert not list(folder.glob("*.part"))


def test_runs_put_aside_in_files_give_the_same(monkeypatch):
    from toolhaft.retrievers.lexical import collecting

    at_once = ranked(ArrayIndex.build(drawn_documents(), SETTINGS))
    monkeypatch.setattr(collecting, "_RUN", 400)
    monkeypatch.setattr(sources_module.Spill.__init__, "__defaults__", (1,))
    assert ranked(ArrayIndex.build(drawn_documents(), SETTINGS)) == at_once
    repeated = [Document(name="tool 7 é", terms=["w1", "w2"]), *drawn_documents()]
    assert ranked(ArrayIndex.build(repeated, SETTINGS))[0] == at_once[0]


def test_many_that_index_at_once_leave_one_whole_index(tmp_path):
    """Threads share a process, but neither its locks nor anything else of the index."""
    expected = ranked(ArrayIndex.build(drawn_documents(), SETTINGS))
    seen = []

    def work():
        ArrayIndex.build(drawn_documents(), SETTINGS, folder=tmp_path, version="1")
        index = open_index(tmp_path, SETTINGS)
        seen.append(index is not None and ranked(index) == expected)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen == [True] * 4
    assert len(list(tmp_path.glob("segment-*"))) == 1
    assert not list(tmp_path.glob("*.part"))


def test_of_two_that_change_an_index_the_second_keeps_its_change_to_itself(tmp_path, caplog):
    ArrayIndex.build(drawn_documents(), SETTINGS, folder=tmp_path, version="1")
    first, second = open_index(tmp_path, SETTINGS), open_index(tmp_path, SETTINGS)
    first.change([Document(name="mine", terms=["w1"])], version="2")
    second.change([Document(name="yours", terms=["w1"])], version="3")
    assert "another process writes it" in caplog.text
    assert [len(index) for index in (first, second)] == [301, 301]
    assert open_index(tmp_path, SETTINGS).version == "2"
    named = json.loads((tmp_path / "index.json").read_text())["facts"]["parts"]
    assert set(files_of(tmp_path)) == {"index.json", *(part["file"] for part in named)}
    assert ranked(second)[0]


@pytest.mark.skipif(sys.platform == "win32", reason="no flock")
def test_a_lock_that_is_held_is_not_waited_for_long(tmp_path, caplog, monkeypatch):
    import fcntl

    from toolhaft.retrievers.lexical import manifest

    monkeypatch.setattr(manifest, "_PATIENCE", 0.05)
    with (tmp_path / "lock").open("ab") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        index = ArrayIndex.build(drawn_documents(), SETTINGS, folder=tmp_path, version="1")
    assert "another process writes it" in caplog.text
    assert index.top(QUERY, 3)


def test_small_catalogs_are_kept_without_arrays(tmp_path, monkeypatch):
    build_index(drawn_documents(50), SETTINGS, folder=tmp_path, version="1")
    assert type(open_index(tmp_path, SETTINGS)) is PureIndex
    monkeypatch.setattr(choosing, "SMALL", 10)
    assert open_index(tmp_path, SETTINGS) is None
    build_index(drawn_documents(50), SETTINGS, folder=tmp_path, version="1")
    assert type(open_index(tmp_path, SETTINGS)) is ArrayIndex


def test_files_of_others_in_the_folder_are_left_alone(tmp_path):
    import os

    for name in ("mine.jsonl", "model.bin", "draft.part", "segment-mine.bin"):
        (tmp_path / name).write_text("mine")
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / "0123456789abcdef.part").write_text("left over")
    os.utime(tmp_path / "0123456789abcdef.part", (0, 0))
    ArrayIndex.build(drawn_documents(), SETTINGS, folder=tmp_path, version="1")
    assert {"mine.jsonl", "model.bin", "draft.part", "segment-mine.bin"} <= set(files_of(tmp_path))
    assert not (tmp_path / "0123456789abcdef.part").exists()


@ENGINES
@pytest.mark.parametrize("link", ["folder", "folder above"])
def test_nothing_is_written_through_a_link(tmp_path, caplog, engine, link):
    (tmp_path / "elsewhere" / "bm25").mkdir(parents=True)
    folder = tmp_path / "link" / "bm25" if link == "folder above" else tmp_path / "link"
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    index = engine.build(drawn_documents(), SETTINGS, folder=folder, version="1")
    assert index.top(QUERY, 3)
    assert "symbolic link" in caplog.text
    assert not files_of(tmp_path / "elsewhere" / "bm25")
    assert files_of(tmp_path / "elsewhere") == ["bm25"]


@pytest.mark.skipif(not hasattr(__import__("os"), "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("kind", ["pipe", "link"])
@pytest.mark.parametrize("which", ["index.json", "segment-", "lock"])
def test_pipes_and_links_in_place_of_files_hang_nothing(kept, tmp_path, caplog, kind, which):
    import os

    copy = tmp_path / "copy"
    shutil.copytree(kept[0], copy)
    place = next(copy.glob(f"{which}*"))
    place.unlink()
    os.mkfifo(place) if kind == "pipe" else place.symlink_to("/dev/zero")
    if which != "lock":
        assert open_index(copy, SETTINGS) is None
    ArrayIndex.build(drawn_documents(), SETTINGS, folder=copy, version="9")
    assert caplog.records
    assert open_index(copy, SETTINGS).version == ("2" if which == "lock" else "9")


def test_a_document_of_a_billion_terms_is_refused(tmp_path, caplog):
    from hashlib import blake2b

    PureIndex.build(drawn_documents(5), SETTINGS, folder=tmp_path, version="1")
    line = json.dumps([0, "bomb", "", "", {"a": 10**12}]).encode()
    next(tmp_path.glob("documents-*")).write_bytes(line)
    manifest = json.loads((tmp_path / "index.json").read_text())
    manifest["facts"]["parts"][0]["digest"] = blake2b(line, digest_size=32).hexdigest()
    text = json.dumps(manifest["facts"], sort_keys=True)
    manifest["digest"] = blake2b(text.encode(), digest_size=32).hexdigest()
    (tmp_path / "index.json").write_text(json.dumps(manifest))
    assert open_index(tmp_path, SETTINGS) is None
    assert "cannot be read" in caplog.text


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells what is mapped")
def test_after_much_reading_what_is_mapped_is_let_go_of_and_comes_back(tmp_path, monkeypatch):
    def mapped():
        entries = Path("/proc/self/smaps").read_text().split(str(tmp_path))[1:]
        return sum(int(entry.split("Rss:")[1].split()[0]) for entry in entries)

    ArrayIndex.build(drawn_documents(3_000), SETTINGS, folder=tmp_path, version="1")
    index = open_index(tmp_path, SETTINGS)
    before = ranked(index)
    held = mapped()
    monkeypatch.setattr(segment_file, "MOST_MAPPED", 1)
    index.top({"w90": 1.0}, 1)
    assert mapped() < held / 2
    threads = [threading.Thread(target=lambda: found.append(ranked(index))) for _ in range(4)]
    found = []
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [before] * 4
