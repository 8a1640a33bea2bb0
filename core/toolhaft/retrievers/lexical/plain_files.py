"""Opening files that may have been exchanged for something else: a link, a pipe, a device."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from toolhaft.errors import FormatError

_CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_plain(place: Path, *, lock: bool = False) -> BinaryIO:
    """Open a file, to read or as a lock, which is made if it is not there.

    Raises:
        FormatError: It is no plain file.
        OSError: It cannot be opened, a symbolic link neither.
    """
    flags = os.O_RDWR | os.O_CREAT if lock else os.O_RDONLY
    descriptor = os.open(place, flags | _CAREFUL, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FormatError("the search index is damaged: this is no plain file", where=str(place))
    return os.fdopen(descriptor, "r+b" if lock else "rb")
