"""Retrievers put side by side: means with intervals, paired differences, and what they miss."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, median, variance

from toolhaft.errors import UsageError
from toolhaft.evaluators.bootstrap import bootstrap_interval, difference_interval
from toolhaft.evaluators.ranking import DEPTHS, RankingScores, first_places, metric_names, score_rankings
from toolhaft.evaluators.statistics import (
    CONFIDENCE,
    FEWEST,
    critical,
    detectable_difference,
    holm,
    mcnemar,
    wilson,
)
from toolhaft.types import Pairing

RESAMPLES = 2_000
MANY = 2_000
"""Queries above which the interval of a mean is taken from the normal distribution, which the bootstrap's
has become: the two differ by less than the bootstrap's own chance."""
_FEW = 10
_CURVE_RESAMPLES = 500
_CATEGORY_RESAMPLES = 1_000
_SHALLOWEST_CURVE = 10
_DEEPEST_CURVE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A mean over queries with its 95 % interval.

    Attributes:
        mean: In [0, 1]; likewise the ends ``low`` and ``high`` of the interval.
        queries: How many there are.
    """

    mean: float
    low: float
    high: float
    queries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rankings:
    """What one retriever found for every query.

    Attributes:
        name: As it is written, with its settings; unique in a comparison.
        ranked: By the id of the query, names best first.
        seconds: By the id of the query, how long it took; may be empty.
        engine: What did the work, for people.
        index_seconds: How long the index took; 0 if that was not measured.
    """

    name: str
    ranked: Mapping[str, Sequence[str]]
    seconds: Mapping[str, float] = field(default_factory=dict)
    engine: str = ""
    index_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingResult:
    """How one retriever did.

    Attributes:
        name: Unique in its comparison.
        engine: What did the work, for people.
        figures: By name, see `toolhaft.evaluators.ranking.metric_names`.
        by_category: Those at the depth of the deciding figure, for the queries of each category.
        curve: Recall at k = 1, 2, 3 ..., in this order.
        index_seconds: How long the index took; 0 if that was not measured.
        query_seconds: Half of the queries took no longer; 0 if that was not measured.
        slowest: Ids and seconds of the queries that took longest, the longest first.
    """

    name: str
    engine: str
    figures: Mapping[str, Figure]
    by_category: Mapping[str, Mapping[str, Figure]]
    curve: tuple[Figure, ...]
    index_seconds: float = 0.0
    query_seconds: float = 0.0
    slowest: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingComparison:
    """Retrievers on the same queries and the same tools.

    Attributes:
        metric: The figure that decides, as ``ndcg@5``.
        depths: The k of the figures.
        results: In the order given.
        pairings: By figure, each retriever less the first; p-values are of wins and losses, those of the
            deciding figure are adjusted for the number of retrievers.
        missed_queries: Ids of queries with the share of their gold that no retriever found within the
            largest k, worst first.
        missed_tools: By the name of a gold tool, how often it was missed within the largest k and how often
            it was wanted, over all retrievers, most missed first.
        without_gold: Ids of queries that were left out.
        not_in_pool: By the id of the query, gold that nothing could find; it counts as missed.
    """

    metric: str
    depths: tuple[int, ...]
    results: tuple[RankingResult, ...]
    pairings: Mapping[str, tuple[Pairing, ...]]
    missed_queries: tuple[tuple[str, float], ...]
    missed_tools: Mapping[str, tuple[int, int]]
    without_gold: tuple[str, ...] = ()
    not_in_pool: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def compare_rankings(
    runs: Sequence[Rankings],
    gold: Mapping[str, Collection[str]],
    *,
    depths: Sequence[int] = DEPTHS,
    pool: Collection[str] | None = None,
    categories: Mapping[str, str] | None = None,
    seed: int = 0,
) -> RankingComparison:
    """Score retrievers on the same queries, and compare each with the first.

    Args:
        runs: At least one; names are unique.
        gold: By the id of the query, the tools that it needs.
        depths: The k to look at; 5, if it is among them, else the largest, is that of the deciding NDCG.
        pool: All names that could be found; None if that is not known.
        categories: By the id of the query, what it belongs to; queries without stand in none.
        seed: Of the bootstrap.

    Raises:
        UsageError: There is no run, two have one name, or see `toolhaft.evaluators.ranking.score_rankings`.
    """
    _check_names([run.name for run in runs])
    names, ordered = metric_names(depths), tuple(sorted(set(depths)))
    scores = [score_rankings(run.ranked, gold, depths=depths, pool=pool) for run in runs]
    judged = {query: set(gold[query]) for query in scores[0].by_query}
    depth = 5 if 5 in ordered else ordered[-1]
    metric = f"ndcg@{depth}"
    results = tuple(
        _result(run, found, judged, categories or {}, depth, seed)
        for run, found in zip(runs, scores, strict=True)
    )
    pairings = {
        name: tuple(
            pair_rankings(runs[0].name, run.name, scores[0].values(name), found.values(name), seed=seed)
            for run, found in zip(runs[1:], scores[1:], strict=True)
        )
        for name in names
    }
    pairings[metric] = _adjusted(pairings[metric])
    return RankingComparison(
        metric=metric,
        depths=ordered,
        results=results,
        pairings=pairings,
        missed_queries=_missed_queries(scores, f"recall@{ordered[-1]}"),
        missed_tools=_missed_tools(runs, judged, ordered[-1]),
        without_gold=scores[0].without_gold,
        not_in_pool=scores[0].not_in_pool,
    )


def mean_figure(values: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES) -> Figure:
    """Return the mean of one figure over queries, with its 95 % interval.

    It is the percentile bootstrap over queries; of more than 2,000 queries its limit, the normal interval.
    Where fewer than ten queries differ from the rest, it is widened to hold Wilson's as well: of queries that
    all end alike, resampling would conclude that every other one does, with certainty.

    Args:
        values: One a query, at least one, in [0, 1].
        seed: Of the bootstrap.
        resamples: How often the queries are drawn.

    Raises:
        UsageError: There are no values.
    """
    if len(values) > MANY:
        mean = fmean(values)
        half = critical(CONFIDENCE) * math.sqrt(variance(values) / len(values))
        return Figure(mean=mean, low=max(0.0, mean - half), high=min(1.0, mean + half), queries=len(values))
    low, high = bootstrap_interval(values, seed=seed, resamples=resamples)
    if len(values) - max(Counter(values).values()) < _FEW:
        least, most = wilson(min(math.fsum(values), len(values)), len(values))
        low, high = min(low, least), max(high, most)
    return Figure(mean=fmean(values), low=low, high=high, queries=len(values))


def pair_rankings(
    a: str, b: str, before: Mapping[str, float], after: Mapping[str, float], *, seed: int = 0
) -> Pairing:
    """Compare one figure of two retrievers query by query.

    Args:
        a: Name of the first, that ``b`` is compared with.
        b: Name of the second.
        before: The figure of ``a`` by the id of the query; ``after`` is that of ``b``.
        after: Has the same queries.
        seed: Of the bootstrap.

    Raises:
        UsageError: They were not asked the same queries.
    """
    if before.keys() != after.keys():
        raise UsageError(f"{a} and {b} were not asked the same queries")
    differences = [after[query] - before[query] for query in before]
    wins = sum(difference > 0 for difference in differences)
    losses = sum(difference < 0 for difference in differences)
    pairing = Pairing(
        a=a,
        b=b,
        tasks=len(differences),
        wins=wins,
        ties=len(differences) - wins - losses,
        losses=losses,
        difference=math.fsum(differences) / len(differences) if differences else 0.0,
    )
    if len(differences) < FEWEST:
        return pairing
    low, high = _difference_interval(differences, seed)
    return replace(
        pairing,
        low=low,
        high=high,
        mcnemar_p=mcnemar(wins, losses),
        detectable=detectable_difference(differences),
    )


def _difference_interval(differences: Sequence[float], seed: int) -> tuple[float, float]:
    if len(differences) <= MANY:
        return difference_interval(differences, seed=seed, resamples=RESAMPLES)
    mean = fmean(differences)
    half = critical(CONFIDENCE) * math.sqrt(variance(differences) / len(differences))
    return mean - half, mean + half


def _check_names(names: Sequence[str]) -> None:
    if not names:
        raise UsageError("there is no retriever to measure", hint="Name at least one")
    for name, times in Counter(names).items():
        if times > 1:
            raise UsageError(f"the retriever {name!r:.80} is named {times} times", hint="Name each once")


def _result(
    run: Rankings,
    scores: RankingScores,
    gold: Mapping[str, set[str]],
    categories: Mapping[str, str],
    depth: int,
    seed: int,
) -> RankingResult:
    groups: dict[str, list[str]] = {}
    for query in scores.by_query:
        if categories.get(query):
            groups.setdefault(categories[query], []).append(query)
    names = tuple(next(iter(scores.by_query.values())))
    timed = sorted(run.seconds.items(), key=lambda item: -item[1])
    figures = {name: mean_figure(list(scores.values(name).values()), seed=seed) for name in names}
    return RankingResult(
        name=run.name,
        engine=run.engine,
        figures=figures,
        by_category={
            category: {
                name: mean_figure(
                    [scores.by_query[query][name] for query in groups[category]],
                    seed=seed,
                    resamples=_CATEGORY_RESAMPLES,
                )
                for name in (f"{kind}@{depth}" for kind in ("ndcg", "recall", "all"))
            }
            for category in sorted(groups, key=lambda group: (-len(groups[group]), group))
        },
        curve=_curve(run, gold, figures, seed),
        index_seconds=run.index_seconds,
        query_seconds=median(run.seconds.values()) if run.seconds else 0.0,
        slowest=tuple(timed[:10]),
    )


def _curve(
    run: Rankings, gold: Mapping[str, set[str]], figures: Mapping[str, Figure], seed: int
) -> tuple[Figure, ...]:
    """Return recall at every k up to the largest of the figures, which stand in it where there is one."""
    deepest = max(int(name.partition("@")[2]) for name in figures)
    depth = min(max(deepest, _SHALLOWEST_CURVE), _DEEPEST_CURVE)
    found_at: list[list[float]] = []
    for query, wanted in gold.items():
        shares, found = [], 0
        ranked = first_places(run.ranked[query])
        for place in range(depth):
            found += place < len(ranked) and ranked[place] in wanted
            shares.append(found / len(wanted))
        found_at.append(shares)
    return tuple(
        figures.get(f"recall@{place + 1}")
        or mean_figure([shares[place] for shares in found_at], seed=seed, resamples=_CURVE_RESAMPLES)
        for place in range(depth)
    )


def _adjusted(pairings: Sequence[Pairing]) -> tuple[Pairing, ...]:
    """Return the pairings with p-values adjusted for their number; too few queries have none."""
    tested = [pairing.mcnemar_p for pairing in pairings if pairing.mcnemar_p is not None]
    adjusted = iter(holm(tested))
    return tuple(
        replace(pairing, adjusted_p=next(adjusted)) if pairing.mcnemar_p is not None else pairing
        for pairing in pairings
    )


def _missed_queries(scores: Sequence[RankingScores], metric: str) -> tuple[tuple[str, float], ...]:
    values = [found.values(metric) for found in scores]
    missed = {query: 1 - fmean(found[query] for found in values) for query in values[0]}
    worst = sorted(missed.items(), key=lambda item: -item[1])
    return tuple((query, share) for query, share in worst if share > 0)


def _missed_tools(
    runs: Sequence[Rankings], gold: Mapping[str, set[str]], depth: int
) -> dict[str, tuple[int, int]]:
    missed: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    for run in runs:
        for query, names in gold.items():
            wanted.update(names)
            missed.update(names.difference(first_places(run.ranked[query])[:depth]))
    order = sorted(missed, key=lambda name: (-missed[name], wanted[name], name))
    return {name: (missed[name], wanted[name]) for name in order}
