"""Files of benchmarks as their authors publish them: JSON lines, plain or gzipped, read within limits."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UsageError

LARGEST = 300_000_000
"""Characters of one file after decompression."""
LONGEST = 20_000_000
"""Characters of one line."""


def find_file(folder: Path, name: str) -> Path | None:
    """Return a file of a folder, or the gzipped one beside it; None if there is neither."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    return None


def need_file(folder: Path, name: str, *, what: str) -> Path:
    """Return a file of a folder, gzipped or not.

    Raises:
        UsageError: There is none.
    """
    found = find_file(folder, name)
    if found is None:
        raise UsageError(
            f"there is no {what}", where=str(folder / name), hint="Name the folder of the data with --data"
        )
    return found


def read_objects(path: Path) -> list[tuple[dict[str, Any], str]]:
    """Return the JSON objects of a file, each with its place: one in a line, or all in one array.

    Where there is only a gzipped file beside the name, that is read.
    Numbers stay what they are: 5 and 5.0 are told apart.

    Raises:
        UsageError: There is no such file, or it cannot be read.
        FormatError: A line is not a JSON object, or the file is too large.
    """
    text = _read(path)
    if text[:1_000].lstrip().startswith("["):
        values = _parse(text, str(path))
        found = [(value, f"{path}#/{position}") for position, value in enumerate(values)]
    else:
        found = list(_parse_lines(text, path))
    for value, where in found:
        if not isinstance(value, dict):
            raise FormatError(
                f"a JSON object is wanted, not {type(value).__name__}", where=where, hint="Write JSON lines"
            )
    return found


def text_of(row: dict[str, Any], key: str, where: str) -> str:
    """Return a member that must be text.

    Raises:
        FormatError: It is missing, or something else.
    """
    value = row.get(key)
    if not isinstance(value, str):
        raise FormatError(f"{key!r} is {'missing' if value is None else 'no text'}", where=where)
    return value


def _parse_lines(text: str, path: Path) -> Iterator[tuple[Any, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        where = f"{path}:{number}"
        if len(line) > LONGEST:
            raise FormatError(f"a line of more than {LONGEST:,} characters", where=where)
        if line.strip():
            yield _parse(line, where), where


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(
            f"not JSON: {error!s:.200}", where=where, hint="Every line must be one JSON object"
        ) from None


def _read(path: Path) -> str:
    path = find_file(path.parent, path.name) or path
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise FormatError(f"more than {LARGEST:,} bytes", where=str(path))
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"not UTF-8: {error}", where=str(path)) from None
    except (OSError, EOFError, zlib.error) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"cannot read it: {said}", where=str(path)) from None
