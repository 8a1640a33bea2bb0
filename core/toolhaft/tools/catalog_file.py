"""A catalog as one file: SQLite, format 1, read tool by tool.

Table ``tools`` has one row a tool: ``position, name, spec`` (JSON), ``binding`` (JSON: how to make the tool
again; its ``kind`` names the source) and ``hash`` (of its content; files of earlier versions have none).
Table ``about`` has ``format``, ``name``, ``hash`` (of all tools) and ``report``. Table ``kept`` has the
different values at those places of the bindings that settings are held against. Nothing is read before it is
used, the report neither: opening costs the same for any number of tools.
"""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, ToolhaftError, UsageError
from toolhaft.tools.base import NAME, Tool
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.catalog_hash import hash_catalog, hash_tool
from toolhaft.tools.report import Report
from toolhaft.tools.source import ToolSource
from toolhaft.types import FORMAT, ToolSpec, from_json, to_json

_COLLECTED = ("$.kind", "$.wire.security", "$.wire.secret_parameters")
"""Places in bindings whose different values have a table of their own."""
_VALUES = "SELECT DISTINCT json_extract(binding, ?) FROM tools"
_CREATE = re.compile(r"CREATE\s+TABLE\b", re.IGNORECASE)
_LARGEST = 16_000_000
"""Bytes of one row that are read."""
_TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE tools (position INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL,
                    spec TEXT NOT NULL, binding TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE kept (path TEXT NOT NULL, value);
"""


def save_catalog(catalog: Catalog, path: Path | str) -> None:
    """Write a catalog; the file appears whole or not at all.

    Raises:
        UsageError: A tool cannot be kept, or the file cannot be written.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.tmp")
    try:
        with closing(sqlite3.connect(temporary)) as file, file:
            file.executescript(_TABLES)
            hashes: list[tuple[str, str]] = []
            file.executemany("INSERT INTO tools VALUES (?, ?, ?, ?, ?)", _rows(catalog, hashes))
            for place in _COLLECTED:
                for path in _paths(place):
                    file.execute(f"INSERT INTO kept SELECT ?, * FROM ({_VALUES})", (place, path))
            about = {**_about(catalog), "hash": hash_catalog(hashes)}
            file.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        temporary.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise UsageError(f"cannot write: {error}", where=str(target), hint="Check the folder") from None
    finally:
        temporary.unlink(missing_ok=True)


def open_catalog_file(
    path: Path | str,
    bind: Callable[[ToolSpec, Mapping[str, Any]], Tool],
    *,
    release: Callable[[], Awaitable[None]] | None = None,
    check: Callable[[FileTools], None] | None = None,
) -> Catalog:
    """Open a catalog file; tools are read when used.

    Args:
        path: The file.
        bind: Makes a tool from its spec and binding.
        release: Awaited when the catalog is closed, after its tools.
        check: Looks at the file's tools, and raises if it may not be opened so.

    Raises:
        UsageError: There is no such file.
        FormatError: It is not a catalog, is damaged, or of a newer format.
    """
    where = Path(path)
    if not where.is_file():
        raise UsageError(
            "there is no such catalog file", where=str(where), hint="toolhaft tools import SPEC -o FILE"
        )
    tools = FileTools(where, bind, release)
    try:
        about = tools.about()
        if about.get("format") != str(FORMAT):
            raise FormatError(
                f"catalog format {about.get('format')!r} is not known; this version reads {FORMAT}",
                where=str(where),
                hint="Import the document again, or install a newer Toolhaft",
            )
        tools.check_table("tools")
        if check is not None:
            check(tools)
    except ToolhaftError:
        tools.disconnect()
        raise
    return Catalog(tools, name=about.get("name", ""), report=tools.report, close=tools.close)


class FileTools(Mapping[str, Tool]):
    """The tools of a catalog file; memory does not grow with their number."""

    def __init__(
        self,
        path: Path,
        bind: Callable[[ToolSpec, Mapping[str, Any]], Tool],
        release: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._path = path
        self._bind = bind
        self._release = release
        self._made: dict[str, Tool] = {}
        self._file = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        self._file.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST)
        self._file.execute("PRAGMA trusted_schema = OFF")

    def about(self) -> dict[str, str]:
        """Return the file's facts."""
        self._check_length()
        self.check_table("about")
        statement = "SELECT key, value FROM about WHERE key != 'report'"
        return {str(key): str(value) for key, value in self._query(statement)}

    def report(self) -> Any:
        """Return how the import went, if that was kept: a `Report`, or what a source of another kind kept.

        Raises:
            FormatError: It is damaged.
        """
        rows = self._query("SELECT value FROM about WHERE key = 'report'")
        value = _json(rows[0][0] or "null", self._path) if rows else None
        known = isinstance(value, dict) and "operations" in value
        return Report.from_dict(value, where=str(self._path)) if known else value

    def check_table(self, name: str) -> None:
        """Raise `FormatError` unless there is such a table.

        A view of that name will not do, nor a virtual table, nor computed columns: reading them would
        run what their author wrote.
        """
        found = self._query("SELECT type, sql FROM sqlite_master WHERE name = ?", name)
        plain = len(found) == 1 and found[0][0] == "table" and _CREATE.match(str(found[0][1]))
        if not plain or self._query("SELECT 1 FROM pragma_table_xinfo(?) WHERE hidden", name):
            raise FormatError("not a Toolhaft catalog", where=str(self._path))

    def __getitem__(self, name: str) -> Tool:
        made = self._made.get(name)
        if made is None:
            rows = self._query("SELECT spec, binding FROM tools WHERE name = ?", name)
            if not rows:
                raise KeyError(name)
            where = f"{self._path}#{name}"
            spec = from_json(ToolSpec, rows[0][0], where=where)
            binding = _json(rows[0][1], where)
            if spec.name != name or not NAME.fullmatch(name) or not isinstance(binding, dict):
                raise FormatError("the tool's record is damaged", where=where)
            made = self._made[name] = self._bind(spec, binding)
        return made

    def __contains__(self, name: object) -> bool:
        return bool(self._query("SELECT 1 FROM tools WHERE name = ?", name))

    def __iter__(self) -> Iterator[str]:
        for (name,) in self._query("SELECT name FROM tools ORDER BY position"):
            if not (isinstance(name, str) and NAME.fullmatch(name)):
                raise FormatError(f"{name!r:.80} is not a tool name", where=str(self._path))
            yield name

    def __len__(self) -> int:
        return int(self._query("SELECT count(*) FROM tools")[0][0])

    def values_at(self, path: str) -> list[Any]:
        """Return the different values at a JSON path in the bindings, those in tools inside tools too.

        Objects and lists come as JSON text.
        """
        if path in _COLLECTED and self._query("SELECT 1 FROM sqlite_master WHERE name = 'kept'"):
            self.check_table("kept")
            rows = self._query("SELECT value FROM kept WHERE path = ?", path)
        else:
            rows = [row for each in _paths(path) for row in self._query(_VALUES, each)]
        return [value for value in dict.fromkeys(value for (value,) in rows) if value is not None]

    async def close(self) -> None:
        """Close the tools that were made, what made them, and the file."""
        async with AsyncExitStack() as stack:
            stack.callback(self.disconnect)
            if self._release is not None:
                stack.push_async_callback(self._release)
            for made in self._made.values():
                stack.push_async_callback(made.close)

    def disconnect(self) -> None:
        """Close the file alone."""
        self._file.close()

    def _check_length(self) -> None:
        """Compare the file's length with its header's: SQLite reads a file cut short as far as it can."""
        with self._path.open("rb") as file:
            header = file.read(100)
        page = int.from_bytes(header[16:18], "big")
        pages = int.from_bytes(header[28:32], "big")
        if len(header) < 100 or self._path.stat().st_size != pages * (65_536 if page == 1 else page):
            raise FormatError("not a Toolhaft catalog, or one that was cut short", where=str(self._path))

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
        check: Whether these settings are held against what the file keeps.
    """

    def __init__(self, *, source: Callable[[str], ToolSource], check: bool = False) -> None:
        self._source = source
        self._check = check

    async def load(self, location: Any) -> Catalog:
        """Open the file; closing the catalog closes the sources that made its tools."""
        made: dict[str, ToolSource] = {}

        def source_of(kind: str) -> ToolSource:
            if kind not in made:
                made[kind] = self._source(kind)
            return made[kind]

        def bind(spec: ToolSpec, binding: Mapping[str, Any]) -> Tool:
            try:
                return source_of(str(binding.get("kind", ""))).bind(spec, binding)
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                raise FormatError(
                    f"the tool {spec.name!r} cannot be made from what the file keeps of it: "
                    f"{type(error).__name__}: {str(error)[:200]}",
                    where=str(location),
                    hint="Import the tools again, or mend the plugin that brings them",
                ) from error

        async def release() -> None:
            async with AsyncExitStack() as stack:  # one that fails to close keeps no other from closing
                for source in made.values():
                    stack.push_async_callback(source.close)

        def check(tools: FileTools) -> None:
            for kind in tools.values_at("$.kind"):
                source_of(str(kind)).check_kept(tools.values_at)

        return open_catalog_file(str(location), bind, release=release, check=check if self._check else None)


def _paths(path: str) -> tuple[str, str]:
    """Return a JSON path in a binding, and the same in that of a tool inside the tool."""
    return path, f"$.inner{path[1:]}"


def _json(text: Any, where: object) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise FormatError("damaged: not JSON", where=str(where)) from None


def _about(catalog: Catalog) -> dict[str, str]:
    report = catalog.report
    if report is not None and hasattr(report, "to_dict"):
        report = report.to_dict()
    return {
        "format": str(FORMAT),
        "name": catalog.name,
        "report": json.dumps(report) if report is not None else "",
    }


def _rows(catalog: Catalog, hashes: list[tuple[str, str]]) -> Iterator[tuple[int, str, str, str, str]]:
    for position, name in enumerate(catalog):
        found = catalog[name]
        binding = found.binding()
        if binding is None:
            raise UsageError(
                f"the tool {name!r} cannot be kept in a file",
                hint="Python functions cannot: leave them out with catalog.filter(...)",
            )
        whole = hash_tool(found.spec, binding).whole
        hashes.append((name, whole))
        yield position, name, to_json(found.spec).decode(), json.dumps(binding), whole
