"""Measure how well our retrievers find tools on the test sets: final figures, from which nothing is chosen.

python benchmarks/search_quality.py [--set NAME ...] [--retriever NAME ...] [-o FILE]

Sets are those of the role ``test`` in ``search_sets.py``; defaults were chosen on the others (see
``search_choices.py``). The first retriever is compared with each other one, query by query, with paired
bootstrap intervals of 95 %. ``plain`` is BM25 (k1 1.2, b 0.75) over lower-cased words of one text a tool,
with identifiers split, and nothing else. Rows of other projects come from ``search_peers.py``, by the same
figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from search_sets import SETS, SearchSet, load_sets

from toolhaft.evaluators.ranking_comparison import RankingComparison, compare_rankings
from toolhaft.hooks.registry import Registry
from toolhaft.retrievers.base import Retriever
from toolhaft.retrievers.fields import compose_text
from toolhaft.retrievers.okapi import Okapi
from toolhaft.runs.search_sets.base import SearchQuery
from toolhaft.runs.searching import search_all
from toolhaft.types import Scored, ToolSpec

USUAL = ("bm25", "bm25?parent_boost=0", "rank-bm25", "plain")
FIGURES = ("ndcg@1", "ndcg@5", "recall@5", "recall@10", "all@10", "mrr@10")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")


class Plain(Retriever):
    """BM25 as a textbook has it."""

    name = "plain"

    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Index one text a tool."""
        self._specs = tuple(specs)
        self._okapi = Okapi((_words(compose_text(spec)) for spec in self._specs), k1=1.2, b=0.75)

    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return the k best."""
        return [Scored(self._specs[row], score) for row, score in self._okapi.top(_words(query), k)]


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(text)]


def measure(found: SearchSet, retrievers: Sequence[str]) -> RankingComparison:
    """Return how retrievers do on a set."""
    queries = [SearchQuery(id=query.id, text=query.text) for query in found.queries]
    runs = []
    for written in retrievers:
        retriever = Plain() if written == "plain" else Registry.default().retriever(written)
        searches = asyncio.run(search_all(written, retriever, found.specs, queries, 10))
        runs.append(searches.rankings())
    gold = {query.id: query.gold for query in found.queries}
    return compare_rankings(runs, gold, depths=(1, 5, 10))


def rows(found: SearchSet, compared: RankingComparison) -> list[dict[str, Any]]:
    """Return one row a retriever."""
    first = compared.results[0]
    lines = []
    for result in compared.results:
        row: dict[str, Any] = {"set": found.name, "retriever": result.name}
        for name in FIGURES:
            figure = result.figures[name]
            row[name] = [round(100 * value, 1) for value in (figure.mean, figure.low, figure.high)]
        if result is not first:
            pair = next(each for each in compared.pairings["ndcg@5"] if each.b == result.name)
            row["first less this"] = [
                round(-100 * value, 1) for value in (pair.difference, pair.high or 0.0, pair.low or 0.0)
            ]
        lines.append(row)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    tested = [name for name, (role, _) in SETS.items() if role == "test"]
    parser.add_argument("--set", action="append", choices=tested, help="all but metatool-all by default")
    parser.add_argument("--retriever", action="append", help=f"by default {', '.join(USUAL)}")
    parser.add_argument("-o", "--output", type=Path, help="the rows as JSON")
    chosen = parser.parse_args()
    lines: list[dict[str, Any]] = []
    for found in load_sets(names=chosen.set or [name for name in tested if name != "metatool-all"]):
        print(
            f"\n## {found.name}: {len(found.specs):,} tools, {len(found.queries):,} queries. {found.note}\n"
        )
        print(f"| retriever | {' | '.join(FIGURES)} | first - this, NDCG@5 | query p50, ms |")
        print(f"| --- |{' --- |' * (len(FIGURES) + 2)}")
        compared = measure(found, chosen.retriever or USUAL)
        for row, result in zip(rows(found, compared), compared.results, strict=True):
            cells = [f"{row[name][0]:.1f} ({row[name][1]:.1f}-{row[name][2]:.1f})" for name in FIGURES]
            less = row.get("first less this")
            cells.append(f"{less[0]:+.1f} ({less[1]:+.1f} to {less[2]:+.1f})" if less else "-")
            cells.append(f"{1000 * result.query_seconds:.2f}")
            print(f"| {result.name} | {' | '.join(cells)} |", flush=True)
            lines.append(row)
    if chosen.output:
        chosen.output.write_text(json.dumps(lines, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
