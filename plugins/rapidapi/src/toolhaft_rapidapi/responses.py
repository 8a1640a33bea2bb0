"""Shapes of answers that lie in files of their own, as ToolBench's ``response_examples`` do.

The layout is ``<category>/<tool>.json`` with ``{"api_list": [{"name": ..., "schema": ...}]}``; an empty file
says nothing, and some of the released ones are empty.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from toolhaft.errors import SpecError, UsageError
from toolhaft.tools.report import Problem
from toolhaft_rapidapi.reading import Reading, read_json_file
from toolhaft_rapidapi.standard import standard_category, standard_name, standard_word

_LARGEST = 4_000_000


def add_responses(reading: Reading, folder: Path) -> int:
    """Give APIs that say nothing of their answers the shapes in a folder; return how many got one.

    Raises:
        UsageError: There is no such folder.
    """
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=str(folder), hint="Name `response_examples`")
    shapes: dict[tuple[str, str], dict[str, Any]] = {}
    added = 0
    for index, record in enumerate(reading.records):
        if record.response is not None:
            continue
        place = standard_category(record.category), standard_name(record.tool)
        if place not in shapes:
            shapes[place] = _shapes(folder, *place, reading.problems)
        shape = shapes[place].get(standard_word(record.api))
        if shape is not None:
            reading.records[index] = replace(record, response=shape)
            added += 1
    return added


def _shapes(folder: Path, category: str, tool: str, problems: list[Problem]) -> dict[str, Any]:
    path = folder / category / f"{tool}.json"
    inside = path.resolve().is_relative_to(folder.resolve())
    if not inside or not tool or not path.is_file() or not path.stat().st_size:
        return {}
    shown = f"{category}/{tool}.json"
    try:
        document = read_json_file(path, shown, _LARGEST)
    except SpecError as error:
        problems.append(Problem(code="file-unreadable", message=error.what, file=shown))
        return {}
    entries = document.get("api_list") if isinstance(document, dict) else None
    found = {}
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            schema = entry.get("schema")
            if isinstance(schema, dict | list) and schema:
                found[standard_word(entry["name"])] = schema
    return found
