"""The journal's SQLite file: its tables, and what is checked before it is trusted."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

from toolhaft.errors import JournalError
from toolhaft.runs.crash import crash_point
from toolhaft.runs.writer import SALVAGE, journal_error

NAME = "journal.sqlite"
FORMAT = 1
"""The format of journals that this version writes, and the newest it reads."""
APPLICATION = 0x54484A31
CLOSED, IN_FILE, IN_LOG = "0", "1", "2"
"""What the row ``open`` of ``meta`` says: the journal was closed; it is open, and this row stands in the
file, or still in the log."""
Durability = Literal["full", "normal"]

_FULLY_CHECKED = 200_000_000
"""Bytes of a file whose indices are checked against its tables too; of a larger one, its pages are."""
_RACE_FIXED = (3, 51, 3)
_LOG_MAGIC = (0x377F0682, 0x377F0683)

_TABLES = f"""
PRAGMA journal_mode = DELETE;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE jobs (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    payload TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'waiting'
        CHECK (status IN ('waiting', 'leased', 'done', 'failed', 'uncertain')),
    owner TEXT,
    lease_until REAL,
    attempts INTEGER NOT NULL DEFAULT 0,
    started TEXT,
    finished TEXT,
    outcome TEXT,
    error TEXT,
    result TEXT,
    file TEXT
);
CREATE INDEX jobs_by_status ON jobs (status, position);
CREATE TABLE entries (
    sequence INTEGER PRIMARY KEY,
    job INTEGER NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('model', 'tool')),
    name TEXT NOT NULL,
    effect TEXT NOT NULL,
    repeatable INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('started', 'done', 'uncertain')),
    made INTEGER NOT NULL DEFAULT 1,
    request TEXT,
    result TEXT,
    file TEXT,
    at REAL NOT NULL DEFAULT 0,
    UNIQUE (job, key)
);
CREATE TABLE spent (quantity TEXT PRIMARY KEY, amount REAL NOT NULL) WITHOUT ROWID;
INSERT INTO spent VALUES ('model_calls', 0), ('tool_calls', 0), ('tokens', 0), ('cost', 0);
INSERT INTO meta VALUES ('open', '0');
"""


def check_log(path: Path) -> None:
    """Raise if the log of a journal lies there without it.

    Raises:
        JournalError: It does.
    """
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        # SQLite would take an old log for that of the new file.
        raise JournalError(
            "the journal is gone, while its write-ahead log is still there",
            where=str(path),
            hint="Put the file back, or begin anew in another folder with -o",
            code="E-JOURNAL-DAMAGED",
        )


def create_file(path: Path) -> None:
    """Make an empty journal: beside its place, then moved there, so that there is never half of one.

    Raises:
        JournalError: The folder cannot be written, or a journal was there whose log still is.
    """
    check_log(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.unlink(missing_ok=True)
        with closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
            connection.executescript(_TABLES)
        crash_point("create-file")
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        crash_point("create-rename")
        _sync_folder(path.parent)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise journal_error(error, path) from None
    crash_point("created")


def open_file(path: Path, *, durability: Durability, checkpoints: bool, alone: bool) -> sqlite3.Connection:
    """Open a journal, checked as thoroughly as its last end asks for.

    Args:
        path: Of the file, which must be there.
        durability: ``full``: what is committed survives the loss of power too; ``normal``: the last
            commits may be lost then, but not by the death of the process.
        checkpoints: Whether this process moves the log into the file; one of all that share it does.
        alone: Whether nobody else has it open.

    Raises:
        JournalError: It is damaged, of something else, of a newer version, or cannot be written.
    """
    _check_header(path)
    log = path.with_name(f"{path.name}-wal")
    had_log, is_log = log.exists(), _is_log(log)
    if alone and not (had_log and log.stat().st_size):
        _check_length(path)
    try:
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=30.0, check_same_thread=False, cached_statements=64
        )
        try:
            _prepare(connection, path, durability)
            state = _state(connection)
            if alone and state != CLOSED:
                if state == IN_FILE and not (had_log and is_log):
                    raise _without_log(log)
                _check_pages(connection, path)
            if checkpoints:
                settle(connection)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise journal_error(error, path) from None
    return connection


def read_file(path: Path) -> sqlite3.Connection:
    """Open a journal for reading alone, whatever state it is in.

    Raises:
        JournalError: There is none, or it is of something else or of a newer version.
    """
    _check_header(path)
    # Without a log to recover, and with a log that cannot be read, the file alone is what there is.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    try:
        return sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise journal_error(error, path) from None


def settle(connection: sqlite3.Connection) -> None:
    """Move the log of an open journal into its file.

    The file then says that there is a log, and only the log says that it is the newest: so a log that was
    taken away is told from one that another program of SQLite moved into the file.
    """
    connection.execute(f"UPDATE meta SET value = '{IN_FILE}' WHERE name = 'open'")
    checkpoint(connection)
    connection.execute(f"UPDATE meta SET value = '{IN_LOG}' WHERE name = 'open'")


def checkpoint(connection: sqlite3.Connection) -> None:
    """Move the log into the file."""
    crash_point("before-checkpoint")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    crash_point("after-checkpoint")


def shares_badly() -> bool:
    """Whether this SQLite may damage a file when several processes write and checkpoint it at once.

    That is the defect of versions 3.7.0 to 3.51.2 that sqlite.org calls the WAL-reset race. It is avoided
    here: only one process checkpoints.
    """
    return sqlite3.sqlite_version_info < _RACE_FIXED


def _check_header(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError:
        raise JournalError(
            "there is no journal",
            where=str(path),
            hint="Name the folder of a batch that was begun",
            code="E-JOURNAL-MISSING",
        ) from None
    except OSError as error:
        raise journal_error(error, path) from None
    application = int.from_bytes(head[68:72], "big")
    if len(head) < 100 and (not head or b"SQLite format 3\0".startswith(head[:16])):
        raise JournalError("the file is cut off", where=str(path), hint=SALVAGE, code="E-JOURNAL-DAMAGED")
    if head[:16] != b"SQLite format 3\0" or application != APPLICATION:
        raise JournalError(
            "the file is no journal of Toolhaft",
            where=str(path),
            hint="Name another folder with -o",
            code="E-JOURNAL-FORMAT",
        )
    version = int.from_bytes(head[60:64], "big")
    if version > FORMAT:
        raise JournalError(
            f"the journal has format {version}; this version of Toolhaft reads up to {FORMAT}",
            where=str(path),
            hint="Install a newer Toolhaft: pip install -U toolhaft",
            code="E-JOURNAL-VERSION",
        )


def _check_length(path: Path) -> None:
    """Raise if a file is shorter than it says; SQLite itself does not miss a part of the last page."""
    with path.open("rb") as file:
        head = file.read(32)
    size = int.from_bytes(head[16:18], "big")
    # 65,536 does not fit there, and is written as 1.
    if path.stat().st_size < int.from_bytes(head[28:32], "big") * (65_536 if size == 1 else size):
        raise JournalError("the file is cut off", where=str(path), hint=SALVAGE, code="E-JOURNAL-DAMAGED")


def _prepare(connection: sqlite3.Connection, path: Path, durability: Durability) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise JournalError(
            "the file system cannot hold a write-ahead log",
            where=str(path),
            hint="Name a folder on a local disk",
            code="E-JOURNAL-PLACE",
        )
    connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'full' else 'NORMAL'}")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA cache_size = -16000")
    connection.execute("PRAGMA temp_store = MEMORY")


def _state(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT value FROM meta WHERE name = 'open'").fetchone()
    return str(row[0]) if row is not None else IN_FILE


def _is_log(path: Path) -> bool:
    """Whether a file begins as a log does; what holds nothing yet may be one."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError:
        return False
    return not head.strip(b"\0") or int.from_bytes(head, "big") in _LOG_MAGIC


def _without_log(log: Path) -> JournalError:
    return JournalError(
        "the last run did not end properly, and its write-ahead log is gone or overwritten: what it did last "
        "is not known",
        where=str(log),
        hint=f"Put the file back if it was moved. {SALVAGE}",
        code="E-JOURNAL-DAMAGED",
    )


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    thorough = path.stat().st_size <= _FULLY_CHECKED
    found = connection.execute(f"PRAGMA {'integrity' if thorough else 'quick'}_check(3)").fetchall()
    if found != [("ok",)]:
        said = "; ".join(str(row[0]) for row in found)[:300]
        raise JournalError(
            f"the file is damaged: {said}", where=str(path), hint=SALVAGE, code="E-JOURNAL-DAMAGED"
        )


def _sync_folder(folder: Path) -> None:
    """Have a new name in a folder survive the loss of power, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
