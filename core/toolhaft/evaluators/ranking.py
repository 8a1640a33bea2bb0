"""How good a ranking of tools is: recall, NDCG, reciprocal rank and all-gold, per query.

One definition each, for figures differ by it. Throughout:

- *Gold* is a set: the tools that the query needs. All count alike (binary gain), a name that stands twice in
  the gold counts once. A query without gold has no figure: the functions refuse it, `score_rankings` leaves
  it out and names it.
- *A ranking* is the names of tools, best first. A name that stands twice counts once, at its first place, and
  what comes after it moves up. Fewer than k hits are as good as a full list whose rest is wrong.
- *Gold that is not in the pool* cannot be found and stays in every denominator: it counts as missed.
  `score_rankings` names it where it is told the pool.
- *Two documents of one tool* (a corpus that lists an API twice) are two tools unless ``same`` says that they
  are one; then both stand for it in the gold and in the ranking.

How others differ (binary gains, g gold tools, discount ``1 / log2(place + 1)`` in all of them):

========================== ====================================== ======================================
who                        ideal of NDCG@k                        duplicates, few hits
========================== ====================================== ======================================
here                       the first min(k, g) places             counted once; the rest is wrong
trec_eval, ranx, BEIR      the first min(k, g) places             trec_eval refuses a name twice, and
                                                                  orders equal scores by name
scikit-learn, ndcg_score   the same if every gold tool has a      averages over the orders of equal
                           column, found or not                   scores; wants two columns or more
ToolBench, APIEvaluator    ndcg_score over the whole corpus;      equal scores are averaged; rows of one
                           given the first k hits alone, gold     tool have ids of their own and are
                           that was not found leaves the ideal    different tools
ideal over k               the first k places, even if g < k      one gold tool: at most 0.34 at k = 5
ideal over all gold        the first g places, even if g > k      a perfect ranking can be below 1
========================== ====================================== ======================================

ToolBench's first release passes ``k`` to ``ndcg_score`` by position, which newer scikit-learn refuses.

Source: recall and reciprocal rank, Voorhees and Harman, "TREC: Experiment and Evaluation in Information
Retrieval" (2005), chapter 3; NDCG, Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR
techniques" (2002), with the discount of Burges et al., "Learning to Rank using Gradient Descent" (2005),
section 6, as trec_eval and ToolBench have it; all-gold is COMP@k of Qu et al., "Towards Completeness-Oriented
Tool Retrieval for Large Language Models" (2024), section 3.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from toolhaft.errors import UsageError

DEPTHS = (1, 5, 10)
"""At which k figures are given unless others are asked for."""
DEEPEST = 1000


def first_places(ranked: Iterable[str], same: Mapping[str, str] | None = None) -> list[str]:
    """Return a ranking without repetitions, each name at its first place.

    Args:
        ranked: Names, best first.
        same: A name to the name that it stands for; see the module.
    """
    if same:
        ranked = (same.get(name, name) for name in ranked)
    return list(dict.fromkeys(ranked))


def recall_at(ranked: Sequence[str], gold: Collection[str], k: int) -> float:
    """Return the share of the gold tools that are among the first k, in [0, 1].

    With more than k gold tools, 1 cannot be reached.

    Raises:
        UsageError: There is no gold, or k is less than 1.
    """
    wanted = _wanted(gold, k)
    return len(wanted.intersection(first_places(ranked)[:k])) / len(wanted)


def ndcg_at(ranked: Sequence[str], gold: Collection[str], k: int) -> float:
    """Return the normalised discounted cumulated gain of the first k, in [0, 1]; raises as `recall_at`.

    A gold tool at place i (from 1) gives ``1 / log2(i + 1)``. The sum is divided by that of the best possible
    ranking, which has gold at its first ``min(k, number of gold tools)`` places.
    """
    wanted = _wanted(gold, k)
    places = [place for place, name in enumerate(first_places(ranked)[:k], 1) if name in wanted]
    return _gain(places) / _gain(range(1, min(k, len(wanted)) + 1))


def reciprocal_rank(ranked: Sequence[str], gold: Collection[str], k: int = DEEPEST) -> float:
    """Return ``1 / place`` of the first gold tool among the first k, or 0; raises as `recall_at`."""
    wanted = _wanted(gold, k)
    return next((1 / place for place, name in enumerate(first_places(ranked)[:k], 1) if name in wanted), 0.0)


def all_gold_at(ranked: Sequence[str], gold: Collection[str], k: int) -> float:
    """Return 1 if every gold tool is among the first k, else 0; raises as `recall_at`."""
    return float(_wanted(gold, k).issubset(first_places(ranked)[:k]))


def _wanted(gold: Collection[str], k: int) -> set[str]:
    if k < 1:
        raise UsageError(f"k is {k}", hint="Look at the first 1 or more")
    if not gold:
        raise UsageError(
            "a query without gold tools has no figure", hint="Leave it out, or name what it needs"
        )
    return set(gold)


def _gain(places: Iterable[int]) -> float:
    return math.fsum(1 / math.log2(place + 1) for place in places)


def metric_names(depths: Sequence[int] = DEPTHS) -> tuple[str, ...]:
    """Return the names of the figures of `score_ranking`, in the order of a table.

    Raises:
        UsageError: There is no depth, or one is not in [1, 1000].
    """
    ordered = sorted(set(depths))
    if not ordered or not 1 <= ordered[0] <= ordered[-1] <= DEEPEST:
        raise UsageError(
            f"figures at k = {', '.join(map(str, depths)) or 'nothing'}", hint=f"Give k from 1 to {DEEPEST}"
        )
    kinds = ("ndcg", "recall", "all")
    return (*(f"{kind}@{k}" for kind in kinds for k in ordered), f"mrr@{ordered[-1]}")


def score_ranking(
    ranked: Sequence[str],
    gold: Collection[str],
    depths: Sequence[int] = DEPTHS,
    same: Mapping[str, str] | None = None,
) -> dict[str, float]:
    """Return all figures of one ranking by name: ``ndcg@k``, ``recall@k``, ``all@k`` and ``mrr@(largest k)``.

    Args:
        ranked: Names, best first; only the first of the largest k count.
        gold: Names of the tools that the query needs, at least one.
        depths: The k to look at.
        same: A name to the name that it stands for; see the module.

    Raises:
        UsageError: There is no gold, or a depth is not in [1, 1000].
    """
    measures = {"ndcg": ndcg_at, "recall": recall_at, "all": all_gold_at, "mrr": reciprocal_rank}
    distinct, wanted = first_places(ranked, same), set(first_places(gold, same))
    found: dict[str, float] = {}
    for name in metric_names(depths):
        kind, _, k = name.partition("@")
        found[name] = measures[kind](distinct, wanted, int(k))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingScores:
    """The figures of one retriever, query by query.

    Attributes:
        by_query: By the id of the query, the figures of `score_ranking`.
        without_gold: Ids of queries that were left out, for they name no gold.
        not_in_pool: By the id of the query, gold that nothing could find; it counts as missed.
    """

    by_query: Mapping[str, Mapping[str, float]]
    without_gold: tuple[str, ...] = ()
    not_in_pool: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def values(self, metric: str) -> dict[str, float]:
        """Return one figure of every query.

        Raises:
            UsageError: There is no such figure.
        """
        try:
            return {query: figures[metric] for query, figures in self.by_query.items()}
        except KeyError:
            known = next(iter(self.by_query.values()), {})
            raise UsageError(
                f"there is no figure {metric!r:.60}", hint=f"There are {', '.join(known)}"
            ) from None


def score_rankings(
    rankings: Mapping[str, Sequence[str]],
    gold: Mapping[str, Collection[str]],
    *,
    depths: Sequence[int] = DEPTHS,
    pool: Collection[str] | None = None,
    same: Mapping[str, str] | None = None,
) -> RankingScores:
    """Score one retriever on all queries.

    Args:
        rankings: By the id of the query, names best first; what found nothing has an empty one.
        gold: By the id of the query, the tools that it needs; in this order the queries are kept.
        depths: The k to look at.
        pool: All names that could be found; None if that is not known.
        same: A name to the name that it stands for; see the module.

    Raises:
        UsageError: A query has no ranking, no query has gold, or a depth is not in [1, 1000].
    """
    judged = {query: names for query, names in gold.items() if names}
    if not judged:
        raise UsageError(
            f"none of {len(gold)} queries names a gold tool", hint="Name the tools that they need"
        )
    unanswered = [query for query in judged if query not in rankings]
    if unanswered:
        raise UsageError(
            f"{len(unanswered)} of {len(judged)} queries have no ranking, the first is {unanswered[0]!r:.80}",
            hint="What found nothing has an empty ranking, and counts as missed",
        )
    known = None if pool is None else set(first_places(pool, same))
    missing = {
        query: lost
        for query, names in judged.items()
        if known is not None and (lost := tuple(n for n in first_places(names, same) if n not in known))
    }
    return RankingScores(
        by_query={
            query: score_ranking(rankings[query], names, depths, same) for query, names in judged.items()
        },
        without_gold=tuple(query for query in gold if query not in judged),
        not_in_pool=missing,
    )
