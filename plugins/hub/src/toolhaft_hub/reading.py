"""Files of rows, line by line."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.tools.schema import nesting

ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz")
_LONGEST_LINE = 2_000_000
_MOST_BYTES = 1_000_000_000
_MOST_ROWS = 1_000_000
_DEEPEST = 50


def rows_in(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | FormatError]]:
    """Read the rows of a file: JSON Lines, one JSON list, or one row over several lines; also gzipped.

    Args:
        path: A file whose name ends in ``.json``, ``.jsonl``, ``.json.gz`` or ``.jsonl.gz``.

    Yields:
        Line (of a list: position), counted from 1, and the row, or the error with that one line.

    Raises:
        UsageError: The file cannot be read.
        FormatError: It is no text, or too large.
    """
    first = True
    count = 0
    for number, line in enumerate(_lines(path), 1):
        text = line.strip()
        if not text:
            continue
        if first and (text.startswith("[") or text == "{"):
            yield from _listed(path)
            return
        first = False
        count += 1
        if count > _MOST_ROWS:
            raise FormatError(f"more than {_MOST_ROWS} rows", where=str(path), hint="Split the file")
        yield number, _row(text, f"{path}:{number}")


def _listed(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | FormatError]]:
    try:
        value = json.loads("".join(_lines(path)), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {str(error)[:200]}", where=str(path)) from None
    for number, each in enumerate(value if isinstance(value, list) else [value], 1):
        yield number, _checked(each, f"{path}#/{number - 1}")


def _lines(path: Path) -> Iterator[str]:
    read = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            while line := file.readline(_LONGEST_LINE + 1):
                read += len(line)
                if len(line) > _LONGEST_LINE or read > _MOST_BYTES:
                    limit = _LONGEST_LINE if len(line) > _LONGEST_LINE else _MOST_BYTES
                    raise FormatError(
                        f"more than {limit} bytes in {'a line' if limit == _LONGEST_LINE else 'all'}",
                        where=str(path),
                        hint="Write one row a line, and split large files",
                    )
                yield line.decode("utf-8-sig" if read == len(line) else "utf-8")
    except UnicodeDecodeError:
        raise FormatError("not UTF-8 text", where=str(path), hint="Save it as UTF-8") from None
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise FormatError("not a whole gzip file", where=str(path), hint="Fetch it again") from None
    except OSError as error:
        raise UsageError(
            f"cannot read it: {error.strerror or error}", where=str(path), hint="Check the path"
        ) from None


def _row(text: str, where: str) -> Mapping[str, Any] | FormatError:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return FormatError(f"not JSON: {str(error)[:200]}", where=where)
    return _checked(value, where)


def _checked(value: Any, where: str) -> Mapping[str, Any] | FormatError:
    if not isinstance(value, dict):
        return FormatError("not a JSON object", where=where)
    if nesting(value, _DEEPEST) > _DEEPEST:
        return FormatError(f"nested deeper than {_DEEPEST}", where=where)
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
