"""Single tools of a catalog file: changed in place, wholly or not at all, and told to who kept an index."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from toolhaft.errors import FormatError, UnknownNameError, UsageError
from toolhaft.testing import CannedTool, tool_spec
from toolhaft.tools import catalog_database, catalog_update
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.catalog_file import open_catalog_file
from toolhaft.tools.catalog_update import replace_catalog, update_catalog


class Kept(CannedTool):
    """A tool that can be kept in a file."""

    def binding(self):
        return {"kind": f"kind {self.spec.parent}", "wire": {"security": [{"key": self.spec.parent}]}}


def bind(spec, binding):
    return Kept(spec, f"answer of {spec.description}")


def tool(name, text="", parent=""):
    return Kept(tool_spec(name, description=text or f"What {name} does.", parent=parent))


def content(path):
    """Return everything that counts in a file: rows in order, values that were collected, the version."""
    with closing(sqlite3.connect(path)) as file:
        rows = file.execute("SELECT name, spec, binding, hash FROM tools ORDER BY position").fetchall()
        kept = file.execute("SELECT path, value, count FROM kept ORDER BY 1, 2").fetchall()
        version = file.execute("SELECT version FROM versions ORDER BY number DESC LIMIT 1").fetchone()[0]
    return rows, kept, version


@pytest.fixture
def place(tmp_path):
    path = tmp_path / "pets.catalog"
    Catalog([tool("a", parent="x"), tool("b", parent="y"), tool("c", parent="x")], name="pets").save(path)
    return path


@pytest.mark.parametrize(
    ("put", "remove", "after"),
    [
        ([], [], "abc"),
        ([tool("d")], [], "abcd"),
        ([tool("d", parent="y"), tool("e", parent="z")], [], "abcde"),
        ([tool("a", "other", parent="x")], [], "abc"),
        ([tool("b", parent="new")], [], "abc"),
        ([tool("c", "other", parent="new")], [], "abc"),
        ([], ["a"], "bc"),
        ([], ["b"], "ac"),
        ([], ["c"], "ab"),
        ([], ["c", "a", "b"], ""),
        ([tool("a", "other"), tool("d")], ["b", "c"], "ad"),
    ],
)  # fmt: skip
def test_a_changed_file_is_the_file_that_would_have_been_written(place, tmp_path, put, remove, after):
    named = {name: tool(name, parent=parent) for name, parent in (("a", "x"), ("b", "y"), ("c", "x"))}
    named |= {each.spec.name: each for each in put}
    Catalog([named[name] for name in after], name="pets").save(tmp_path / "whole.catalog")
    before = content(place)
    made = update_catalog(place, put, remove=remove)
    assert content(place) == content(tmp_path / "whole.catalog")
    assert made.version == content(place)[2]
    assert (made.version == before[2]) == (not put and not remove)
    assert made.removed == tuple(remove)
    assert set(made.added) | set(made.changed) == {each.spec.name for each in put}
    with (
        open_catalog_file(place, bind) as catalog,
        open_catalog_file(tmp_path / "whole.catalog", bind) as whole,
    ):
        assert catalog.hash() == whole.hash()
        assert catalog.specs() == whole.specs()
        assert catalog.specs().version == whole.specs().version


def test_the_version_is_of_the_tools_and_their_order(tmp_path):
    versions = []
    for number, names in enumerate(("abc", "abc", "acb", "ab", "")):
        path = tmp_path / f"{number}.catalog"
        Catalog(map(tool, names)).save(path)
        with open_catalog_file(path, bind) as catalog:
            versions.append(catalog.specs().version)
    assert versions[0] == versions[1]
    assert len(set(versions)) == 4
    assert all(len(version) == 32 for version in versions)


def test_what_changed_since_each_version_is_told(place):
    with open_catalog_file(place, bind) as catalog:
        specs = catalog.specs()
        versions = [specs.version]
        for put, remove in (([tool("d")], ()), ([tool("a", "new")], ["b"]), ([tool("b")], ["d"])):
            update_catalog(place, put, remove=remove)
            versions.append(specs.version)
        assert len(set(versions)) == 4
        told = [specs.changes(version) for version in versions]
        assert [(found.put, found.removed) for found in told] == [
            (("a", "b"), ("d",)),
            (("a", "b"), ("d",)),
            (("b",), ("d",)),
            ((), ()),
        ]
        assert specs.changes("f" * 32) is None
        assert specs.changes("") is None


def test_writing_what_is_there_already_changes_nothing(place):
    before = place.read_bytes()
    made = update_catalog(place, [tool("b", parent="y")])
    assert (made.added, made.changed, made.removed) == ((), (), ())
    assert content(place)[2] == made.version
    assert place.read_bytes()[100:] == before[100:]  # but for SQLite's counter of changes


def test_an_open_catalog_shows_what_was_changed(place):
    with open_catalog_file(place, bind) as catalog:
        kept = catalog["c"]
        assert (len(catalog), catalog.call_sync("a", city="Oslo")) == (3, "answer of What a does.")
        update_catalog(place, [tool("a", "news"), tool("d")], remove=["b"])
        assert catalog.names == ("a", "c", "d")
        assert (len(catalog), "b" in catalog) == (3, False)
        assert catalog.call_sync("a", city="Oslo") == "answer of news"
        assert catalog.specs()[0].description == "news"
        with pytest.raises(UnknownNameError):
            catalog["b"]
        assert kept.spec == catalog["c"].spec


def test_the_log_is_bounded_and_never_tells_half_of_what_changed(place, monkeypatch):
    monkeypatch.setattr(catalog_update, "_MOST_CHANGES", 5)
    with open_catalog_file(place, bind) as catalog:
        specs = catalog.specs()
        versions = [specs.version]
        for number in range(20):
            update_catalog(place, [tool(f"more{number}")])
            versions.append(specs.version)
        told = [specs.changes(version) for version in versions]
        assert [found if found is None else len(found.put) for found in told] == [None] * 15 + [
            5,
            4,
            3,
            2,
            1,
            0,
        ]
        update_catalog(place, [tool(f"mass{number}") for number in range(6)])
        assert specs.changes(versions[-1]) is None
        assert specs.changes(specs.version).put == ()
        update_catalog(place, remove=["a"])
        assert specs.changes(specs.version).removed == ()
    with closing(sqlite3.connect(place)) as file:
        assert file.execute("SELECT count(*) FROM changes").fetchone()[0] <= 5


def test_a_catalog_that_hardly_differs_writes_only_the_difference(tmp_path):
    path, fresh = tmp_path / "many.catalog", tmp_path / "fresh.catalog"
    tools = {f"tool{number}": tool(f"tool{number}") for number in range(100)}
    Catalog(tools.values(), name="many").save(path)
    inode = path.stat().st_ino
    del tools["tool7"]
    tools |= {"tool50": tool("tool50", "other"), "extra": tool("extra")}
    made = replace_catalog(Catalog(tools.values(), name="renamed", report={"seen": 100}), path)
    assert (made.added, made.changed, made.removed) == (("extra",), ("tool50",), ("tool7",))
    assert path.stat().st_ino == inode
    Catalog(tools.values(), name="renamed").save(fresh)
    assert content(path) == content(fresh)
    with open_catalog_file(path, bind) as catalog:
        assert (catalog.name, catalog.report) == ("renamed", {"seen": 100})
    made = replace_catalog(Catalog([tool("only")], name="few"), path)
    assert path.stat().st_ino != inode
    assert (made.added, len(made.removed)) == (("only",), 100)


@pytest.mark.parametrize("there", [None, b"", b"no catalog at all" * 100])
def test_what_is_no_catalog_is_written_anew(tmp_path, there):
    path = tmp_path / "a.catalog"
    if there is not None:
        path.write_bytes(there)
    assert replace_catalog(Catalog([tool("a")]), path).added == ("a",)
    with open_catalog_file(path, bind) as catalog:
        assert catalog.names == ("a",)


def older(path, *, hashes):
    """Make a file what an earlier version wrote."""
    with closing(sqlite3.connect(path)) as file, file:
        file.executescript("DROP TABLE versions; DROP TABLE changes; DROP TABLE kept;")
        if hashes:
            file.execute("CREATE TABLE kept (path TEXT NOT NULL, value)")
            file.execute("INSERT INTO kept VALUES ('$.kind', 'kind x')")
        else:
            file.execute("ALTER TABLE tools DROP COLUMN hash")
            file.execute("DELETE FROM about WHERE key = 'hash'")


@pytest.mark.parametrize("hashes", [True, False])
def test_a_file_of_an_earlier_version_is_brought_up_to_this_one(place, tmp_path, hashes):
    older(place, hashes=hashes)
    with open_catalog_file(place, bind) as catalog:
        before = catalog.specs().version
        assert before == (catalog.hash() if hashes else "")
        update_catalog(place, [tool("d")])
        changes = catalog.specs().changes(before)
    assert (changes is not None and changes.put == ("d",)) == hashes
    tools = [tool("a", parent="x"), tool("b", parent="y"), tool("c", parent="x"), tool("d")]
    Catalog(tools, name="pets").save(tmp_path / "whole.catalog")
    assert content(place) == content(tmp_path / "whole.catalog")


@pytest.mark.parametrize(
    ("put", "remove", "error", "text"),
    [
        ([tool("d"), tool("d")], [], UsageError, "named twice"),
        ([tool("d")], ["d"], UsageError, "named twice"),
        ([tool("d")], ["nobody"], UnknownNameError, "unknown tool 'nobody'"),
        ([tool("d")], ["nobody", "a"], UnknownNameError, "nobody"),
        ([tool("d"), CannedTool(tool_spec("e"))], ["a"], UsageError, "'e' cannot be kept"),
    ],
)
def test_a_change_that_cannot_be_made_leaves_the_file_as_it_was(place, put, remove, error, text):
    before = place.read_bytes()
    with pytest.raises(error, match=text):
        update_catalog(place, put, remove=remove)
    assert place.read_bytes() == before
    assert [each.name for each in place.parent.iterdir()] == [place.name]


def damage(path, script):
    with closing(sqlite3.connect(path)) as file, file:
        file.executescript(script)


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON tools BEGIN DELETE FROM tools; END", "code of its own"),
        ("CREATE VIEW v AS SELECT 1", "code of its own"),
        ("DROP TABLE tools", "not a Toolhaft catalog"),
        ("UPDATE about SET value = '2' WHERE key = 'format'", "'2' is not known"),
        ("UPDATE versions SET version = 'soon'", "version is damaged"),
        ("ALTER TABLE tools ADD COLUMN mood TEXT", "damaged"),
        ("ALTER TABLE about DROP COLUMN value", "damaged"),
    ],
)
def test_a_file_that_is_no_sound_catalog_is_not_changed(place, script, text):
    damage(place, script)
    before = place.read_bytes()
    with pytest.raises(FormatError, match=text):
        update_catalog(place, [tool("d")])
    assert place.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + b"\0" * 500, b"\xff" * 10_000])
def test_what_is_no_catalog_is_not_changed(tmp_path, content):
    path = tmp_path / "a.catalog"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="not a Toolhaft catalog"):
        update_catalog(path, [tool("d")])
    assert path.read_bytes() == content
    with pytest.raises(UsageError, match="no such catalog file"):
        update_catalog(tmp_path / "none.catalog", [tool("d")])


def test_a_damaged_tool_can_be_removed_and_replaced(place):
    damage(place, "UPDATE tools SET spec = '{', binding = '[' WHERE name IN ('a', 'b')")
    update_catalog(place, [tool("a", parent="x")], remove=["b"])
    with open_catalog_file(place, bind) as catalog:
        assert [spec.name for spec in catalog.specs()] == ["a", "c"]


def test_a_version_that_somebody_damaged_says_nothing(place):
    damage(
        place, "DELETE FROM versions; INSERT INTO changes VALUES (9, '../../etc'), (9, x'00'), (9, 'gone')"
    )
    with open_catalog_file(place, bind) as catalog:
        assert catalog.specs().version == ""
        assert catalog.specs().changes("x") is None
        damage(place, "INSERT INTO versions VALUES (3, 'x')")
        assert catalog.specs().changes("x").removed == ("gone",)


CRASH = """
import os, sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute("PRAGMA cache_size = 1")
file.execute("BEGIN IMMEDIATE")
file.execute("UPDATE tools SET spec = hex(zeroblob(3000000))")
print("under way", flush=True)
os.kill(os.getpid(), 9)
"""


def crash(path):
    """Kill a process in the middle of changing a file: what it wrote must be undone by the next."""
    done = subprocess.run([sys.executable, "-c", CRASH, path], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.returncode) == ("under way", -9)
    assert path.with_name(f"{path.name}-journal").stat().st_size > 0


@pytest.mark.parametrize("then", ["open", "update", "save", "replace"])
def test_a_change_that_was_cut_off_is_undone(place, then):
    crash(place)
    if then == "update":
        update_catalog(place, [tool("d")])
    elif then == "save":
        Catalog([tool("a"), tool("b"), tool("d")]).save(place)
    elif then == "replace":
        replace_catalog(Catalog([tool("a", parent="x"), tool("b", parent="y"), tool("c"), tool("d")]), place)
    with open_catalog_file(place, bind) as catalog:
        names = {"open": "abc", "update": "abcd", "save": "abd", "replace": "abcd"}[then]
        assert [spec.name for spec in catalog.specs()] == list(names)
    assert [each.name for each in place.parent.iterdir()] == [place.name]


def test_a_file_that_is_open_sees_a_cut_off_change_undone(place):
    with open_catalog_file(place, bind) as catalog:
        crash(place)
        assert [spec.name for spec in catalog.specs()] == ["a", "b", "c"]


def test_who_writes_second_waits_and_gives_up_at_last(place, monkeypatch):
    monkeypatch.setattr(catalog_database, "_PATIENCE", 0.05)
    with closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for write in (lambda: update_catalog(place, [tool("d")]), lambda: Catalog([tool("d")]).save(place)):
            with pytest.raises(UsageError, match="another process is changing the catalog"):
                write()
        with open_catalog_file(place, bind) as catalog:
            assert catalog.names == ("a", "b", "c")
        other.execute("COMMIT")
    update_catalog(place, [tool("d")])
    with open_catalog_file(place, bind) as catalog:
        assert catalog.names == ("a", "b", "c", "d")


TRY = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None).execute("BEGIN IMMEDIATE")
"""


def test_opening_a_file_gives_up_no_lock_of_a_change_under_way(place):
    with closing(sqlite3.connect(place, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with open_catalog_file(place, bind) as catalog:
            assert len(list(catalog.specs())) == 3
        done = subprocess.run([sys.executable, "-c", TRY, place], capture_output=True, text=True, timeout=60)
        assert "locked" in done.stderr


WRITE_TEN = f"""
import sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
from test_catalog_update import tool, update_catalog
path, prefix = sys.argv[1:]
for number in range(10):
    gone = [f"{{prefix}}{{number - 1}}"] if number else []
    update_catalog(path, [tool(f"{{prefix}}{{number}}")], remove=gone)
"""


@pytest.mark.slow
def test_two_processes_change_one_file(place):
    with open_catalog_file(place, bind) as catalog:
        specs = catalog.specs()
        before = specs.version
        command = [sys.executable, "-c", WRITE_TEN, place]
        writers = [subprocess.Popen([*command, prefix]) for prefix in ("x", "y")]
        while any(writer.poll() is None for writer in writers):
            assert {"a", "b", "c"} <= {spec.name for spec in specs}  # reading goes on
        assert [writer.wait() for writer in writers] == [0, 0]
        assert set(catalog.names) == {"a", "b", "c", "x9", "y9"}
        changes = specs.changes(before)
        assert set(changes.put) == {"x9", "y9"}
        assert len(changes.removed) == 18
        Catalog([catalog[name] for name in catalog], name="pets").save(place.with_name("whole.catalog"))
    assert content(place) == content(place.with_name("whole.catalog"))


def test_a_file_that_is_replaced_while_it_is_changed(place, tmp_path, monkeypatch):
    """The other process puts its file there after this one opened the old one; the change goes to the new."""
    new = tmp_path / "new.catalog"
    Catalog([tool("n")]).save(new)
    prepare = catalog_update._prepare

    def late(file, path):
        if new.exists():
            new.replace(path)
        return prepare(file, path)

    monkeypatch.setattr(catalog_update, "_prepare", late)
    assert update_catalog(place, [tool("d")]).added == ("d",)
    with open_catalog_file(place, bind) as catalog:
        assert catalog.names == ("n", "d")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self"), reason="limits of files need resource")
def test_a_disk_that_is_full(place):
    """A limit on the size of files stands for the disk: SQLite sees the same failure to write."""
    before = content(place)
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        f"sys.path.insert(0, {str(os.path.dirname(__file__))!r})\n"
        "from test_catalog_update import *\n"
        "path = sys.argv[1]\n"
        "for write in (lambda: update_catalog(path, [tool('d', 'x' * 1_000_000)]),\n"
        "              lambda: Catalog([tool('d', 'x' * 1_000_000)]).save(path)):\n"
        "    try:\n"
        "        write()\n"
        "    except UsageError as error:\n"
        "        print(json.dumps(str(error)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, place], capture_output=True, text=True, timeout=60)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(messages) == 2, done.stderr
    assert all("cannot write" in message and str(place) in message for message in messages)
    assert content(place) == before
    assert [each.name for each in place.parent.iterdir()] == [place.name]
    update_catalog(place, [tool("d")])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written(place):
    place.chmod(0o400)
    with pytest.raises(UsageError, match="cannot write"):
        update_catalog(place, [tool("d")])
