"""Lines of text files, packed with gzip or not, bounded, each with its place for errors."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from toolhaft.errors import FormatError, UsageError

LONGEST_LINE = 4_000_000
LARGEST = 4_000_000_000
"""Bytes of a file, unpacked."""
LARGEST_DOCUMENT = 200_000_000
"""Bytes of a file that is one JSON value, unpacked: it takes many times as many in memory."""
_PACKED = b"\x1f\x8b"


def find_file(folder: Path, *names: str) -> Path:
    """Return the first of these files that is there, as it is or with ``.gz`` behind.

    Raises:
        UsageError: None is.
    """
    found = seek_file(folder, *names)
    if found is None:
        raise UsageError(
            f"there is no {' or '.join(names)} (.gz) in it", where=str(folder), hint="Check the folder"
        )
    return found


def seek_file(folder: Path, *names: str) -> Path | None:
    """Return the first of these files that is there, as it is or with ``.gz`` behind, or None."""
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    return None


def read_text_lines(path: Path, largest: int = LARGEST) -> Iterator[tuple[str, str]]:
    """Yield each line that is not blank, without its end, and where it stands.

    Args:
        path: Of the file.
        largest: Bytes of all of it, unpacked, that are read.

    Raises:
        UsageError: The file cannot be read.
        FormatError: It is no UTF-8 or damaged, a line is longer than 4 MB, or all of it than ``largest``.
    """
    number = size = 0
    with _opened(path) as file:
        while data := file.readline(LONGEST_LINE + 1):
            number += 1
            size += len(data)
            where = f"{path}:{number}"
            if len(data) > LONGEST_LINE or size > largest:
                raise FormatError(
                    f"a line of more than {LONGEST_LINE:,} bytes"
                    if len(data) > LONGEST_LINE
                    else f"more than {largest:,} bytes",
                    where=where,
                )
            text = _decoded(data, where, first=number == 1)
            if text.strip():
                yield text, where


def read_objects(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the JSON object of each line, and where it stands; raises as `read_text_lines`.

    Raises:
        FormatError: A line is no JSON object.
    """
    for text, where in read_text_lines(path):
        yield read_object(text, where), where


def read_object(text: str, where: str) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        FormatError: The text is none.
    """
    value = read_json(text, where)
    if not isinstance(value, dict):
        raise FormatError("not a JSON object", where=where, hint="Write one object a line")
    return value


def read_json(text: str, where: str) -> Any:
    """Return a JSON value.

    Raises:
        FormatError: The text is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {error}", where=where, hint="Mend the line") from None


def read_document(path: Path) -> Any:
    """Return the one JSON value of a file; raises as `read_text_lines` and `read_json`."""
    lines = (text for text, _ in read_text_lines(path, LARGEST_DOCUMENT))
    return read_json("\n".join(lines), str(path))


def read_rows(path: Path, delimiter: str, columns: int = 0) -> Iterator[tuple[list[str], str]]:
    """Yield the cells of each row of a table, and where it stands; raises as `read_text_lines`.

    Args:
        path: Of the file.
        delimiter: Between cells; cells may be quoted, and then hold line ends.
        columns: How many cells a row has; 0 is any number.

    Raises:
        FormatError: A row cannot be read, or has another number of cells.
    """
    place = str(path)

    def told() -> Iterator[str]:
        nonlocal place
        for text, where in read_text_lines(path):
            place = where
            yield f"{text}\n"

    rows = csv.reader(told(), delimiter=delimiter)
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise FormatError(f"no table: {error}", where=place) from None
        if row is None:
            return
        if columns and len(row) != columns:
            between = "tabs" if delimiter == "\t" else repr(delimiter)
            raise FormatError(
                f"{len(row)} cells in place of {columns}", where=place, hint=f"Cells stand between {between}"
            )
        yield row, place


def text_of(row: dict[str, Any], names: Sequence[str], where: str, *, needed: bool = True) -> str:
    """Return the first of these members that is there, as text; whole numbers are taken for ids.

    Raises:
        FormatError: None is there though one is needed, or it is no text.
    """
    for name in names:
        value = row.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str):
            return value
        if value is not None:
            raise FormatError(f"{name!r} is no text but {type(value).__name__}", where=where)
    if needed:
        raise FormatError(
            f"there is no {' or '.join(map(repr, names))}", where=where, hint=f"It has {_shown(row)}"
        )
    return ""


def _shown(row: dict[str, Any]) -> str:
    return ", ".join(repr(name)[:40] for name in list(row)[:8]) or "nothing"


def _decoded(data: bytes, where: str, *, first: bool) -> str:
    try:
        text = data.decode("utf-8-sig" if first else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise FormatError(f"not UTF-8: {error.reason}", where=where, hint="Save it as UTF-8") from None
    if "\0" in text:
        raise FormatError("it holds NUL characters: this is no text", where=where)
    return text


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == _PACKED
            raw.seek(0)
            if not packed:
                yield raw
                return
            with gzip.open(raw) as file:
                yield file  # type: ignore[misc]
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FormatError(
            f"damaged: {error}", where=str(path), hint="The file is cut off or is no gzip: fetch it again"
        ) from None
    except OSError as error:
        raise UsageError(
            f"cannot read it: {error.strerror or error}", where=str(path), hint="Check the path"
        ) from None
