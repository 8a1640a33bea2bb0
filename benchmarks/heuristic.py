"""How often the weight-free `heuristic` model makes the right call on BFCL v4, single turn.

    python benchmarks/heuristic.py [--data ../shared/data/bfcl] [--category simple_python] [--misses 20]

Prints one row per category: rows, right tools, right calls, milliseconds per completion. A call is right when
its function is the expected one, every argument has an acceptable value, and nothing unexpected is given;
for ``irrelevance``, when no call is made. Deviations from the benchmark's own checker: strings are compared
without case, spaces and ``,./-_*^'``; numbers by value.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolhaft.models.heuristic import HeuristicModel
from toolhaft.types import Message, ToolCall, ToolSpec

CATEGORIES = ("simple_python", "multiple", "parallel", "parallel_multiple", "irrelevance")
TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": "string"}
FLOORS = {"simple_python": 0.400, "multiple": 0.410}


def json_schema(schema: Any) -> Any:
    """Return a schema of the data set, which has types of its own, as JSON Schema."""
    if isinstance(schema, list):
        return [json_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: TYPES.get(value, value) if key == "type" and isinstance(value, str) else json_schema(value)
        for key, value in schema.items()
    }


def tool_spec(function: dict[str, Any]) -> ToolSpec:
    """Return a function of the data set as a tool; dots in names become underscores."""
    return ToolSpec(
        name=re.sub(r"[^a-zA-Z0-9_-]", "_", function["name"])[:64],
        description=function.get("description", ""),
        parameters=json_schema(function.get("parameters") or {}),
        effect="read",
    )


def same_value(given: Any, accepted: Any) -> bool:
    """Return whether two values are the same to the benchmark."""
    if isinstance(given, bool) or isinstance(accepted, bool):
        return given is accepted
    if isinstance(given, int | float) and isinstance(accepted, int | float):
        return abs(given - accepted) <= 1e-9 * max(1.0, abs(accepted))
    if isinstance(given, str) and isinstance(accepted, str):
        return plain(given) == plain(accepted)
    if isinstance(given, list) and isinstance(accepted, list):
        return len(given) == len(accepted) and all(map(same_value, given, accepted))
    if isinstance(given, dict) and isinstance(accepted, dict):
        return fits(given, accepted)
    return False


def plain(text: str) -> str:
    """Return a string as the benchmark compares it."""
    return re.sub(r"[ ,./\-_*^]", "", text).lower().replace("'", '"')


def fits(arguments: dict[str, Any], expected: dict[str, list[Any]]) -> bool:
    """Return whether arguments are acceptable."""
    for name, value in arguments.items():
        choices = expected.get(name)
        if not isinstance(choices, list) or not any(same_value(value, one) for one in choices):
            return False
    return all(name in arguments or "" in choices for name, choices in expected.items())


def call_fits(call: ToolCall, expected: dict[str, dict[str, list[Any]]]) -> bool:
    """Return whether a call is the expected one."""
    name, wanted = next(iter(expected.items()))
    return call.name == re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] and fits(call.arguments, wanted)


def calls_fit(calls: tuple[ToolCall, ...], expected: list[dict[str, Any]]) -> bool:
    """Return whether the calls are the expected ones, in any order."""
    if len(calls) != len(expected):
        return False
    left = list(calls)
    for one in expected:
        found = next((call for call in left if call_fits(call, one)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def rows(folder: Path, category: str) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield question rows with their expected calls; none are expected for irrelevance."""
    answers: dict[str, list[dict[str, Any]]] = {}
    file = folder / "possible_answer" / f"BFCL_v4_{category}.json"
    if file.exists():
        for line in file.read_text().splitlines():
            row = json.loads(line)
            answers[row["id"]] = row["ground_truth"]
    for line in (folder / f"BFCL_v4_{category}.json").read_text().splitlines():
        row = json.loads(line)
        yield row, answers.get(row["id"], [])


async def measure(folder: Path, category: str, misses: int = 0) -> dict[str, float]:
    """Return the rates of one category, and print the first misses."""
    count = right = named = 0
    seconds = 0.0
    model = HeuristicModel()
    for row, expected in rows(folder, category):
        tools = tuple(tool_spec(function) for function in row["function"])
        messages = [Message(role=turn["role"], text=turn["content"]) for turn in row["question"][0]]
        began = time.perf_counter()
        completion = await model.complete(messages, tools)
        seconds += time.perf_counter() - began
        count += 1
        good = calls_fit(completion.calls, expected)
        right += good
        wanted = sorted(re.sub(r"[^a-zA-Z0-9_-]", "_", next(iter(one)))[:64] for one in expected)
        named += wanted == sorted(call.name for call in completion.calls)
        if not good and misses > 0:
            misses -= 1
            print(f"-- {row['id']}: {messages[-1].text[:300]}")
            print(
                "   made    ", [(call.name, call.arguments) for call in completion.calls] or completion.text
            )
            print("   expected", expected)
    return {"rows": count, "named": named / count, "right": right / count, "ms": 1000 * seconds / count}


def main() -> None:
    from shared_data import default_folder, require

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=default_folder("bfcl"))
    parser.add_argument("--category", choices=CATEGORIES, action="append")
    parser.add_argument("--misses", type=int, default=0, help="show so many misses of each category")
    options = parser.parse_args()
    require(options.data)
    print(f"{'category':20}{'rows':>6}{'tools':>9}{'calls':>9}{'floor':>9}{'ms':>8}")
    for category in options.category or CATEGORIES:
        found = asyncio.run(measure(options.data, category, options.misses))
        floor = f"{FLOORS[category]:.1%}" if category in FLOORS else "-"
        print(
            f"{category:20}{found['rows']:6.0f}{found['named']:9.1%}{found['right']:9.1%}{floor:>9}{found['ms']:8.2f}"
        )


if __name__ == "__main__":
    main()
