"""A catalog as one file: SQLite, format 1, read tool by tool.

Table ``tools`` has one row a tool: ``position, name, spec`` (JSON) and ``binding`` (JSON: how to make the
tool again; its ``kind`` names the source). Table ``about`` has ``format``, ``name`` and ``report``.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.tools.base import Tool
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.source import ToolSource
from toolhaft.types import FORMAT, ToolSpec, from_json, to_json

_TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE tools (position INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL,
                    spec TEXT NOT NULL, binding TEXT NOT NULL);
"""


def save_catalog(catalog: Catalog, path: Path | str) -> None:
    """Write a catalog; the file appears whole or not at all.

    Raises:
        UsageError: A tool cannot be kept, or the file cannot be written.
    """
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, suffix=".tmp")
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", where=str(target)) from None
    os.close(handle)
    temporary = Path(name)
    try:
        with closing(sqlite3.connect(temporary)) as file, file:
            file.executescript(_TABLES)
            file.executemany("INSERT INTO about VALUES (?, ?)", _about(catalog))
            file.executemany("INSERT INTO tools VALUES (?, ?, ?, ?)", _rows(catalog))
        temporary.replace(target)
    except sqlite3.Error as error:
        raise UsageError(f"cannot write: {error}", where=str(target)) from None
    finally:
        temporary.unlink(missing_ok=True)


def open_catalog_file(path: Path | str, bind: Callable[[ToolSpec, Mapping[str, Any]], Tool]) -> Catalog:
    """Open a catalog file; tools are read when used.

    Args:
        path: The file.
        bind: Makes a tool from its spec and binding.

    Raises:
        UsageError: There is no such file.
        FormatError: It is not a catalog, is damaged, or of a newer format.
    """
    where = Path(path)
    if not where.is_file():
        raise UsageError(
            "there is no such catalog file", where=str(where), hint="toolhaft tools import SPEC -o FILE"
        )
    tools = FileTools(where, bind)
    about = tools.about()
    if about.get("format") != str(FORMAT):
        raise FormatError(
            f"catalog format {about.get('format')!r} is not known; this version reads {FORMAT}",
            where=str(where),
            hint="Import the document again, or install a newer Toolhaft",
        )
    report = json.loads(about["report"]) if about.get("report") else None
    return Catalog(tools, name=about.get("name", ""), report=report, close=tools.close)


class FileTools(Mapping[str, Tool]):
    """The tools of a catalog file; memory does not grow with their number."""

    def __init__(self, path: Path, bind: Callable[[ToolSpec, Mapping[str, Any]], Tool]) -> None:
        self._path = path
        self._bind = bind
        self._made: dict[str, Tool] = {}
        self._file = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)

    def about(self) -> dict[str, str]:
        """Return the file's facts."""
        return dict(self._query("SELECT key, value FROM about"))

    def __getitem__(self, name: str) -> Tool:
        made = self._made.get(name)
        if made is None:
            rows = self._query("SELECT spec, binding FROM tools WHERE name = ?", name)
            if not rows:
                raise KeyError(name)
            spec = from_json(ToolSpec, rows[0][0], where=f"{self._path}#{name}")
            made = self._made[name] = self._bind(spec, json.loads(rows[0][1]))
        return made

    def __contains__(self, name: object) -> bool:
        return bool(self._query("SELECT 1 FROM tools WHERE name = ?", name))

    def __iter__(self) -> Iterator[str]:
        return (row[0] for row in self._query("SELECT name FROM tools ORDER BY position"))

    def __len__(self) -> int:
        return int(self._query("SELECT count(*) FROM tools")[0][0])

    async def close(self) -> None:
        """Close the tools that were made, and the file."""
        for made in self._made.values():
            await made.close()
        self._file.close()

    def _query(self, statement: str, *values: object) -> list[Any]:
        try:
            return self._file.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise FormatError(
                f"not a Toolhaft catalog, or a damaged one: {error}", where=str(self._path)
            ) from None


class CatalogFileSource(ToolSource):
    """Catalog files: ``catalog:petstore.catalog``, or a path that ends in ``.catalog``.

    Args:
        source: Gives the source of a kind by name; settings such as ``auth`` are already in it.
    """

    def __init__(self, *, source: Callable[[str], ToolSource]) -> None:
        self._source = source
        self._sources: dict[str, ToolSource] = {}

    async def load(self, location: Any) -> Catalog:
        """Open the file."""
        return open_catalog_file(str(location), self.bind)

    def bind(self, spec: ToolSpec, binding: Mapping[str, Any]) -> Tool:
        """Have the source that the tool came from make it again."""
        kind = str(binding.get("kind", ""))
        if kind not in self._sources:
            self._sources[kind] = self._source(kind)
        return self._sources[kind].bind(spec, binding)


def _about(catalog: Catalog) -> list[tuple[str, str]]:
    report = catalog.report
    if report is not None and hasattr(report, "to_dict"):
        report = report.to_dict()
    return [
        ("format", str(FORMAT)),
        ("name", catalog.name),
        ("report", json.dumps(report) if report is not None else ""),
    ]


def _rows(catalog: Catalog) -> Iterator[tuple[int, str, str, str]]:
    for position, name in enumerate(catalog):
        found = catalog[name]
        binding = found.binding()
        if binding is None:
            raise UsageError(
                f"the tool {name!r} cannot be kept in a file",
                hint="Only imported tools and module-level functions can; use catalog.filter(...) first",
            )
        yield position, name, to_json(found.spec).decode(), json.dumps(binding)
