"""Catalog files: written whole, opened without reading every tool, refused when damaged."""

import json
import os
import sqlite3
import time
import tracemalloc
from contextlib import closing

import pytest

from toolhaft.errors import FormatError, UsageError
from toolhaft.testing import CannedTool, tool_spec
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.catalog_file import CatalogFileSource, open_catalog_file
from toolhaft.tools.source import ToolSource


class Kept(CannedTool):
    """A tool that can be kept in a file."""

    def __init__(self, spec, *results):
        super().__init__(spec, *results)
        self.closed = 0

    def binding(self):
        return {"kind": "kept", "path": f"/{self.spec.name}"}

    async def close(self):
        self.closed += 1


class KeptSource(ToolSource):
    def __init__(self):
        self.bound = []

    async def load(self, location):
        raise NotImplementedError

    def bind(self, spec, binding):
        self.bound.append((spec.name, binding))
        return Kept(spec, f"answer of {spec.name}")


@pytest.fixture
def source():
    return KeptSource()


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "pets.catalog"
    Catalog([Kept(tool_spec(f"tool{n}", tags=("ä",), timeout=1.5)) for n in range(3)], name="pets").save(path)
    return path


def change(path, statement, *values):
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(statement, values)


def test_a_catalog_goes_to_a_file_and_back(saved, source):
    with open_catalog_file(saved, source.bind) as catalog:
        assert catalog.name == "pets"
        assert catalog.names == ("tool0", "tool1", "tool2")
        assert ("tool1" in catalog, "other" in catalog, catalog.get("other")) == (True, False, None)
        assert source.bound == []
        assert catalog.spec("tool1") == tool_spec("tool1", tags=("ä",), timeout=1.5)
        assert catalog.call_sync("tool2", city="Oslo") == "answer of tool2"
        assert source.bound == [
            ("tool1", {"kind": "kept", "path": "/tool1"}),
            ("tool2", {"kind": "kept", "path": "/tool2"}),
        ]
        assert catalog["tool2"] is catalog["tool2"]
        used = catalog["tool2"]
    assert used.closed == 1


def test_the_report_is_kept(tmp_path, source):
    class Report:
        def to_dict(self):
            return {"imported": 1}

    path = tmp_path / "a.catalog"
    Catalog([Kept(tool_spec("a"))], report=Report()).save(path)
    with open_catalog_file(path, source.bind) as catalog:
        assert catalog.report == {"imported": 1}


def test_a_view_is_saved_under_its_own_names(saved, tmp_path, source):
    with open_catalog_file(saved, source.bind) as catalog:
        catalog.prefix("x_").select("x_tool1").save(tmp_path / "b.catalog")
    with open_catalog_file(tmp_path / "b.catalog", source.bind) as catalog:
        assert catalog.names == ("x_tool1",)
        assert catalog.spec("x_tool1").name == "x_tool1"


def test_ten_thousand_tools_open_without_being_read(tmp_path, source):
    path = tmp_path / "large.catalog"
    description = "Find what there is. " * 20
    Catalog([Kept(tool_spec(f"tool{n}", description=description)) for n in range(10_000)]).save(path)
    tracemalloc.start()
    started = time.perf_counter()
    with open_catalog_file(path, source.bind) as catalog:
        assert len(catalog) == 10_000
        assert catalog.spec("tool9999").description == description
        took, (_, peak) = time.perf_counter() - started, tracemalloc.get_traced_memory()
        assert len(catalog.names) == 10_000
    tracemalloc.stop()
    assert len(source.bound) == 1
    assert took < 0.5
    assert peak < 1_000_000  # the file has 8 MB


def test_odd_paths(tmp_path, source):
    folder = tmp_path / "a b?mode=rw#x%20y"
    folder.mkdir()
    path = folder / "ü 100%.catalog"
    Catalog([Kept(tool_spec("a"))]).save(path)
    with open_catalog_file(path, source.bind) as catalog:
        assert catalog.names == ("a",)


def test_a_missing_file(tmp_path, source):
    with pytest.raises(UsageError, match="no such catalog file"):
        open_catalog_file(tmp_path / "none.catalog", source.bind)
    with pytest.raises(UsageError, match="no such catalog file"):
        open_catalog_file(tmp_path, source.bind)


@pytest.mark.parametrize(
    "content", [b"", b"openapi: 3.1.0\n", b"SQLite format 3\0" + b"\0" * 500, b"\xff" * 10_000]
)
def test_what_is_no_catalog(tmp_path, source, content):
    path = tmp_path / "a.catalog"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="not a Toolhaft catalog") as caught:
        open_catalog_file(path, source.bind)
    assert str(path) in str(caught.value)


def test_another_sqlite_file_is_no_catalog(tmp_path, source):
    path = tmp_path / "a.catalog"
    change(path, "CREATE TABLE pets (id INTEGER)")
    with pytest.raises(FormatError, match="not a Toolhaft catalog"):
        open_catalog_file(path, source.bind)


def test_a_view_in_place_of_a_table_is_refused(saved, source):
    change(saved, "ALTER TABLE tools RENAME TO real_tools")
    change(
        saved,
        "CREATE VIEW tools AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT i AS position, 'a' AS name, '{}' AS spec, '{}' AS binding FROM n",
    )
    with pytest.raises(FormatError, match="not a Toolhaft catalog"):
        open_catalog_file(saved, source.bind)


@pytest.mark.parametrize("given", ["2", "0", "x", ""])
def test_other_formats_are_refused(saved, source, given):
    change(saved, "UPDATE about SET value = ? WHERE key = 'format'", given)
    with pytest.raises(FormatError, match="is not known; this version reads 1") as caught:
        open_catalog_file(saved, source.bind)
    assert "newer Toolhaft" in caught.value.hint


def test_a_newer_format_is_told_whatever_else_it_holds(tmp_path, source):
    path = tmp_path / "a.catalog"
    change(path, "CREATE TABLE about (key TEXT, value TEXT, mood TEXT)")
    change(path, "INSERT INTO about VALUES ('format', '99', 'good')")
    with pytest.raises(FormatError, match="catalog format '99' is not known"):
        open_catalog_file(path, source.bind)


def test_a_file_cut_short_is_refused(saved, tmp_path, source):
    whole = saved.read_bytes()
    for length in range(0, len(whole), 1024):
        path = tmp_path / f"cut{length}.catalog"
        path.write_bytes(whole[:length])
        with pytest.raises(FormatError):
            open_catalog_file(path, source.bind)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("spec", "{"),
        ("spec", b"\xff\x00"),
        ("spec", 5),
        ("spec", '{"name": "other"}'),
        ("spec", '{"name": "tool1", "effect": "magic"}'),
        ("spec", '{"name": "tool1", "format": 2}'),
        ("binding", "{"),
        ("binding", "[]"),
        ("binding", 5),
        ("binding", "[" * 100_000),
    ],
)
def test_a_damaged_row_is_refused_and_the_others_read(saved, source, column, value):
    change(saved, f"UPDATE tools SET {column} = ? WHERE name = 'tool1'", value)
    with open_catalog_file(saved, source.bind) as catalog:
        with pytest.raises(FormatError, match="tool1") as caught:
            catalog.spec("tool1")
        assert str(saved) in str(caught.value)
        assert catalog.spec("tool2").name == "tool2"


def test_a_row_of_monstrous_size_is_not_read(saved, source):
    change(saved, "UPDATE tools SET spec = ? WHERE name = 'tool1'", "x" * 17_000_000)
    with open_catalog_file(saved, source.bind) as catalog, pytest.raises(FormatError):
        catalog.spec("tool1")


def test_a_damaged_report_is_refused(saved, source):
    change(saved, "UPDATE about SET value = '{' WHERE key = 'report'")
    with open_catalog_file(saved, source.bind) as catalog, pytest.raises(FormatError, match="damaged"):
        _ = catalog.report


def test_tools_that_cannot_be_kept_are_named(tmp_path):
    with pytest.raises(UsageError, match="'weather' cannot be kept in a file"):
        Catalog([Kept(tool_spec("a")), CannedTool(tool_spec())]).save(tmp_path / "a.catalog")
    assert list(tmp_path.iterdir()) == []


def test_saving_replaces_the_file_whole(saved, tmp_path, source):
    Catalog([Kept(tool_spec("new"))]).save(saved)
    with open_catalog_file(saved, source.bind) as catalog:
        assert catalog.names == ("new",)
    assert list(tmp_path.iterdir()) == [saved]
    assert saved.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("where", ["missing/a.catalog", "folder"])
def test_a_place_that_cannot_be_written(tmp_path, where):
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        Catalog([Kept(tool_spec("a"))]).save(tmp_path / where)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="cannot write"):
        Catalog([Kept(tool_spec("a"))]).save(tmp_path / "a.catalog")


def test_a_file_in_a_read_only_folder_is_read(saved, tmp_path, source):
    saved.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        with open_catalog_file(saved, source.bind) as catalog:
            assert len(catalog.specs()) == 3
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.anyio
async def test_a_source_of_each_kind_is_made_once(saved):
    made = []

    def source_of(kind):
        made.append(kind)
        return KeptSource()

    async with await CatalogFileSource(source=source_of).load(saved) as catalog:
        assert len(list(catalog.specs())) == 3
        assert made == []
        assert [catalog[name].spec for name in catalog] == catalog.specs()
    assert made == ["kept"]


@pytest.mark.anyio
async def test_sources_are_closed_with_the_catalog_each_file_its_own(saved):
    closed = []

    class Closing(KeptSource):
        async def close(self):
            closed.append(self)
            raise RuntimeError("late")

    made = []

    def source_of(_kind):
        made.append(Closing())
        return made[-1]

    files = CatalogFileSource(source=source_of)
    first, second, unused = [await files.load(saved) for _ in range(3)]
    assert len(list(first.values())) == len(list(second.values())) == 3
    await unused.close()
    assert closed == []
    with pytest.raises(RuntimeError, match="late"):
        await first.close()
    assert closed == made[:1]
    with pytest.raises(FormatError, match="closed"):
        list(first.specs())
    assert len(second.specs()) == 3
    with pytest.raises(RuntimeError, match="late"):
        await second.close()
    assert closed == made


@pytest.mark.anyio
async def test_an_openapi_catalog_file_leaves_no_client_open(tmp_path):
    from toolhaft.agent import load_catalog
    from toolhaft.http import HTTPClient

    document = {
        "openapi": "3.0.3",
        "info": {"title": "Sky", "version": "1"},
        "servers": [{"url": "https://sky.example"}],
        "paths": {"/rain": {"get": {"operationId": "getRain", "responses": {"200": {"description": "ok"}}}}},
    }
    async with await load_catalog(document) as catalog:
        catalog.save(tmp_path / "sky.catalog")
    closed = []

    class Watched(HTTPClient):
        async def close(self):
            closed.append(self)
            await super().close()

    async with await load_catalog(tmp_path / "sky.catalog") as catalog:
        tool = catalog["getRain"]
        source = tool._connect.__self__
        source._own_clients["x"] = Watched()
    assert len(closed) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["os:system", "toolhaft_trap:tool", "subprocess:run"])
async def test_opening_a_file_imports_no_code_that_it_names(saved, path, tmp_path, monkeypatch):
    import sys

    from toolhaft.errors import ToolhaftError
    from toolhaft.tools.module import PythonSource

    (tmp_path / "toolhaft_trap.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    change(
        saved,
        "UPDATE tools SET binding = ? WHERE name = 'tool1'",
        json.dumps({"kind": "python", "path": path}),
    )
    async with await CatalogFileSource(source=lambda kind: PythonSource()).load(saved) as catalog:
        with pytest.raises(ToolhaftError):
            catalog["tool1"]
    assert "toolhaft_trap" not in sys.modules


def test_a_file_of_an_earlier_version_opens(saved, source):
    """It has neither hashes nor the table of collected values, and reasons of its report are sentences."""
    report = {
        "title": "pets",
        "imported": 0,
        "degraded": 1,
        "skipped": 0,
        "warnings": ["a warning"],
        "operations": [
            {"method": "GET", "path": "/a", "name": "tool1", "outcome": "degraded", "reasons": ["x"]}
        ],
    }  # fmt: skip
    change(saved, "ALTER TABLE tools DROP COLUMN hash")
    change(saved, "DROP TABLE kept")
    change(saved, "DELETE FROM about WHERE key = 'hash'")
    change(saved, "UPDATE about SET value = ? WHERE key = 'report'", json.dumps(report))
    with open_catalog_file(saved, source.bind, check=lambda tools: tools.values_at("$.kind")) as catalog:
        assert catalog.spec("tool2").name == "tool2"
        assert catalog.report.degraded == 1
        assert catalog.report.of_tool("tool1").reasons == ("x",)
        assert catalog.report.warnings == ("a warning",)


def test_a_file_is_told_by_its_content(saved, tmp_path, source):
    def facts(path):
        with closing(sqlite3.connect(path)) as file:
            rows = file.execute("SELECT name, hash FROM tools").fetchall()
            return dict(rows), file.execute("SELECT value FROM about WHERE key = 'hash'").fetchone()[0]

    with open_catalog_file(saved, source.bind) as catalog:
        assert catalog.hash() == facts(saved)[1]
        catalog.save(tmp_path / "again.catalog")
        catalog.select("tool1").save(tmp_path / "one.catalog")
    assert facts(tmp_path / "again.catalog") == facts(saved)
    assert facts(tmp_path / "one.catalog")[0]["tool1"] == facts(saved)[0]["tool1"]
    assert facts(tmp_path / "one.catalog")[1] != facts(saved)[1]


def test_collected_values_are_those_of_the_bindings(saved, source):
    with open_catalog_file(saved, source.bind) as catalog:
        tools = catalog._tools
        assert tools.values_at("$.kind") == ["kept"]
        assert tools.values_at("$.path") == ["/tool0", "/tool1", "/tool2"]
    change(saved, "ALTER TABLE kept RENAME TO other")
    change(saved, "CREATE VIEW kept AS SELECT path, value FROM other")
    with open_catalog_file(saved, source.bind) as catalog, pytest.raises(FormatError, match="not a Toolhaft"):
        catalog._tools.values_at("$.kind")
