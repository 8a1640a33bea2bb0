"""Measure tool retrieval on the development half of the ToolBench queries: quality and speed.

python benchmarks/retrieval.py [--data DIR] [--large] [--retrievers bm25,rank_bm25,...] [--queries N]

``--large`` searches the 22,000 tools of the RapidAPI crawl besides the ones that the queries name. NDCG and
recall are means over queries, as ToolBench computes them (binary relevance); times are of one thread.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from toolhaft.retrievers.base import Retriever
from toolhaft.retrievers.bm25 import BM25
from toolhaft.retrievers.rank_bm25 import RankBM25
from toolhaft.types import ToolSpec

RETRIEVERS: dict[str, Callable[[], Retriever]] = {
    "bm25": lambda: BM25(),
    "bm25 unweighted": lambda: BM25(weights={"name": 1, "parent": 1}, parent_boost=0),
    "bm25 parent_boost=0": lambda: BM25(parent_boost=0),
    "rank_bm25": lambda: RankBM25(),
}


def read_lines(path: Path) -> Iterator[Any]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def api_spec(record: dict[str, Any], *, name: str, parent: str, category: str) -> ToolSpec:
    """Return an API as a spec; ``source`` carries its identity, the name is the publisher's own."""
    listed = [*(record.get("required_parameters") or ()), *(record.get("optional_parameters") or ())]
    properties = {
        str(entry.get("name")): {"type": "string", "description": str(entry.get("description") or "")}
        for entry in listed
    }
    return ToolSpec(
        name=name,
        parent=parent,
        tags=(category.replace("_", " "),),
        description=record.get("description") or "",
        parameters={"type": "object", "properties": properties},
        source=record["id"],
    )


def load_specs(folder: Path, *, large: bool) -> list[ToolSpec]:
    specs = {
        record["id"]: api_spec(
            record,
            name=record["api_name"],
            parent=record["tool_name"],
            category=record["category"],
        )
        for record in read_lines(folder / "retrieval" / "corpus.jsonl.gz")
    }
    if large:
        for tool in read_lines(folder / "rapidapi_toolenv2404" / "tools.jsonl.gz"):
            for api in tool["apis"]:
                specs.setdefault(
                    api["id"],
                    api_spec(api, name=api["name"], parent=tool["tool"], category=tool["category"]),
                )
    return list(specs.values())


def load_queries(folder: Path) -> list[tuple[str, set[str]]]:
    relevant: dict[str, set[str]] = defaultdict(set)
    with gzip.open(folder / "retrieval" / "qrels.tsv.gz", "rt", encoding="utf-8") as file:
        for line in list(file)[1:]:
            query, _, api, _ = line.split("\t")
            relevant[query].add(api)
    queries = read_lines(folder / "retrieval" / "queries.jsonl.gz")
    return [(record["text"], relevant[record["id"]]) for record in queries]


def ndcg(ranked: list[str], relevant: set[str], k: int) -> float:
    gain = sum(1 / math.log2(i + 2) for i, item in enumerate(ranked[:k]) if item in relevant)
    return gain / sum(1 / math.log2(i + 2) for i in range(min(k, len(relevant))))


def recall(ranked: list[str], relevant: set[str], k: int) -> float:
    return len(relevant.intersection(ranked[:k])) / len(relevant)


async def measure(
    retriever: Retriever, specs: list[ToolSpec], queries: list[tuple[str, set[str]]]
) -> dict[str, float]:
    started = time.perf_counter()
    await retriever.index(specs)
    build = time.perf_counter() - started
    seconds: list[float] = []
    rankings: list[tuple[list[str], set[str]]] = []
    for text, relevant in queries:
        started = time.perf_counter()
        hits = await retriever.retrieve(text, 10)
        seconds.append(time.perf_counter() - started)
        rankings.append(([hit.item.source for hit in hits], relevant))
    row = {f"NDCG@{k}": 100 * statistics.mean(ndcg(r, gold, k) for r, gold in rankings) for k in (1, 5)}
    row |= {f"R@{k}": 100 * statistics.mean(recall(r, gold, k) for r, gold in rankings) for k in (5, 10)}
    return row | {"build s": build, "query p50 ms": 1000 * statistics.median(seconds)}


def main() -> None:
    from shared_data import default_folder, require

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default_folder("toolbench"))
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--retrievers", default="bm25,bm25 parent_boost=0,bm25 unweighted,rank_bm25")
    parser.add_argument("--queries", type=int, default=10_000, help="take the first N")
    chosen = parser.parse_args()
    require(chosen.data)
    specs = load_specs(chosen.data, large=chosen.large)
    queries = load_queries(chosen.data)[: chosen.queries]
    print(f"{len(specs)} tools, {len(queries)} queries")
    for name in chosen.retrievers.split(","):
        row = asyncio.run(measure(RETRIEVERS[name](), specs, queries))
        print(f"{name:24}" + "  ".join(f"{title} {value:.2f}" for title, value in row.items()))


if __name__ == "__main__":
    main()
