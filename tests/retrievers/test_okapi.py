"""BM25 scores against the library they must equal."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from toolhaft.errors import UsageError
from toolhaft.retrievers.okapi import Okapi

TERMS = st.sampled_from("abcdefghij")
CORPORA = st.lists(st.lists(TERMS, max_size=12), min_size=1, max_size=25).filter(any)
QUERIES = st.lists(st.sampled_from("abcdefghijxyz"), max_size=10)


@settings(max_examples=300, deadline=None)
@given(
    CORPORA,
    QUERIES,
    st.floats(0.01, 3.0),  # at k1 = 0, and for empty documents at b = 1, the library divides 0 by 0
    st.floats(0.0, 0.99),
    st.floats(0.0, 1.0),
)
@pytest.mark.slow
def test_scores_equal_those_of_rank_bm25(corpus, query, k1, b, epsilon):
    reference = BM25Okapi(corpus, k1=k1, b=b, epsilon=epsilon)
    ours = Okapi(corpus, k1=k1, b=b, epsilon=epsilon)
    assert ours.scores(query) == pytest.approx(reference.get_scores(query).tolist(), abs=1e-9)
    assert ours.average_idf == pytest.approx(reference.average_idf, abs=1e-9)


def test_a_word_in_most_documents_gets_the_floor():
    corpus = [["common", f"word{i}"] for i in range(9)] + [["rare", "thing"]]
    reference = BM25Okapi(corpus)
    assert reference.idf["common"] == pytest.approx(0.25 * reference.average_idf)
    scores = Okapi(corpus).scores(["common"])
    assert scores == pytest.approx(list(reference.get_scores(["common"])), abs=1e-9)
    assert scores[0] > 0


@settings(max_examples=300, deadline=None)
@given(CORPORA, QUERIES, st.integers(0, 8))
def test_the_best_are_those_with_the_highest_scores_in_order_of_the_corpus(corpus, query, k):
    okapi = Okapi(corpus)
    scores = okapi.scores(query)
    matched = [i for i, tokens in enumerate(corpus) if set(tokens) & set(query)]
    expected = sorted(matched, key=lambda i: (-scores[i], i))[:k]
    assert okapi.top(query, k) == [(i, scores[i]) for i in expected]


def test_the_best_of_a_large_corpus():
    draw = random.Random(7)
    vocabulary = [f"w{i}" for i in range(400)]
    corpus = [draw.choices(vocabulary, k=draw.randint(0, 30)) for _ in range(3_000)]
    okapi = Okapi(corpus)
    for _ in range(30):
        query = draw.choices(vocabulary, k=8)
        scores = okapi.scores(query)
        expected = sorted(range(len(corpus)), key=lambda i: (-scores[i], i))[:10]
        assert [number for number, _ in okapi.top(query, 10)] == expected


@pytest.mark.parametrize("corpus", [[], [[]], [[], []]])
def test_nothing_indexed_finds_nothing(corpus):
    okapi = Okapi(corpus)
    assert okapi.top(["a"], 5) == []
    assert okapi.scores(["a"]) == [0.0] * len(corpus)


def test_smoothed_idf_ranks_two_documents():
    corpus = [["city", "weather"], ["city", "currency"]]
    assert [score for _, score in Okapi(corpus).top(["weather"], 2)] == [0.0]
    okapi = Okapi(corpus, idf="smoothed")
    (best, high), (_, low) = okapi.top(["city", "currency"], 2)
    assert (best, high > low > 0) == (1, True)


@pytest.mark.parametrize("setting", [{"k1": -1}, {"b": 1.5}, {"epsilon": -0.1}, {"k1": math.nan}])
def test_settings_out_of_range(setting):
    with pytest.raises(UsageError):
        Okapi([["a"]], **setting)
