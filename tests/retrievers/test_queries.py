"""What a search looks for, and that any text may be searched with."""

import time

import pytest

from toolhaft.retrievers.bm25 import BM25
from toolhaft.retrievers.queries import MOST_TERMS, weigh_terms
from toolhaft.retrievers.rank_bm25 import RankBM25
from toolhaft.types import ToolSpec

CATALOG = [
    ToolSpec(name="getForecast", description="天气预报：查询城市的天气", parent="天气"),
    ToolSpec(name="get_alerts", description="Active weather warnings for a region.", parent="Weather"),
    ToolSpec(name="getAlerts", description="Active weather warnings for a region.", parent="Weather"),
    ToolSpec(name="convertCurrency", description="Перевести деньги в другую валюту"),
    ToolSpec(name="bookRoom", description="จองห้องพักโรงแรม"),
    ToolSpec(name="bare"),
    ToolSpec(name="noop", description=""),
    ToolSpec(name="odd", description="lone \ud800 surrogate \x00 and \u202e direction"),
]


def test_repeats_of_a_word_count_less_each():
    weights = weigh_terms("Pets! The pet store: pets, and what a pet costs.")
    assert weights["store"] == 1.0
    assert 1.0 < weights["pet"] < 4.0


def test_neighbours_are_a_term_of_their_own_that_counts_less():
    weights = weigh_terms("the exchange rate, and the rate of exchange")
    assert weights["exchang rate"] == weights["rate exchang"] < weights["rate"]
    assert "rate rate" not in weights


def test_a_query_has_a_bounded_number_of_terms_and_the_first_stay():
    weights = weigh_terms(" ".join(f"word{chr(97 + i % 26)}{i}" for i in range(3_000)))
    assert len(weights) == 2 * MOST_TERMS, "as many pairs as terms"
    assert "worda0" in weights


@pytest.mark.parametrize("query", ["", "   ", "the of and", "?!", "\ud800", "\x00", "的"])
def test_what_says_nothing_has_no_terms_or_harmless_ones(query):
    assert all(weight > 0 for weight in weigh_terms(query).values())


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [BM25, RankBM25])
@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("查询北京的天气", "getForecast"),
        ("明天的天气怎么样？", "getForecast"),
        ("перевести рубли", "convertCurrency"),
        ("อยากจองโรงแรมในเชียงใหม่", "bookRoom"),
        ("ｗｅａｔｈｅｒ　ｗａｒｎｉｎｇｓ", "get_alerts"),
        ("surrogate \udfff", "odd"),
        ("bare", "bare"),
        ("the of and", None),
        ("", None),
        ("\ud800\udc00 \x00", None),
    ],
)
async def test_any_language_finds_its_tools_and_nothing_finds_none(kind, query, first):
    retriever = kind()
    await retriever.index(CATALOG)
    hits = await retriever.retrieve(query, 5)
    assert (hits[0].item.name if hits else None) == first


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize(
    "text",
    [
        "weather warnings " * 6_000,
        "w" * 100_000,
        "天气" * 50_000,
        "a1B" * 33_000,
        "é" * 100_000,
        "'" * 100_000,
        " ".join(f"x{i}" for i in range(15_000)),
    ],
    ids=["words", "one-word", "chinese", "identifier", "accents", "quotes", "different-words"],
)
async def test_a_query_of_100_kilobytes_takes_time_with_its_length(text):
    retriever = BM25()
    await retriever.index(CATALOG)
    started = time.perf_counter()
    await retriever.retrieve(text, 5)
    assert time.perf_counter() - started < 3


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [BM25, RankBM25])
async def test_tools_of_one_name_are_all_found_as_they_are(kind):
    twins = [
        ToolSpec(name="send", description="Send a letter by post."),
        ToolSpec(name="send", description="Send money to an account."),
        ToolSpec(name="other", description="Nothing of the kind."),
    ]
    retriever = kind()
    await retriever.index(twins)
    for query, wanted in (("letter by post", twins[0]), ("money account", twins[1])):
        hits = await retriever.retrieve(query, 3)
        assert hits[0].item is wanted
    assert len(await retriever.retrieve("send", 3)) == 2
    assert [name for name, _ in await retriever.rank("send", 3)] == ["send", "send"]
