"""Learning how to fuse retrievers from queries whose tools are known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from toolhaft.errors import UsageError
from toolhaft.evaluators.ranking import ndcg_at
from toolhaft.retrievers.fusion import FUSIONS, Ranking, best_of, fuse, lift_groups
from toolhaft.retrievers.hybrid import Hybrid
from toolhaft.retrievers.learned_fusion import LearnedFusion
from toolhaft.types import ToolSpec

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0)
"""Tried for each retriever but the first, whose weight is 1."""
BOOSTS = (0.0, 0.25, 0.5)
_K = 5
_WORTH = 0.0005
"""Gain in mean NDCG below which a change is not made: it would be noise."""
_ROUNDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRankings:
    """What each retriever found for each query, and what it should have found.

    Attributes:
        labels: Of the retrievers, in order.
        found: For each query the rankings, in the order of the labels.
        gold: For each query the names of the tools that it needs.
        parents: The service of each tool that was found.
        depth: Candidates of each retriever.
    """

    labels: tuple[str, ...]
    found: Sequence[Sequence[Ranking]]
    gold: Sequence[Collection[str]]
    parents: Mapping[str, str]
    depth: int

    def part(self, remainder: int, folds: int) -> tuple[JudgedRankings, JudgedRankings]:
        """Return the queries of one fold, and all others."""
        chosen = [number for number in range(len(self.gold)) if number % folds == remainder]
        others = [number for number in range(len(self.gold)) if number % folds != remainder]
        return self._only(chosen), self._only(others)

    def _only(self, numbers: Sequence[int]) -> JudgedRankings:
        return JudgedRankings(
            labels=self.labels,
            found=[self.found[number] for number in numbers],
            gold=[self.gold[number] for number in numbers],
            parents=self.parents,
            depth=self.depth,
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to fuse: a fusion, a weight a retriever, a parent boost."""

    fusion: str
    weights: tuple[float, ...]
    parent_boost: float = 0.0

    def mean_ndcg(self, judged: JudgedRankings) -> float:
        """Return the mean NDCG@5 over the queries."""
        total = 0.0
        for rankings, gold in zip(judged.found, judged.gold, strict=True):
            fused = fuse(rankings, self.weights, fusion=self.fusion, depth=judged.depth)
            if self.parent_boost:
                fused = lift_groups(fused, self.parent_boost, lambda name: judged.parents.get(name, ""))
            total += ndcg_at([name for name, _ in best_of(fused, _K)], gold, _K)
        return total / len(judged.gold)


async def judge_rankings(
    hybrid: Hybrid,
    specs: Sequence[ToolSpec],
    queries: Sequence[tuple[str, Collection[str]]],
    depth: int,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> JudgedRankings:
    """Ask every retriever of an indexed hybrid for every query.

    Args:
        hybrid: With an index.
        specs: The tools that it was indexed with.
        queries: Texts, each with the names of the tools that it needs; those without are left out.
        depth: Candidates of each retriever.
        progress: Called with how many queries were asked, and how many there are.

    Raises:
        UsageError: No query names a tool.
    """
    judged = [(text, gold) for text, gold in queries if gold]
    if not judged:
        raise UsageError(f"none of {len(queries)} queries names a tool", hint="Name the tools that they need")
    found = []
    for done, (text, _) in enumerate(judged):
        if progress is not None:
            progress(done, len(judged))
        found.append(await hybrid.candidates(text, depth))
    named = {name for rankings in found for ranking in rankings for name, _ in ranking}
    return JudgedRankings(
        labels=hybrid.labels,
        found=found,
        gold=[gold for _, gold in judged],
        parents={spec.name: spec.parent for spec in specs if spec.name in named and spec.parent},
        depth=depth,
    )


def learn_fusion(
    judged: JudgedRankings, *, learned_on: str, folds: int = 2, before: LearnedFusion | None = None
) -> LearnedFusion:
    """Return the fusion, weights and parent boost with the highest mean NDCG@5 on these queries.

    One after the other is changed while that gains, from equal weights on; the same rankings give the same
    result. How good it is on queries it did not see is measured by leaving out one fold at a time; learn on
    queries like those that will be asked, a hundred or more.

    Args:
        judged: At least two queries.
        learned_on: What the queries are, for people; kept in the file.
        folds: Of that measurement.
        before: How they are fused now; how good that is stands beside what was learned.

    Raises:
        UsageError: There are fewer queries than folds.

    Source: D. Metzler, W. B. Croft, "Linear feature-based models for information retrieval", Information
    Retrieval 2007, section 4.3 (coordinate ascent on the measure itself); here over a fixed grid.
    """
    if not 2 <= folds <= len(judged.gold):
        raise UsageError(
            f"{len(judged.gold)} queries cannot be cut into {folds} folds", hint="Learn on a hundred or more"
        )
    equal = Choice("z-score", (1.0,) * len(judged.labels))
    now = before and Choice(before.fusion, tuple(before.weights.values()), before.parent_boost)
    chosen = _climb(judged, equal)
    unseen = 0.0
    for remainder in range(folds):
        held, others = judged.part(remainder, folds)
        unseen += _climb(others, equal).mean_ndcg(held) * len(held.gold)
    return LearnedFusion(
        fusion=chosen.fusion,
        weights=dict(zip(judged.labels, chosen.weights, strict=True)),
        depth=judged.depth,
        parent_boost=chosen.parent_boost,
        learned_on={
            "queries": learned_on,
            "count": len(judged.gold),
            "ndcg@5": round(chosen.mean_ndcg(judged), 4),
            "ndcg@5 of queries left out": round(unseen / len(judged.gold), 4),
            "ndcg@5 with equal weights": round(equal.mean_ndcg(judged), 4),
            **({"ndcg@5 with the weights before": round(now.mean_ndcg(judged), 4)} if now else {}),
        },
    )


def _climb(judged: JudgedRankings, start: Choice) -> Choice:
    best, height = start, start.mean_ndcg(judged)
    for _ in range(_ROUNDS):
        before = best
        for step in range(len(judged.labels) + 1):
            for choice in _neighbours(best, step):
                value = choice.mean_ndcg(judged)
                if value > height + _WORTH:
                    best, height = choice, value
        if best == before:
            break
    return best


def _neighbours(choice: Choice, step: int) -> list[Choice]:
    """Return what differs in one coordinate: the fusion (0), a weight (1 ...), the parent boost (last)."""
    if step == 0:
        return [Choice(fusion, choice.weights, choice.parent_boost) for fusion in FUSIONS]
    if step < len(choice.weights):
        return [
            Choice(
                choice.fusion,
                (*choice.weights[:step], weight, *choice.weights[step + 1 :]),
                choice.parent_boost,
            )
            for weight in WEIGHTS
        ]
    return [Choice(choice.fusion, choice.weights, boost) for boost in BOOSTS]
