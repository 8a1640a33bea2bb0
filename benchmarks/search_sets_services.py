"""Sets of queries over operations of OpenAPI services and over functions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from search_set_base import Query, SearchSet, read_rows, read_text, unique_names
from shared_data import default_folder
from toolhaft.types import ToolSpec


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
