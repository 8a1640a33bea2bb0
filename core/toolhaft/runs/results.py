"""Large results, in files of their own that are named after what they hold."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from toolhaft.errors import JournalError
from toolhaft.runs.crash import crash_point
from toolhaft.runs.writer import SALVAGE

LARGE = 256_000
"""Characters from which on a result is not kept in the journal's own file."""


class ResultFiles:
    """Keeps texts under the SHA-256 of their bytes.

    Args:
        folder: Made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @staticmethod
    def name(text: str) -> str:
        """Return the name under which a text is kept."""
        return hashlib.sha256(text.encode()).hexdigest()

    def put(self, name: str, text: str) -> None:
        """Write a text beside its place, and move it there when it is safely on the disk.

        Raises:
            OSError: It cannot be written.
        """
        path = self._folder / name
        if path.exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{name}.{token_hex(4)}")
        try:
            with temporary.open("xb") as file:
                file.write(text.encode())
                crash_point("result-file")
                file.flush()
                os.fsync(file.fileno())
            crash_point("result-sync")
            temporary.replace(path)
            crash_point("result-rename")
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def get(self, name: str) -> str:
        """Return a text.

        Raises:
            JournalError: It is gone, or no longer what was written (``E-JOURNAL-DAMAGED``).
        """
        path = self._folder / name
        try:
            data = path.read_bytes()
        except OSError as error:
            what = f"a recorded result cannot be read: {error.strerror or error}"
            raise JournalError(what, where=str(path), hint=SALVAGE, code="E-JOURNAL-DAMAGED") from None
        if hashlib.sha256(data).hexdigest() != name:
            raise JournalError(
                "a recorded result was changed", where=str(path), hint=SALVAGE, code="E-JOURNAL-DAMAGED"
            )
        return data.decode()
