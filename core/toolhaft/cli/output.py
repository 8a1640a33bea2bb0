"""What commands print: JSON for programs, tables and one-line notices for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from toolhaft.errors import ToolhaftError
from toolhaft.text import terminal_safe


def print_json(value: Any) -> None:
    """Print one JSON document."""
    import json

    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def print_line(text: str = "") -> None:
    """Print a line; control characters in it are made visible."""
    sys.stdout.write(terminal_safe(text) + "\n")


def print_table(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows in aligned columns; the last column is not padded."""
    shown = [[terminal_safe(str(cell)).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(titles), *shown]) for i in range(len(titles))]
    for row in [list(titles), *shown]:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        sys.stdout.write("  ".join([*cells, row[-1]]).rstrip() + "\n")


def print_error(error: ToolhaftError, *, as_json: bool = False) -> None:
    """Print an error: what, where, what to do; on stdout as JSON, else on stderr in at most four lines."""
    if as_json:
        print_json({"error": error.to_dict()})
        return
    where = f"{error.where}: " if error.where else ""
    lines = [f"Error: {where}{error.what}."]
    if error.hint:
        lines.append(f"  {error.hint}.".replace("..", "."))
    lines.append(f"  [{error.code}]")
    for line in lines:
        sys.stderr.write(" ".join(terminal_safe(line).split("\n"))[:600] + "\n")


def notice(text: str) -> None:
    """Print a one-line notice on stderr."""
    sys.stderr.write(terminal_safe(text) + "\n")
