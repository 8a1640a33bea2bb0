"""What commands print: JSON for programs, tables and one-line notices for people."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from toolhaft.errors import ToolhaftError
from toolhaft.text import terminal_safe

_ENDS = (".", "?", "!")
_LAST = 24
"""Characters of the last column that are seen on a narrow terminal."""
_INNER = 8
"""Characters that a column between keeps."""


def print_json(value: Any) -> None:
    """Print one JSON document; what could command a terminal, or is no character, is escaped in it."""
    import json

    plain = not (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    try:
        text = json.dumps(value, indent=2, ensure_ascii=plain, default=str)
    except RecursionError:  # only what is indented is written by recursion
        text = json.dumps(value, ensure_ascii=plain, default=str)
    if not (text.isascii() and "\x7f" not in text):
        text = "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
        text = text.replace("\x7f", "\\u007f")
    _write(sys.stdout, text)


def print_line(text: str = "") -> None:
    """Print a line; control characters in it are made visible."""
    _write(sys.stdout, terminal_safe(text))


def print_table(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows in aligned columns; on a terminal what is too wide for it is cut, the last column first."""
    shown = [[terminal_safe(str(cell)).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(titles), *shown]) for i in range(len(titles))]
    widest = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    if widest is not None:
        widths = _narrowed(widths, widest)
    for row in [list(titles), *shown]:
        cells = [_cut(cell, width).ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        line = "  ".join([*cells, row[-1]]).rstrip()
        _write(sys.stdout, line if widest is None or len(line) <= widest else f"{line[: widest - 3]}...")


def _narrowed(widths: list[int], widest: int) -> list[int]:
    """Return widths at which every column is seen; the first, which has the names, stays as it is."""
    found = list(widths)
    inner = range(1, len(found) - 1)
    while sum(found[:-1]) + 2 * len(found) + min(found[-1], _LAST) > widest:
        largest = max(inner, key=lambda index: found[index], default=0)
        if found[largest] <= _INNER or not largest:
            break
        found[largest] -= 1
    return found


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else f"{cell[: width - 3]}..."


def print_error(error: ToolhaftError, *, as_json: bool = False) -> None:
    """Print an error: what, where, what to do; on stdout as JSON, else on stderr in at most four lines."""
    if as_json:
        print_json({"error": error.to_dict()})
        return
    where = f"{error.where}: " if error.where else ""
    lines = [f"Error: {where}{error.what}{'' if error.what[-1:] in _ENDS else '.'}"]
    if error.hint:
        lines.append(f"  {error.hint}{'' if error.hint[-1] in _ENDS else '.'}")
    lines.append(f"  [{error.code}]")
    for line in lines:
        _write(sys.stderr, " ".join(terminal_safe(line).split("\n"))[:600])


def notice(text: str) -> None:
    """Print a one-line notice on stderr."""
    _write(sys.stderr, terminal_safe(text))


def _write(stream: TextIO, line: str) -> None:
    """Write a line; what the stream's encoding has not is escaped."""
    encoding = stream.encoding or "utf-8"
    stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
