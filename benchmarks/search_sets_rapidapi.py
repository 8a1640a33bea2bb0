"""Sets of queries over APIs of RapidAPI: ToolBench's and AnyTool's."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from search_set_base import Query, SearchSet, read_rows, read_text, unique_names
from shared_data import default_folder
from toolhaft.types import ToolSpec


def api_id(category: str, tool: str, api: str) -> str:
    return hashlib.sha1(f"{category}\t{tool}\t{api}".encode()).hexdigest()[:12]


def rapidapi_specs(records: Mapping[str, Mapping[str, Any]]) -> dict[str, ToolSpec]:
    """Return APIs as specs by their id; names and metadata are those that the plugin rapidapi gives them."""
    from toolhaft_rapidapi.naming import tool_names
    from toolhaft_rapidapi.record import APIRecord

    names = tool_names(
        [
            APIRecord(category=each["category"], tool=each["tool"], api=each["api"], method=each["method"])
            for each in records.values()
        ]
    )
    return {
        key: _rapidapi_spec(key, name, record)
        for (key, record), name in zip(records.items(), names, strict=True)
    }


def _rapidapi_spec(key: str, name: str, record: Mapping[str, Any]) -> ToolSpec:
    required = record.get("required_parameters") or ()
    listed = (*required, *(record.get("optional_parameters") or ()))
    properties = {
        str(entry.get("name")): {"type": "string", "description": str(entry.get("description") or "")}
        for entry in listed
    }
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = [str(entry.get("name")) for entry in required]
    return ToolSpec(
        name=name,
        parent=record["tool"],
        tags=(record["category"].replace("_", " "),),
        description=record.get("description") or "",
        parameters=schema,
        effect="read",
        source=f"rapidapi:{key}",
        metadata={
            "category": record["category"],
            "tool_name": record["tool"],
            "api_name": record["api"],
            "method": record["method"],
        },
    )


def corpus_records(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        row["id"]: {**row, "tool": row["tool_name"], "api": row["api_name"], "method": row["method"] or "GET"}
        for row in read_rows(folder / "retrieval" / "corpus.jsonl.gz")
    }


def crawl_records(folder: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for tool in read_rows(folder / "rapidapi_toolenv2404" / "tools.jsonl.gz"):
        for api in tool["apis"]:
            found.setdefault(
                api["id"],
                {
                    **api,
                    "tool": tool["tool"],
                    "api": api["name"],
                    "category": tool["category"],
                    "method": api.get("method") or "GET",
                },
            )
    return found


def toolbench(name: str) -> SearchSet:
    folder = default_folder("toolbench")
    records = corpus_records(folder)
    if name.endswith("22k"):
        records = {**records, **{k: v for k, v in crawl_records(folder).items() if k not in records}}
    specs = rapidapi_specs(records)
    gold: dict[str, set[str]] = {}
    for line in read_text(folder / "retrieval" / "qrels.tsv.gz").splitlines()[1:]:
        query, _, api, _ = line.split("\t")
        gold.setdefault(query, set()).add(specs[api].name)
    queries = tuple(
        Query(id=row["id"], text=row["text"], gold=frozenset(gold[row["id"]]))
        for row in read_rows(folder / "retrieval" / "queries.jsonl.gz")
    )
    return SearchSet(name=name, role="test", specs=tuple(specs.values()), queries=queries)


def anytool_apis(name: str) -> SearchSet:
    folder = default_folder("toolbench")
    tested = corpus_records(folder)
    records = {**tested, **{k: v for k, v in crawl_records(folder).items() if k not in tested}}
    rows = read_rows(folder / "anytool" / "anytoolbench.json")
    wanted = [
        {api_id(a["category_name"], a["tool_name"], a["api_name"]) for a in row["gt_api_list"]}
        for row in rows
    ]
    if name.endswith("small"):
        records = _whole_tools(records, {key for keys in wanted for key in keys})
    specs = rapidapi_specs(records)
    queries = tuple(
        Query(
            id=row["query_id"],
            text=row["query"],
            gold=frozenset(specs[key].name for key in keys & specs.keys()),
        )
        for row, keys in zip(rows, wanted, strict=True)
        if keys & specs.keys()
    )
    absent = sum(len(keys - specs.keys()) for keys in wanted)
    note = (
        f"{absent} gold APIs are not in this pool, and queries without any other were dropped; "
        f"{len(tested.keys() & specs.keys())} tools are in the toolbench test catalog too, no query is"
    )
    return SearchSet(name=name, role="development", specs=tuple(specs.values()), queries=queries, note=note)


def _whole_tools(records: Mapping[str, dict[str, Any]], wanted: set[str]) -> dict[str, dict[str, Any]]:
    """Return about 2,000 APIs: all of the tools of those wanted, and all of tools chosen by seed 0."""
    by_tool: dict[tuple[str, str], list[str]] = {}
    for key, record in records.items():
        by_tool.setdefault((record["category"], record["tool"]), []).append(key)
    order = sorted(by_tool)
    random.Random(0).shuffle(order)
    order.sort(key=lambda tool: wanted.isdisjoint(by_tool[tool]))
    kept: set[str] = set()
    for tool in order:
        if len(kept) < 2000 or not wanted.isdisjoint(by_tool[tool]):
            kept.update(by_tool[tool])
    return {key: record for key, record in records.items() if key in kept}


def anytool_tools(name: str) -> SearchSet:
    folder = default_folder("toolbench") / "anytool"
    rows = read_rows(folder / "tools_2023.jsonl.gz")
    first: dict[str, str] = {}
    specs: list[ToolSpec] = []
    for row, label in zip(rows, unique_names(row["tool_name"] for row in rows), strict=True):
        first.setdefault(row["tool_name"], label)
        specs.append(ToolSpec(name=label, description=row.get("description") or "", effect="read"))
    queries: list[Query] = []
    for row in read_rows(folder / "anytoolbench.json"):
        gold = frozenset(first[a["tool_name"]] for a in row["gt_api_list"] if a["tool_name"] in first)
        if gold:
            queries.append(Query(id=row["query_id"], text=row["query"], gold=gold))
    note = "services as tools; gold services that are not in this half are left out"
    return SearchSet(name=name, role="development", specs=tuple(specs), queries=tuple(queries), note=note)


def tooleval(name: str) -> SearchSet:
    """Return ToolBench's first test instructions but for those that resemble one of the test set `toolbench`.

    What a model called when it answered stands in for gold.
    """
    from toolhaft_rapidapi.standard import function_name

    folder = default_folder("toolbench")
    tested = corpus_records(folder)
    records = {**tested, **{k: v for k, v in crawl_records(folder).items() if k not in tested}}
    by_function: dict[str, list[str]] = {}
    for key, record in records.items():
        by_function.setdefault(function_name(record["tool"], record["api"]), []).append(key)
    known = [_words(row["text"]) for row in read_rows(folder / "retrieval" / "queries.jsonl.gz")]
    wanted: dict[str, tuple[str, set[str]]] = {}
    for file in sorted((folder / "tooleval_default_evalset").glob("*_CoT/*")):
        for key, row in json.loads(read_text(file)).items():
            called = set(_called(row["answer"]["answer_details"])) - {"Finish"}
            found = [by_function.get(function, []) for function in called]
            if found and all(len(ids) == 1 for ids in found) and not _resembles(row["query"], known):
                wanted[key] = (row["query"], {ids[0] for ids in found})
    if name.endswith("small"):
        records = _whole_tools(records, {key for _, keys in wanted.values() for key in keys})
    specs = rapidapi_specs(records)
    queries = tuple(
        Query(id=key, text=text, gold=frozenset(specs[api].name for api in apis))
        for key, (text, apis) in wanted.items()
    )
    shared = sum(not tested.keys().isdisjoint(apis) for _, apis in wanted.values())
    note = (
        "gold is what a model called; "
        f"{shared} queries have gold tools that are in the toolbench test catalog too; no query shares more "
        "than half of its words with one of the test set"
    )
    return SearchSet(name=name, role="development", specs=tuple(specs.values()), queries=queries, note=note)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _resembles(text: str, others: Iterable[set[str]]) -> bool:
    words = _words(text)
    return any(2 * len(words & other) > len(words | other) for other in others)


def _called(nodes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for node in nodes:
        found = re.match(r"\{'name': '([^']+)'", node["message"]) if node["role"] == "tool" else None
        if found:
            yield found[1]
        yield from _called(node["next"])
