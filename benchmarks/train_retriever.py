"""Train the encoder on queries of some tools, and measure it on queries whose tools it never saw.

python benchmarks/train_retriever.py [--rows given,more] [--synthetic N] [--set name=value ...]
python benchmarks/train_retriever.py --inner FOLD     the same inside the training side, to choose settings

The 343 services of the ToolBench queries are divided in two by a digest of category and service. Queries
whose gold tools all stand on the one side are learned, those whose gold tools all stand on the other are the
test; the pool is all 1,686 APIs, and, as a second figure, those of the test side alone. No tool of the test
side is seen while training: none answers a query, makes one or is a negative.

The row ``given`` learns ToolBench's queries of the training side. The row ``more`` learns those of other
sets, too, as far as none of their tools belongs to a service of the test side. ``--synthetic`` adds
queries made from the documents of the tools that are learned.

Settings are chosen with ``--inner``, which divides the training side in three by service and never reads
a query of the test. ``hybrid`` has its default weights and those of ``--weights``. Figures are NDCG@5 in
percent with 95 % intervals of paired differences (bootstrap over queries).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from search_sets import Query, load_set
from toolhaft.evaluators.bootstrap import difference_interval
from toolhaft.evaluators.ranking import ndcg_at
from toolhaft.retrievers.base import Retriever
from toolhaft.retrievers.bm25 import BM25
from toolhaft.retrievers.hybrid import Hybrid
from toolhaft.types import ToolSpec
from toolhaft_dense.retriever import Dense
from toolhaft_dense.training.examples import Collector, LearningQuery, LearningSet, group_of
from toolhaft_dense.training.running import train_retriever
from toolhaft_dense.training.settings import RetrieverSettings

FOLDS = 3
WEIGHT = 0.4
"""What ``dense`` counts in ``hybrid`` by default, ``bm25`` counting 1."""
OTHERS = "tooleval-small,anytool-small"
"""Development sets whose queries are like ToolBench's."""


def draw(what: str, service: str) -> int:
    """Return a number that depends on a service's name alone."""
    return int.from_bytes(hashlib.sha256(f"{what}:{service}".encode()).digest()[:4])


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What is learned and what is measured.

    Attributes:
        learned: Queries of the training side; ``seen`` are its tools.
        measured: Queries of the other side.
        unseen: Services of which nothing may be learned.
        pools: The tools searched, by name.
        sources: Where each tool of a gold comes from, by name; tools may be called otherwise in another pool.
    """

    learned: tuple[Query, ...]
    measured: tuple[Query, ...]
    seen: tuple[ToolSpec, ...]
    unseen: frozenset[str]
    pools: Mapping[str, tuple[ToolSpec, ...]]
    sources: Mapping[str, str]


def divide(inner: int | None, *, large: bool = False) -> Split:
    """Return the split.

    Args:
        inner: The fold that is measured within the training side; None is the test.
        large: Whether to search the RapidAPI crawl, too.
    """
    found = load_set("toolbench")
    service = {spec.name: service_of(spec) for spec in found.specs}
    measured_side = "test" if inner is None else "fold"

    def of_side(side: str) -> tuple[Query, ...]:
        return tuple(
            query
            for query in found.queries
            if {side_of(service[name], inner) for name in query.gold} == {side}
        )

    own = tuple(spec for spec in found.specs if side_of(service[spec.name], inner) == measured_side)
    pools = {f"all {len(found.specs):,}": found.specs, f"own side, {len(own):,}": own}
    if large:
        crawl = load_set("toolbench-22k").specs
        pools[f"the crawl, {len(crawl):,}"] = crawl
    return Split(
        learned=of_side("train"),
        measured=of_side(measured_side),
        seen=tuple(spec for spec in found.specs if side_of(service[spec.name], inner) == "train"),
        unseen=frozenset(each for each in service.values() if side_of(each, inner) != "train"),
        pools=pools,
        sources={spec.name: spec.source for spec in found.specs},
    )


def service_of(spec: ToolSpec) -> str:
    return group_of(spec, spec.name)


def side_of(service: str, inner: int | None) -> str:
    """Return ``train``, ``test`` or ``fold``."""
    if draw("split", service) % 2:
        return "test"
    return "fold" if inner is not None and draw("fold", service) % FOLDS == inner else "train"


def learning_set(split: Split, others: Iterable[str]) -> LearningSet:
    """Return the tools and queries of the training side, and those of other sets."""
    collector = Collector()
    add(collector, split.seen, split.learned)
    for name in others:
        other = load_set(name)
        allowed = tuple(spec for spec in other.specs if service_of(spec) not in split.unseen)
        add(collector, allowed, other.queries)
    return collector.collected()


def add(collector: Collector, specs: Iterable[ToolSpec], queries: Iterable[Query]) -> None:
    """Take tools, and the queries that they answer whole."""
    place = {spec.name: collector.add_tool(key_of(spec), spec) for spec in specs}
    for query in queries:
        if query.gold <= place.keys():
            positives = tuple(place[name] for name in sorted(query.gold))
            collector.add_query(LearningQuery(text=query.text, positives=positives))


def key_of(spec: ToolSpec) -> tuple[str, ...]:
    """Return what a tool is known by: an API of RapidAPI by its source, for sets call one differently."""
    return (spec.source,) if spec.source.startswith("rapidapi:") else (spec.source, spec.name)


@dataclass(slots=True)
class Figures:
    """NDCG@5 of each query by pool and retriever."""

    scores: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    async def measure(self, title: str, retriever: Retriever, split: Split) -> None:
        """Keep the figures of a retriever, in every pool."""
        for pool, specs in split.pools.items():
            await retriever.index(specs)
            self.scores[pool, title] = [
                ndcg_at(
                    [hit.item.source for hit in await retriever.retrieve(query.text, 5)],
                    {split.sources[name] for name in query.gold},
                    5,
                )
                for query in split.measured
            ]

    def show(self, title: str, against: str | None = None) -> None:
        """Print the figures of a retriever, with its gain on another one."""
        for pool in dict.fromkeys(pool for pool, _ in self.scores):
            own = self.scores[pool, title]
            line = f"{pool:18} {title:32} {100 * sum(own) / len(own):6.2f}"
            if against is not None:
                gains = [a - b for a, b in zip(own, self.scores[pool, against], strict=True)]
                low, high = difference_interval(gains)
                line += f"  {100 * sum(gains) / len(gains):+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"
                line += f" against {against}"
            print(line, flush=True)


def train(learning: LearningSet, settings: RetrieverSettings, output: Path, *, resume: bool = False) -> Path:
    """Train, and return the folder of the encoder."""
    started, cpu = time.perf_counter(), time.process_time()

    def tell(step: int, steps: int, said: str) -> None:
        if step % 10 == 0 or step == steps:
            print(f"  step {step} of {steps}, {said}, {time.perf_counter() - started:.0f} s", flush=True)

    result = train_retriever(learning, output, settings, resume=resume, progress=tell)
    trained = result.trained
    held_out = f", NDCG@5 on those held out {100 * trained.best:.2f}" if result.held_out else ""
    print(
        f"{output.name}: {result.queries} queries, {len(learning.tools):,} tools, {trained.steps} of "
        f"{trained.planned} steps, {trained.tokens:,} tokens, {time.perf_counter() - started:.0f} s "
        f"({time.process_time() - cpu:.0f} s of processor){held_out}",
        flush=True,
    )
    return result.model


async def compare(
    split: Split, models: Mapping[str, Path | None], kept: Path, threads: int, weights: Iterable[float]
) -> None:
    """Print the figures of all retrievers."""
    figures = Figures()
    await figures.measure("bm25", BM25(), split)
    figures.show("bm25")
    for title, model in models.items():
        dense = Dense(model=model, folder=kept, threads=threads)
        await figures.measure(f"dense {title}", dense, split)
        figures.show(f"dense {title}", None if model is None else "dense untrained")
        for weight in dict.fromkeys((WEIGHT, *weights)):
            named = f"hybrid {weight:g} {title}"
            await figures.measure(named, Hybrid(retrievers=[BM25(), dense], weights=(1.0, weight)), split)
            figures.show(named, "bm25" if model is None else f"hybrid {WEIGHT:g} untrained")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", default="given,more")
    parser.add_argument("--others", default=OTHERS, help="sets that the row more adds")
    parser.add_argument("--synthetic", type=int, default=0)
    parser.add_argument("--inner", type=int, choices=range(FOLDS))
    parser.add_argument("--output", type=Path, default=Path(tempfile.gettempdir(), "train_retriever"))
    parser.add_argument("--preset", default="default")
    parser.add_argument("--set", dest="words", action="append", default=[])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--weights", default="", help="of dense in hybrid, beside the default: 0.6,0.8")
    parser.add_argument("--large", action="store_true", help="search the RapidAPI crawl, too")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--trained", type=json.loads, default={}, help='{"title": "folder"}, measured only')
    chosen: Any = parser.parse_args()
    try:
        split = divide(chosen.inner, large=chosen.large)
    except FileNotFoundError as error:
        print(f"skipped: no {error.filename}; set TOOLHAFT_SHARED")
        return
    import torch

    torch.set_num_threads(chosen.threads)
    print(f"{len(split.learned)} queries are learned, {len(split.measured)} measured")
    models: dict[str, Path | None] = {"untrained": None}
    models |= {title: Path(folder) for title, folder in chosen.trained.items()}
    settings = RetrieverSettings.from_words(
        ["hold_out=0", *chosen.words], chosen.preset, synthetic=chosen.synthetic
    )
    for row in chosen.rows.split(",") if chosen.rows else ():
        learning = learning_set(split, chosen.others.split(",") if row == "more" else ())
        models[f"trained, {row}"] = train(learning, settings, chosen.output / row, resume=chosen.resume)
    weights = [float(each) for each in chosen.weights.split(",") if each]
    asyncio.run(compare(split, models, chosen.output / "vectors", chosen.threads, weights))


if __name__ == "__main__":
    main()
