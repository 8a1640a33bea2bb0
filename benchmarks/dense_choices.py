"""What the dense retriever's text and query are made of: every choice, on development sets alone.

python benchmarks/dense_choices.py [SET...] [--queries N]

Prints NDCG@5 of each way to compose a tool's text, and of comparing a query by its sentences, too, with the
mean over the sets. Chosen is what stands in toolhaft_dense/texts.py.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy
from search_sets import SearchSet, load_sets

from toolhaft.evaluators.ranking import ndcg_at
from toolhaft.retrievers.fields import compose_fields
from toolhaft.text import identifier_words
from toolhaft.types import ToolSpec
from toolhaft_dense.encoder import Encoder, graph_cache
from toolhaft_dense.search import combine
from toolhaft_dense.texts import passage, query_parts
from toolhaft_dense.weights import find_encoder

SETS = ("tooleval-small", "anytool-small", "toolalpaca", "restgpt", "bfcl", "world", "services")


def without_parameters(spec: ToolSpec) -> str:
    return passage(spec).rpartition(" Parameters: ")[0] or passage(spec)


def name_first(spec: ToolSpec) -> str:
    fields = compose_fields(spec)
    name, parent = (" ".join(identifier_words(text)) or text for text in (fields.name, fields.parent))
    return " ".join(f"{name}. {fields.description} {parent}, {fields.tags}".split())


TEXTS: dict[str, Callable[[ToolSpec], str]] = {
    "as it is": passage,
    "without parameters": without_parameters,
    "name first, service last": name_first,
    "description alone": lambda spec: compose_fields(spec).description or spec.name,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--queries", type=int, default=200, help="take the first N of each set")
    chosen = parser.parse_args()
    encoder = Encoder(find_encoder(None), threads=1, cache=graph_cache())
    rows: dict[tuple[str, str], list[float]] = {}
    names = []
    for found in load_sets("development", chosen.sets):
        names.append(found.name)
        measure(encoder, found, chosen.queries, rows)
        for (text, query), figures in rows.items():
            print(f"{found.name:18} {text:26} {query:14} {figures[-1]:6.2f}", flush=True)
    print(f"mean over {', '.join(names)}")
    for (text, query), figures in rows.items():
        print(f"{text:26} {query:14} {statistics.mean(figures):6.2f}")


def measure(encoder: Encoder, found: SearchSet, count: int, rows: dict[tuple[str, str], list[float]]) -> None:
    """Add a set's figures to the rows."""
    queries = found.queries[:count]
    parts = [encoder.encode(query_parts(query.text)) for query in queries]
    for text, compose in TEXTS.items():
        tools = encoder.encode([compose(spec) for spec in found.specs])
        for way in ("whole", "and sentences"):
            figures = []
            for query, vectors in zip(queries, parts, strict=True):
                scores: Any = combine((vectors if way == "and sentences" else vectors[:1]) @ tools.T)
                ranked = [found.specs[row].name for row in numpy.argsort(-scores, kind="stable")[:5]]
                figures.append(100 * ndcg_at(ranked, query.gold, 5))
            rows.setdefault((text, way), []).append(statistics.mean(figures))


if __name__ == "__main__":
    main()
