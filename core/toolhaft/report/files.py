"""Files that are written all or not at all, and read with an eye on their size."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

from toolhaft.errors import FormatError, UsageError

_LONGEST_LINE = 200_000_000


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


def read_object(data: bytes, where: str) -> dict[str, Any]:
    """Return the JSON object that a line or file holds.

    Raises:
        FormatError: It holds none.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {error}", where=where, hint="The file is damaged or cut off") from None
    if not isinstance(value, dict):
        raise FormatError("not a JSON object", where=where)
    return value
