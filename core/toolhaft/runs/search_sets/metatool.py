"""MetaTool's queries (ToolE): plugins with one description each, and what people asked of one or of two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UnknownNameError
from toolhaft.runs.search_sets.base import SearchQuery, SearchSet, checked, distinct
from toolhaft.runs.search_sets.lines import find_file, read_document, read_rows, seek_file, text_of
from toolhaft.runs.search_sets.naming import name_documents
from toolhaft.types import ToolSpec

PARTS = ("single", "multi")


def is_metatool(folder: Path) -> bool:
    """Whether a folder has MetaTool's queries."""
    return (folder / "tools.json").is_file() and seek_file(folder, "single_tool_queries.csv") is not None


def read_metatool(folder: Path, part: str = "") -> SearchSet:
    """Read a folder with ``tools.json``, ``single_tool_queries.csv`` and ``multi_tool.json``.

    Args:
        folder: With these files; ``merged_tools.json`` too for ``multi``.
        part: ``single`` or ``multi``; empty is ``single``.

    Raises:
        UsageError: A file is missing or cannot be read, or there is no such part.
        FormatError: A row is not what it should be.
    """
    part = part or PARTS[0]
    if part not in PARTS:
        raise UnknownNameError("part", part, PARTS, where=str(folder))
    described = dict(_tools(find_file(folder, "tools.json")))
    if part == "multi":
        described |= _merged(find_file(folder, "merged_tools.json"), described)
    names = dict(
        zip(described, name_documents([(each,) for each in described], list(described)), strict=True)
    )
    folded = {each.casefold(): name for each, name in names.items()}
    rows = (
        _single(find_file(folder, "single_tool_queries.csv"))
        if part == "single"
        else _multi(find_file(folder, "multi_tool.json"))
    )
    queries = checked(
        (
            SearchQuery(
                id=f"{part}-{number}",
                text=text,
                gold=distinct([folded.get(tool.casefold(), tool) for tool in tools]),
                category=tools[0] if len(tools) == 1 else "",
                where=where,
            )
            for number, (text, tools, where) in enumerate(rows, 1)
        ),
        str(folder),
    )
    specs = tuple(
        ToolSpec(name=names[each], description=text, effect="read", source=f"metatool:{each}")
        for each, text in described.items()
    )
    return SearchSet(name=f"{folder.resolve().name} {part}", queries=queries, specs=specs)


def _tools(path: Path) -> Iterator[tuple[str, str]]:
    for row, where in _rows(path):
        yield text_of(row, ("name",), where), text_of(row, ("description",), where, needed=False)


def _merged(path: Path, known: dict[str, str]) -> dict[str, str]:
    found = read_document(path)
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise FormatError("not an object of descriptions by name", where=str(path))
    folded = {name.casefold() for name in known}
    return {name: text for name, text in found.items() if name.casefold() not in folded}


def _rows(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    found = read_document(path)
    if not isinstance(found, list):
        raise FormatError("not a list", where=str(path))
    for number, row in enumerate(found):
        where = f"{path}#/{number}"
        if not isinstance(row, dict):
            raise FormatError("not an object", where=where)
        yield row, where


def _single(path: Path) -> Iterator[tuple[str, list[str], str]]:
    rows = read_rows(path, ",", 2)
    titles, where = next(rows, ([], str(path)))
    if [title.strip().lower() for title in titles] != ["query", "tool"]:
        raise FormatError(
            f"the titles are {', '.join(titles)[:80]}", where=where, hint="They are query, tool"
        )
    for (query, tool), where in rows:
        yield query, [tool], where


def _multi(path: Path) -> Iterator[tuple[str, list[str], str]]:
    for row, where in _rows(path):
        tools = row.get("tools")
        if not isinstance(tools, list) or not all(isinstance(tool, str) for tool in tools):
            raise FormatError("'tools' is no list of names", where=where)
        yield text_of(row, ("query",), where), tools, where
