"""Whether a folder can hold a journal, and who works in it."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from toolhaft.errors import JournalError, UsageError

NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "ncpfs", "davfs", "afs", "9p"}
    | {"ceph", "glusterfs", "lustre", "beegfs", "gpfs", "orangefs", "pvfs2"}
    | {f"fuse.{name}" for name in ("sshfs", "s3fs", "gcsfuse", "rclone", "glusterfs", "cephfs", "davfs2")}
)
"""Types of file systems whose locks do not reach from one machine to another, or lie about it."""


def check_place(folder: Path, mounts: Path = Path("/proc/mounts")) -> None:
    """Raise if a folder lies on a network file system, as far as the system tells.

    Args:
        folder: Must be there.
        mounts: The system's table of mounts; where there is none, nothing is checked.

    Raises:
        JournalError: It does (``E-JOURNAL-PLACE``).
    """
    kind = _file_system(folder.resolve(), mounts)
    if kind in NETWORK:
        raise JournalError(
            f"the folder lies on a network file system ({kind}), whose locks do not keep a journal safe",
            where=str(folder),
            hint="Name a folder on a local disk, and copy the results when the run is done",
            code="E-JOURNAL-PLACE",
        )


def check_folder(folder: Path) -> None:
    """Raise if something that is no folder stands where one is to be.

    Raises:
        UsageError: It does; the error says what.
    """
    for place in (folder, *folder.parents):
        if place.is_dir():
            return
        if place.exists() or place.is_symlink():
            raise UsageError(
                "this is no folder, and the batch is to be kept there"
                if place == folder
                else f"no folder can be made in {place}, which is a file",
                where=str(folder),
                hint="Name another folder with -o, or move the file away",
            )


def check_new(folder: Path, *, knew_journal: bool) -> None:
    """Raise if a folder without a journal shows that it had one: a new one would do everything again.

    Args:
        folder: Must be there.
        knew_journal: See `Locks`.

    Raises:
        JournalError: It does (``E-JOURNAL-MISSING``).
    """
    left = "trajectories.jsonl"
    if knew_journal or (folder / left).exists():
        sign = f"{left} lies" if (folder / left).exists() else "other files of a batch lie"
        raise JournalError(
            f"the journal is gone, though {sign} here: a new one would do every task again, writes included",
            where=str(folder),
            hint="Put journal.sqlite back; or name another folder with -o, or remove this one",
            code="E-JOURNAL-MISSING",
        )


def _file_system(folder: Path, mounts: Path) -> str:
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, found = -1, ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ").replace("\\011", "\t")
        inside = folder.is_relative_to(point)
        if inside and len(point) >= best:
            best, found = len(point), fields[2]
    return found


class Locks:
    """Who works in a folder: one owner, and any number that joined it. The system lets go of the dead.

    Args:
        folder: Of the journal.

    Attributes:
        is_owner: Whether this process owns it.
        was_alone: Whether nobody else worked in it when it was entered.
        knew_journal: Whether an owner of the folder once had a journal open there.
    """

    def __init__(self, folder: Path) -> None:
        self.is_owner = False
        self.was_alone = False
        self.knew_journal = False
        self._owner_path = folder / "journal.owner"
        self._owner: IO[str] | None = None
        self._users: IO[str] | None = None
        self._folder = folder

    def enter(self, *, join: bool) -> None:
        """Become the owner, or one of the others if there is an owner and ``join`` is set.

        Raises:
            JournalError: Another process owns it (``E-JOURNAL-HELD``); the error says which.
        """
        self._owner = self._owner_path.open("a+", encoding="utf-8")
        if _lock(self._owner, shared=False):
            self.is_owner = True
            self.knew_journal = bool(self.holder().get("journal"))
            self._describe(journal=self.knew_journal)
        else:
            holder = self.holder()
            self._owner.close()
            self._owner = None
            if not join:
                raise _held(self._folder, holder)
        self._users = (self._folder / "journal.users").open("a+", encoding="utf-8")
        self.was_alone = _lock(self._users, shared=False)
        _lock(self._users, shared=True)

    def note_journal(self) -> None:
        """Have later owners know that there was a journal here, so that they miss it if it is gone."""
        if self.is_owner and not self.knew_journal:
            self.knew_journal = True
            self._describe(journal=True)

    def door(self) -> Door:
        """Return what is to be held while entering or leaving."""
        return Door(self._folder / "journal.door")

    def is_alone(self) -> bool:
        """Whether nobody else works in the folder now; ask it with the door held."""
        if self._users is None:
            return False
        alone = _lock(self._users, shared=False)
        _lock(self._users, shared=True)
        return alone

    def holder(self) -> dict[str, Any]:
        """Return what the owner wrote about itself: ``pid``, ``host`` and ``since``."""
        with suppress(OSError, ValueError):
            found = json.loads(self._owner_path.read_text(encoding="utf-8"))
            if isinstance(found, dict):
                return found
        return {}

    def _describe(self, *, journal: bool) -> None:
        if self._owner is not None:
            self._owner.truncate(0)
            self._owner.write(json.dumps(_self_description() | {"journal": journal}))
            self._owner.flush()

    def leave(self) -> None:
        """Let go."""
        for file in (self._owner, self._users):
            if file is not None:
                file.close()
        self._owner = self._users = None


class Door:
    """Lets one process at a time enter or leave a folder.

    Whether a process is alone, what it writes about that, and its opening or closing of the journal belong
    together: of two that leave at once, each would else take the other for one who stays.

    Args:
        path: Of the file that is locked.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def try_hold(self) -> bool:
        """Hold it if nobody else does; return whether it is held.

        Raises:
            OSError: The file cannot be opened.
        """
        if self._file is None:
            self._file = self._path.open("a+", encoding="utf-8")
        return _lock(self._file, shared=False)

    def let_go(self) -> None:
        """Let others pass."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _held(folder: Path, holder: dict[str, Any]) -> JournalError:
    known = {name: str(holder.get(name, "unknown"))[:100] for name in ("pid", "host", "since")}
    return JournalError(
        f"the process {known['pid']} on {known['host']} has been running this batch since {known['since']}",
        where=str(folder),
        hint="Wait for it, stop it, work beside it with --join, or name another folder with -o",
        code="E-JOURNAL-HELD",
        details=known,
    )


def _self_description() -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": now}


def _lock(file: IO[str], *, shared: bool) -> bool:
    """Try to lock a file without waiting; where the system has no such locks, everybody is alone."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
