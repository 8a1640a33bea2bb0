"""What the array engine finds, against the library whose scores it must equal and against pure Python."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from toolhaft.errors import UsageError
from toolhaft.retrievers.lexical import (
    Document,
    IndexSettings,
    build_index,
    choosing,
    posting_sums,
    promising,
    searching,
)
from toolhaft.retrievers.lexical.array_index import ArrayIndex
from toolhaft.retrievers.lexical.pure import PureIndex

TERMS = st.sampled_from("abcdefghij")
DOCUMENTS = st.lists(
    st.tuples(
        st.lists(TERMS, max_size=12), st.sampled_from(["", "p", "q", "r"]), st.sampled_from(["", "x", "y"])
    ),
    min_size=1,
    max_size=25,
)
QUERIES = st.dictionaries(st.sampled_from("abcdefghijxyz"), st.floats(0.1, 4.0), max_size=8)


def documents_of(rows):
    return [
        Document(name=f"tool{number}", terms=terms, parent=parent, category=category)
        for number, (terms, parent, category) in enumerate(rows)
    ]


def drawn_documents(size, seed):
    draw = random.Random(seed)
    vocabulary = [f"w{number}" for number in range(600)]
    rarity = [1 / (number + 1) for number in range(600)]
    return [
        Document(
            name=f"tool{number}",
            terms=draw.choices(vocabulary, rarity, k=draw.randint(0, 40)),
            parent=draw.choice(["", *(f"service{i}" for i in range(size // 6 + 1))]),
            category=draw.choice(["", "a", "b", "c"]),
        )
        for number in range(size)
    ]


def drawn_query(draw):
    rarity = [1 / (number + 1) for number in range(600)]
    terms = draw.choices([f"w{number}" for number in range(600)], rarity, k=draw.randint(1, 14))
    return {term: draw.choice([1.0, 0.5, 2.0**0.5]) for term in terms}


def assert_same(found, expected):
    """The same scores; the same order but where scores differ by rounding alone."""
    assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-4)
    scores = {hit.name: hit.score for hit in expected}
    last = expected[-1].score if expected else 0.0
    for hit in found:
        assert scores.get(hit.name, last) == pytest.approx(hit.score, abs=1e-4)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(DOCUMENTS, st.lists(TERMS, min_size=1, max_size=10), st.floats(0.01, 3.0), st.floats(0.0, 0.99))
def test_scores_equal_those_of_rank_bm25(rows, query, k1, b):
    documents = documents_of(rows)
    if not any(document.terms for document in documents):
        return
    reference = BM25Okapi([document.terms for document in documents], k1=k1, b=b)
    index = ArrayIndex.build(documents, IndexSettings(k1=k1, b=b, idf="okapi"))
    weights = {term: float(query.count(term)) for term in query}
    scores = reference.get_scores(query).tolist()
    found = {hit.name: hit.score for hit in index.top(weights, 30)}
    matched = {document.name for document in documents if set(document.terms) & set(query)}
    assert found.keys() == matched
    for number, document in enumerate(documents):
        assert found.get(document.name, 0.0) == pytest.approx(scores[number], abs=1e-4)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    DOCUMENTS,
    QUERIES,
    st.integers(0, 9),
    st.sampled_from([0.0, 0.5, 1.2, 10.0]),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from(["auto", "okapi", "smoothed"]),
)
def test_both_engines_find_the_same(rows, query, k, parent_share, category_share, idf):
    documents = documents_of(rows)
    shares = {"parent_share": parent_share, "category_share": category_share}
    found, expected = (
        engine(documents, IndexSettings(idf=idf)).top(query, k, **shares)
        for engine in (ArrayIndex.build, PureIndex)
    )
    assert_same(found, expected)


WAYS = {"skipping": (0, 0, 0.0), "promising": (0, 10**9, 0.0), "adding": (10**9, 10**9, 0.0)}
"""Documents from which on only promising ones are looked at, postings from which on some are skipped."""


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_large_catalogs_are_ranked_exactly(monkeypatch, way):
    go(monkeypatch, way)
    documents = drawn_documents(1_500, seed=5)
    arrays, pure = (engine(documents, IndexSettings()) for engine in (ArrayIndex.build, PureIndex))
    draw = random.Random(6)
    for number in range(24):
        query, k = drawn_query(draw), (1, 5, 40)[number % 3]
        shares = ((0, 0), (1.2, 0), (0, 0.4), (2.0, 1.0))[number % 4]
        found, expected = (
            index.top(query, k, parent_share=shares[0], category_share=shares[1]) for index in (arrays, pure)
        )
        assert_same(found, expected)


def go(monkeypatch, way):
    """Have every query take one way."""
    for name, value in zip(("_MANY_ROWS", "_WORTH_SKIPPING", "_SCANNED"), WAYS[way], strict=True):
        monkeypatch.setattr(searching, name, value)
    monkeypatch.setattr(searching, "_LOOKED_UP", 0)


@pytest.mark.slow
@pytest.mark.parametrize(("most_rows", "high_rows"), [(1_024, 4), (20, 1), (0, 4)])
def test_every_way_gives_the_same_scores_in_the_same_order(monkeypatch, most_rows, high_rows):
    monkeypatch.setattr(promising, "_MOST_ROWS", most_rows)
    monkeypatch.setattr(promising, "_HIGH_ROWS", high_rows)
    index = ArrayIndex.build(drawn_documents(1_500, seed=5), IndexSettings())
    draw = random.Random(8)
    for step in range(2):
        for number in range(40):
            query, k, share = drawn_query(draw), (1, 10, 100, 2_000)[number % 4], (0.2, 1.2, 10.0)[number % 3]
            found = []
            for way in WAYS:
                go(monkeypatch, way)
                found.append(index.top(query, k, parent_share=share))
            assert found[0] == found[1] == found[2]
        if not step:
            new = [replace(each, name=f"new {each.name}") for each in drawn_documents(100, seed=9)]
            index.change(new, [f"tool{n}" for n in range(0, 60, 2)])
            assert len(index._segments) == 2


@pytest.mark.slow
def test_skipping_leaves_out_postings(monkeypatch):
    """Else the test of it would test nothing."""
    go(monkeypatch, "skipping")
    looked_up = []
    before = posting_sums.PostingSums.look_up
    monkeypatch.setattr(
        posting_sums.PostingSums, "look_up", lambda *given: looked_up.append(1) or before(*given)
    )
    index = ArrayIndex.build(drawn_documents(1_500, seed=5), IndexSettings())
    draw = random.Random(6)
    for _ in range(10):
        index.top(drawn_query(draw), 3)
    assert looked_up


@pytest.mark.parametrize("engine", [ArrayIndex.build, PureIndex], ids=["arrays", "pure"])
def test_equal_scores_stand_in_the_order_of_the_catalog(engine):
    documents = [Document(name=f"tool{number}", terms=["same", "words"]) for number in range(300)]
    index = engine(documents, IndexSettings())
    assert [hit.name for hit in index.top({"same": 1.0}, 4)] == ["tool0", "tool1", "tool2", "tool3"]
    assert [hit.order for hit in index.top({"same": 1.0}, 4)] == [0, 1, 2, 3]


@pytest.mark.parametrize("engine", [ArrayIndex.build, PureIndex], ids=["arrays", "pure"])
def test_of_several_documents_with_one_name_the_last_stands_where_the_first_stood(engine):
    documents = [
        Document(name="a", terms=["old", "shared"]),
        Document(name="b", terms=["other", "shared"]),
        Document(name="a", terms=["new", "shared"]),
    ]
    index = engine(documents, IndexSettings(idf="smoothed"))
    assert len(index) == 2
    assert index.top({"old": 1.0}, 5) == []
    assert [(hit.name, hit.order) for hit in index.top({"shared": 1.0}, 5)] == [("a", 0), ("b", 1)]


@pytest.mark.parametrize("engine", [ArrayIndex.build, PureIndex], ids=["arrays", "pure"])
@pytest.mark.parametrize(
    "query",
    [{}, {"none": 1.0}, {"a": 0.0}, {"a": -1.0}, {"a": float("nan")}, {"a": float("inf")}],
    ids=["empty", "unknown", "zero", "negative", "nan", "infinite"],
)
def test_queries_that_find_nothing(engine, query):
    index = engine(
        [Document(name="one", terms=["a", "b"]), Document(name="two", terms=["b"])], IndexSettings()
    )
    assert index.top(query, 5) == []


@pytest.mark.parametrize("engine", [ArrayIndex.build, PureIndex], ids=["arrays", "pure"])
def test_an_empty_catalog_finds_nothing(engine):
    index = engine([], IndexSettings())
    assert len(index) == 0
    assert index.top({"a": 1.0}, 5, parent_share=1.0) == []


@pytest.mark.parametrize("engine", [ArrayIndex.build, PureIndex], ids=["arrays", "pure"])
def test_documents_without_terms_are_never_found(engine):
    index = engine([Document(name="empty", terms=[]), Document(name="full", terms=["a"])], IndexSettings())
    assert [hit.name for hit in index.top({"a": 1.0}, 5, parent_share=1.0)] == ["full"]


@pytest.mark.parametrize("engine", [ArrayIndex.build, PureIndex], ids=["arrays", "pure"])
def test_a_parent_that_fits_lifts_its_documents(engine):
    documents = [
        Document(name="weather-day", terms=["day", "rain"], parent="weather"),
        Document(name="weather-week", terms=["week", "wind"], parent="weather"),
        Document(name="calendar", terms=["day", "week", "month"], parent="calendar"),
        Document(name="alone", terms=["day"]),
        *(Document(name=f"other{i}", terms=[f"x{i}"], parent=f"o{i}") for i in range(20)),
    ]
    index = engine(documents, IndexSettings())
    query = {"day": 1.0, "rain": 0.2, "wind": 1.0}
    plain, lifted = ([h.name for h in index.top(query, 4, parent_share=s)] for s in (0.0, 5.0))
    assert plain.index("weather-day") > 0
    assert lifted[:2] == ["weather-week", "weather-day"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"k1": -1.0}, "k1=-1.0"),
        ({"b": 1.5}, "b=1.5"),
        ({"epsilon": float("nan")}, "epsilon=nan"),
        ({"idf": "none"}, "no idf 'none'"),
    ],
    ids=["k1", "b", "epsilon", "idf"],
)
def test_settings_out_of_range_are_refused(wrong, words):
    with pytest.raises(UsageError, match=words):
        IndexSettings(**wrong)


@pytest.mark.parametrize("engine", [ArrayIndex.build, PureIndex], ids=["arrays", "pure"])
def test_shares_out_of_range_are_refused(engine):
    with pytest.raises(UsageError, match="lifted by 11"):
        engine([], IndexSettings()).top({"a": 1.0}, 1, parent_share=11)


def test_the_engine_is_chosen_by_size(monkeypatch):
    monkeypatch.setattr(choosing, "SMALL", 10)
    few, many = ([Document(name=f"t{i}", terms=["a"]) for i in range(size)] for size in (10, 11))
    assert build_index(few, IndexSettings()).engine == "pure Python, 10 tools"
    assert build_index(many, IndexSettings()).engine == "numpy arrays, 11 tools"
    monkeypatch.setattr(choosing, "has_arrays", lambda: False)
    assert build_index(many, IndexSettings()).engine == "pure Python, 11 tools (numpy is not installed)"
