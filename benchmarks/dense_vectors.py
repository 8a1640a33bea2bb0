"""The k nearest of many vectors: our search against faiss and usearch, on embedded tools and instructions."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
from search_sets import load_set

from toolhaft_dense.cells import Cells, make_cells
from toolhaft_dense.encoder import Encoder, graph_cache
from toolhaft_dense.quantised import Quantised, quantise
from toolhaft_dense.search import Block, VectorIndex
from toolhaft_dense.texts import COMPOSITION, passage
from toolhaft_dense.weights import find_encoder

K = 10
NOISE = 0.35
_HNSW_MOST = 150_000
Search = Callable[[Any], Any]


def compare(sizes: list[int], count: int, cache: Path) -> None:
    """Print the median time, recall@10 against exact vectors, and the cost of building, of every engine."""
    tools, queries = embedded(count, cache)
    for size in sizes:
        vectors, kind = resample(tools, size)
        print(f"{size:,} vectors ({kind}), {len(queries)} embedded instructions, top {K}, one thread")
        nearest = numpy.concatenate([_exact(vectors, some) for some in numpy.array_split(queries, 8)])
        searches = engines(vectors)
        taken: dict[str, list[float]] = {name: [] for name in searches}
        recall: dict[str, list[float]] = {name: [] for name in searches}
        for row, query in enumerate(queries):
            for name, (search, _) in searches.items():
                started = time.perf_counter()
                found = search(query)
                taken[name].append(time.perf_counter() - started)
                # Equal vectors are one as good as the other: what scores as the tenth counts as found.
                scores = vectors[[place for place in found if place >= 0]] @ query
                recall[name].append((scores >= nearest[row] - 1e-6).sum() / K)
        for name, (_, note) in searches.items():
            print(
                f"  {name:34} p50 {1_000 * numpy.median(taken[name]):8.3f} ms  "
                f"recall@{K} {numpy.mean(recall[name]):.4f}  {note}"
            )


def embedded(count: int, cache: Path) -> tuple[Any, Any]:
    """Return vectors of the crawl's tools and of instructions, encoded once."""
    found = load_set("toolbench-22k")
    encoder = Encoder(find_encoder(None), threads=1, precision="fp32", cache=graph_cache())
    fast = Encoder(find_encoder(None), threads=1, cache=graph_cache())
    file = cache / f"dense-{fast.key}-{COMPOSITION}-{len(found.specs)}.npy"
    if not file.is_file():
        print("encoding the crawl; kept for the next time", flush=True)
        cache.mkdir(parents=True, exist_ok=True)
        numpy.save(file, fast.encode([passage(spec) for spec in found.specs]))
    return numpy.load(file), encoder.encode([query.text for query in found.queries[:count]])


def resample(vectors: Any, size: int) -> tuple[Any, str]:
    """Return so many vectors: some of these, or all of them and noisy copies."""
    chance = numpy.random.default_rng(0)
    if size <= len(vectors):
        return vectors[numpy.sort(chance.permutation(len(vectors))[:size])], "embedded tools"
    made = numpy.empty((size, vectors.shape[1]), dtype=numpy.float32)
    made[: len(vectors)] = vectors
    for start in range(len(vectors), size, 50_000):
        rows = slice(start, min(start + 50_000, size))
        base = vectors[chance.integers(0, len(vectors), rows.stop - start)]
        noise = chance.normal(size=base.shape).astype(numpy.float32) * (NOISE / vectors.shape[1] ** 0.5)
        noisy = base + noise
        made[rows] = noisy / numpy.linalg.norm(noisy, axis=1, keepdims=True)
    return made, f"{len(vectors):,} embedded tools and noisy copies of them"


def engines(vectors: Any) -> dict[str, tuple[Search, str]]:
    """Return searches by name, each with a note on its building."""
    held = quantise(vectors)
    size = held.whole.nbytes + held.scales.nbytes
    index = VectorIndex(blocks=(Block(vectors=held),))
    found: dict[str, tuple[Search, str]] = {
        "toolhaft exact int8": (
            lambda query: [place for place, _ in index.nearest(query[None], K)],
            f"{size / vectors.nbytes:.3f} of fp32's bytes",
        )
    }
    started = time.process_time()
    cells, order = make_cells(held)
    note = f"built in {time.process_time() - started:.1f} CPU s, {len(cells.ends)} cells"
    laid = held.take(order)
    for probed in (16, 32, 64):
        found[f"toolhaft cells, {probed} looked at"] = (_by_cells(laid, order, cells, probed), note)
    found["numpy fp32"] = (lambda query: _top(vectors @ query), "")
    found.update(_faiss(vectors))
    found.update(_usearch(vectors, held))
    return found


def _by_cells(laid: Quantised, order: Any, cells: Cells, probed: int) -> Search:
    chosen = Cells(centres=cells.centres, ends=cells.ends, probed=probed)
    index = VectorIndex(blocks=(Block(vectors=laid, positions=order, cells=chosen),))
    return lambda query: [place for place, _ in index.nearest(query[None], K)]


def _faiss(vectors: Any) -> dict[str, tuple[Search, str]]:
    try:
        import faiss
    except ImportError:
        print("  faiss is not installed: left out")
        return {}
    faiss.omp_set_num_threads(1)
    width, product = vectors.shape[1], faiss.METRIC_INNER_PRODUCT
    kind = faiss.ScalarQuantizer.QT_8bit
    scan = faiss.IndexScalarQuantizer(width, kind, product)
    scan.train(vectors)
    scan.add(vectors)
    found = {"faiss SQ8": (lambda query: scan.search(query[None], K)[1][0], "")}
    cells = round(len(vectors) ** 0.5)
    started = time.process_time()
    index = faiss.IndexIVFScalarQuantizer(faiss.IndexFlatIP(width), width, cells, kind, product)
    index.train(vectors)
    index.add(vectors)
    note = f"built in {time.process_time() - started:.1f} CPU s, {cells} cells"
    for probed in (16, 32, 64):
        found[f"faiss IVF SQ8, {probed} looked at"] = (_probe(faiss, index, probed), note)
    return found


def _probe(faiss: Any, index: Any, probed: int) -> Search:
    settings = faiss.SearchParametersIVF(nprobe=probed)
    return lambda query: index.search(query[None], K, params=settings)[1][0]


def _usearch(vectors: Any, held: Quantised) -> dict[str, tuple[Search, str]]:
    try:
        from usearch.index import Index, MetricKind, search
    except ImportError:
        print("  usearch is not installed: left out")
        return {}

    def scan(query: Any) -> Any:
        whole = quantise(query[None]).whole[0]
        return search(held.whole, whole, K, MetricKind.Cos, exact=True, threads=1).keys

    found = {"usearch exact i8": (scan, "")}
    if len(vectors) > _HNSW_MOST:
        print(f"  usearch HNSW: left out beyond {_HNSW_MOST:,}, for its building takes minutes")
        return found
    started = time.process_time()
    index = Index(ndim=vectors.shape[1], metric="cos", dtype="i8")
    index.add(numpy.arange(len(vectors)), vectors, threads=1)
    note = f"built in {time.process_time() - started:.1f} CPU s"
    found["usearch HNSW i8"] = (lambda query: index.search(query, K, threads=1).keys, note)
    return found


def _exact(vectors: Any, queries: Any) -> Any:
    """Return the score of the tenth nearest of each query."""
    scores = queries @ vectors.T
    return numpy.partition(scores, scores.shape[1] - K, axis=1)[:, scores.shape[1] - K]


def _top(scores: Any) -> Any:
    return numpy.argpartition(-scores, K)[:K]
