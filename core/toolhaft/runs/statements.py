"""What a journal's transactions consist of; each runs within one that `toolhaft.runs.writer` commits."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

JobStatus = Literal["waiting", "leased", "done", "failed", "uncertain"]
FINAL: tuple[JobStatus, ...] = ("done", "failed", "uncertain")

_ENTRY = """
INSERT INTO entries (job, key, kind, name, effect, repeatable, status, made, request, result, file, at)
SELECT :job, :key, :kind, :name, :effect, :repeatable, :status, :made, :request, :result, :file, :at
WHERE EXISTS (SELECT 1 FROM jobs WHERE position = :job AND owner = :owner)
ON CONFLICT (job, key) DO UPDATE SET
    status = excluded.status, made = excluded.made, request = coalesce(excluded.request, request),
    result = excluded.result, file = excluded.file, at = excluded.at
"""
_STATUS = """
CASE WHEN :status = 'failed' AND EXISTS (
    SELECT 1 FROM entries WHERE job = :job AND effect <> 'read' AND NOT repeatable AND status <> 'done'
) THEN 'uncertain' ELSE :status END
"""
_BEGUN = "status <> 'waiting' OR EXISTS (SELECT 1 FROM entries WHERE job = position)"
_NOTHING: dict[str, Any] = {"made": True, "request": None, "result": None, "file": None, "at": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedJob:
    """A job on its way to whoever runs it.

    Attributes:
        position: In the batch, from 0.
        id: The task's.
        payload: What to do, as JSON text.
        started: When it was first claimed: ISO 8601, UTC.
        attempts: How often it was claimed, this time included.
        entries: What the journal has of it: rows of the table ``entries``.
    """

    position: int
    id: str
    payload: str
    started: str
    attempts: int
    entries: tuple[dict[str, Any], ...] = ()


def add_jobs(connection: sqlite3.Connection, jobs: Iterable[tuple[str, str]], start: int) -> int:
    """Append ``(id, payload)`` rows from a position on, and return how many there were."""
    rows = ((start + number, name, payload) for number, (name, payload) in enumerate(jobs))
    return connection.executemany("INSERT INTO jobs (position, id, payload) VALUES (?, ?, ?)", rows).rowcount


def replace_jobs(connection: sqlite3.Connection, jobs: list[tuple[str, str]], *, keep: bool = False) -> str:
    """Take these ``(id, payload)`` in place of jobs never begun; return the id of one that conflicts.

    With ``keep``, nothing is changed.
    """
    begun = connection.execute(f"SELECT position, id, payload FROM jobs WHERE {_BEGUN}").fetchall()
    for position, name, payload in begun:
        if position >= len(jobs) or jobs[position] != (name, payload):
            return str(name)
    if keep:
        return ""
    kept = {row[0] for row in begun}
    connection.execute(f"DELETE FROM jobs WHERE NOT ({_BEGUN})")
    connection.executemany(
        "INSERT INTO jobs (position, id, payload) VALUES (?, ?, ?)",
        ((number, *job) for number, job in enumerate(jobs) if number not in kept),
    )
    return ""


def has_begun(connection: sqlite3.Connection) -> bool:
    """Return whether a job was begun."""
    return bool(connection.execute(f"SELECT EXISTS (SELECT 1 FROM jobs WHERE {_BEGUN})").fetchone()[0])


def set_meta(connection: sqlite3.Connection, values: Mapping[str, str]) -> None:
    """Keep facts about the batch."""
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())


def claim(
    connection: sqlite3.Connection, owner: str, number: int, lease: float, but: Iterable[int] = ()
) -> list[ClaimedJob]:
    """Lease the first jobs that wait, those among them that somebody else has not renewed in time.

    Leases are in seconds of the machine's monotonic clock, which all its processes share and nobody sets:
    the time of day may jump.

    Args:
        connection: Within a transaction.
        owner: Whose they become.
        number: At most so many.
        lease: Seconds until others may take them over.
        but: Positions of jobs that the owner is still busy with, though it may have lost them.
    """
    now = time.monotonic()
    connection.execute(
        "UPDATE jobs SET status = 'waiting', owner = NULL "
        "WHERE status = 'leased' AND lease_until < ? AND owner <> ?",
        (now, owner),
    )
    rows = connection.execute(
        "UPDATE jobs SET status = 'leased', owner = ?, lease_until = ?, attempts = attempts + 1, "
        "started = coalesce(started, ?) WHERE position IN (SELECT position FROM jobs WHERE "
        "status = 'waiting' AND position NOT IN (SELECT value FROM json_each(?)) ORDER BY position LIMIT ?) "
        "RETURNING position, id, payload, started, attempts",
        (
            owner,
            now + lease,
            datetime.now(UTC).isoformat(timespec="milliseconds"),
            json.dumps(sorted(but)),
            number,
        ),
    ).fetchall()
    return [
        ClaimedJob(
            position=row[0],
            id=row[1],
            payload=row[2],
            started=row[3],
            attempts=row[4],
            entries=tuple(entries_of(connection, row[0])) if row[4] > 1 else (),
        )
        for row in sorted(rows)
    ]


def entries_of(connection: sqlite3.Connection, job: int) -> Iterable[dict[str, Any]]:
    """Iterate over what was recorded of a job, in the order in which it was begun."""
    names = (
        "key",
        "kind",
        "name",
        "effect",
        "repeatable",
        "status",
        "made",
        "request",
        "result",
        "file",
        "at",
    )
    rows = connection.execute(
        f"SELECT {', '.join(names)} FROM entries WHERE job = ? ORDER BY sequence", (job,)
    )
    return (dict(zip(names, row, strict=True)) for row in rows)


def renew(connection: sqlite3.Connection, owner: str, lease: float) -> None:
    """Put off the end of all leases of an owner."""
    connection.execute(
        "UPDATE jobs SET lease_until = ? WHERE status = 'leased' AND owner = ?",
        (time.monotonic() + lease, owner),
    )


def release(connection: sqlite3.Connection, owner: str | None, position: int | None = None) -> int:
    """Have jobs wait again: one, or all of an owner; an owner of None stands for everybody."""
    return connection.execute(
        "UPDATE jobs SET status = 'waiting', owner = NULL, lease_until = NULL "
        "WHERE status = 'leased' AND (?1 IS NULL OR owner = ?1) AND (?2 IS NULL OR position = ?2)",
        (owner, position),
    ).rowcount


def begin(
    connection: sqlite3.Connection, entry: Mapping[str, Any], limits: Mapping[str, float]
) -> dict[str, Any]:
    """Note that a call or a question is about to be made, and take it from the budget of the batch.

    Returns:
        ``{}``; or ``{"lost": True}`` if the job is somebody else's by now; or ``{"spent": quantity}``.
    """
    held = connection.execute("SELECT owner FROM jobs WHERE position = ?", (entry["job"],)).fetchone()
    if held is None or held[0] != entry["owner"] or _was_made(connection, entry):
        return {"lost": True}
    spent = _spent_up(connection, entry, limits)
    if spent:
        return {"spent": spent, "limit": limits[spent]}
    _spend(connection, {f"{entry['kind']}_calls": 1})
    connection.execute(_ENTRY, _NOTHING | dict(entry) | {"status": "started"})
    return {}


def _was_made(connection: sqlite3.Connection, entry: Mapping[str, Any]) -> bool:
    """Whether somebody made the call who has a later view of the job than whoever wants to make it now."""
    row = connection.execute(
        "SELECT status FROM entries WHERE job = :job AND key = :key", dict(entry)
    ).fetchone()
    again = entry["effect"] == "read" or entry["repeatable"]
    return row is not None and (row[0] != "started" or not again)


def end(connection: sqlite3.Connection, entry: Mapping[str, Any]) -> None:
    """Note what came of a call or a question, and what it cost."""
    _spend(connection, entry.get("spend") or {})
    connection.execute(_ENTRY, _NOTHING | dict(entry))


def finish(connection: sqlite3.Connection, result: Mapping[str, Any]) -> bool:
    """Note how a job ended; false if it is somebody else's by now, and nothing was noted.

    One that failed while a write was under way is ``uncertain``, whatever it is said to be.
    """
    return bool(
        connection.execute(
            f"UPDATE jobs SET status = {_STATUS}, outcome = :outcome, error = :error, result = :result, "
            "file = :file, finished = :finished, owner = NULL, lease_until = NULL "
            "WHERE position = :job AND owner = :owner",
            {"finished": datetime.now(UTC).isoformat(timespec="milliseconds"), "file": None} | dict(result),
        ).rowcount
    )


def forget(connection: sqlite3.Connection, job: int, owner: str) -> bool:
    """Drop what was recorded of a job that wrote nothing, so that it can begin anew; false if it wrote."""
    wrote = connection.execute(
        "SELECT 1 FROM entries WHERE job = ? AND effect <> 'read' AND made LIMIT 1", (job,)
    ).fetchone()
    if wrote:
        return False
    connection.execute(
        "DELETE FROM entries WHERE job = ?1 "
        "AND EXISTS (SELECT 1 FROM jobs WHERE position = ?1 AND owner = ?2)",
        (job, owner),
    )
    return True


def count(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many jobs there are of each status."""
    return dict(connection.execute("SELECT status, count(*) FROM jobs GROUP BY status").fetchall())


def count_outcomes(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many of the jobs that ended did so with each outcome; ``uncertain`` stands above others."""
    rows = connection.execute(
        "SELECT CASE status WHEN 'uncertain' THEN status ELSE coalesce(nullif(outcome, ''), 'error') END, "
        f"count(*) FROM jobs WHERE status IN {FINAL} GROUP BY 1 ORDER BY 1"
    )
    return dict(rows.fetchall())


def count_refused(connection: sqlite3.Connection) -> int:
    """Return how many of the jobs that ended had a call that was refused, and waits for leave."""
    row = connection.execute(
        "SELECT count(DISTINCT job) FROM entries JOIN jobs ON jobs.position = entries.job "
        f"WHERE kind = 'tool' AND NOT made AND jobs.status IN {FINAL}"
    ).fetchone()
    return int(row[0])


def _spent_up(connection: sqlite3.Connection, entry: Mapping[str, Any], limits: Mapping[str, float]) -> str:
    """Return the first quantity of which nothing is left for this; empty if all can be had."""
    if not limits:
        return ""
    spent = dict(connection.execute("SELECT quantity, amount FROM spent").fetchall())
    own = f"{entry['kind']}_calls"
    other = "tool_calls" if own == "model_calls" else "model_calls"
    asked = (quantity for quantity in limits if quantity != other)
    return next((quantity for quantity in asked if spent.get(quantity, 0) >= limits[quantity]), "")


def _spend(connection: sqlite3.Connection, amounts: Mapping[str, float]) -> None:
    rows = [(amount, quantity) for quantity, amount in amounts.items() if amount]
    if rows:
        connection.executemany("UPDATE spent SET amount = amount + ? WHERE quantity = ?", rows)
