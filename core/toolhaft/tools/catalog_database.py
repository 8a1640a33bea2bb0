"""The SQLite file of a catalog, as it is read: any thread may ask, and nothing in it is trusted."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from toolhaft.errors import FormatError, ToolhaftError, UsageError
from toolhaft.tools.base import NAME
from toolhaft.tools.specs import SpecChanges
from toolhaft.types import FORMAT, ToolSpec, from_json

_CREATE = re.compile(r"CREATE\s+TABLE\b", re.IGNORECASE)
_LARGEST = 16_000_000
"""Bytes of one row that are read."""
_MOST_READ = 1_000
"""Specs that are kept after they were read by name."""
_PATIENCE = 30.0
"""Seconds to wait for whoever is changing the file."""
_CHANGES = """
SELECT name, there FROM (
  SELECT DISTINCT changes.name AS name, tools.name IS NOT NULL AS there, tools.rowid AS place
  FROM changes LEFT JOIN tools ON tools.name = changes.name
  WHERE number > (SELECT max(number) FROM versions WHERE version = ?1)
  UNION ALL SELECT NULL, 0, -1 FROM versions WHERE version = ?1
) ORDER BY place
"""
"""The tools that were changed since a version; one row more, without a name, if the version is known."""
_PAGE = 256
"""Rows read at once: few enough that whoever writes need not wait."""


class CatalogDatabase:
    """One open catalog file. What is read is what the file holds at that moment.

    Args:
        path: The file; it is never changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._asking = threading.Lock()
        self._file = connect(path, "ro")
        self._counted: tuple[int, int] | None = None
        self._versioned: tuple[int, str] | None = None
        self._read: dict[str, tuple[int, ToolSpec]] = {}

    def query(self, statement: str, *values: object) -> list[Any]:
        """Return all rows of a statement.

        Raises:
            FormatError: The file is damaged, or closed.
        """
        with self._asking:
            try:
                return self._file.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                code = getattr(error, "sqlite_errorcode", None)
                if code != sqlite3.SQLITE_READONLY_ROLLBACK:
                    raise told_error(error, self.path) from None
            try:  # whoever changed it did not come to the end
                with closing(connect(self.path, "rw")) as file:
                    file.execute("SELECT 1 FROM sqlite_master")
                return self._file.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise told_error(error, self.path) from None

    def pages(self, columns: str) -> Iterator[tuple[Any, ...]]:
        """Yield columns of all tools in their order, a few rows read at a time."""
        statement = (
            f"SELECT position, {columns} FROM tools WHERE position > ? ORDER BY position LIMIT {_PAGE}"
        )
        rows = self.query(statement, -(2**63))
        while rows:
            for row in rows:
                yield row[1:]
            rows = self.query(statement, rows[-1][0]) if len(rows) == _PAGE else []

    def names(self) -> Iterator[str]:
        """Yield the tools' names in their order.

        Raises:
            FormatError: One is no name.
        """
        for (name,) in self.pages("name"):
            if not (isinstance(name, str) and NAME.fullmatch(name)):
                raise FormatError(f"{name!r:.80} is not a tool name", where=str(self.path))
            yield name

    def spec(self, name: str) -> ToolSpec:
        """Return a tool's spec; those that were read last are kept for as long as nobody changes the file.

        Raises:
            KeyError: There is no such tool.
            FormatError: Its row is damaged.
        """
        found = self.specs((name,))
        if not found:
            raise KeyError(name)
        return found[0]

    def specs(self, names: Iterable[str]) -> list[ToolSpec]:
        """Return the specs of names in their order, as `spec` does; those that there are not are left out.

        Raises:
            FormatError: A row is damaged.
        """
        wanted = list(names)
        moment = self.moment()
        kept = self._read
        there: dict[str, ToolSpec] = {}
        for name in wanted:
            found = kept.get(name)  # one call: another thread may clear it
            if found is not None and found[0] == moment:
                there[name] = found[1]
        new = [name for name in dict.fromkeys(wanted) if name not in there and name.isascii()]
        for first in range(0, len(new), _PAGE):
            page = new[first : first + _PAGE]
            places = ",".join("?" * len(page))
            for name, text in self.query(f"SELECT name, spec FROM tools WHERE name IN ({places})", *page):
                there[name] = spec = read_spec(name, text, self.path)
                if len(kept) >= _MOST_READ:
                    kept.clear()
                kept[name] = moment, spec
        return [there[name] for name in wanted if name in there]

    def has(self, name: object) -> bool:
        """Whether there is a tool of this name."""
        return isinstance(name, str) and bool(self.query("SELECT 1 FROM tools WHERE name = ?", name))

    def count(self) -> int:
        """Return how many tools there are; they are counted anew only when the file was changed."""
        moment = self.moment()
        if self._counted is None or self._counted[0] != moment:
            self._counted = moment, int(self.query("SELECT count(*) FROM tools")[0][0])
        return self._counted[1]

    def moment(self) -> int:
        """Return a number that is another one whenever somebody changed the file since it was opened."""
        return int(self.query("PRAGMA data_version")[0][0])

    @property
    def version(self) -> str:
        """What the content is called; empty for files of the earliest versions of Toolhaft."""
        moment = self.moment()
        if self._versioned is None or self._versioned[0] != moment:
            if self.has_table("versions"):
                rows = self.query("SELECT version FROM versions ORDER BY number DESC LIMIT 1")
            else:
                rows = self.query("SELECT value FROM about WHERE key = 'hash'")
            self._versioned = moment, str(rows[0][0]) if rows else ""
        return self._versioned[1]

    def changes(self, since: str) -> SpecChanges | None:
        """Return what changed since an earlier version, or None where that is not known any more."""
        if not since or not (self.has_table("versions") and self.has_table("changes")):
            return SpecChanges() if since and since == self.version else None
        rows = self.query(_CHANGES, since)
        if not rows:
            return None
        named = [(name, there) for name, there in rows if isinstance(name, str) and NAME.fullmatch(name)]
        put = tuple(name for name, there in named if there)
        return SpecChanges(put=put, removed=tuple(name for name, there in named if not there))

    def about(self) -> dict[str, str]:
        """Return the file's facts, but for the report."""
        statement = "SELECT key, value FROM about WHERE key != 'report'"
        return {str(key): str(value) for key, value in self.query(statement)}

    def has_table(self, name: str) -> bool:
        """Whether there is such a table; raises `FormatError` where something else has its name."""
        if not self.query("SELECT 1 FROM sqlite_master WHERE name = ?", name):
            return False
        self.check_table(name)
        return True

    def check(self) -> None:
        """Raise `FormatError` unless the file is a catalog of a format that this version reads."""
        self.check_length()
        self.check_table("about")
        about = self.about()
        if about.get("format") != str(FORMAT):
            raise FormatError(
                f"catalog format {about.get('format')!r} is not known; this version reads {FORMAT}",
                where=str(self.path),
                hint="Import the document again, or install a newer Toolhaft",
            )
        self.check_table("tools")

    def check_table(self, name: str) -> None:
        """Raise `FormatError` unless there is such a table.

        A view of that name will not do, nor a virtual table, nor computed columns: reading them would
        run what their author wrote.
        """
        found = self.query("SELECT type, sql FROM sqlite_master WHERE name = ?", name)
        plain = len(found) == 1 and found[0][0] == "table" and _CREATE.match(str(found[0][1]))
        if not plain or self.query("SELECT 1 FROM pragma_table_xinfo(?) WHERE hidden", name):
            raise FormatError("not a Toolhaft catalog", where=str(self.path))

    def check_length(self) -> None:
        """Compare the file's length with its header's: SQLite reads a file cut short as far as it can."""
        # SQLite and the folder are asked: whoever opens and closes the file itself gives up every lock that
        # this process has on it, a change under way in another thread included.
        self.query("BEGIN")
        try:
            pages, size = (self.query(f"PRAGMA {name}")[0][0] for name in ("page_count", "page_size"))
            length = self.path.stat().st_size
        finally:
            self.query("ROLLBACK")
        if length != pages * size:
            raise FormatError("not a Toolhaft catalog, or one that was cut short", where=str(self.path))

    def close(self) -> None:
        """Close the file."""
        with self._asking:
            self._file.close()


def connect(path: Path, mode: Literal["ro", "rw"]) -> sqlite3.Connection:
    """Open the SQLite file of a catalog; rows of monstrous size are not read, and its code is not run."""
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    file = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None, timeout=_PATIENCE)
    file.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST)
    file.execute("PRAGMA trusted_schema = OFF")
    return file


def told_error(error: sqlite3.Error, path: Path) -> ToolhaftError:
    """Return what SQLite says of a file as `FormatError`, or as `UsageError` where it is only in use."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        what = "another process is changing the catalog"
        return UsageError(what, where=str(path), hint="Try again when it is done")
    return FormatError(f"not a Toolhaft catalog, or a damaged one: {error}", where=str(path))


def read_spec(name: Any, text: Any, path: Path) -> ToolSpec:
    """Return a spec from its row.

    Raises:
        FormatError: The row is damaged.
    """
    where = f"{path}#{name:.80}" if isinstance(name, str) else str(path)
    spec = from_json(ToolSpec, text, where=where)
    if spec.name != name or not NAME.fullmatch(name):
        raise FormatError("the tool's record is damaged", where=where)
    return spec


def parse_json(text: Any, where: object) -> Any:
    """Return what JSON text in a catalog file says.

    Raises:
        FormatError: It is not JSON.
    """
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise FormatError("damaged: not JSON", where=str(where)) from None
