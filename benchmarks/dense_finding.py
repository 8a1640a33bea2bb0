"""What the dense retriever finds beside BM25; metrics as in toolhaft.evaluators.ranking."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from search_sets import Query, load_set

from toolhaft.evaluators.ranking import ndcg_at, recall_at
from toolhaft.retrievers.base import Retriever
from toolhaft.retrievers.bm25 import BM25
from toolhaft_dense.retriever import Dense


async def score(retriever: Retriever, queries: Sequence[Query]) -> tuple[dict[str, float], list[float]]:
    """Return mean figures, and recall@5 of each query for the paired comparison."""
    seconds: list[float] = []
    rankings = []
    for query in queries:
        started = time.perf_counter()
        found = await retriever.rank(query.text, 10)
        seconds.append(time.perf_counter() - started)
        rankings.append(([name for name, _ in found], query.gold))
    row = {f"R@{k}": 100 * statistics.mean(recall_at(r, gold, k) for r, gold in rankings) for k in (5, 10)}
    row |= {f"NDCG@{k}": 100 * statistics.mean(ndcg_at(r, gold, k) for r, gold in rankings) for k in (1, 5)}
    row["query p50 ms"] = 1_000 * statistics.median(seconds)
    return row, [recall_at(ranked, gold, 5) for ranked, gold in rankings]


async def compare(name: str, count: int) -> None:
    """Print what BM25 and the dense retriever find, and what indexing and reopening cost."""
    chosen = load_set(name)
    specs, queries = chosen.specs, chosen.queries[:count]
    print(f"{name} ({chosen.role} set): {len(specs)} tools, {len(queries)} queries")
    bm25 = BM25()
    started = time.perf_counter()
    await bm25.index(specs)
    built = time.perf_counter() - started
    by_words, words = await score(bm25, queries)
    show("bm25", by_words, f"index {built:.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        dense = Dense(folder=folder, threads=1)
        await dense.index(specs[:1])
        started, busy = time.perf_counter(), time.process_time()
        await dense.index(specs)
        encoding, busy = time.perf_counter() - started, time.process_time() - busy
        by_meaning, meaning = await score(dense, queries)
        show("dense", by_meaning, f"encode {encoding:.1f} s")
        whole = Dense(folder=folder, threads=1, sentences=False)
        await whole.index(specs)
        show("one text", (await score(whole, queries))[0], "the query as one text, not by its sentences too")
        rates = [f"{dense.encoded / seconds:.0f} texts/s" for seconds in (encoding, busy)]
        print(dense.engine)
        print(f"encoded {dense.encoded} texts: {rates[0]}, {rates[1]} of processor time")
        again = Dense(folder=folder, threads=1)
        started = time.perf_counter()
        await again.index(specs)
        reopening = time.perf_counter() - started
        size = sum(file.stat().st_size for file in Path(folder).rglob("*.vectors")) / 1_000_000
        print(
            f"reopened in {reopening:.2f} s ({again.encoded} encoded), "
            f"{encoding / reopening:.0f} times as fast; {size:.1f} MB on disk"
        )
    wins = sum(mine > other for mine, other in zip(meaning, words, strict=True))
    losses = sum(mine < other for mine, other in zip(meaning, words, strict=True))
    print(
        f"recall@5 by query: dense better {wins}, bm25 better {losses}, equal {len(queries) - wins - losses}"
    )


def show(name: str, row: dict[str, float], note: str) -> None:
    print(
        f"{name:8}" + "  ".join(f"{title} {value:.2f}" for title, value in row.items()) + f"  {note}",
        flush=True,
    )
