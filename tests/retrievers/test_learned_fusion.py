"""Fusion learned from queries: what is learned, and the file that keeps it."""

import json

import pytest

from toolhaft.errors import ConfigError, FormatError, ToolhaftError, UsageError
from toolhaft.retrievers.bm25 import BM25
from toolhaft.retrievers.hybrid import Hybrid
from toolhaft.retrievers.learned_fusion import LearnedFusion, read_fusion
from toolhaft.runs.learning_fusion import JudgedRankings, judge_rankings, learn_fusion
from toolhaft.testing import tool_spec

GOOD = {"format": 1, "fusion": "z-score", "weights": {"bm25": 1.0}, "depth": 50, "parent_boost": 0.25}


def judged(*, liar):
    """40 queries: one retriever is right, the one at the place ``liar`` is wrong and sure of itself."""
    found, gold = [], []
    for number in range(40):
        right = [(f"t{number}", 2.0), ("other", 1.5), (f"t{number + 1}", 1.0)]
        wrong = [("other", 9.0), (f"t{number + 2}", 2.0), (f"t{number}", 1.0)]
        found.append([wrong, right] if liar == 0 else [right, wrong])
        gold.append({f"t{number}"})
    return JudgedRankings(labels=("one", "two"), found=found, gold=gold, parents={}, depth=3)


@pytest.mark.parametrize("liar", [0, 1])
def test_the_better_retriever_is_trusted(liar):
    learned = learn_fusion(judged(liar=liar), learned_on="forty queries")
    assert (learned.weights["two"] > learned.weights["one"]) == (liar == 0)
    assert learned.learned_on["ndcg@5"] == learned.learned_on["ndcg@5 of queries left out"] == 1.0
    assert learned.learned_on["ndcg@5 with equal weights"] < 1.0
    assert (learned.learned_on["queries"], learned.learned_on["count"]) == ("forty queries", 40)
    assert learned == learn_fusion(judged(liar=liar), learned_on="forty queries")


def test_services_are_learned_too():
    found = [[[("a", 3.0), ("z", 2.0), ("b", 1.9), ("y", 0.0)]] for _ in range(4)]
    rankings = JudgedRankings(
        labels=("one",), found=found, gold=[{"a", "b"}] * 4, parents={"a": "s", "b": "s"}, depth=4
    )
    assert learn_fusion(rankings, learned_on="x").parent_boost > 0


@pytest.mark.anyio
async def test_what_was_learned_is_kept_and_used(tmp_path):
    specs = [
        tool_spec("weather", description="Weather forecast for a city."),
        tool_spec("currency", description="Exchange rate between two currencies."),
    ]
    queries = [("weather forecast", {"weather"}), ("exchange rate", {"currency"}), ("nothing", set())]
    hybrid = Hybrid(retrievers=[BM25(), BM25(k1=0.5)])
    await hybrid.index(specs)
    learned = learn_fusion(await judge_rankings(hybrid, specs, queries, 10), learned_on="two queries")
    learned.save(tmp_path / "fusion.json")
    assert [file.name for file in tmp_path.iterdir()] == ["fusion.json"]
    assert read_fusion(tmp_path / "fusion.json") == learned
    again = Hybrid(retrievers=[BM25(), BM25(k1=0.5)], learned=tmp_path / "fusion.json")
    await again.index(specs)
    assert [hit.item.name for hit in await again.retrieve("exchange rate", 1)] == ["currency"]
    with pytest.raises(ConfigError, match="a weight for 'bm25#2', which is no part of hybrid"):
        Hybrid(retrievers=[BM25()], learned=learned)


@pytest.mark.anyio
async def test_nothing_is_learned_from_nothing():
    hybrid = Hybrid(retrievers=[BM25()])
    await hybrid.index(())
    with pytest.raises(UsageError, match="none of 1 queries names a tool"):
        await judge_rankings(hybrid, (), [("x", ())], 10)
    one = await judge_rankings(hybrid, (), [("x", {"a"})], 10)
    with pytest.raises(UsageError, match="1 queries cannot be cut into 2 folds"):
        learn_fusion(one, learned_on="x")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "no learned fusion of this version"),
        (json.dumps(GOOD | {"format": 2}), "no learned fusion of this version"),
        (json.dumps(GOOD | {"weights": [1]}), "lacks weights"),
        (json.dumps(GOOD | {"weights": {"bm25": -1}}), "a weight is -1"),
        (json.dumps(GOOD | {"weights": {}}), "all weights are 0"),
        (json.dumps(GOOD | {"fusion": "eval"}), "fusion is 'eval'"),
        (json.dumps(GOOD | {"depth": "9"}), "a depth or a boost that is no number"),
        (json.dumps(GOOD | {"more": 1}), "unknown field 'more'"),
        (json.dumps(GOOD | {"learned_on": 3}), "lacks weights or what it learned on"),
        (" " * 1_000_001, "is not JSON"),
    ],
    ids=range(12),
)
def test_damaged_files_are_one_clear_error(tmp_path, text, says):
    file = tmp_path / "fusion.json"
    file.write_text(text)
    with pytest.raises(FormatError) as caught:
        read_fusion(file)
    assert says in str(caught.value)
    assert str(file) in str(caught.value)


def test_files_that_are_not_there_or_cannot_be_written(tmp_path):
    for path in (tmp_path / "absent.json", tmp_path, "a\0b"):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_fusion(path)
    learned = LearnedFusion(fusion="rrf", weights={"bm25": 1.0}, depth=10)
    with pytest.raises(ToolhaftError, match="cannot be written"):
        learned.save(tmp_path / "absent" / "fusion.json")


def test_a_depth_beyond_measure_is_refused():
    with pytest.raises(ConfigError, match="depth is 1000000"):
        Hybrid(
            retrievers=[BM25()],
            learned=LearnedFusion(fusion="rrf", weights={"bm25": 1.0}, depth=1_000_000),
        )
