"""ToolBench's files as JSON values: plain or compressed, bounded, each value checked where it is taken."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UsageError

LARGEST = 200_000_000
"""Bytes of a file, after decompression."""
_HINT = "Name a file in ToolBench's layout, .json or .json.gz"


def read_json(path: Path | str) -> Any:
    """Read a ``.json`` or ``.json.gz`` file.

    Raises:
        UsageError: It cannot be read.
        FormatError: It is too large, not whole, or no JSON.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if compressed else path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FormatError(f"damaged compressed file: {error}", where=str(path), hint=_HINT) from None
    except OSError as error:
        raise UsageError(
            f"cannot read the file: {error.strerror or error}", where=str(path), hint="Check the path"
        ) from None
    if len(data) > LARGEST:
        raise FormatError(f"more than {LARGEST:,} bytes", where=str(path), hint="Split the file")
    return parse_json(data, str(path))


def parse_json(data: bytes | str, where: str) -> Any:
    """Parse JSON, without the constants that JSON does not have.

    Raises:
        FormatError: It is no JSON, or nested too deeply.
    """
    try:
        return json.loads(data, parse_constant=_refuse)
    except RecursionError:
        raise FormatError("nested too deeply", where=where, hint=_HINT) from None
    except (ValueError, UnicodeDecodeError) as error:
        raise FormatError(f"not JSON: {error}", where=where, hint=_HINT) from None


def write_json(path: Path | str, value: Any) -> Path:
    """Write a value as ToolBench's files have it: indented, text as it is.

    Raises:
        UsageError: The file cannot be written.
    """
    from toolhaft.report.files import write_whole, writing

    path = Path(path)
    try:
        text = json.dumps(value, ensure_ascii=False, indent=2)
    except RecursionError:
        raise UsageError(
            "too many rounds below one another for this layout", where=str(path), hint="Leave the run out"
        ) from None
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, [text.encode("utf-8", "replace"), b"\n"])
    return path


def take_object(value: Any, where: str) -> dict[str, Any]:
    """Return the value if it is an object.

    Raises:
        FormatError: It is something else.
    """
    if not isinstance(value, dict):
        raise _wrong(value, "an object", where)
    return value


def take_list(value: Any, where: str) -> list[Any]:
    """Return the value if it is a list; raises like `take_object`."""
    if not isinstance(value, list):
        raise _wrong(value, "a list", where)
    return value


def take_text(value: Any, where: str) -> str:
    """Return the value if it is text; raises like `take_object`."""
    if not isinstance(value, str):
        raise _wrong(value, "text", where)
    return value


def take_count(value: Any, where: str) -> int:
    """Return the value if it is a whole number of at least 0; raises like `take_object`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise _wrong(value, "a whole number of at least 0", where)
    return value


def _wrong(value: Any, expected: str, where: str) -> FormatError:
    shown = repr(value)[:60] if isinstance(value, str | int | float) else type(value).__name__
    return FormatError(f"{shown} stands where {expected} is expected", where=where, hint=_HINT)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
