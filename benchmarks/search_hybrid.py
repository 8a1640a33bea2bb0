"""Choose how retrievers are fused, on development sets; then measure the choice.

python benchmarks/search_hybrid.py [--set NAME ...] [--cache DIR]     the choices, development sets alone
python benchmarks/search_hybrid.py --learn FILE [--set NAME ...]      what is learned from those queries
python benchmarks/search_hybrid.py --final NAME ...                   bm25, dense and hybrid as registered
python benchmarks/search_hybrid.py --time [--tools 22897]             a query's time, and its encoding's

Every choice is by the mean NDCG@5 over the sets, each set counted alike; bm25 is the registered one, its
2,000 best tools, and dense vectors are scored exactly. ``--cache`` keeps vectors by encoder and text.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy
from search_sets import SearchSet, load_set, load_sets
from toolhaft_dense.encoder import Encoder, graph_cache
from toolhaft_dense.texts import passage, query_parts
from toolhaft_dense.weights import find_encoder

from toolhaft.evaluators.ranking import ndcg_at, recall_at
from toolhaft.evaluators.ranking_comparison import mean_figure, pair_rankings
from toolhaft.hooks.registry import Registry
from toolhaft.retrievers.fields import compose_fields
from toolhaft.text import identifier_words
from toolhaft.types import ToolSpec

SETS = (
    *("tooleval-small", "anytool-small", "anytool-tools", "toolalpaca"),
    *("restgpt", "world", "bfcl", "apibench-torchhub-train"),
)
WEIGHTS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.4)
DEPTH = 100
DEEPEST = 2_000
CHUNK = 2_000

Scores = Any
"""float32, shape (queries, tools); 0 where nothing was found."""


class Vectors:
    """Encodes texts; keeps their vectors in a folder, if there is one."""

    def __init__(self, folder: Path | None, precision: str) -> None:
        self._encoder = Encoder(find_encoder(None), precision=precision, threads=1, cache=graph_cache())
        self._folder = folder and folder / f"hybrid-{self._encoder.key}"
        self._known: dict[str, Any] = {}
        for file in sorted(self._folder.glob("*.npz")) if self._folder else ():
            with numpy.load(file, allow_pickle=False) as kept:
                self._known.update(zip(kept["keys"].tolist(), kept["vectors"], strict=True))

    def of(self, texts: Sequence[str]) -> Any:
        """Return one vector a text, as rows."""
        keys = [hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() for text in texts]
        wanted = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        new = list(wanted)
        for start in range(0, len(new), CHUNK):
            part = new[start : start + CHUNK]
            vectors = self._encoder.encode([wanted[key] for key in part])
            self._known.update(zip(part, vectors, strict=True))
            if self._folder:
                self._folder.mkdir(parents=True, exist_ok=True)
                name = hashlib.sha256("".join(part).encode()).hexdigest()[:24]
                numpy.savez(self._folder / f"{name}.npz", keys=part, vectors=vectors)
        return numpy.stack([self._known[key] for key in keys])


# What is encoded of a tool


def without_parameters(spec: ToolSpec) -> str:
    return passage(spec).partition(" Parameters: ")[0]


def name_first(spec: ToolSpec) -> str:
    fields = compose_fields(spec)
    name, parent = (" ".join(identifier_words(part)) or part for part in (fields.name, fields.parent))
    return " ".join(f"{name}. {fields.description} {parent}, {fields.tags}".split())


def without_the_parents_words(spec: ToolSpec) -> str:
    fields = compose_fields(spec)
    parent = identifier_words(fields.parent)
    name = [word for word in identifier_words(fields.name) if word not in parent]
    heading = f"{fields.tags}, {' '.join(parent)}: {' '.join(name) or fields.name}."
    return " ".join(f"{heading} {fields.description}".split())


COMPOSITIONS: dict[str, Callable[[ToolSpec], str]] = {
    "passage": passage,
    "without parameters": without_parameters,
    "name first": name_first,
    "without the parent's words": without_the_parents_words,
}


def sentences(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"(?<=[.!?。！？])\s+|\n+", text) if part.strip()] or [text]


# One set


class Candidates:
    """What bm25 and the encoder score of one set."""

    def __init__(self, chosen: SearchSet, vectors: Vectors) -> None:
        self.name = chosen.name
        self.set = chosen
        self.names = [spec.name for spec in chosen.specs]
        groups = [spec.parent or f"\0{number}" for number, spec in enumerate(chosen.specs)]
        self.groups: Any = numpy.unique(groups, return_inverse=True)[1]
        self._vectors = vectors
        self.lexical = asyncio.run(self._lexical())

    async def _lexical(self) -> Scores:
        retriever = Registry.default().retriever("bm25")
        await retriever.index(self.set.specs)
        place = {name: number for number, name in enumerate(self.names)}
        scores = numpy.zeros((len(self.set.queries), len(place)), dtype=numpy.float32)
        for row, query in enumerate(self.set.queries):
            for name, score in await retriever.rank(query.text, DEEPEST):
                scores[row, place[name]] = max(score, 0.0)
        await retriever.close()
        return scores

    def dense(self, composition: str = "passage", share: float = 0.5) -> Scores:
        """Return cosines of the query, and with ``share`` the best of its sentences."""
        tools = self._vectors.of([COMPOSITIONS[composition](spec) for spec in self.set.specs])
        cosines = self._vectors.of([query.text for query in self.set.queries]) @ tools.T
        if share:
            parts = [sentences(query.text) for query in self.set.queries]
            best = self._vectors.of([part for each in parts for part in each]) @ tools.T
            starts = numpy.cumsum([0, *map(len, parts[:-1])])
            cosines = (1 - share) * cosines + share * numpy.maximum.reduceat(best, starts)
        return numpy.maximum(cosines, 0.0)

    def lifted(self, scores: Scores, share: float) -> Scores:
        """Add a share of the best score in each tool's service; a tool without one is its own."""
        best = numpy.zeros((len(scores), self.groups.max() + 1), dtype=scores.dtype)
        for row in range(len(scores)) if share else ():
            numpy.maximum.at(best[row], self.groups, scores[row])
        return scores + share * best[:, self.groups]

    def figure(self, scores: Scores) -> float:
        """Return the mean NDCG@5, in percent."""
        values = []
        for row, query in zip(scores, self.set.queries, strict=True):
            first = numpy.argsort(-row, kind="stable")[:5]
            values.append(ndcg_at([self.names[place] for place in first if row[place] > 0], query.gold, 5))
        return 100 * fmean(values)


def points(scores: Scores, fusion: str, depth: int) -> Scores:
    """Return what `toolhaft.retrievers.fusion.fuse` gives each tool of one retriever, as arrays."""
    found = numpy.zeros_like(scores)
    for row, values in enumerate(scores):
        order = numpy.argsort(-values, kind="stable")[:depth]
        order = order[values[order] > 0]
        if not len(order):
            continue
        if fusion == "rrf":
            found[row, order] = 1 / (61 + numpy.arange(len(order)))
            continue
        whole = len(order) < depth
        floor = 0.0 if whole else values[order].min()
        seen = numpy.append(values[order], floor) if whole else values[order]
        spread = seen.max() - floor if fusion == "min-max" else seen.std()
        found[row, order] = (values[order] - floor) / spread if spread > 0 else 1.0
    return found


# Choices


def best_weight(
    sets: Sequence[Candidates],
    dense: Sequence[Scores],
    fusion: str = "z-score",
    depth: int = DEPTH,
    lift: float = 0.0,
    weights: Sequence[float] = WEIGHTS,
) -> tuple[float, float, list[float]]:
    """Return the best mean, its weight of the dense part, and the figures of the sets."""
    parts = [
        (points(each.lexical, fusion, depth), points(scores, fusion, depth))
        for each, scores in zip(sets, dense, strict=True)
    ]
    tried = []
    for weight in weights:
        figures = [
            each.figure(each.lifted(first + weight * second, lift))
            for each, (first, second) in zip(sets, parts, strict=True)
        ]
        tried.append((fmean(figures), weight, figures))
    return max(tried, key=lambda one: one[0])


def row(label: str, mean: float, weight: float | None, figures: Sequence[float]) -> None:
    said = "" if weight is None else f"{weight:g}"
    print(f"{label:44} {mean:6.2f} {said:>6}  {' '.join(f'{figure:7.1f}' for figure in figures)}", flush=True)


def choose(sets: Sequence[Candidates]) -> None:
    print(f"{'NDCG@5':44} {'mean':>6} {'weight':>6}  {' '.join(f'{each.name[:7]:>7}' for each in sets)}")
    plain = [each.dense(share=0.0) for each in sets]
    mixed = [each.dense() for each in sets]
    for label, scores in (
        ("bm25", [each.lexical for each in sets]),
        ("dense, the whole query", plain),
        ("dense, and its sentences", mixed),
    ):
        figures = [each.figure(one) for each, one in zip(sets, scores, strict=True)]
        row(label, fmean(figures), None, figures)
    for weight in WEIGHTS:
        row(f"z-score, depth {DEPTH}", *best_weight(sets, mixed, weights=[weight]))
    for fusion in ("rrf", "z-score", "min-max"):
        for depth in (50, 100, 200):
            row(f"fusion {fusion}, depth {depth}", *best_weight(sets, mixed, fusion, depth))
    for share in (0.0, 0.3, 0.5, 0.7, 1.0):
        found = [each.dense(share=share) for each in sets]
        row(f"share of the best sentence {share:g}", *best_weight(sets, found))
    for share in (0.25, 0.5, 1.0):
        found = [each.lifted(scores, share) for each, scores in zip(sets, mixed, strict=True)]
        row(f"dense lifted by its service {share:g}", *best_weight(sets, found))
        row(f"lifted after the fusion {share:g}", *best_weight(sets, mixed, lift=share))
    for composition in COMPOSITIONS:
        found = [each.dense(composition) for each in sets]
        row(f"encoded: {composition}", *best_weight(sets, found))


async def learn(names: Sequence[str], file: Path) -> None:
    """Learn one fusion from the queries of all sets, as `toolhaft.runs.learning_fusion` does for users."""
    from toolhaft.runs.learning_fusion import JudgedRankings, judge_rankings, learn_fusion

    judged = []
    for name in names:
        chosen = load_set(name)
        hybrid: Any = Registry.default().retriever("hybrid")
        await hybrid.index(chosen.specs)
        queries = [(query.text, query.gold) for query in chosen.queries]
        judged.append(await judge_rankings(hybrid, chosen.specs, queries, DEPTH))
        await hybrid.close()
    together = JudgedRankings(
        labels=judged[0].labels,
        found=[rankings for each in judged for rankings in each.found],
        gold=[gold for each in judged for gold in each.gold],
        parents={name: parent for each in judged for name, parent in each.parents.items()},
        depth=DEPTH,
    )
    learned = learn_fusion(together, learned_on=", ".join(names))
    learned.save(file)
    print(file.read_text())


async def ranked(name: str, chosen: SearchSet) -> dict[str, list[str]]:
    retriever = Registry.default().retriever(name)
    await retriever.index(chosen.specs)
    found = {query.id: [tool for tool, _ in await retriever.rank(query.text, 10)] for query in chosen.queries}
    print(f"{chosen.name}: {name}: {retriever.engine}", flush=True)
    await retriever.close()
    return found


def finish(names: Sequence[str]) -> None:
    for chosen in load_sets(names=names):
        found = {name: asyncio.run(ranked(name, chosen)) for name in ("bm25", "dense", "hybrid")}
        ndcg = {
            name: {query.id: ndcg_at(one[query.id], query.gold, 5) for query in chosen.queries}
            for name, one in found.items()
        }
        for name, one in found.items():
            recall = fmean(recall_at(one[query.id], query.gold, 5) for query in chosen.queries)
            figure = mean_figure(list(ndcg[name].values()))
            interval = f"[{100 * figure.low:.1f}, {100 * figure.high:.1f}]"
            print(f"  {name:8} NDCG@5 {100 * figure.mean:5.1f} {interval:14} recall@5 {recall:.3f}")
        print(f"  {pair_rankings('bm25', 'hybrid', ndcg['bm25'], ndcg['hybrid'])}")


async def measure(tools: int) -> None:
    """Time hybrid queries and the encoding of the same queries, one after the other, interleaved."""
    chosen = load_set("tooleval" if tools > 2_000 else "tooleval-small")
    retrievers = {name: Registry.default().retriever(name) for name in ("bm25", "hybrid")}
    for retriever in retrievers.values():
        await retriever.index(chosen.specs[:tools])
        print(retriever.engine)
    encoder = Encoder(find_encoder(None), cache=graph_cache())
    seconds: dict[str, list[float]] = {name: [] for name in ("encoding", *retrievers)}
    for number, query in enumerate(chosen.queries[:100]):
        started = time.perf_counter()
        encoder.encode(query_parts(query.text))
        spent = {"encoding": time.perf_counter() - started}
        for name, retriever in retrievers.items():
            started = time.perf_counter()
            await retriever.retrieve(query.text, 10)
            spent[name] = time.perf_counter() - started
        for name, one in spent.items() if number >= 5 else ():
            seconds[name].append(one)
    for name, all_of_it in seconds.items():
        print(f"{name:9} p50 {1000 * median(all_of_it):7.2f} ms")
    shares = [one / other for one, other in zip(seconds["hybrid"], seconds["encoding"], strict=True)]
    print(f"hybrid / encoding of the query and its sentences, p50 over queries: {median(shares):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--set", nargs="+", default=SETS, help="development sets")
    parser.add_argument("--cache", type=Path, help="folder for vectors")
    parser.add_argument("--precision", choices=("int8", "fp32"), default="int8")
    parser.add_argument("--learn", type=Path, metavar="FILE")
    parser.add_argument("--final", nargs="+", metavar="NAME")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--tools", type=int, default=22_897)
    given = parser.parse_args()
    if given.time:
        asyncio.run(measure(given.tools))
    elif given.final:
        finish(given.final)
    else:
        chosen = list(load_sets(names=given.set))
        if any(one.role != "development" for one in chosen):
            raise SystemExit("choices are made on development sets alone; --final is for the others")
        if given.learn:
            asyncio.run(learn([one.name for one in chosen], given.learn))
        else:
            vectors = Vectors(given.cache, given.precision)
            choose([Candidates(one, vectors) for one in chosen])


if __name__ == "__main__":
    main()
