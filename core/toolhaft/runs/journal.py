"""The journal of a batch: one SQLite file in the run's folder that survives the death of the process."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

from toolhaft.errors import JournalError, ToolhaftError
from toolhaft.runs import statements
from toolhaft.runs.crash import crash_point
from toolhaft.runs.file import (
    CLOSED,
    NAME,
    Durability,
    check_log,
    checkpoint,
    create_file,
    open_file,
    read_file,
    settle,
    shares_badly,
)
from toolhaft.runs.place import Door, Locks, check_folder, check_new, check_place
from toolhaft.runs.results import LARGE, ResultFiles
from toolhaft.runs.statements import ClaimedJob
from toolhaft.runs.writer import Operation, Writer, journal_error

RESULTS = "results"
LEASE = 30.0
"""Seconds after which a job is taken over from a process that no longer says that it lives."""
_PATIENCE = 10.0
"""Seconds to wait for others who are entering or leaving the folder."""


class Journal:
    """Jobs, and what was done for each, in one file; open it with `Journal.open`.

    It belongs to the event loop that it was opened on. What is told is committed in the order in which it
    was told; whoever asks gets the answer when it is committed, and so is everything told before.

    Attributes:
        path: Of the file.
        owner: Names this process in leases.
        is_owner: Whether this process owns the folder, or has joined another.
        limits: Of the whole batch: ``model_calls``, ``tool_calls``, ``tokens``, ``cost``.
        warnings: What a person should know about how it was opened.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, locks: Locks, lease: float) -> None:
        self.path = path
        self.owner = f"{socket.gethostname()[:64]}:{os.getpid()}:{token_hex(4)}"
        self.is_owner = locks.is_owner
        self.limits: Mapping[str, float] = {}
        self.warnings: tuple[str, ...] = ()
        self.lease = lease
        self._connection = connection
        self._locks = locks
        self._files = ResultFiles(path.parent / RESULTS)
        self._writer = Writer(connection, path, settle if locks.is_owner else None)
        self._pulse: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        durability: Durability = "full",
        join: bool = False,
        lease: float = LEASE,
    ) -> Journal:
        """Open the journal in a folder, or begin one.

        Args:
            folder: Made if it is not there.
            durability: ``full`` keeps what is committed through the loss of power, ``normal`` only
                through the death of the process.
            join: Work beside the process that owns the folder, if there is one; the journal must be there.
            lease: Seconds after which others may take over the jobs of a process that fell silent.

        Raises:
            JournalError: It is held by another process, damaged, gone, of a newer version, or lies where
                it cannot be kept; ``code`` says which.
            UsageError: Something that is no folder is in the way.
        """
        locks = Locks(folder)
        path = folder / NAME
        try:
            connection = await asyncio.to_thread(_enter, path, locks, durability, join)
        except OSError as error:
            locks.leave()
            raise journal_error(error, path) from None
        except ToolhaftError:
            locks.leave()
            raise
        journal = cls(path, connection, locks, lease)
        if not locks.was_alone and shares_badly():
            journal.warnings = (
                f"several processes share this journal, and SQLite {sqlite3.sqlite_version} has a known "
                "defect with that: only the first of them moves the log into the file",
            )
        journal._pulse = asyncio.create_task(journal._renew_for_ever())
        return journal

    async def meta(self) -> dict[str, str]:
        """Return what is known of the batch."""
        found: dict[str, str] = await self._ask(
            "meta", lambda connection: dict(connection.execute("SELECT name, value FROM meta").fetchall())
        )
        return found

    async def set_meta(self, values: Mapping[str, str]) -> None:
        """Keep facts about the batch."""
        await self._ask("meta", partial(statements.set_meta, values=dict(values)))

    async def add_jobs(
        self, jobs: Iterable[tuple[str, str]], *, meta: Mapping[str, str] | None = None, start: int = 0
    ) -> int:
        """Append jobs, all or none, and keep facts about the batch with them.

        Args:
            jobs: ``(id, payload)``, the payload as JSON text.
            meta: Facts; see `set_meta`.
            start: Position of the first; 0 drops jobs that were added before.

        Returns:
            How many there were.
        """
        rows = list(jobs)

        def add(connection: sqlite3.Connection) -> int:
            if not start:
                connection.execute("DELETE FROM jobs")
            statements.set_meta(connection, dict(meta or {}))
            return statements.add_jobs(connection, rows, start)

        added: int = await self._ask("jobs", add)
        return added

    async def replace_jobs(self, jobs: Iterable[tuple[str, str]], *, keep: bool = False) -> str:
        """Take these jobs in place of those that were never begun.

        Args:
            jobs: ``(id, payload)``, in the new order.
            keep: Change nothing; only see whether it could be done.

        Returns:
            Empty; or, with nothing changed, the id of a job that was begun and is not the same there.
        """
        conflict: str = await self._ask("jobs", partial(statements.replace_jobs, jobs=list(jobs), keep=keep))
        return conflict

    async def claim(self, number: int, *, but: Iterable[int] = ()) -> list[ClaimedJob]:
        """Lease up to so many of the jobs that wait, with what was recorded of each.

        Args:
            number: At most so many.
            but: Positions of jobs that this process is still busy with, though it may have lost them.

        Raises:
            JournalError: A recorded result is damaged.
        """
        operation = partial(
            statements.claim, owner=self.owner, number=number, lease=self.lease, but=tuple(but)
        )
        found: list[ClaimedJob] = await self._ask("claim", operation)
        return [self._with_results(job) for job in found]

    async def release(self, position: int | None = None) -> int:
        """Have a job of this process wait again, or all of them; return how many did."""
        operation = partial(statements.release, owner=self.owner, position=position)
        released: int = await self._ask("release", operation)
        return released

    async def begin(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Note that a call or question is about to be made; see `toolhaft.runs.statements.begin`."""
        row = dict(entry) | {"owner": self.owner}
        operation = partial(statements.begin, entry=row, limits=self.limits)
        answer: dict[str, Any] = await self._ask(f"begin-{row['kind']}", operation)
        return answer

    def end(self, entry: Mapping[str, Any]) -> None:
        """Note what came of a call or question; it is committed before anything that is begun later."""
        row, prepare = self._large_apart(dict(entry) | {"owner": self.owner})
        kind = "uncertain" if row["status"] == "uncertain" else f"end-{row['kind']}"
        self._writer.tell(kind, partial(statements.end, entry=row), prepare)

    async def forget(self, position: int) -> bool:
        """Drop what was recorded of a job that wrote nothing; false, and nothing dropped, if it wrote."""
        operation = partial(statements.forget, job=position, owner=self.owner)
        forgotten: bool = await self._ask("forget", operation)
        return forgotten

    async def finish(
        self, position: int, status: str, *, outcome: str = "", error: str | None = None, result: str = ""
    ) -> bool:
        """Note how a job ended.

        Args:
            position: Of the job.
            status: ``done``, ``failed`` or ``uncertain``.
            outcome: More exactly, as the caller counts them.
            error: As JSON text.
            result: As JSON text.

        Returns:
            False if another process took the job over meanwhile: its result counts, and this is dropped.
        """
        crash_point("before-finish")
        row, prepare = self._large_apart(
            {
                "job": position,
                "owner": self.owner,
                "status": status,
                "outcome": outcome,
                "error": error,
                "result": result,
            }
        )
        kept: bool = await self._writer.ask("finish", partial(statements.finish, result=row), prepare)
        return kept

    async def count(self) -> dict[str, int]:
        """Return how many jobs there are of each status."""
        found: dict[str, int] = await self._ask("meta", statements.count)
        return found

    async def spent(self) -> dict[str, float]:
        """Return what the whole batch has spent so far."""
        found: dict[str, float] = await self._ask(
            "meta", lambda connection: dict(connection.execute("SELECT quantity, amount FROM spent"))
        )
        return found

    async def transact(self, kind: str, operation: Operation) -> Any:
        """Run statements in a transaction, and return what they do once it is committed.

        Args:
            kind: What they are for, as crash points name it.
            operation: Gets the connection; it may raise nothing but `sqlite3.Error`.
        """
        return await self._ask(kind, operation)

    async def close(self) -> None:
        """Commit what is waiting, let go of this process's leases, and close the file; once is enough."""
        pulse, self._pulse = self._pulse, None
        if pulse is None:
            return
        pulse.cancel()
        await asyncio.gather(pulse, return_exceptions=True)
        door = self._locks.door()
        try:
            await _pass(door)
            alone = self._locks.is_alone()
            await self._ask("release", partial(statements.release, owner=self.owner))
            if alone:
                await self._ask("meta", partial(statements.set_meta, values={"open": CLOSED}))
        finally:
            await self._writer.close()
            crash_point("before-close")
            with suppress(sqlite3.Error):
                if self.is_owner:
                    checkpoint(self._connection)
            self._connection.close()
            self._locks.leave()
            door.let_go()

    async def __aenter__(self) -> Journal:
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(JournalError):
            await self.close()

    def _ask(self, kind: str, operation: Any) -> asyncio.Future[Any]:
        return self._writer.ask(kind, operation)

    async def _renew_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self.lease / 3)
            await self._ask("renew", partial(statements.renew, owner=self.owner, lease=self.lease))

    def _large_apart(self, row: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """Return the row as it is kept, and what must be done before, if its result is large."""
        text = row.get("result")
        if text is None or len(text) < LARGE:
            return row, None
        name = self._files.name(text)
        return row | {"result": None, "file": name}, partial(self._files.put, name, text)

    def _with_results(self, job: ClaimedJob) -> ClaimedJob:
        if not any(entry["file"] for entry in job.entries):
            return job
        entries = tuple(
            entry | {"result": self._files.get(entry["file"])} if entry["file"] else entry
            for entry in job.entries
        )
        return replace(job, entries=entries)


def read_results(folder: Path, *, with_results: bool = True) -> Iterator[dict[str, Any]]:
    """Iterate over the finished jobs of a journal, also of a damaged one as far as it can be read.

    Args:
        folder: Of the journal.
        with_results: Leave ``result`` out otherwise.

    Yields:
        ``position``, ``id``, ``status``, ``outcome``, ``error`` and ``result``, the last two JSON text.

    Raises:
        JournalError: There is no journal, it is of something else, or the rest of it is damaged.
    """
    path = folder / NAME
    files = ResultFiles(folder / RESULTS)
    names: tuple[str, ...] = ("position", "id", "status", "outcome", "error")
    names += ("result", "file") if with_results else ()
    with closing(read_file(path)) as connection:
        try:
            rows = connection.execute(
                f"SELECT {', '.join(names)} FROM jobs WHERE status IN ('done', 'failed', 'uncertain') "
                "ORDER BY position"
            )
            for row in rows:
                found = dict(zip(names, row, strict=True))
                name = found.pop("file", None)
                yield found | {"result": files.get(name)} if name else found
        except sqlite3.Error as error:
            raise journal_error(error, path) from None


def _enter(path: Path, locks: Locks, durability: Durability, join: bool) -> sqlite3.Connection:
    if join and not path.exists():
        read_file(path)  # says that there is none
    check_folder(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    check_place(path.parent)
    door = locks.door()
    end = time.monotonic() + _PATIENCE
    try:
        while not door.try_hold() and time.monotonic() < end:
            time.sleep(0.002)
        locks.enter(join=join)
        if not path.exists():
            check_log(path)
            check_new(path.parent, knew_journal=locks.knew_journal)
            create_file(path)
        connection = open_file(path, durability=durability, checkpoints=locks.is_owner, alone=locks.was_alone)
        locks.note_journal()
        if locks.was_alone:  # whoever held leases is dead: the system let go of its lock
            _release_all(connection, path)
        return connection
    finally:
        door.let_go()


def _release_all(connection: sqlite3.Connection, path: Path) -> None:
    crash_point("before-commit-release")
    try:
        statements.release(connection, owner=None)
    except sqlite3.Error as error:
        connection.close()
        raise journal_error(error, path) from None
    crash_point("after-commit-release")


async def _pass(door: Door) -> None:
    """Hold a door, as soon as nobody else does; not for ever, for whoever holds it may have been halted."""
    with suppress(OSError):
        end = time.monotonic() + _PATIENCE
        while not door.try_hold() and time.monotonic() < end:
            await asyncio.sleep(0.002)
