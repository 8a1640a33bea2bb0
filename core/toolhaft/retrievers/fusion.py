"""Several rankings of the same tools made into one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, get_args

from toolhaft.errors import ConfigError

Fusion = Literal["rrf", "z-score", "min-max"]
"""How rankings are fused; see `fuse`."""
FUSIONS: tuple[str, ...] = get_args(Fusion)

Ranking = Sequence[tuple[str, float]]
"""Names with scores, best first, each name once."""

RRF_CONSTANT = 60.0


def fuse(
    rankings: Sequence[Ranking],
    weights: Sequence[float],
    *,
    fusion: str = "z-score",
    depth: int = 0,
    constant: float = RRF_CONSTANT,
) -> dict[str, float]:
    """Return the fused score of every tool that any ranking holds, in the order they first stand in.

    With ``rrf`` a tool gets ``weight / (constant + rank)`` from each ranking, ranks from 1. With
    ``z-score`` and ``min-max`` it gets ``weight`` times its score in units of that ranking's candidates:
    how many standard deviations, or which share of their range, it stands above the floor. A tool that a
    ranking does not hold gets nothing from it: it is taken to stand at the floor, which is the lowest
    candidate's score, or 0 where the ranking holds fewer than ``depth`` tools, for then it left out
    only those without any likeness.

    Args:
        rankings: One a retriever.
        weights: As many; at least 0.
        fusion: One of `FUSIONS`.
        depth: Tools that each ranking was asked for.
        constant: Of ``rrf``: the higher, the less the first places count.

    Source: G. Cormack, C. Clarke, S. Buettcher, "Reciprocal rank fusion outperforms Condorcet and
    individual rank learning methods", SIGIR 2009 (``rrf``, constant 60); S. Bruch, S. Gai, A. Ingber, "An
    analysis of fusion functions for hybrid retrieval", TOIS 2023, sections 3 and 4 (convex combination of
    normalised scores; here over the candidates alone, and with the floor above).
    """
    fused: dict[str, float] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        points = _rank_points(ranking, constant) if fusion == "rrf" else _score_points(ranking, fusion, depth)
        for (name, _), value in zip(ranking, points, strict=True):
            fused[name] = fused.get(name, 0.0) + weight * value
    return fused


def lift_groups(fused: dict[str, float], share: float, group_of: Callable[[str], str]) -> dict[str, float]:
    """Return fused scores, each with ``share`` of the best one in the tool's group added.

    Args:
        fused: Scores of at least 0 by name.
        share: 0 changes nothing.
        group_of: The service of a tool, say; empty for one that has none.
    """
    groups = {name: group_of(name) for name in fused}
    best: dict[str, float] = {}
    for name, score in fused.items():
        best[groups[name]] = max(best.get(groups[name], 0.0), score)
    best[""] = 0.0
    return {name: score + share * best[groups[name]] for name, score in fused.items()}


def best_of(fused: dict[str, float], k: int) -> list[tuple[str, float]]:
    """Return the k highest, equal scores in the order they stand in."""
    import heapq

    numbered = ((-score, number, name) for number, (name, score) in enumerate(fused.items()))
    return [(name, -negative) for negative, _, name in heapq.nsmallest(k, numbered)]


def check_fusion(fusion: object) -> str:
    """Return the name of a fusion; raises `ConfigError` unless it is one of `FUSIONS`."""
    if not isinstance(fusion, str) or fusion not in FUSIONS:
        raise ConfigError(f"fusion is {repr(fusion)[:60]}", hint=f"Use one of {', '.join(FUSIONS)}")
    return fusion


def check_weights(weights: Iterable[object], count: int) -> tuple[float, ...]:
    """Return weights as numbers.

    Raises:
        ConfigError: There are not as many as parts, one is no number from 0 to 1,000, or all are 0.
    """
    given = list(weights)
    if len(given) != count:
        raise ConfigError(f"there are {len(given)} weights for {count} parts", hint="Give one a part")
    found: list[float] = []
    for weight in given:
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1_000:
            raise ConfigError(f"a weight is {repr(weight)[:60]}", hint="Use numbers from 0 to 1000")
        found.append(float(weight))
    if not any(found):
        raise ConfigError("all weights are 0", hint="Give at least one part a weight")
    return tuple(found)


def _rank_points(ranking: Ranking, constant: float) -> list[float]:
    return [1.0 / (constant + rank) for rank in range(1, len(ranking) + 1)]


def _score_points(ranking: Ranking, fusion: str, depth: int) -> list[float]:
    if not ranking:
        return []
    scores = [score for _, score in ranking]
    lowest = min(scores)
    whole = len(scores) < depth  # whatever is not in it scored nothing
    floor = min(lowest, 0.0) if whole else lowest
    seen = [*scores, floor] if whole else scores
    spread = max(seen) - floor if fusion == "min-max" else _deviation(seen)
    if spread <= 0:
        return [1.0 for _ in scores]
    return [(score - floor) / spread for score in scores]


def _deviation(scores: Sequence[float]) -> float:
    mean = sum(scores) / len(scores)
    return math.sqrt(sum((score - mean) ** 2 for score in scores) / len(scores))
