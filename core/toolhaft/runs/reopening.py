"""Jobs that ended and are to be tried again, and writes of which a person says what became of them.

Each function runs within a transaction; see `toolhaft.runs.journal.Journal.transact`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from toolhaft.errors import UnknownNameError, UsageError
from toolhaft.runs.statements import FINAL

RETRIED = ("failed", "uncertain", "error", "gave_up", "loop", "budget", "refused", "asked")
"""What jobs can be tried again by: two statuses, and outcomes."""
VERDICTS = ("done", "not-done")
"""What a person may say of a write of which nobody knows whether it was carried out."""
SETTLED = "settled"
"""The outcome of a job whose writes a person said to be done."""

_WRITE = "kind = 'tool' AND effect <> 'read' AND made"
UNCERTAIN = f"{_WRITE} AND (status <> 'done' OR json_extract(result, '$.error.effect') = 'uncertain')"
"""Entries of jobs that ended of which nobody knows whether they were carried out."""
_CHANGED_NOTHING = (
    "status = 'done' AND json_extract(result, '$.error') IS NOT NULL "
    "AND coalesce(json_extract(result, '$.error.effect'), 'none') = 'none'"
)
_ENDED = f"status IN {FINAL}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftJob:
    """A job that is not tried again, for a repeat could double what it wrote.

    Attributes:
        id: The task's.
        tool: That wrote.
        key: Of the call.
        uncertain: Whether nobody knows if it did.
    """

    id: str
    tool: str
    key: str
    uncertain: bool

    def __str__(self) -> str:
        done = "may have been" if self.uncertain else "was"
        return f"{self.id}: {self.tool} {done} carried out, and a repeat could double it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """What became of the jobs that were to be tried again.

    Attributes:
        waiting: Ids of those that wait again.
        left: Those that were left as they are.
    """

    waiting: tuple[str, ...] = ()
    left: tuple[LeftJob, ...] = ()


def check_retried(names: Iterable[str]) -> None:
    """Raise if a name is none of `RETRIED`.

    Raises:
        UnknownNameError: One is not; the nearest are given.
    """
    for name in names:
        if name not in RETRIED:
            raise UnknownNameError("outcome to try again", name, RETRIED)


def check_verdicts(verdicts: Mapping[str, str]) -> None:
    """Raise if a verdict is none of `VERDICTS`.

    Raises:
        UnknownNameError: One is not.
    """
    for job, verdict in verdicts.items():
        if verdict not in VERDICTS:
            raise UnknownNameError("verdict", verdict, VERDICTS, where=job)


def retry(connection: sqlite3.Connection, names: Sequence[str]) -> Reopened:
    """Have jobs that ended so wait again, but those that wrote what a repeat could double.

    Writes that a server can tell by their key do not count: a repeat has the same key.

    Args:
        connection: Within a transaction.
        names: See `RETRIED`.
    """
    rows = connection.execute(
        f"SELECT position, id FROM jobs WHERE {_ENDED} AND (status IN (SELECT value FROM json_each(?1)) "
        "OR outcome IN (SELECT value FROM json_each(?1))) ORDER BY position",
        (json.dumps(list(names)),),
    ).fetchall()
    return _reopen(connection, rows)


def retry_positions(connection: sqlite3.Connection, positions: Iterable[int]) -> Reopened:
    """Do what `retry` does with jobs at some positions."""
    rows = connection.execute(
        f"SELECT position, id FROM jobs WHERE {_ENDED} AND position IN (SELECT value FROM json_each(?)) "
        "ORDER BY position",
        (json.dumps(list(positions)),),
    ).fetchall()
    return _reopen(connection, rows)


def settle(connection: sqlite3.Connection, verdicts: Mapping[str, str]) -> Reopened | UsageError:
    """Keep what a person says of the uncertain writes of jobs, all or nothing.

    ``done`` ends a job for good. ``not-done`` has it wait again: what it did before the write is taken from
    the journal, the write is made when the model asks for it again, and other writes are not repeated.

    Args:
        connection: Within a transaction.
        verdicts: Id of a task -> one of `VERDICTS`.

    Returns:
        What became of them; or, with nothing kept, what is wrong with a name.
    """
    positions: dict[str, int] = {}
    for name in verdicts:
        found = _find_uncertain(connection, name)
        if isinstance(found, UsageError):
            return found
        positions[name] = found
    waiting = []
    for name, verdict in verdicts.items():
        position = positions[name]
        _note_verdict(connection, position, name, verdict)
        if verdict == "done":
            connection.execute(
                "UPDATE jobs SET status = 'done', outcome = ? WHERE position = ?", (SETTLED, position)
            )
        else:
            _forget_from_uncertain(connection, position)
            _wait_again(connection, position)
            waiting.append(name)
    return Reopened(waiting=tuple(waiting))


def _reopen(connection: sqlite3.Connection, rows: Iterable[tuple[int, str]]) -> Reopened:
    waiting: list[str] = []
    left: list[LeftJob] = []
    for position, name in rows:
        wrote = connection.execute(
            f"SELECT name, key, {UNCERTAIN} AS doubt FROM entries WHERE job = ? AND {_WRITE} "
            f"AND NOT repeatable AND NOT ({_CHANGED_NOTHING}) ORDER BY doubt DESC LIMIT 1",
            (position,),
        ).fetchone()
        if wrote is None:
            connection.execute("DELETE FROM entries WHERE job = ?", (position,))
            connection.execute("UPDATE jobs SET started = NULL WHERE position = ?", (position,))
            _wait_again(connection, position)
            waiting.append(name)
        else:
            left.append(LeftJob(id=name, tool=wrote[0], key=wrote[1], uncertain=bool(wrote[2])))
    return Reopened(waiting=tuple(waiting), left=tuple(left))


def _wait_again(connection: sqlite3.Connection, position: int) -> None:
    connection.execute(
        "UPDATE jobs SET status = 'waiting', owner = NULL, lease_until = NULL, finished = NULL, "
        "outcome = NULL, error = NULL, result = NULL, file = NULL WHERE position = ?",
        (position,),
    )


def _find_uncertain(connection: sqlite3.Connection, name: str) -> int | UsageError:
    row = connection.execute("SELECT position, status FROM jobs WHERE id = ?", (name,)).fetchone()
    if row is not None and row[1] == "uncertain":
        return int(row[0])
    known = [found[0] for found in connection.execute("SELECT id FROM jobs WHERE status = 'uncertain'")]
    if row is None:
        return UnknownNameError("uncertain task", name, known)
    shown = f"; uncertain are: {', '.join(known[:12])}" if known else "; none is"
    return UsageError(f"the task {name!r} is not uncertain, but {row[1]}{shown}")


def _note_verdict(connection: sqlite3.Connection, position: int, name: str, verdict: str) -> None:
    keys = connection.execute(
        f"SELECT key FROM entries WHERE job = ? AND {UNCERTAIN}", (position,)
    ).fetchall()
    before = connection.execute("SELECT value FROM meta WHERE name = ?", (f"settled {name}",)).fetchone()
    said: list[Any] = []
    with suppress(ValueError, TypeError):  # what is damaged there must not keep the new verdict out
        said += json.loads(before[0])
    said.append(
        {
            "verdict": verdict,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "calls": [key for (key,) in keys],
        }
    )
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"settled {name}", json.dumps(said)))


def _forget_from_uncertain(connection: sqlite3.Connection, position: int) -> None:
    """Drop the uncertain writes of a job, and what came after the first but for what else was written."""
    first = connection.execute(
        f"SELECT min(sequence) FROM entries WHERE job = ? AND {UNCERTAIN}", (position,)
    ).fetchone()[0]
    connection.execute(f"DELETE FROM entries WHERE job = ? AND {UNCERTAIN}", (position,))
    connection.execute(
        f"DELETE FROM entries WHERE job = ? AND sequence > ? AND NOT ({_WRITE})", (position, first or 0)
    )
