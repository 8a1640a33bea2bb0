"""Changing single tools of a catalog file in place, at a cost that only they determine.

It is one SQLite transaction. Other processes, and catalogs that are open, see the file as it was until it is
done; what is cut off in the middle is undone by whoever opens the file next. Who writes second waits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.errors import FormatError, UnknownNameError, UsageError
from toolhaft.tools.catalog_database import (
    CatalogDatabase,
    connect,
    parse_json,
    read_spec,
    told_error,
)
from toolhaft.tools.catalog_hash import Chain, hash_tool
from toolhaft.tools.catalog_writing import (
    COLLECTED,
    KEPT,
    LOG,
    Row,
    collect_kept,
    facts,
    paths_of,
    row_of,
    write_catalog,
)

if TYPE_CHECKING:
    from toolhaft.tools.base import Tool
    from toolhaft.tools.catalog import Catalog

_MOST_CHANGES = 10_000
"""Changed tools that a file remembers."""
_WHOLE = 0.5
"""Share of changed tools from which a file is written anew."""
_CANNOT_WRITE = {
    sqlite3.SQLITE_FULL: "Make room on the disk",
    sqlite3.SQLITE_IOERR: "Look at the disk",
    sqlite3.SQLITE_READONLY: "Look at who may write the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "Look at who may write the file and its folder",
    sqlite3.SQLITE_PERM: "Look at who may write the file and its folder",
}


class _ReplacedError(UsageError):
    """The file was replaced while it was being changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogUpdate:
    """What became of a catalog file.

    Attributes:
        added: Names of the tools that it had not.
        changed: Of those that are not what they were.
        removed: Of those that are gone.
        version: Of its content now.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    version: str = ""


def update_catalog(
    path: Path | str,
    put: Iterable[Tool] | Mapping[str, Tool] = (),
    *,
    remove: Iterable[str] = (),
    about: Mapping[str, str] | None = None,
) -> CatalogUpdate:
    """Add tools to a catalog file, change or remove some.

    Args:
        path: The file.
        put: Tools, or a catalog of them: they replace those of the same names; others are added, last in the
            order. What a tool equals already is not written.
        remove: Names of tools.
        about: Facts of the file that are replaced; see `toolhaft.tools.catalog_writing.facts`.

    Raises:
        UsageError: The file is not there or cannot be written, a tool cannot be kept, or is named twice.
        UnknownNameError: There is no tool to remove of a name.
        FormatError: The file is no catalog, or damaged.
    """
    rows = [row_of(tool) for tool in _tools(put)]
    gone = list(dict.fromkeys(remove))
    once = dict.fromkeys(gone)
    for row in rows:
        if row.name in once:
            raise UsageError(
                f"the tool {row.name!r} is named twice", hint="Name it once, to put or to remove"
            )
        once[row.name] = None
    try:
        return _update(Path(path), rows, gone, about or {})
    except _ReplacedError:
        return _update(Path(path), rows, gone, about or {})


def replace_catalog(catalog: Catalog, path: Path | str) -> CatalogUpdate:
    """Make a catalog file hold the tools of a catalog, and write only those that differ.

    Tools that it has keep their places in the order, new ones come last. Where most differ, or there is no
    catalog file yet, the file is written anew.

    Raises:
        UsageError: A tool cannot be kept, or the file cannot be written.
    """
    try:
        added, changed = differing_tools(catalog, path)
        with closing(open_database(Path(path))) as file:
            count = file.count()
            removed = [name for name in file.names() if name not in catalog]
    except (FormatError, UsageError):  # what stands there is overwritten anyhow
        count, added, changed, removed = 0, list(catalog), [], []
    if len(added) + len(changed) + len(removed) > _WHOLE * count:
        tools = (catalog[name] for name in catalog)
        write_catalog(path, tools, name=catalog.name, report=catalog.report)
        return CatalogUpdate(added=tuple(added), changed=tuple(changed), removed=tuple(removed))
    about = facts(catalog.name, catalog.report)
    put = (catalog[name] for name in [*added, *changed])
    return update_catalog(path, put, remove=removed, about=about)


def differing_tools(catalog: Catalog, path: Path | str) -> tuple[list[str], list[str]]:
    """Return the names of a catalog's tools that a file does not have, and of those that are others there.

    Raises:
        UsageError: There is no such file, or a tool cannot be kept.
        FormatError: The file is no catalog.
    """
    added: list[str] = []
    changed: list[str] = []
    with closing(open_database(Path(path))) as file:
        for name in catalog:
            row = row_of(catalog[name])
            found = file.query("SELECT spec, binding FROM tools WHERE name = ?", row.name)
            if not found:
                added.append(name)
            elif tuple(found[0]) != (row.spec, row.binding):
                changed.append(name)
    return added, changed


def open_database(path: Path) -> CatalogDatabase:
    """Open a catalog file to look at its rows.

    Raises:
        UsageError: There is no such file.
        FormatError: It is no catalog.
    """
    if not path.is_file():
        raise UsageError(
            "there is no such catalog file", where=str(path), hint="toolhaft tools import SPEC -o FILE"
        )
    file = CatalogDatabase(path)
    try:
        file.check()
    except FormatError:
        file.close()
        raise
    return file


def _update(
    path: Path, rows: Iterable[Row], remove: Iterable[str], about: Mapping[str, str]
) -> CatalogUpdate:
    with _writing(path) as file:
        work = _Update(file, path)
        for name in remove:
            work.remove(name)
        for row in rows:
            work.put(row)
        return work.end(about)


class _Update:
    """One transaction on a catalog file."""

    def __init__(self, file: sqlite3.Connection, path: Path) -> None:
        self._file = file
        self._path = path
        self._before = _prepare(file, path)
        try:
            self._chain = Chain(self._before)
        except ValueError:
            raise FormatError("what it keeps of its version is damaged", where=str(path)) from None
        self._added: list[str] = []
        self._changed: list[str] = []
        self._removed: list[str] = []

    def put(self, row: Row) -> None:
        """Add a tool, or change it if it is not that already."""
        found = self._one("SELECT rowid, spec, binding, hash FROM tools WHERE name = ?", row.name)
        if found is None:
            last = self._one("SELECT rowid, name FROM tools ORDER BY rowid DESC LIMIT 1")
            position, before = (last[0] + 1, last[1]) if last else (0, "")
            self._chain.add(before, row.name, row.hash)
            self._count_kept(row.binding, 1)
            self._file.execute("INSERT INTO tools VALUES (?, ?, ?, ?, ?)", (position, *row))
            self._added.append(row.name)
            return
        position, spec, binding, whole = found
        if (spec, binding, whole) == (row.spec, row.binding, row.hash):
            return
        if whole != row.hash:
            before = self._before_place(position)
            self._chain.drop(before, row.name, whole)
            self._chain.add(before, row.name, row.hash)
            self._changed.append(row.name)
        self._count_kept(binding, -1)
        self._count_kept(row.binding, 1)
        statement = "UPDATE tools SET spec = ?, binding = ?, hash = ? WHERE rowid = ?"
        self._file.execute(statement, (row.spec, row.binding, row.hash, position))

    def remove(self, name: str) -> None:
        """Remove a tool.

        Raises:
            UnknownNameError: There is none of this name.
        """
        found = self._one("SELECT rowid, binding, hash FROM tools WHERE name = ?", name)
        if found is None:
            statement = "SELECT name FROM tools WHERE name BETWEEN ? AND ? LIMIT 1000"
            near = [row[0] for row in self._file.execute(statement, (name[:1], f"{name[:1]}\x7f"))]
            raise UnknownNameError("tool", name, near, where=str(self._path))
        position, binding, whole = found
        before = self._before_place(position)
        self._chain.drop(before, name, whole)
        statement = "SELECT name, hash FROM tools WHERE rowid > ? ORDER BY rowid LIMIT 1"
        if after := self._one(statement, position):
            self._chain.drop(name, *after)
            self._chain.add(before, *after)
        self._count_kept(binding, -1)
        self._file.execute("DELETE FROM tools WHERE rowid = ?", (position,))
        self._removed.append(name)

    def end(self, about: Mapping[str, str]) -> CatalogUpdate:
        """Write what is known of the whole."""
        for key, value in about.items():
            self._file.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (key, value))
        names = [*self._added, *self._changed, *self._removed]
        if names:
            self._file.execute("DELETE FROM about WHERE key = 'hash'")
            self._remember(names)
        return CatalogUpdate(
            added=tuple(self._added),
            changed=tuple(self._changed),
            removed=tuple(self._removed),
            version=self._chain.version,
        )

    def _remember(self, names: list[str]) -> None:
        """Write down the new version and what changed; forget the oldest changes where they are many."""
        statement = "INSERT INTO versions (version) VALUES (?)"
        number = self._file.execute(statement, (self._chain.version,)).lastrowid
        rows = [(number, name) for name in names]
        self._file.executemany("INSERT INTO changes VALUES (?, ?)", rows)
        statement = "SELECT number FROM changes ORDER BY number DESC LIMIT 1 OFFSET ?"
        if oldest := self._one(statement, _MOST_CHANGES):
            # What led to this version is not whole any more, so nothing older can be told from it.
            self._file.execute("DELETE FROM changes WHERE number <= ?", oldest)
            self._file.execute("DELETE FROM versions WHERE number < ?", oldest)

    def _before_place(self, position: int) -> str:
        statement = "SELECT name FROM tools WHERE rowid < ? ORDER BY rowid DESC LIMIT 1"
        found = self._one(statement, position)
        return str(found[0]) if found else ""

    def _count_kept(self, binding: str, number: int) -> None:
        for place in COLLECTED:
            for path in paths_of(place):
                value = self._one(
                    "SELECT CASE WHEN json_valid(?1) THEN json_extract(?1, ?2) END", binding, path
                )[0]
                if value is None:
                    continue
                statement = "UPDATE kept SET count = count + ? WHERE path = ? AND value = ?"
                if not self._file.execute(statement, (number, place, value)).rowcount and number > 0:
                    self._file.execute("INSERT INTO kept VALUES (?, ?, ?)", (place, value, number))
        if number < 0:
            self._file.execute("DELETE FROM kept WHERE count <= 0")

    def _one(self, statement: str, *values: object) -> Any:
        return self._file.execute(statement, values).fetchone()


@contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a catalog file in a transaction that is undone if the block fails."""
    open_database(path).close()
    with _told_writing(path), closing(connect(path, "rw")) as file:
        file.execute("BEGIN IMMEDIATE")
        try:
            yield file
            file.execute("COMMIT")
        finally:
            if file.in_transaction:
                file.execute("ROLLBACK")


@contextmanager
def _told_writing(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0)
        if code == sqlite3.SQLITE_READONLY_DBMOVED:
            what = "another process put a new file in its place"
            raise _ReplacedError(what, where=str(path), hint="Try again") from None
        if code & 0xFF in _CANNOT_WRITE:
            hint = _CANNOT_WRITE[code & 0xFF]
            raise UsageError(f"cannot write: {error}", where=str(path), hint=hint) from None
        raise told_error(error, path) from None


def _prepare(file: sqlite3.Connection, path: Path) -> str:
    """Bring a file of an earlier version up to this one, and return the version of its content.

    Raises:
        FormatError: It holds code.
    """
    if file.execute("SELECT 1 FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone():
        raise FormatError("not a catalog that can be changed: it holds code of its own", where=str(path))
    columns = [row[0] for row in file.execute("SELECT name FROM pragma_table_xinfo('kept')")]
    if columns != ["path", "value", "count"]:
        file.execute("DROP TABLE IF EXISTS kept")
        file.execute(KEPT)
        collect_kept(file)
    tables = {row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if {"versions", "changes"} <= tables:
        found = file.execute("SELECT version FROM versions ORDER BY number DESC LIMIT 1").fetchone()
        return str(found[0]) if found else ""
    hashed = [row[0] for row in file.execute("SELECT name FROM pragma_table_xinfo('tools')")]
    if "hash" not in hashed:
        file.execute("ALTER TABLE tools ADD COLUMN hash TEXT NOT NULL DEFAULT ''")
        statement = "SELECT rowid, name, spec, binding FROM tools"
        for rowid, name, spec, binding in file.execute(statement).fetchall():
            found = read_spec(name, spec, path), parse_json(binding, f"{path}#{name}")
            file.execute("UPDATE tools SET hash = ? WHERE rowid = ?", (hash_tool(*found).whole, rowid))
    chain = Chain()
    before = ""
    for name, whole in file.execute("SELECT name, hash FROM tools ORDER BY rowid"):
        chain.add(before, name, whole)
        before = name
    for statement in LOG.strip().split("\n"):
        file.execute(statement)
    named = file.execute("SELECT value FROM about WHERE key = 'hash'").fetchone()
    for version in (*(named or ()), chain.version):
        file.execute("INSERT INTO versions (version) VALUES (?)", (version,))
    return chain.version


def _tools(tools: Iterable[Tool] | Mapping[str, Tool]) -> Iterator[Tool]:
    return (tools[name] for name in tools) if isinstance(tools, Mapping) else iter(tools)
