"""Train the encoder on queries of some tools, and measure it on queries whose tools it never saw.

python benchmarks/train_retriever.py [--rows given,synthetic] [--synthetic N] [--set name=value ...]
python benchmarks/train_retriever.py --inner FOLD     the same inside the training side, to choose settings
python benchmarks/train_retriever.py --fused-on FOLD=FOLDER     fusion learned inside the training side, too

The 343 services of the ToolBench queries are divided in two by a digest of category and service. Queries
whose gold tools all stand on the one side are learned, those whose gold tools all stand on the other are the
test; the pool is all 1,686 APIs, and, as a second figure, those of the test side alone. In the rows
``given`` and ``synthetic`` the tools of the test side are not seen: neither as negatives nor in synthetic
queries. In the row ``known`` their documents are, as those of a catalog that is served: mined as
negatives, and made into synthetic queries; no query of the test, and no judgement, is in them. Settings
are chosen with ``--inner``, which divides the training side in three by service and never reads a query of
the test.

``hybrid`` has its default weights. ``--fused-on`` adds a row with learned ones: learned on the queries
of that fold, for the untrained encoder with itself and for the trained ones with the encoder in FOLDER, which
``--inner FOLD`` made without the queries of the fold.

Figures are NDCG@5 in percent with 95 % intervals of paired differences (bootstrap over queries).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from search_sets import Query, load_set
from toolhaft.evaluators.bootstrap import difference_interval
from toolhaft.evaluators.ranking import ndcg_at
from toolhaft.retrievers.base import Retriever
from toolhaft.retrievers.bm25 import BM25
from toolhaft.retrievers.hybrid import Hybrid
from toolhaft.retrievers.learned_fusion import LearnedFusion
from toolhaft.runs.learning_fusion import judge_rankings, learn_fusion
from toolhaft.types import ToolSpec
from toolhaft_dense.retriever import Dense
from toolhaft_dense.training.examples import LearningQuery, LearningSet, group_of
from toolhaft_dense.training.running import train_retriever
from toolhaft_dense.training.settings import RetrieverSettings

FOLDS = 3
DEPTH = 100
WEIGHTS = (1.0, 0.4)
"""Those of ``hybrid`` by default."""


def draw(what: str, service: str) -> int:
    """Return a number that depends on a service's name alone."""
    return int.from_bytes(hashlib.sha256(f"{what}:{service}".encode()).digest()[:4])


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What is learned and what is measured.

    Attributes:
        learned: Queries of the training side; ``seen`` are its tools.
        measured: Queries of the other side.
        pools: The tools searched, by name.
    """

    learned: tuple[Query, ...]
    measured: tuple[Query, ...]
    seen: tuple[ToolSpec, ...]
    pools: Mapping[str, tuple[ToolSpec, ...]]


def divide(inner: int | None) -> Split:
    """Return the split; ``inner`` is the fold that is measured within the training side, None the test."""
    found = load_set("toolbench")
    service = {spec.name: group_of(spec, spec.name) for spec in found.specs}

    def sides(query: Query) -> set[str]:
        return {side_of(service[name], inner) for name in query.gold}

    measured_side = "test" if inner is None else "fold"
    measured = tuple(query for query in found.queries if sides(query) == {measured_side})
    own = tuple(spec for spec in found.specs if side_of(service[spec.name], inner) == measured_side)
    return Split(
        learned=tuple(query for query in found.queries if sides(query) == {"train"}),
        measured=measured,
        seen=tuple(spec for spec in found.specs if side_of(service[spec.name], inner) == "train"),
        pools={f"all {len(found.specs):,}": found.specs, f"own side, {len(own):,}": own},
    )


def side_of(service: str, inner: int | None) -> str:
    """Return ``train``, ``test`` or ``fold``."""
    if draw("split", service) % 2:
        return "test"
    return "fold" if inner is not None and draw("fold", service) % FOLDS == inner else "train"


def learning_set(specs: Sequence[ToolSpec], queries: Sequence[Query]) -> LearningSet:
    """Return all tools, with these queries."""
    place = {spec.name: number for number, spec in enumerate(specs)}
    return LearningSet(
        tools=tuple(specs),
        queries=tuple(
            LearningQuery(text=query.text, positives=tuple(sorted(place[name] for name in query.gold)))
            for query in queries
        ),
    )


@dataclass(slots=True)
class Figures:
    """NDCG@5 of each query by pool and retriever."""

    scores: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    async def measure(self, title: str, retriever: Retriever, split: Split) -> None:
        """Keep the figures of a retriever, in every pool."""
        for pool, specs in split.pools.items():
            await retriever.index(specs)
            self.scores[pool, title] = [
                ndcg_at([hit.item.name for hit in await retriever.retrieve(query.text, 5)], query.gold, 5)
                for query in split.measured
            ]

    def show(self, title: str, against: str | None = None) -> None:
        """Print the figures of a retriever, with its gain on another one."""
        for pool in dict.fromkeys(pool for pool, _ in self.scores):
            own = self.scores[pool, title]
            line = f"{pool:18} {title:38} {100 * sum(own) / len(own):6.2f}"
            if against is not None:
                gains = [a - b for a, b in zip(own, self.scores[pool, against], strict=True)]
                low, high = difference_interval(gains)
                line += f"  {100 * sum(gains) / len(gains):+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"
                line += f" against {against}"
            print(line, flush=True)


def train(
    split: Split, settings: RetrieverSettings, output: Path, *, known: bool = False, resume: bool = False
) -> Path:
    """Train on the training side; ``known`` adds the documents of all tools."""
    started, cpu = time.perf_counter(), time.process_time()
    specs = next(iter(split.pools.values())) if known else split.seen

    def tell(step: int, steps: int, said: str) -> None:
        if step % 10 == 0 or step == steps:
            print(f"  step {step} of {steps}, {said}, {time.perf_counter() - started:.0f} s", flush=True)

    result = train_retriever(
        learning_set(specs, split.learned), output, settings, resume=resume, progress=tell
    )
    trained = result.trained
    print(
        f"{output.name}: {result.queries} queries, {trained.steps} of {trained.planned} steps, "
        f"{trained.tokens:,} tokens, {time.perf_counter() - started:.0f} s "
        f"({time.process_time() - cpu:.0f} s of processor), best on the queries held out "
        f"{100 * trained.best:.2f} at step {trained.best_step}",
        flush=True,
    )
    return result.model


async def learn_weights(fold: int, model: Path | None, kept: Path, threads: int) -> LearnedFusion:
    """Return the fusion that is best on a fold of the training side."""
    split = divide(fold)
    specs = next(iter(split.pools.values()))
    hybrid = Hybrid(retrievers=[BM25(), Dense(model=model, folder=kept, threads=threads)])
    await hybrid.index(specs)
    asked = [(query.text, query.gold) for query in split.measured]
    judged = await judge_rankings(hybrid, specs, asked, DEPTH)
    learned = learn_fusion(judged, learned_on=f"fold {fold} of the training side")
    print(f"learned on {len(asked)} queries, {model or 'untrained'}: {learned.fusion}", end=", ")
    print(f"{dict(learned.weights)}, parent boost {learned.parent_boost}", flush=True)
    return learned


async def compare(
    split: Split,
    models: Mapping[str, Path | None],
    kept: Path,
    threads: int,
    fused: Mapping[bool, LearnedFusion],
) -> None:
    figures = Figures()
    await figures.measure("bm25", BM25(), split)
    figures.show("bm25")
    for title, model in models.items():
        dense = Dense(model=model, folder=kept, threads=threads)
        await figures.measure(f"dense {title}", dense, split)
        figures.show(f"dense {title}", None if model is None else "dense untrained")
        hybrid = Hybrid(retrievers=[BM25(), dense], weights=WEIGHTS)
        await figures.measure(f"hybrid {title}", hybrid, split)
        figures.show(f"hybrid {title}", "bm25" if model is None else "hybrid untrained")
        if fused:
            learned = Hybrid(retrievers=[BM25(), dense], learned=fused[model is not None])
            await figures.measure(f"learned hybrid {title}", learned, split)
            figures.show(f"learned hybrid {title}", "bm25" if model is None else "learned hybrid untrained")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--rows", default="given,synthetic", help="given, synthetic: with made ones; known: of all documents"
    )
    parser.add_argument("--synthetic", type=int, default=500)
    parser.add_argument("--inner", type=int, choices=range(FOLDS))
    parser.add_argument("--output", type=Path, default=Path(tempfile.gettempdir(), "train_retriever"))
    parser.add_argument("--preset", default="default")
    parser.add_argument("--set", dest="words", action="append", default=[])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--trained", type=json.loads, default={}, help='{"title": "folder"}, measured only')
    parser.add_argument("--fused-on", default="", help="FOLD=FOLDER of an encoder")
    chosen: Any = parser.parse_args()
    try:
        split = divide(chosen.inner)
    except FileNotFoundError as error:
        print(f"skipped: no {error.filename}; set TOOLHAFT_SHARED")
        return
    import torch

    torch.set_num_threads(chosen.threads)
    print(f"{len(split.learned)} queries are learned, {len(split.measured)} measured")
    models: dict[str, Path | None] = {"untrained": None}
    models |= {title: Path(folder) for title, folder in chosen.trained.items()}
    for row in chosen.rows.split(",") if chosen.rows else ():
        number = 0 if row == "given" else chosen.synthetic
        settings = RetrieverSettings.from_words(chosen.words, chosen.preset, synthetic=number)
        models[f"trained, {row}"] = train(
            split, settings, chosen.output / row, known=row == "known", resume=chosen.resume
        )
    kept = chosen.output / "vectors"
    fold, _, folder = chosen.fused_on.partition("=")
    encoders = {False: None, True: Path(folder)} if folder else {}
    fused = {
        trained: asyncio.run(learn_weights(int(fold), model, kept, chosen.threads))
        for trained, model in encoders.items()
    }
    asyncio.run(compare(split, models, kept, chosen.threads, fused))


if __name__ == "__main__":
    main()
