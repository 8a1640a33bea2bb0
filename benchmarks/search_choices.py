"""Measure every choice behind the ranking of `bm25`, on development sets alone.

python benchmarks/search_choices.py [--sets NAME,...] [--only WORD] [-o choices.json]

Each row is the ranking as it is with one thing changed: the change of NDCG@5, in points, as the mean over the
development sets of ``search_sets.py``, all of equal weight, with a paired bootstrap interval of 95 % (queries
that stand in several sets are drawn together). A change that is no gain is not in the product. The scores are
computed here by sparse matrices (scipy), with the product's own words, pairs and fields; the row "engine" is
the retriever itself, which must agree. Measured set by set, so that one is held at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import search_choice_words as words
from search_choice_afterwards import AFTERWARDS
from search_choice_scores import WEIGHTS, Bags, Choice, score
from search_sets import Query, SearchSet, load_set, load_sets
from toolhaft.retrievers.bm25 import BM25


def figures(ranked: Sequence[int], gold: set[int], wanted: int) -> tuple[float, float]:
    """Return NDCG@5 and recall@5, as `toolhaft.evaluators.ranking` defines them."""
    hits = [row in gold for row in ranked[:5]]
    ideal = sum(1 / math.log2(place + 2) for place in range(min(5, wanted)))
    return sum(hit / math.log2(place + 2) for place, hit in enumerate(hits)) / ideal, sum(hits) / wanted


def measure(bags: Bags, choice: Choice) -> Any:
    """Return NDCG@5 and recall@5 of each query."""
    rows = []
    for scores, gold, query in zip(score(bags, choice), bags.gold, bags.set.queries, strict=True):
        order = np.lexsort((np.arange(len(scores)), -scores))[:5]
        rows.append(figures([int(row) for row in order if scores[row] > 0], gold, len(query.gold)))
    return np.array(rows)


def measure_engine(chosen: SearchSet) -> Any:
    """Return the same of the retriever itself."""

    async def search() -> list[tuple[float, float]]:
        retriever = BM25()
        await retriever.index(chosen.specs)
        places = {spec.name: row for row, spec in enumerate(chosen.specs)}
        rows = []
        for query in chosen.queries:
            ranked = [places[name] for name, _ in await retriever.rank(query.text, 5)]
            gold = {places[name] for name in query.gold if name in places}
            rows.append(figures(ranked, gold, len(query.gold)))
        return rows

    return np.array(asyncio.run(search()))


def fields(**changes: float) -> dict[str, float]:
    return {**WEIGHTS, **changes}


def choices() -> list[tuple[str, str, Choice]]:
    """Return group, label and ranking of every row."""
    now = Choice()
    rows: list[tuple[str, str, Choice]] = [("", "as it is", now)]

    def row(group: str, label: str, **changes: Any) -> None:
        rows.append((group, label, replace(now, **changes)))

    row(
        "name",
        "with the words of its parent",
        fields=fields(name=0, full_name=WEIGHTS["name"]),
        paired=("full_name", "description"),
    )
    for name, others in (
        ("name", (0, 1, 3, 8)),
        ("parent", (0, 1, 3)),
        ("tags", (0, 2, 3)),
        ("description", (0, 2)),
        ("parameters", (0, 2)),
    ):
        for weight in others:
            row("field weights", f"{name} {weight}", fields=fields(**{name: weight}))
    row("field weights", "parameters: names alone", fields=fields(parameters=0, parameter_names=1))
    row("field weights", "fields of results", fields=fields(results=1))
    row("field weights", "examples", fields=fields(examples=1))
    for k1 in (1.2, 1.5, 2.5, 3.0):
        row("saturation", f"k1 {k1}", k1=k1)
    for b in (0.0, 0.4, 0.6, 0.9):
        row("document length", f"b {b}", b=b)
    row("idf", "smoothed", idf="smoothed")
    for power in (0.25, 0.5):
        row("idf", f"rarer words heavier, power {power}", idf_power=power)
    for share in (0.0, 0.3, 0.6, 0.9, 1.6, 2.0):
        row("parent as a document", f"share {share}", parent=share)
    for share in (0.25, 0.5, 1.0):
        row("parent otherwise", f"best tool's score, share {share}", parent=share, kind="max")
        row("parent otherwise", f"mean score, share {share}", parent=share, kind="mean")
    row("parent otherwise", "document with all repeats, share 0.6", parent=0.6, kind="all repeats")
    for share in (0.1, 0.25):
        row("category", f"best score, share {share}", category=share)
    for weight in (0.0, 0.2, 0.3, 0.6, 0.8):
        row("pairs", f"weight {weight}", pair=weight)
    row("pairs", "of the description alone", paired=("description",))
    row("pairs", "of parent too", paired=("name", "description", "parent"))
    row("pairs", "of all fields", paired=tuple(WEIGHTS))
    for damping in (0.0, 0.25, 0.5, 1.0):
        row("repeats in the query", f"power {damping}", damping=damping)
    for label, query in words.QUERY_RULES.items():
        row("query", label, query=query)
    for label, after in AFTERWARDS.items():
        row("afterwards", label, after=after)
    for label, tokens in words.TOKENS.items():
        row("terms", label, tokens=tokens)
    for weight in (0.1, 0.2):
        row(
            "terms",
            f"character 5-grams too, weight {weight}",
            tokens=words.with_grams,
            query=words.gram_query(weight),
        )
    return rows


def interval(
    found: dict[str, Any], base: dict[str, Any], queries: dict[str, tuple[Query, ...]]
) -> tuple[float, float]:
    """Return the 95 % interval of the change, in points; a query is drawn with all the sets it stands in."""
    random = np.random.default_rng(0)
    keys = sorted({(query.id, query.text) for each in queries.values() for query in each})
    number = {key: place for place, key in enumerate(keys)}
    places = {
        name: np.array([number[query.id, query.text] for query in each]) for name, each in queries.items()
    }
    means = []
    for _ in range(1000):
        drawn = np.bincount(random.integers(0, len(keys), len(keys)), minlength=len(keys))
        changes = []
        for name in found:
            counts = drawn[places[name]]
            if counts.sum():
                changes.append(((found[name][:, 0] - base[name][:, 0]) * counts).sum() / counts.sum())
        means.append(100 * float(np.mean(changes)))
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sets", default="", help="names, with commas between")
    parser.add_argument("--only", default="", help="rows whose group or label holds this")
    parser.add_argument("-o", "--output", type=Path)
    chosen = parser.parse_args()
    pattern = re.compile(chosen.only, re.IGNORECASE)
    rows = [each for each in choices() if not each[0] or pattern.search(f"{each[0]} {each[1]}")]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    queries: dict[str, tuple[Query, ...]] = {}
    names = [name for name in chosen.sets.split(",") if name]
    for loaded in map(load_set, names) if names else load_sets("development"):
        queries[loaded.name] = loaded.queries
        bags: Bags | None = None
        for group, label, choice in rows:
            if bags is None or bags.tokens is not choice.tokens:
                bags = Bags(loaded, choice.tokens)
            found.setdefault((group, label), {})[loaded.name] = measure(bags, choice)
        found.setdefault(("", "engine"), {})[loaded.name] = measure_engine(loaded)
        print(f"{loaded.name}: {100 * found['', 'as it is'][loaded.name][:, 0].mean():.1f}", flush=True)
    write(found, queries, chosen.output)


def write(
    found: dict[tuple[str, str], dict[str, Any]], queries: dict[str, tuple[Query, ...]], output: Path | None
) -> None:
    """Print the table, and write it."""
    base = found["", "as it is"]
    lines = []
    print(
        f"\n{'':24}{'':46}  NDCG@5   change   interval        "
        + " ".join(name[-9:].rjust(9) for name in base)
    )
    for (group, label), each in found.items():
        means = {name: 100 * float(values[:, 0].mean()) for name, values in each.items()}
        low, high = interval(each, base, queries)
        change = float(np.mean(list(means.values()))) - 100 * float(
            np.mean([v[:, 0].mean() for v in base.values()])
        )
        row = {
            "group": group,
            "label": label,
            "ndcg@5": float(np.mean(list(means.values()))),
            "recall@5": 100 * float(np.mean([values[:, 1].mean() for values in each.values()])),
            "change": change,
            "interval": [low, high],
            "sets": means,
        }
        lines.append(row)
        print(
            f"{group:24}{label:46}{row['ndcg@5']:8.2f} {change:+8.2f}  [{low:+5.2f}, {high:+5.2f}]  "
            + " ".join(f"{value:9.1f}" for value in means.values())
        )
    if output:
        output.write_text(json.dumps(lines, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
