"""Sets of queries with the tools that answer them, for every measurement of tool search.

python benchmarks/search_sets.py [--role development|test]    lists them with their sizes

A set is a catalog and queries, each query with the names of the tools that answer it. Choices (weights,
rules, defaults) are made on sets of the role ``development`` alone; those of the role ``test`` are for final
figures. Data lies under ``TOOLHAFT_SHARED``; a set whose data is absent is skipped.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from shared_data import default_folder
from toolhaft.types import ToolSpec

Role = Literal["development", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What somebody asks for.

    Attributes:
        gold: Names of the tools that answer it. A name that no tool has stands for an answer that the
            catalog lacks: such a query counts, and cannot be answered.
    """

    id: str
    text: str
    gold: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSet:
    """A catalog and what is asked of it.

    Attributes:
        specs: Names are unique.
        note: What a reader of figures must know.
    """

    name: str
    role: Role
    specs: tuple[ToolSpec, ...]
    queries: tuple[Query, ...]
    note: str = ""


def load_set(name: str) -> SearchSet:
    """Return a set by name.

    Raises:
        FileNotFoundError: Its data is not on this machine.
        KeyError: There is no such set.
    """
    return SETS[name][1](name)


def load_sets(role: Role | None = None, names: Iterable[str] = ()) -> Iterator[SearchSet]:
    """Yield the sets whose data is here, of a role or of these names, one at a time."""
    for name in tuple(names) or SETS:
        if role is None or SETS[name][0] == role:
            try:
                yield load_set(name)
            except FileNotFoundError as error:
                print(f"skipped: {name}: no {error.filename}")


def read_rows(path: Path) -> list[Any]:
    """Return the values of JSON lines, or of one JSON list; ``.gz`` is unpacked."""
    text = read_text(path)
    if text.lstrip().startswith("["):
        rows: list[Any] = json.loads(text)
        return rows
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def read_text(path: Path) -> str:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return file.read()
    return path.read_text(encoding="utf-8")


def unique_names(wishes: Iterable[str]) -> list[str]:
    """Return legal tool names, a number behind those that are wanted again."""
    taken: dict[str, int] = {}
    names: list[str] = []
    for wish in wishes:
        name = re.sub(r"[^a-zA-Z0-9_-]+", "_", wish).strip("_")[:58] or "tool"
        taken[name] = taken.get(name, 0) + 1
        names.append(name if taken[name] == 1 else f"{name}_{taken[name]}")
    return names


# RapidAPI


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


# Model cards


def _apibench(name: str) -> SearchSet:
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


# MetaTool


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


# OpenAPI services and functions


def world(name: str) -> SearchSet:
    from toolhaft.world.importing import import_service
    from toolhaft.world.documents import service_names
    from toolhaft.world.tasks import load_tasks

    specs = tuple(spec for each in service_names() for spec, _ in import_service(each).tools)
    known = {spec.name for spec in specs}
    queries = tuple(
        Query(id=task.id, text=task.instruction, gold=frozenset(known.intersection(task.gold.tools)))
        for task in load_tasks()
        if task.gold and known.intersection(task.gold.tools)
    )
    return SearchSet(name=name, role="development", specs=specs, queries=queries, note="the demo world")


def toolalpaca(name: str) -> SearchSet:
    folder = default_folder("toolalpaca")
    specs: list[ToolSpec] = []
    queries: list[Query] = []
    for file in ("eval_simulated.json", "eval_real.json"):
        for api in read_rows(folder / file):
            named = dict(_alpaca_tools(api))
            labels = dict(
                zip(named, unique_names(f"{api['Name']}_{function}" for function in named), strict=True)
            )
            specs += [replace(spec, name=labels[function]) for function, spec in named.items()]
            for number, (text, calls) in enumerate(
                zip(api["Instructions"], api["Golden_Answers"], strict=False)
            ):
                gold = frozenset(labels[call["Action"]] for call in calls if call.get("Action") in labels)
                if gold:
                    queries.append(Query(id=f"{api['Name']}-{number}", text=text, gold=gold))
    note = "all services in one catalog; instructions do not always name the service"
    return SearchSet(name=name, role="development", specs=tuple(specs), queries=tuple(queries), note=note)


def _alpaca_tools(api: Mapping[str, Any]) -> Iterator[tuple[str, ToolSpec]]:
    document = json.loads(api["Documentation"])
    for function, text in api["Function_Description"].items():
        if function == "components" or function not in api["Function_Projection"]:
            continue
        path, method = api["Function_Projection"][function]
        operation = document.get("paths", {}).get(path, {}).get(method.lower(), {})
        parameters = [each for each in operation.get("parameters", ()) if "name" in each]
        yield (
            function,
            ToolSpec(
                name=function,
                description=str(text).partition("\nParameters")[0],
                parent=api["Name"],
                tags=(api["Category"],),
                effect="read",
                source=f"openapi:{api['Name']}#{path}",
                parameters=_object({each["name"]: each.get("description") for each in parameters}),
            ),
        )


def restgpt(name: str) -> SearchSet:
    from toolhaft.openapi.documents.load import read_path
    from toolhaft.openapi.importing import import_document
    from toolhaft.openapi.options import ImportOptions

    folder = default_folder("restgpt")
    read_text(folder / "tmdb_queries.json")
    found = import_document(read_path(folder / "tmdb_oas.json"), ImportOptions())
    specs = tuple(found.build(plan)[0] for plan in found.plans)
    by_place = {
        f"{entry.method.upper()} {entry.path}": entry.name for entry in found.report.operations if entry.name
    }
    queries = tuple(
        Query(
            id=row["id"],
            text=row["query"],
            gold=frozenset(by_place[step] for step in row["solution"] if step in by_place),
        )
        for row in read_rows(folder / "tmdb_queries.json")
    )
    note = "one service; chains of calls, of which the words name only some"
    return SearchSet(
        name=name,
        role="development",
        specs=specs,
        queries=tuple(query for query in queries if query.gold),
        note=note,
    )


def bfcl(name: str) -> SearchSet:
    folder = default_folder("bfcl")
    functions: dict[str, dict[str, Any]] = {}
    asked: list[tuple[str, str, list[str]]] = []
    for part in ("multiple", "parallel_multiple", "simple_python"):
        answers = {
            row["id"]: row["ground_truth"]
            for row in read_rows(folder / "possible_answer" / f"BFCL_v4_{part}.json")
        }
        for row in read_rows(folder / f"BFCL_v4_{part}.json"):
            for function in row["function"]:
                functions.setdefault(function["name"], function)
            text = " ".join(message["content"] for message in row["question"][0] if message["role"] == "user")
            asked.append((row["id"], text, [next(iter(call)) for call in answers[row["id"]]]))
    labels = dict(zip(functions, unique_names(functions), strict=True))
    specs = tuple(
        ToolSpec(
            name=labels[key],
            description=function.get("description", ""),
            effect="read",
            source=f"python:{key}",
            parameters=_object(
                {
                    argument: inner.get("description")
                    for argument, inner in function["parameters"]["properties"].items()
                }
            ),
        )
        for key, function in functions.items()
    )
    queries = tuple(
        Query(id=key, text=text, gold=frozenset(labels[tool] for tool in tools)) for key, text, tools in asked
    )
    note = "functions of all rows in one catalog, the first of a name; others may answer as well as the gold"
    return SearchSet(name=name, role="development", specs=specs, queries=queries, note=note)


def services(name: str) -> SearchSet:
    parts = [world("world"), toolalpaca("toolalpaca"), restgpt("restgpt"), bfcl("bfcl")]
    labels = iter(unique_names(spec.name for part in parts for spec in part.specs))
    specs: list[ToolSpec] = []
    queries: list[Query] = []
    for part in parts:
        renamed = {spec.name: next(labels) for spec in part.specs}
        specs += [replace(spec, name=renamed[spec.name]) for spec in part.specs]
        for query in part.queries:
            gold = frozenset(renamed[tool] for tool in query.gold)
            queries.append(Query(id=f"{part.name}-{query.id}", text=query.text, gold=gold))
    note = "world, toolalpaca, restgpt and bfcl in one catalog"
    return SearchSet(name=name, role="development", specs=tuple(specs), queries=tuple(queries), note=note)


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            key: {"type": "string", "description": str(text or "")} for key, text in properties.items()
        },
    }


SETS: dict[str, tuple[Role, Callable[[str], SearchSet]]] = {
    "tooleval": ("development", tooleval),
    "tooleval-small": ("development", tooleval),
    "anytool": ("development", anytool_apis),
    "anytool-small": ("development", anytool_apis),
    "anytool-tools": ("development", anytool_tools),
    "world": ("development", world),
    "toolalpaca": ("development", toolalpaca),
    "restgpt": ("development", restgpt),
    "bfcl": ("development", bfcl),
    "apibench-torchhub-train": ("development", _apibench),
    "services": ("development", services),
    "toolbench": ("test", toolbench),
    "toolbench-22k": ("test", toolbench),
    "apibench-torchhub": ("test", _apibench),
    "apibench-torchhub-compact": ("test", _apibench),
    "apibench-torchhub-row": ("test", _apibench),
    "apibench-huggingface": ("test", _apibench),
    "apibench-huggingface-compact": ("test", _apibench),
    "apibench-huggingface-row": ("test", _apibench),
    "metatool": ("test", metatool_single),
    "metatool-all": ("test", metatool_single),
    "metatool-multi": ("test", metatool_multi),
}
"""Name -> role, and what loads it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--role", choices=("development", "test"))
    chosen = parser.parse_args()
    for each in load_sets(chosen.role):
        gold = sum(len(query.gold) for query in each.queries) / len(each.queries)
        words = sorted(len(query.text.split()) for query in each.queries)[len(each.queries) // 2]
        print(
            f"{each.name:28} {each.role:12} {len(each.specs):6} tools {len(each.queries):6} queries"
            f"  {gold:.2f} gold, {words} words  {each.note}"
        )


if __name__ == "__main__":
    main()
