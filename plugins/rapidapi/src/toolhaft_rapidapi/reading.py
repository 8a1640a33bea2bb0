"""Tool files become records: one file, a folder, JSON lines, or the ``api_list`` of queries."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolhaft.errors import SpecError, UsageError
from toolhaft.tools.report import Problem
from toolhaft_rapidapi.layouts import read_document
from toolhaft_rapidapi.record import APIRecord

MOST_BYTES = 64_000_000
"""Of one JSON file; and of one line, a fourth of it."""
MOST_UNPACKED = 2_000_000_000
"""Of all files together."""
MOST_FILES = 200_000
MOST_APIS = 1_000_000
_LINES = (".jsonl", ".jsonl.gz")
_DOCUMENTS = (".json", ".json.gz")


@dataclass(slots=True)
class Reading:
    """What was read.

    Attributes:
        records: Every API, in the order of the files.
        problems: What could not be read.
        from_queries: Whether records came from queries, which repeat them.
    """

    records: list[APIRecord] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    from_queries: bool = False
    unpacked: int = 0


def read_records(path: Path) -> Reading:
    """Read every API of a file or folder; what is no tool is noted and left out.

    Raises:
        UsageError: There is nothing at the path.
        SpecError: A single file cannot be read, or there is more than the limits allow.
    """
    reading = Reading()
    if path.is_dir():
        for file in _files(path):
            try:
                _read_file(file, file.relative_to(path).as_posix(), reading)
            except SpecError as error:
                if error.code == "E-SPEC-LIMIT":
                    raise
                reading.problems.append(_problem(error))
    elif path.is_file():
        _read_file(path, path.name, reading)
    else:
        raise UsageError(
            "there is no such file or folder",
            where=str(path)[:300],
            hint="Name a tool file, a folder of them (Category/tool.json), or JSON lines",
        )
    return reading


def read_json_file(path: Path, shown: str, most: int = MOST_BYTES) -> Any:
    """Return the JSON value of a file.

    Args:
        path: The file; ``.gz`` is unpacked.
        shown: Its name in errors.
        most: Bytes that are read.

    Raises:
        SpecError: It cannot be read, is no JSON, or too large.
    """
    return _parse(b"".join(_chunks(path, shown, Reading(), most)), shown)


def _files(folder: Path) -> list[Path]:
    root = folder.resolve()
    found: list[Path] = []
    try:
        for path in folder.rglob("*"):
            if not path.name.endswith((*_LINES, *_DOCUMENTS)) or not path.is_file():
                continue
            if not path.resolve().is_relative_to(root):  # a link that leads out of the folder
                continue
            found.append(path)
            if len(found) > MOST_FILES:
                raise _limit(f"there are more than {MOST_FILES} files", str(folder))
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(folder)) from None
    return sorted(found)


def _read_file(path: Path, shown: str, reading: Reading) -> None:
    category = path.resolve().parent.name
    if path.name.endswith(_LINES):
        for number, line in enumerate(_lines(path, shown, reading), 1):
            if line.strip():
                _take(_parse(line, f"{shown} line {number}"), category, shown, number, reading)
        return
    data = b"".join(_chunks(path, shown, reading, MOST_BYTES))
    _take(_parse(data, shown), category, shown, 0, reading)


def _take(document: Any, category: str, shown: str, line: int, reading: Reading) -> None:
    where = f"{shown} line {line}" if line else shown
    found = read_document(document, category=category, file=shown, line=line, where=where)
    reading.from_queries = reading.from_queries or found.queries
    reading.records += found.records
    reading.problems += found.problems
    if len(reading.records) > MOST_APIS:
        raise _limit(f"there are more than {MOST_APIS} APIs", where)


def _lines(path: Path, shown: str, reading: Reading) -> Iterator[bytes]:
    rest = b""
    for chunk in _chunks(path, shown, reading, MOST_UNPACKED):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
        if len(rest) > MOST_BYTES // 4:
            raise _limit(f"a line is longer than {MOST_BYTES // 4} bytes", shown)
    if rest:
        yield rest


def _chunks(path: Path, shown: str, reading: Reading, most: int) -> Iterator[bytes]:
    opened = gzip.open if path.name.endswith(".gz") else open
    size = 0
    try:
        with opened(path, "rb") as file:
            while chunk := file.read(1 << 20):
                size += len(chunk)
                reading.unpacked += len(chunk)
                if size > most or reading.unpacked > MOST_UNPACKED:
                    raise _limit(f"there are more than {most} bytes", shown)
                yield chunk
    except (OSError, EOFError, zlib.error) as error:
        raise SpecError(f"cannot be read: {str(error)[:200]}", where=shown, hint="Fetch it again") from None


def _parse(data: bytes, where: str) -> Any:
    import orjson

    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _parse_leniently(data, where)


def _parse_leniently(data: bytes, where: str) -> Any:
    """Read what Python's writer of JSON wrote: NaN, and halves of characters."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        what = "is empty" if not data.strip() else f"not JSON: {str(error)[:200]}"
        raise SpecError(what, where=where, hint="ToolBench's tools are JSON") from None


def _limit(what: str, where: str) -> SpecError:
    return SpecError(what, where=where, hint="Split it", code="E-SPEC-LIMIT")


def _problem(error: SpecError) -> Problem:
    return Problem(code="file-unreadable", message=error.what, file=error.where, severity="warning")
