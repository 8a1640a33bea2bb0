"""APIBench's questions (Gorilla): which model card answers, any with the gold's call counting.

A hub has ``api/HUB_api.jsonl`` (the cards), ``questions/HUB/questions_HUB_0_shot.jsonl`` (``question_id``
from 1, ``text``) and ``apibench/HUB_eval.json`` (JSON lines; row N is the gold of question N). Any may be
packed (``.gz``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UnknownNameError, UsageError
from toolhaft.runs.search_sets.base import SearchQuery, SearchSet, checked
from toolhaft.runs.search_sets.lines import find_file, read_objects, text_of
from toolhaft.runs.search_sets.naming import name_documents
from toolhaft.types import ToolSpec

_ENDING = "_api.jsonl"


def is_apibench(folder: Path) -> bool:
    """Whether a folder has a database and questions of APIBench."""
    return (folder / "questions").is_dir() and bool(_hubs(folder))


def read_apibench(folder: Path, part: str = "") -> SearchSet:
    """Read the cards and the questions of one hub.

    A question whose call no card has counts, and cannot be answered.

    Args:
        folder: With the folders that the module tells of.
        part: The hub, for example ``torchhub``; it may be left out where there is one.

    Raises:
        UsageError: There is no such hub, several and none is named, or a file is missing.
        FormatError: A row is not what it should be; ``where`` has the line.
    """
    hubs = _hubs(folder)
    if part and part not in hubs:
        raise UnknownNameError("part", part, hubs, where=str(folder))
    if not part and len(hubs) != 1:
        raise UsageError(
            f"it has {len(hubs)} hubs", where=str(folder), hint=f"Name one: --part {' or '.join(hubs)}"
        )
    hub = part or hubs[0]
    specs, by_call = _read_cards(find_file(folder / "api", f"{hub}{_ENDING}"))
    gold_file = find_file(folder / "apibench", f"{hub}_eval.json")
    calls = [(text_of(row, ("api_call",), where), row) for row, where in read_objects(gold_file)]
    questions: list[SearchQuery] = []
    lost = 0
    for row, where in read_objects(find_file(folder / "questions" / hub, f"questions_{hub}_0_shot.jsonl")):
        id = text_of(row, ("question_id",), where)
        number = int(id) if id.isascii() and id.isdigit() and len(id) < 10 else 0
        if not 1 <= number <= len(calls):
            raise FormatError(
                f"the question {id!r:.40} has no gold", where=where, hint=f"{gold_file.name} has {len(calls)}"
            )
        call, gold = calls[number - 1]
        lost += call not in by_call
        questions.append(
            SearchQuery(
                id=id,
                text=text_of(row, ("text",), where).removesuffix("\\n").strip(),
                gold=tuple(by_call.get(call, (f"call:{call}"[:200],))),
                category=_domain(gold),
                where=where,
            )
        )
    notes = (f"{lost} questions ask for a call that no card has: they count as missed",) if lost else ()
    return SearchSet(
        name=f"{folder.resolve().name} {hub}",
        queries=checked(questions, str(folder)),
        specs=specs,
        notes=("any card with the gold's call counts; all of them are gold", *notes),
    )


def _hubs(folder: Path) -> list[str]:
    found = [*(folder / "api").glob(f"*{_ENDING}"), *(folder / "api").glob(f"*{_ENDING}.gz")]
    return sorted({path.name.partition(_ENDING)[0] for path in found})


def _read_cards(path: Path) -> tuple[tuple[ToolSpec, ...], dict[str, list[str]]]:
    rows = list(read_objects(path))
    ids = [str(number) for number in range(1, len(rows) + 1)]
    names = name_documents([(text_of(row, ("api_name",), where),) for row, where in rows], ids)
    by_call: dict[str, list[str]] = {}
    for (row, where), name in zip(rows, names, strict=True):
        by_call.setdefault(text_of(row, ("api_call",), where), []).append(name)
    if not rows:
        raise FormatError("there are no cards in it", where=str(path))
    return tuple(_spec(row, name, id) for (row, _), name, id in zip(rows, names, ids, strict=True)), by_call


def _spec(row: dict[str, Any], name: str, id: str) -> ToolSpec:
    def said(key: str) -> str:
        value = row.get(key)
        return "" if value in (None, "N/A") else value if isinstance(value, str) else json.dumps(value)

    tags = [text for key in ("domain", "functionality") if (text := said(key))]
    return ToolSpec(
        name=name,
        description=said("description"),
        effect="read",
        tags=tuple(dict.fromkeys(tags)),
        parent=said("framework"),
        source=f"card:{id}",
    )


def _domain(gold: dict[str, Any]) -> str:
    data = gold.get("api_data")
    domain = data.get("domain") if isinstance(data, dict) else None
    return domain if isinstance(domain, str) else ""
