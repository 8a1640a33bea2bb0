"""Files that are written all or not at all, and read with an eye on their size."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

from toolhaft.errors import FormatError, UsageError
from toolhaft.types import from_json

T = TypeVar("T")
_LONGEST_LINE = 200_000_000
_DAMAGED = "The file is damaged or cut off: take a copy of it, or make the run again"


def write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file all or not at all: beside its place, then moved there.

    Raises:
        OSError: It cannot be written; what stood there before still does.
    """
    temporary = path.with_name(f".{path.name}.{token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn what goes wrong while a run is written into one clear error."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"cannot write the run: {error.strerror or error}",
            where=str(error.filename or place),
            hint="Name a place that can be written",
        ) from None


def read_lines(file: Path, hint: str) -> Iterator[tuple[bytes, str]]:
    """Iterate over the lines that are not empty, each with its place for error messages.

    Args:
        file: What is read.
        hint: What to do where it cannot be.

    Raises:
        UsageError: The file cannot be read.
        FormatError: A line is longer than 200 MB.
    """
    try:
        with file.open("rb") as lines:
            number = 0
            while line := lines.readline(_LONGEST_LINE + 1):
                number += 1
                where = f"{file}:{number}"
                if len(line) > _LONGEST_LINE:
                    raise FormatError(f"a line of more than {_LONGEST_LINE} bytes", where=where)
                if line.strip():
                    yield line, where
    except OSError as error:
        raise UsageError(
            f"cannot read the run: {error.strerror or error}",
            where=str(file),
            hint=hint,
        ) from None


def read_at_most(file: Path, most: int, *, what: str, hint: str) -> bytes:
    """Return what a file holds.

    Args:
        file: What is read.
        most: Bytes that are read.
        what: What it is, for messages.
        hint: What to do where it cannot be read.

    Raises:
        UsageError: The file cannot be read.
        FormatError: It is larger.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(most + 1)
    except OSError as error:
        raise UsageError(
            f"cannot read the {what}: {error.strerror or error}", where=str(file), hint=hint
        ) from None
    if len(data) > most:
        raise FormatError(f"more than {most:,} bytes", where=str(file), hint=hint)
    return data


def hash_file(file: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(
            f"cannot be read: {error.strerror or error}", where=str(file), hint="Put the file back"
        ) from None


def read_record(kind: type[T], data: bytes, where: str) -> T:
    """Return the record that a line or file holds.

    Raises:
        FormatError: It holds none.
    """
    try:
        return from_json(kind, data, where=where)
    except FormatError as error:
        error.hint = error.hint or _DAMAGED
        raise


def read_object(data: bytes, where: str) -> dict[str, Any]:
    """Return the JSON object that a line or file holds.

    Raises:
        FormatError: It holds none.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {error}", where=where, hint=_DAMAGED) from None
    if not isinstance(value, dict):
        raise FormatError("not a JSON object", where=where, hint=_DAMAGED)
    return value
