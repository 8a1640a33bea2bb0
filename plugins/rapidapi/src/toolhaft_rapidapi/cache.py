"""Kept answers: SQLite, one row for each category, tool, API and input."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from toolhaft.errors import FormatError, UsageError
from toolhaft_rapidapi.standard import standard_category, standard_input, standard_name, standard_word

FORMAT = "toolhaft-rapidapi-cache-1"
LARGEST = 4_000_000
"""Bytes of one answer."""
_IN_MEMORY = 4096
_SMALL = 20_000
_TABLES = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
  key TEXT PRIMARY KEY, category TEXT NOT NULL, tool TEXT NOT NULL, api TEXT NOT NULL,
  input TEXT NOT NULL, error TEXT NOT NULL, response TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One call, as ToolBench spells it.

    Attributes:
        input: With the parameters' names in standard spelling.
    """

    category: str
    tool: str
    api: str
    input: Mapping[str, Any]

    @classmethod
    def of(cls, category: str, tool: str, api: str, arguments: Mapping[str, Any]) -> Self:
        """Return the question; names in any spelling that becomes the standard one."""
        return cls(
            category=standard_category(category),
            tool=standard_name(tool),
            api=standard_word(api),
            input=standard_input(arguments),
        )

    @property
    def text(self) -> str:
        """Canonical JSON of the four: keys sorted, no blanks."""
        return json.dumps(
            [self.category, self.tool, self.api, self.input],
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
            default=str,
        )

    @property
    def key(self) -> str:
        """SHA-256 of the canonical JSON, 64 hexadecimal digits."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A kept answer.

    Attributes:
        error: Of the contract; empty for a success.
        response: A JSON value.
    """

    error: str = ""
    response: Any = ""


class AnswerCache:
    """A file of answers, for any number of threads and processes; one that is read-only can be read.

    Args:
        path: The file; None keeps the answers in memory.
        create: Make the file if there is none.

    Raises:
        UsageError: There is no such file, or it cannot be made.
        FormatError: It is something else, or damaged.

    Attributes:
        count: How many answers there were when it was opened.
    """

    def __init__(self, path: Path | str | None = None, *, create: bool = True) -> None:
        self.path = Path(path) if path is not None else None
        self._lock = threading.Lock()
        self._recent: OrderedDict[str, Answer] = OrderedDict()
        where = str(path) if path is not None else ""
        if self.path is not None and not create and not self.path.is_file():
            raise UsageError(
                "there is no such cache", where=where, hint="Make one: toolhaft rapidapi import-cache FOLDER"
            )
        try:
            try:
                self._file, self.count = _open(where, writing=True)
            except sqlite3.OperationalError as error:
                if self.path is None or "readonly" not in str(error):
                    raise
                self._file, self.count = _open(where, writing=False)
        except sqlite3.Error as error:
            raise _broken(error, where) from None

    def recent(self, question: Question) -> Answer | None:
        """Return an answer that is in memory; this never waits."""
        return self._recent.get(question.key)

    def get(self, question: Question) -> Answer | None:
        """Return the kept answer, or None.

        Raises:
            FormatError: The file is damaged.
        """
        key = question.key
        found = self._recent.get(key)
        if found is not None:
            return found
        try:
            with self._lock:
                row = self._file.execute(
                    "SELECT error, response FROM answers WHERE key = ?", (key,)
                ).fetchone()
            if row is None:
                return None
            answer = Answer(error=str(row[0]), response=json.loads(row[1]))
        except (sqlite3.Error, ValueError, TypeError, RecursionError) as error:
            raise _broken(error, str(self.path or "")) from None
        if len(str(row[1])) <= _SMALL:
            with self._lock:
                self._recent[key] = answer
                while len(self._recent) > _IN_MEMORY:
                    self._recent.popitem(last=False)
        return answer

    def put(self, question: Question, answer: Answer) -> None:
        """Keep an answer in place of an earlier one; one that is too large is not kept."""
        self.put_all([(question, answer)])

    def put_all(self, answers: Iterable[tuple[Question, Answer]]) -> int:
        """Keep answers in one transaction, and return how many.

        Raises:
            UsageError: The file cannot be written.
        """
        rows = [row for row in map(_row, answers) if row is not None]
        try:
            with self._lock:
                self._file.execute("BEGIN IMMEDIATE")
                self._file.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
                self._file.execute("COMMIT")
                for row in rows:
                    self._recent.pop(row[0], None)
        except sqlite3.Error as error:
            with self._lock, suppress(sqlite3.Error):  # most failures have rolled it back already
                self._file.execute("ROLLBACK")
            raise UsageError(f"cannot be written: {error}", where=str(self.path or "")) from None
        return len(rows)

    def __len__(self) -> int:
        with self._lock:
            return int(self._file.execute("SELECT count(*) FROM answers").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open(where: str, *, writing: bool) -> tuple[sqlite3.Connection, int]:
    """Return the file and how many answers it has; a file that cannot be written is not locked either."""
    name = where or ":memory:"
    if not writing:
        name = f"{Path(where).resolve().as_uri()}?mode=ro&immutable=1"
    with ExitStack() as stack:
        file = stack.enter_context(
            closing(
                sqlite3.connect(
                    name, check_same_thread=False, isolation_level=None, timeout=10, uri=not writing
                )
            )
        )
        _check_tables(file, where)
        if writing:
            file.execute("PRAGMA journal_mode = WAL")
            # A power cut may cost the last answers, never the file.
            file.execute("PRAGMA synchronous = NORMAL")
            file.executescript(_TABLES)
            file.execute("INSERT OR IGNORE INTO about VALUES ('format', ?)", (FORMAT,))
        found = file.execute("SELECT value FROM about WHERE key = 'format'").fetchone()
        if found is None or found[0] != FORMAT:
            raise FormatError("a cache of an unknown format", where=where, hint="Make it anew")
        count = int(file.execute("SELECT count(*) FROM answers").fetchone()[0])
        stack.pop_all()
    return file, count


def _check_tables(file: sqlite3.Connection, where: str) -> None:
    file.execute("PRAGMA trusted_schema = OFF")
    rows = file.execute("SELECT name, type, sql FROM sqlite_master").fetchall()
    names = {name for name, *_ in rows}
    if rows and (not {"about", "answers"} <= names or any(kind != "table" for _, kind, _ in rows)):
        raise FormatError("not a cache of API answers", where=where)
    if any("virtual" in str(sql).lower()[:20] for *_, sql in rows):
        raise FormatError("not a cache of API answers", where=where)


def _row(pair: tuple[Question, Answer]) -> tuple[str, ...] | None:
    question, answer = pair
    response = json.dumps(answer.response, ensure_ascii=True)
    if len(response) > LARGEST:
        return None
    given = json.dumps(question.input, sort_keys=True, default=str)
    return question.key, question.category, question.tool, question.api, given, answer.error, response


def _broken(error: Exception, where: str) -> FormatError | UsageError:
    if isinstance(error, sqlite3.OperationalError):
        return UsageError(f"the cache cannot be opened: {error}", where=where, hint="Check the folder")
    return FormatError(
        f"not a cache of API answers, or a damaged one: {str(error)[:200]}", where=where, hint="Make it anew"
    )
