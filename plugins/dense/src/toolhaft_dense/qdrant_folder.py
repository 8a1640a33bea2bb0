"""Folders of Qdrant's local mode, looked through before they are opened: their rows are pickles.

qdrant-client loads each row with Python's pickle, which runs whatever a row says. So every row is read as
a list of instructions first, without following any: only those that build plain data and Qdrant's own
point class are let pass.
"""

from __future__ import annotations

import pickletools
import sqlite3
from contextlib import closing
from pathlib import Path

from toolhaft.errors import ConfigError

_POINT = ("qdrant_client.http.models.models", "PointStruct")
_LARGEST_ROW = 4_000_000
_MOST_ROWS = 200_000
_MOST_COLLECTIONS = 1_000
_DATA = frozenset(
    (
        *("PROTO", "FRAME", "STOP", "MARK", "MEMOIZE", "BINGET", "LONG_BINGET", "POP", "POP_MARK"),
        *("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
        *("SHORT_BINUNICODE", "BINUNICODE", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "EMPTY_SET"),
        *("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS"),
        *("NEWOBJ", "BUILD"),
    )
)
"""Instructions that make data, or an instance of a class that was let pass; none calls anything else."""


def check_folder(folder: Path) -> None:
    """Look through a folder of Qdrant's local mode; one that is not there yet is fine.

    Raises:
        ConfigError: A row is no point of Qdrant's, or the folder is none of its folders.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ConfigError("the folder of Qdrant is a file", where=str(folder), hint="Name another")
    if any(folder.iterdir()) and not (folder / "meta.json").is_file():
        raise ConfigError(
            "the folder holds something else than Qdrant's local mode", where=str(folder), hint="Name another"
        )
    files = sorted((folder / "collection").glob("*/storage.sqlite"))
    if len(files) > _MOST_COLLECTIONS:
        raise ConfigError(f"the folder has more than {_MOST_COLLECTIONS:,} collections", where=str(folder))
    for file in files:
        _check_file(file)


def _check_file(file: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            count, longest = database.execute("SELECT count(*), max(length(point)) FROM points").fetchone()
            if count > _MOST_ROWS or (longest or 0) > _LARGEST_ROW:
                raise ConfigError(
                    f"the local collection has {count:,} rows, the longest of {longest or 0:,} bytes",
                    where=str(file),
                    hint=f"More than {_MOST_ROWS:,} points need a server: url=",
                )
            rows = database.execute("SELECT point FROM points")
            if not all(isinstance(row, bytes) and holds_only_a_point(row) for (row,) in rows):
                raise ConfigError(
                    "a row of the local collection could run code when it is read; it is not opened",
                    where=str(file),
                    hint="Remove the folder, or name another: the index is made anew",
                )
    except sqlite3.Error as error:
        raise ConfigError(
            f"the local collection is damaged: {error}", where=str(file), hint="Remove the folder"
        ) from None


def holds_only_a_point(row: bytes) -> bool:
    """Whether a pickle can make nothing but plain data and Qdrant's point class.

    A class is let pass only where its two names stand right before it, so that no other can be meant.
    """
    last: list[tuple[str, object]] = []
    try:
        for instruction, argument, _ in pickletools.genops(row):
            if instruction.name == "STACK_GLOBAL":
                if not _names_point(last):
                    return False
            elif instruction.name not in _DATA:
                return False
            last = [*last[-3:], (instruction.name, argument)]
    except ValueError:
        return False
    return True


def _names_point(last: list[tuple[str, object]]) -> bool:
    kinds = [name for name, _ in last]
    wanted = ["SHORT_BINUNICODE", "MEMOIZE", "SHORT_BINUNICODE", "MEMOIZE"]
    return kinds == wanted and (last[0][1], last[2][1]) == _POINT
