"""The SQLite file of a catalog, as it is read: any thread may ask, and nothing in it is trusted."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError
from toolhaft.tools.base import NAME

_CREATE = re.compile(r"CREATE\s+TABLE\b", re.IGNORECASE)
_LARGEST = 16_000_000
"""Bytes of one row that are read."""
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
        uri = f"{path.resolve().as_uri()}?mode=ro"
        self._file = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
        self._file.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST)
        self._file.execute("PRAGMA trusted_schema = OFF")
        self._counted: tuple[int, int] | None = None

    def query(self, statement: str, *values: object) -> list[Any]:
        """Return all rows of a statement.

        Raises:
            FormatError: The file is damaged, or closed.
        """
        try:
            with self._asking:
                return self._file.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise FormatError(
                f"not a Toolhaft catalog, or a damaged one: {error}", where=str(self.path)
            ) from None

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
        with self.path.open("rb") as file:
            header = file.read(100)
        page = int.from_bytes(header[16:18], "big")
        pages = int.from_bytes(header[28:32], "big")
        if len(header) < 100 or self.path.stat().st_size != pages * (65_536 if page == 1 else page):
            raise FormatError("not a Toolhaft catalog, or one that was cut short", where=str(self.path))

    def close(self) -> None:
        """Close the file."""
        with self._asking:
            self._file.close()


def parse_json(text: Any, where: object) -> Any:
    """Return what JSON text in a catalog file says.

    Raises:
        FormatError: It is not JSON.
    """
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise FormatError("damaged: not JSON", where=str(where)) from None
