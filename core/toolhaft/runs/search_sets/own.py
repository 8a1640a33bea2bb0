"""Your own queries: JSON lines or CSV, each with the names of the catalog's tools that it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.runs.search_sets.base import SearchQuery, SearchSet, checked, distinct
from toolhaft.runs.search_sets.lines import read_objects, read_rows, text_of

_SEPARATOR = re.compile(r"[\s,;|]+")
_TEXT = ("query", "text", "instruction")
_GOLD = ("tools", "tool", "gold")
_ENDINGS = {".jsonl": "", ".ndjson": "", ".csv": ",", ".tsv": "\t"}


def read_own(path: Path) -> SearchSet:
    """Read queries of your own.

    ``.jsonl`` and ``.ndjson`` hold an object a line: ``query`` (or ``text``, ``instruction``), ``tools`` (a
    list of names, or one name; also ``tool``), and where wanted ``id`` and ``category``. ``.csv`` and
    ``.tsv`` begin with a line of the same names; several tools stand in one cell with spaces or ``;``
    between. Any of them may be packed (``.gz``). A query without an id is called ``line-N``.

    Args:
        path: Of the file.

    Raises:
        UsageError: The file cannot be read, or has another ending.
        FormatError: A row is no query; ``where`` has the line.
    """
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    if ending not in _ENDINGS:
        raise UsageError(
            f"queries in a file that ends in {ending or 'nothing'!r}",
            where=str(path),
            hint="Write JSON lines (.jsonl) or a table (.csv, .tsv)",
        )
    rows = read_objects(path) if not _ENDINGS[ending] else _table(path, _ENDINGS[ending])
    queries = checked((_query(row, where) for row, where in rows), str(path))
    return SearchSet(name=path.name, queries=queries)


def _query(row: dict[str, Any], where: str) -> SearchQuery:
    return SearchQuery(
        id=text_of(row, ("id",), where, needed=False) or f"line-{where.rpartition(':')[2]}",
        text=text_of(row, _TEXT, where),
        gold=distinct(_names(row, where)),
        category=text_of(row, ("category",), where, needed=False),
        where=where,
    )


def _names(row: dict[str, Any], where: str) -> list[str]:
    key = next((name for name in _GOLD if name in row), None)
    if key is None:
        raise FormatError(
            "there is no 'tools'", where=where, hint='Name what the query needs: "tools": ["getPetById"]'
        )
    value = row[key]
    if isinstance(value, str):
        return [name for name in _SEPARATOR.split(value) if name]
    if isinstance(value, list) and all(isinstance(name, str) and name for name in value):
        return value
    raise FormatError(f"{key!r} is no list of names", where=where, hint='Write "tools": ["getPetById"]')


def _table(path: Path, delimiter: str) -> Iterator[tuple[dict[str, Any], str]]:
    rows = read_rows(path, delimiter)
    head, where = next(rows, ([], str(path)))
    titles = [title.strip().lower() for title in head]
    if not set(titles) & set(_TEXT) or not set(titles) & set(_GOLD):
        raise FormatError(
            "the first line does not name the columns 'query' and 'tools'",
            where=where,
            hint=f"It has {', '.join(titles)[:80] or 'nothing'}",
        )
    for cells, where in rows:
        if len(cells) != len(titles):
            raise FormatError(f"{len(cells)} cells under {len(titles)} titles", where=where)
        yield (
            {title: cell for title, cell in zip(titles, cells, strict=True) if title and cell.strip()},
            where,
        )
