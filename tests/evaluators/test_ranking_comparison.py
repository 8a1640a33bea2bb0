"""Retrievers side by side: means, intervals, paired differences and what is missed."""

from __future__ import annotations

import random
from statistics import NormalDist, fmean, stdev

import pytest

from toolhaft.errors import UsageError
from toolhaft.evaluators.ranking_comparison import (
    MANY,
    Rankings,
    compare_rankings,
    mean_figure,
    pair_rankings,
)

pytestmark = pytest.mark.slow


def ranked(name, hits, **more):
    return Rankings(name=name, ranked=hits, **more)


def forty():
    """Return gold, a run that finds every tool at its first place, and one that misses each fourth."""
    gold = {f"q{i}": (f"t{i}",) for i in range(40)}
    good = {query: [*names, "x"] for query, names in gold.items()}
    worse = {query: hits if i % 4 else ["x", "y"] for i, (query, hits) in enumerate(good.items())}
    return gold, good, worse


def test_figures_differences_and_what_is_missed():
    gold, good, worse = forty()
    categories = {query: "even" if int(query[1:]) % 2 == 0 else "odd" for query in gold}
    found = compare_rankings(
        [ranked("worse", worse), ranked("good", good, seconds={"q1": 0.5, "q2": 0.1, "q3": 0.2})],
        gold,
        categories=categories,
        pool=["t1"],
    )
    first, second = found.results
    assert (found.metric, found.depths) == ("ndcg@5", (1, 5, 10))
    assert first.figures["recall@1"].mean == 0.75
    assert first.figures["recall@1"].low < 0.75 < first.figures["recall@1"].high
    assert second.figures["ndcg@5"].mean == second.figures["ndcg@5"].high == 1.0
    assert 0.9 < second.figures["ndcg@5"].low < 0.95  # forty that all end alike are no certainty
    assert [figure.mean for figure in second.curve] == [1.0] * 10
    assert all(second.figures[f"recall@{k}"] is second.curve[k - 1] for k in found.depths)
    assert first.by_category["even"]["ndcg@5"].mean == 0.5
    assert first.by_category["odd"]["ndcg@5"].mean == 1.0
    (pairing,) = found.pairings["ndcg@5"]
    assert (pairing.a, pairing.b, pairing.wins, pairing.ties, pairing.losses) == ("worse", "good", 10, 30, 0)
    assert pairing.difference == pytest.approx(0.25)
    assert pairing.low > 0
    assert pairing.adjusted_p == pairing.mcnemar_p == pytest.approx(2 / 2**10)
    assert dict(found.missed_queries) == {f"q{i}": 0.5 for i in range(0, 40, 4)}
    assert found.missed_tools["t0"] == (1, 2)
    assert len(found.not_in_pool) == 39
    assert (second.query_seconds, second.slowest[0]) == (0.2, ("q1", 0.5))


def test_holm_adjusts_for_the_number_of_retrievers():
    gold, good, worse = forty()
    found = compare_rankings([ranked("a", worse), ranked("b", good), ranked("c", worse)], gold)
    one, other = found.pairings["ndcg@5"]
    assert one.adjusted_p == pytest.approx(2 * one.mcnemar_p)
    assert (other.difference, other.adjusted_p) == (0.0, 1.0)
    assert other.low <= 0 <= other.high


def test_the_same_seed_gives_the_same_and_another_another_interval():
    gold, good, worse = forty()
    runs = [ranked("a", worse), ranked("b", good)]
    again = [compare_rankings(runs, gold, seed=seed) for seed in (3, 3, 4)]
    assert again[0] == again[1]
    intervals = [found.results[0].figures["ndcg@5"] for found in again]
    assert intervals[0].mean == intervals[2].mean
    assert intervals[0] != intervals[2]


def test_intervals_hold_the_true_mean_about_as_often_as_they_say():
    draw = random.Random(5)
    held = 0
    for number in range(60):
        values = [float(draw.random() < 0.6) for _ in range(80)]
        figure = mean_figure(values, seed=number, resamples=300)
        held += figure.low <= 0.6 <= figure.high
    assert 50 <= held <= 60


def test_of_many_queries_the_interval_is_the_normal_one():
    draw = random.Random(1)
    values = [draw.random() for _ in range(MANY + 1)]
    figure = mean_figure(values)
    half = NormalDist().inv_cdf(0.975) * stdev(values) / len(values) ** 0.5
    assert (figure.low, figure.high) == pytest.approx((fmean(values) - half, fmean(values) + half))
    near = mean_figure(values[:MANY], resamples=1000)
    assert near.high - near.low == pytest.approx(2 * half, rel=0.1)


def test_few_queries_have_no_interval_of_the_difference():
    pairing = pair_rankings("a", "b", {"q": 0.0}, {"q": 1.0})
    assert (pairing.difference, pairing.low, pairing.mcnemar_p) == (1.0, None, None)


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([], "no retriever"),
        ([ranked("a", {"q": []}), ranked("a", {"q": []})], "named 2 times"),
        ([ranked("a", {})], "have no ranking"),
    ],
    ids=["none", "twice", "unanswered"],
)
def test_what_cannot_be_compared(runs, said):
    with pytest.raises(UsageError, match=said):
        compare_rankings(runs, {"q": ["t"]})


def test_other_queries_are_no_pair():
    with pytest.raises(UsageError, match="not asked the same"):
        pair_rankings("a", "b", {"q": 1.0}, {"p": 1.0})
    with pytest.raises(UsageError, match="no bootstrap of 0"):
        mean_figure([])
