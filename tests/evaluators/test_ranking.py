from __future__ import annotations

import math
import random

import pytest

from toolhaft.errors import UsageError
from toolhaft.evaluators.ranking import (
    DEEPEST,
    all_gold_at,
    first_places,
    metric_names,
    ndcg_at,
    recall_at,
    reciprocal_rank,
    score_ranking,
    score_rankings,
)

THIRD = 1 / math.log2(4)
SECOND = 1 / math.log2(3)


@pytest.mark.parametrize(
    ("ranked", "gold", "k", "ndcg", "recall", "all_gold", "rank"),
    [
        pytest.param("abc", "a", 3, 1.0, 1.0, 1.0, 1.0, id="one gold, first"),
        pytest.param("bac", "a", 3, SECOND, 1.0, 1.0, 0.5, id="one gold, second"),
        pytest.param("bca", "a", 2, 0.0, 0.0, 0.0, 0.0, id="gold behind k"),
        pytest.param("axb", "ab", 3, (1 + THIRD) / (1 + SECOND), 1.0, 1.0, 1.0, id="two gold, one apart"),
        pytest.param("axy", "ab", 3, 1 / (1 + SECOND), 0.5, 0.0, 1.0, id="half of the gold"),
        pytest.param(
            "abx", "abc", 2, 1.0, 2 / 3, 0.0, 1.0, id="more gold than k: NDCG can be 1, recall cannot"
        ),
        pytest.param("a", "ab", 5, 1 / (1 + SECOND), 0.5, 0.0, 1.0, id="fewer hits than k"),
        pytest.param("", "ab", 5, 0.0, 0.0, 0.0, 0.0, id="no hits"),
        pytest.param("aab", "ab", 2, 1.0, 1.0, 1.0, 1.0, id="a name twice counts once, the next moves up"),
        pytest.param("xxa", "a", 2, SECOND, 1.0, 1.0, 0.5, id="a wrong name twice counts once"),
        pytest.param("ab", "aab", 2, 1.0, 1.0, 1.0, 1.0, id="gold twice counts once"),
    ],
)
def test_definitions_by_hand(
    ranked: str, gold: str, k: int, ndcg: float, recall: float, all_gold: float, rank: float
) -> None:
    assert ndcg_at(ranked, gold, k) == pytest.approx(ndcg)
    assert recall_at(ranked, gold, k) == pytest.approx(recall)
    assert all_gold_at(ranked, gold, k) == all_gold
    assert reciprocal_rank(ranked, gold, k) == pytest.approx(rank)


def test_two_documents_of_one_tool_are_one_where_told() -> None:
    same = {"a2": "a", "b2": "b"}
    assert first_places(["a2", "x", "a", "b"], same) == ["a", "x", "b"]
    apart = score_ranking(["a2", "b"], ["a", "a2"], (2,))
    assert apart["recall@2"] == 0.5
    one = score_ranking(["a2", "b"], ["a", "a2"], (2,), same)
    assert one["recall@2"] == one["ndcg@2"] == 1.0


def test_names_of_the_figures() -> None:
    assert metric_names((5, 1)) == ("ndcg@1", "ndcg@5", "recall@1", "recall@5", "all@1", "all@5", "mrr@5")
    assert tuple(score_ranking("ab", "b", (5, 1))) == metric_names((1, 5))


def test_a_set_of_queries_says_what_it_left_out_and_what_nothing_could_find() -> None:
    scores = score_rankings(
        {"q1": ["a"], "q2": [], "q3": ["a"]},
        {"q1": ["a", "gone"], "q2": ["b"], "q3": []},
        depths=(1,),
        pool=["a", "b"],
    )
    assert scores.without_gold == ("q3",)
    assert scores.not_in_pool == {"q1": ("gone",)}
    assert scores.values("recall@1") == {"q1": 0.5, "q2": 0.0}
    assert scores.values("all@1") == {"q1": 0.0, "q2": 0.0}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        pytest.param(lambda: ndcg_at(["a"], [], 5), "without gold", id="no gold"),
        pytest.param(lambda: recall_at(["a"], ["a"], 0), "k is 0", id="k of nothing"),
        pytest.param(lambda: all_gold_at(["a"], ["a"], -1), "k is -1", id="k below 0"),
        pytest.param(lambda: metric_names(()), "nothing", id="no depth"),
        pytest.param(lambda: metric_names((0, 5)), "k = 0, 5", id="depth 0"),
        pytest.param(lambda: metric_names((DEEPEST + 1,)), "k = 1001", id="too deep"),
        pytest.param(lambda: score_rankings({}, {}), "none of 0", id="no queries"),
        pytest.param(lambda: score_rankings({"q": ["a"]}, {"q": []}), "none of 1", id="no gold anywhere"),
        pytest.param(lambda: score_rankings({}, {"q": ["a"]}), "'q'", id="a query without a ranking"),
        pytest.param(
            lambda: score_rankings({"q": ["a"]}, {"q": ["a"]}).values("ndcg@7"), "ndcg@7", id="no such figure"
        ),
    ],
)
def test_what_has_no_figure_is_refused(call: object, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", "\\(")):
        call()  # type: ignore[operator]


def _random_cases(number: int) -> list[tuple[list[str], list[str]]]:
    draw = random.Random(7)
    pool = [f"tool{position}" for position in range(30)]
    return [
        (draw.sample(pool, draw.randint(1, 20)), draw.sample(pool, draw.randint(1, 8))) for _ in range(number)
    ]


def test_equals_trec_eval() -> None:
    trec = pytest.importorskip("pytrec_eval")
    cases = _random_cases(200)
    qrels = {str(i): dict.fromkeys(gold, 1) for i, (_, gold) in enumerate(cases)}
    runs = {str(i): {n: 100.0 - p for p, n in enumerate(ranked)} for i, (ranked, _) in enumerate(cases)}
    wanted = {"ndcg_cut.1,5,10", "recall.1,5,10", "recip_rank"}
    for query, found in trec.RelevanceEvaluator(qrels, wanted).evaluate(runs).items():
        ranked, gold = cases[int(query)]
        for k in (1, 5, 10):
            assert ndcg_at(ranked, gold, k) == pytest.approx(found[f"ndcg_cut_{k}"])
            assert recall_at(ranked, gold, k) == pytest.approx(found[f"recall_{k}"])
        assert reciprocal_rank(ranked, gold) == pytest.approx(found["recip_rank"])


@pytest.mark.slow
def test_equals_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    for ranked, gold in _random_cases(60):
        columns = sorted({*ranked, *gold, "tool0", "tool1"})
        truth = [[float(name in gold) for name in columns]]
        scores = [[100.0 - ranked.index(name) if name in ranked else -100.0 for name in columns]]
        # What was not retrieved ties at the end: at k within the hits the ties do not count.
        for k in (1, 5, 10):
            if k <= len(ranked):
                assert ndcg_at(ranked, gold, k) == pytest.approx(metrics.ndcg_score(truth, scores, k=k))
