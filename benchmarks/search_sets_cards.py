"""Sets of queries over model cards (APIBench) and over plugins of one line each (MetaTool)."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from search_set_base import Query, Role, SearchSet, read_rows, read_text, unique_names
from shared_data import default_folder
from toolhaft.types import ToolSpec


def apibench(name: str) -> SearchSet:
    """Return ``apibench-<hub>[-train][-compact|-row]``; without an ending, the cards of the plugin hub."""
    folder = default_folder("apibench")
    _, hub, *rest = name.split("-")
    rows = read_rows(_one_of(folder / "api" / f"{hub}_api.jsonl"))
    if "row" in rest:
        specs = [_as_text(row, json.dumps(row, ensure_ascii=False)) for row in rows]
    elif "compact" in rest:
        parts = ("domain", "functionality", "api_name", "description")
        specs = [_as_text(row, ", ".join(str(row[part]) for part in parts)) for row in rows]
    else:
        specs = list(_cards(rows))
    labels = unique_names(spec.name for spec in specs)
    specs = [replace(spec, name=label) for spec, label in zip(specs, labels, strict=True)]
    by_call: dict[str, set[str]] = {}
    for row, label in zip(rows, labels, strict=True):
        by_call.setdefault(row["api_call"], set()).add(label)
    asked = list(_trained(folder, hub) if "train" in rest else _questions(folder, hub))
    queries = tuple(
        Query(id=key, text=text, gold=frozenset(by_call.get(call, {"absent"}))) for key, text, call in asked
    )
    absent = sum("absent" in query.gold for query in queries)
    note = f"any row with the gold's api_call counts; {absent} queries have none"
    if "train" in rest:
        note += f"; the catalog is that of apibench-{hub}, no question is"
    role: Role = "development" if "train" in rest else "test"
    return SearchSet(name=name, role=role, specs=tuple(specs), queries=queries, note=note)


def _cards(rows: Iterable[Mapping[str, Any]]) -> Iterator[ToolSpec]:
    from toolhaft_hub.card_tool import spec_of
    from toolhaft_hub.normalising import Row, card_of

    for number, row in enumerate(rows):
        card = card_of(Row(row))
        yield spec_of(card.id, card, f"hub:cards.jsonl:{number + 1}")


def _as_text(row: Mapping[str, Any], text: str) -> ToolSpec:
    return ToolSpec(name=row["api_name"], description=text, effect="read")


def _questions(folder: Path, hub: str) -> Iterator[tuple[str, str, str]]:
    gold = read_rows(_one_of(folder / "apibench" / f"{hub}_eval.json"))
    for row in read_rows(_one_of(folder / "questions" / hub / f"questions_{hub}_0_shot.jsonl")):
        text = row["text"].removesuffix("\\n").strip()
        yield str(row["question_id"]), text, gold[int(row["question_id"]) - 1]["api_call"]


def _trained(folder: Path, hub: str) -> Iterator[tuple[str, str, str]]:
    for number, row in enumerate(read_rows(_one_of(folder / "apibench" / f"{hub}_train.json"))):
        found = re.search(r"'?Instruction'?: (.*?)(?:, 'Output'|\n?###Output)", row["code"], re.DOTALL)
        if found:
            yield f"train-{number + 1}", found[1].strip(" '\"\n"), row["api_call"]


def _one_of(path: Path) -> Path:
    packed = path.with_name(f"{path.name}.gz")
    return packed if packed.is_file() else path


def metatool_single(name: str) -> SearchSet:
    folder = default_folder("metatool")
    specs, by_name = _plugins(folder)
    rows = list(csv.DictReader(io.StringIO(read_text(folder / "single_tool_queries.csv.gz"))))
    rows = [row for row in rows if row["tool"].lower() in by_name]
    note = "every query"
    if not name.endswith("all"):
        rows = random.Random(0).sample(rows, min(2000, len(rows)))
        note = "2,000 of the queries, chosen by seed 0"
    queries = tuple(
        Query(id=str(number), text=row["query"], gold=frozenset((by_name[row["tool"].lower()],)))
        for number, row in enumerate(rows)
    )
    return SearchSet(name=name, role="test", specs=specs, queries=queries, note=note)


def metatool_multi(name: str) -> SearchSet:
    folder = default_folder("metatool")
    merged = json.loads(read_text(folder / "merged_tools.json"))
    specs, by_name = _plugins(folder)
    more = [key for key in merged if key.lower() not in by_name]
    labels = unique_names(more)
    specs += tuple(
        ToolSpec(name=label, description=merged[key], effect="read")
        for key, label in zip(more, labels, strict=True)
    )
    by_name |= {key.lower(): label for key, label in zip(more, labels, strict=True)}
    queries = tuple(
        Query(
            id=str(number),
            text=row["query"],
            gold=frozenset(by_name.get(tool.lower(), "absent") for tool in row["tools"]),
        )
        for number, row in enumerate(read_rows(folder / "multi_tool.json"))
    )
    note = "the plugins and the merged tools in one catalog"
    return SearchSet(name=name, role="test", specs=specs, queries=queries, note=note)


def _plugins(folder: Path) -> tuple[tuple[ToolSpec, ...], dict[str, str]]:
    rows = read_rows(folder / "tools.json")
    labels = unique_names(row["name"] for row in rows)
    specs = tuple(
        ToolSpec(name=label, description=row["description"], effect="read")
        for row, label in zip(rows, labels, strict=True)
    )
    return specs, {row["name"].lower(): label for row, label in zip(rows, labels, strict=True)}
