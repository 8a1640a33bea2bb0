"""Fix the figures of tool search: BM25 by every reading of its words, NDCG by every definition.

python benchmarks/search_metrics.py [--large] [--data DIR]

Published and earlier figures of "BM25 on ToolBench" differ by three times and more. This prints why: first
plain BM25 over the same documents and queries with other tokens, texts and idf, all scored by
`toolhaft.evaluators.ranking`; then the rankings of one of them scored by each definition of NDCG. ``--large``
searches the crawl of RapidAPI besides. Nothing here is tuned, or used by the product.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from search_sets import corpus_records, crawl_records, read_rows, read_text
from shared_data import default_folder, require

from toolhaft.evaluators.ranking import ndcg_at, score_rankings

Tokens = Callable[[str], list[str]]
Ranked = dict[str, list[tuple[str, float]]]

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DEPTH = 50


def by_space(text: str) -> list[str]:
    return text.split(" ")


def by_words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def by_humps(text: str) -> list[str]:
    return _WORD.findall(_HUMP.sub(" ", text).lower())


def as_json(record: Mapping[str, Any]) -> str:
    """Return a document as ToolBench's retriever reads it: fields with commas, parameters as JSON."""
    return ", ".join(
        (
            str(record["category"]),
            str(record["tool"]),
            str(record["api"]),
            str(record.get("description") or ""),
            f"required_params: {json.dumps(record.get('required_parameters') or [])}",
            f"optional_params: {json.dumps(record.get('optional_parameters') or [])}",
            f"return_schema: {json.dumps(record.get('response_schema'))}",
        )
    )


def as_words(record: Mapping[str, Any]) -> str:
    """Return the words of a document alone: names, texts, and those of parameters."""
    listed = [*(record.get("required_parameters") or ()), *(record.get("optional_parameters") or ())]
    said = [f"{entry.get('name')} {entry.get('description') or ''}" for entry in listed]
    fields = (record["category"].replace("_", " "), record["tool"], record["api"])
    return " ".join([*fields, record.get("description") or "", *said])


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One plain BM25.

    Attributes:
        once: Whether a word that stands twice in the query counts once.
        floored: Whether idf is that of rank-bm25, floored where it is negative; else it is Lucene's.
    """

    text_of: Callable[[Mapping[str, Any]], str]
    tokens: Tokens
    k1: float = 1.5
    once: bool = False
    floored: bool = True


def rank(records: Mapping[str, Mapping[str, Any]], queries: Mapping[str, str], by: Reading) -> Ranked:
    """Return the best documents of each query with their scores; b is 0.75."""
    import numpy as np

    ids = list(records)
    counted = [Counter(by.tokens(by.text_of(record))) for record in records.values()]
    lengths = np.array([document.total() for document in counted])
    norms = by.k1 * (0.25 + 0.75 * lengths / lengths.mean())
    postings: dict[str, tuple[list[int], list[int]]] = {}
    for position, document in enumerate(counted):
        for token, times in document.items():
            places, frequencies = postings.setdefault(token, ([], []))
            places.append(position)
            frequencies.append(times)
    idf = idf_of({token: len(places) for token, (places, _) in postings.items()}, len(ids), by.floored)
    found: Ranked = {}
    for query, text in queries.items():
        scores = np.zeros(len(ids))
        tokens = by.tokens(text)
        for token in dict.fromkeys(tokens) if by.once else tokens:
            if token in postings:
                places, frequencies = (np.array(each) for each in postings[token])
                scores[places] += idf[token] * frequencies * (by.k1 + 1) / (frequencies + norms[places])
        best = np.argsort(-scores, kind="stable")[:_DEPTH]
        found[query] = [(ids[position], float(scores[position])) for position in best if scores[position] > 0]
    return found


def idf_of(documents: Mapping[str, int], number: int, floored: bool) -> dict[str, float]:
    """Return the idf of each token, from the number of documents that have it."""
    if not floored:
        return {token: math.log1p((number - n + 0.5) / (n + 0.5)) for token, n in documents.items()}
    raw = {token: math.log((number - n + 0.5) / (n + 0.5)) for token, n in documents.items()}
    floor = 0.25 * fmean(raw.values())
    return {token: value if value >= 0 else floor for token, value in raw.items()}


# Definitions of NDCG@5, each of a ranking with scores and its gold


def gain_at(ranked: Sequence[str], gold: Collection[str], k: int) -> float:
    return math.fsum(1 / math.log2(place + 2) for place, name in enumerate(ranked[:k]) if name in gold)


def ideal(places: int) -> float:
    return math.fsum(1 / math.log2(place + 2) for place in range(places))


def over_k(hits: Sequence[tuple[str, float]], gold: Collection[str], k: int) -> float:
    return gain_at([name for name, _ in hits], gold, k) / ideal(k)


def over_gold(hits: Sequence[tuple[str, float]], gold: Collection[str], k: int) -> float:
    return gain_at([name for name, _ in hits], gold, k) / ideal(len(set(gold)))


def of_toolbench(hits: Sequence[tuple[str, float]], gold: Collection[str], k: int) -> float:
    """Return what ToolBench's evaluator gives for a whole ranking: scikit-learn over gold and hits."""
    return _scikit(dict(hits), gold, {*gold, *(name for name, _ in hits)}, k)


def of_toolbench_cut(hits: Sequence[tuple[str, float]], gold: Collection[str], k: int) -> float:
    """Return the same where it is given the first k hits alone: gold that was not found leaves the ideal."""
    first = dict(hits[:k])
    return _scikit(first, gold, set(first), k)


def _scikit(scores: Mapping[str, float], gold: Collection[str], columns: Iterable[str], k: int) -> float:
    from sklearn.metrics import ndcg_score

    names = sorted(columns)
    if not set(gold).intersection(names):
        return 0.0
    padded = [*names, "never found"]  # it wants two columns
    truth = [[float(name in gold) for name in padded]]
    return float(ndcg_score(truth, [[scores.get(name, 0.0) for name in padded]], k=k))


def twice(hits: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return the ranking of a corpus in which every row stands twice under two ids."""
    return [(f"{name}{end}", score) for name, score in hits for end in ("", "'")]


def both_gold(hits: Sequence[tuple[str, float]], gold: Collection[str], k: int) -> float:
    names = [name for name, _ in twice(hits)]
    return ndcg_at(names, [f"{name}{end}" for name in gold for end in ("", "'")], k)


def one_gold(hits: Sequence[tuple[str, float]], gold: Collection[str], k: int) -> float:
    return ndcg_at([name for name, _ in twice(hits)], gold, k)


def ours(hits: Sequence[tuple[str, float]], gold: Collection[str], k: int) -> float:
    return ndcg_at([name for name, _ in hits], gold, k)


DEFINITIONS = {
    "ours: ideal over min(k, gold), as trec_eval": ours,
    "ToolBench's evaluator, whole ranking (scikit-learn, ties averaged)": of_toolbench,
    "ToolBench's evaluator, given the first k hits: ideal over found gold": of_toolbench_cut,
    "ideal over k": over_k,
    "ideal over all gold, even beyond k": over_gold,
    "corpus rows twice, both rows gold": both_gold,
    "corpus rows twice, one row gold": one_gold,
}
READINGS = {
    "JSON text, split at spaces": Reading(text_of=as_json, tokens=by_space),
    "JSON text, lower-case words": Reading(text_of=as_json, tokens=by_words),
    "JSON text, words and humps": Reading(text_of=as_json, tokens=by_humps, k1=1.2),
    "the same, Lucene's idf": Reading(text_of=as_json, tokens=by_humps, k1=1.2, floored=False),
    "the same, each query word once": Reading(
        text_of=as_json, tokens=by_humps, k1=1.2, floored=False, once=True
    ),
    "words alone, split at spaces": Reading(text_of=as_words, tokens=by_space),
    "words alone, lower-case words": Reading(text_of=as_words, tokens=by_words),
    "words alone, words and humps": Reading(text_of=as_words, tokens=by_humps, k1=1.2),
}
JUDGED = "JSON text, words and humps"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=default_folder("toolbench"))
    parser.add_argument("--large", action="store_true", help="search the crawl too")
    chosen = parser.parse_args()
    require(chosen.data)
    records = corpus_records(chosen.data)
    if chosen.large:
        records = {**crawl_records(chosen.data), **records}
    gold: dict[str, set[str]] = {}
    for line in read_text(chosen.data / "retrieval" / "qrels.tsv.gz").splitlines()[1:]:
        query, _, document, _ = line.split("\t")
        gold.setdefault(query, set()).add(document)
    rows = read_rows(chosen.data / "retrieval" / "queries.jsonl.gz")
    queries = {row["id"]: row["text"] for row in rows}
    each = fmean(map(len, gold.values()))
    print(f"{len(records):,} documents, {len(queries)} queries, {each:.2f} gold each\n")
    print("| plain BM25 over | NDCG@1 | NDCG@3 | NDCG@5 | recall@5 | recall@10 |")
    print("| --- | --- | --- | --- | --- | --- |")
    kept: Ranked = {}
    for title, reading in READINGS.items():
        found = rank(records, queries, reading)
        kept = found if title == JUDGED else kept
        names = {query: [name for name, _ in hits] for query, hits in found.items()}
        scores = score_rankings(names, gold, depths=(1, 3, 5, 10))
        wanted = ("ndcg@1", "ndcg@3", "ndcg@5", "recall@5", "recall@10")
        cells = [f"{100 * fmean(scores.values(name).values()):.1f}" for name in wanted]
        print(f"| {title} | {' | '.join(cells)} |", flush=True)
    print(f"\n| NDCG of one of them ({JUDGED}), by definition | @1 | @5 | queries that differ at 5 |")
    print("| --- | --- | --- | --- |")
    for title, definition in DEFINITIONS.items():
        at = {k: {query: definition(kept[query], gold[query], k) for query in queries} for k in (1, 5)}
        differ = sum(abs(at[5][query] - ours(kept[query], gold[query], 5)) > 1e-9 for query in queries)
        means = " | ".join(f"{100 * fmean(values.values()):.1f}" for values in at.values())
        print(f"| {title} | {means} | {differ} |")


if __name__ == "__main__":
    main()
