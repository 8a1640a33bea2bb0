"""One connection that writes: all that waits in one transaction, committed in a thread of its own."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from toolhaft.errors import JournalError
from toolhaft.runs.crash import crash_point

_PATIENCE = 0.005
"""Seconds that a request nobody waits for may lie, so that others can join its transaction."""

_QUICK = 0.002
"""Seconds that a commit may take on average for a lone request to be committed on the spot: a thread has to
be woken to make it and to say so, which on a busy machine takes longer than that."""

_MOST_HERE = 200
"""Requests of one transaction whose statements are run on the loop."""
_LONG_LOG = 4000
"""Requests after which the log is moved into the file."""
_LOCKED = 30.0
"""Seconds that others who share the file may keep it locked."""

Operation = Callable[[sqlite3.Connection], Any]


class _Request:
    __slots__ = ("answer", "kind", "operation", "prepare", "result")

    def __init__(
        self,
        kind: str,
        operation: Operation,
        prepare: Callable[[], None] | None,
        answer: asyncio.Future[Any] | None,
    ) -> None:
        self.kind = kind
        self.operation = operation
        self.prepare = prepare
        self.answer = answer
        self.result: Any = None


class Writer:
    """Commits what is asked of it in the order it was asked, as much at a time as is waiting.

    It belongs to the event loop that is running when it is made.

    Args:
        connection: In autocommit mode; used by the writer alone from now on.
        path: Of the file.
        settle: Moves the log into the file; None where another process does.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        settle: Callable[[sqlite3.Connection], None] | None = None,
    ) -> None:
        self._connection = connection
        connection.execute("PRAGMA busy_timeout = 0")  # waiting is done in the thread
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Request] = []
        self._sent = False
        self._due: asyncio.Handle | None = None
        self._urgent = False
        self._queue: queue.SimpleQueue[tuple[list[_Request], bool] | None] = queue.SimpleQueue()
        self.failure: JournalError | None = None
        self._pace = 1.0
        self._settle = settle
        self._unsettled = 0
        self._thread = threading.Thread(target=self._work, name="toolhaft-journal", daemon=True)
        self._thread.start()

    def tell(self, kind: str, operation: Operation, prepare: Callable[[], None] | None = None) -> None:
        """Have something written soon; whatever is asked for later is committed with it or after it.

        Raises:
            JournalError: Writing failed before.
        """
        self._add(_Request(kind, operation, prepare, None), urgent=False)

    def ask(
        self, kind: str, operation: Operation, prepare: Callable[[], None] | None = None
    ) -> asyncio.Future[Any]:
        """Have something written at once; the future has the operation's result once it is committed.

        Args:
            kind: For crash points: one of `toolhaft.runs.crash.COMMITS`.
            operation: Runs within the transaction; it must not raise anything but `sqlite3.Error`.
            prepare: Runs before the transaction.

        Raises:
            JournalError: Writing failed before.
        """
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._add(_Request(kind, operation, prepare, answer), urgent=True)
        return answer

    async def close(self) -> None:
        """Commit what is waiting, and end the thread. The connection stays open."""
        while self.failure is None and (self._waiting or self._sent):
            self._send()
            await asyncio.sleep(0.001)
        self.failure = self.failure or JournalError("the journal is closed", where=str(self._path))
        self._queue.put(None)
        while self._thread.is_alive():
            await asyncio.sleep(0.001)

    def _add(self, request: _Request, *, urgent: bool) -> None:
        if self.failure is not None:
            raise self.failure
        self._waiting.append(request)
        self._urgent = self._urgent or urgent
        if self._sent:
            return
        if urgent:
            if self._due is not None:
                self._due.cancel()
            # At the end of this turn of the loop: tasks that are about to run may have something too.
            self._due = self._loop.call_soon(self._send)
        elif self._due is None:
            self._due = self._loop.call_later(_PATIENCE, self._send)

    def _send(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if self._sent or not self._waiting:
            return
        requests, self._waiting = self._waiting, []
        self._sent, self._urgent = True, False
        begun = False
        if len(requests) <= _MOST_HERE and not any(request.prepare for request in requests):
            try:
                begun = self._begin_here(requests)
            except sqlite3.Error as error:
                self._committed(requests, self._failed(error))
                return
        if begun and len(requests) == 1 and self._pace < _QUICK and not self._log_is_long():
            self._committed(requests, self._attempt(requests, begun=True))
        else:
            self._queue.put((requests, begun))

    def _begin_here(self, requests: Sequence[_Request]) -> bool:
        """Do all but the commit on the loop, unless another process writes just now.

        A thread that runs many short statements takes turns with the loop at each, and both lose by it;
        the commit is one long call that leaves the loop alone.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                return False
            raise
        for request in requests:
            request.result = request.operation(self._connection)
        return True

    def _committed(self, requests: Sequence[_Request], failure: JournalError | None) -> None:
        self._sent = False
        if failure is not None:
            self.failure = failure
            requests = [*requests, *self._waiting]
            self._waiting = []
        for request in requests:
            if request.answer is None or request.answer.done():
                continue
            if failure is None:
                request.answer.set_result(request.result)
            else:
                request.answer.set_exception(failure)
        if self._waiting and self._urgent:
            self._send()
        elif self._waiting and self._due is None:
            self._due = self._loop.call_later(_PATIENCE, self._send)

    def _work(self) -> None:
        while (given := self._queue.get()) is not None:
            requests, begun = given
            failure: JournalError | None = JournalError(
                "its writer ended unexpectedly", where=str(self._path)
            )
            try:
                failure = self._attempt(requests, begun=begun)
            finally:
                # Whatever happened, nobody may wait for ever. A closed loop has nobody who waits.
                with suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._committed, requests, failure)

    def _attempt(self, requests: Sequence[_Request], *, begun: bool) -> JournalError | None:
        """Commit requests, and return what went wrong."""
        started = time.perf_counter()
        try:
            if not begun:
                self._begin(requests)
            for request in requests:
                crash_point(f"before-commit-{request.kind}")
            self._connection.execute("COMMIT")
            for request in requests:
                crash_point(f"after-commit-{request.kind}")
        except (sqlite3.Error, OSError) as error:
            return self._failed(error)
        taken = time.perf_counter() - started
        self._pace = taken if self._pace >= 1.0 else 0.8 * self._pace + 0.2 * taken
        self._unsettled += len(requests)
        if self._log_is_long() and threading.current_thread() is self._thread:
            self._shorten_log()
        return None

    def _log_is_long(self) -> bool:
        return self._settle is not None and self._unsettled >= _LONG_LOG

    def _shorten_log(self) -> None:
        self._unsettled = 0
        # Another process may be writing or reading just now: there will be a next time.
        with suppress(sqlite3.OperationalError):
            if self._settle is not None:
                self._settle(self._connection)

    def _begin(self, requests: Sequence[_Request]) -> None:
        for request in requests:
            if request.prepare is not None:
                request.prepare()
        deadline = time.monotonic() + _LOCKED
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                break
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(0.002)
        for request in requests:
            request.result = request.operation(self._connection)

    def _failed(self, error: sqlite3.Error | OSError) -> JournalError:
        if self._connection.in_transaction:
            _roll_back(self._connection)
        return journal_error(error, self._path)


def _roll_back(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("ROLLBACK")
    except sqlite3.Error:  # the failure that brought us here is the one to tell
        return


_CAUSES = {
    "SQLITE_FULL": ("E-JOURNAL-DISK", "the disk is full", "Make room, and start it again"),
    "SQLITE_READONLY": (
        "E-JOURNAL-DISK",
        "the file or its folder cannot be written",
        "Make the folder writable, or name another with -o",
    ),
    "SQLITE_IOERR": (
        "E-JOURNAL-DISK",
        "the disk cannot be read or written",
        "Look for room and for errors of the disk, and start it again",
    ),
    "SQLITE_CANTOPEN": (
        "E-JOURNAL-DISK",
        "the file cannot be opened",
        "Check that the folder is there and can be written",
    ),
    "SQLITE_CORRUPT": ("E-JOURNAL-DAMAGED", "the file is damaged", ""),
    "SQLITE_ERROR": ("E-JOURNAL-DAMAGED", "the file does not hold what a journal holds", ""),
    "SQLITE_NOTADB": ("E-JOURNAL-FORMAT", "the file is no journal of Toolhaft", "Name another folder"),
    "SQLITE_BUSY": (
        "E-JOURNAL-DISK",
        "another program keeps the file locked",
        "Close what has the file open, and start it again",
    ),
}
_OTHER = ("E-JOURNAL-DISK", "it cannot be read or written", "Check the folder and its disk")
SALVAGE = (
    "What was committed can still be read with toolhaft.runs.journal.read_results; restore the folder from a "
    "backup, or begin anew in another one"
)


def journal_error(error: sqlite3.Error | OSError, path: Path) -> JournalError:
    """Return what an error of SQLite or of the system means for a journal, and what to do."""
    name = getattr(error, "sqlite_errorname", None) or ""
    found = next((cause for prefix, cause in _CAUSES.items() if name.startswith(prefix)), _OTHER)
    if found is _OTHER and isinstance(error, sqlite3.DatabaseError) and not name.startswith("SQLITE_"):
        found = _CAUSES["SQLITE_CORRUPT"]
    code, what, hint = found
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return JournalError(f"{what} ({said})", where=str(path), hint=hint or SALVAGE, code=code)
