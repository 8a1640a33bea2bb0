"""What is learned: read from every source, each thing once, never a right answer as a wrong one."""

import json
from itertools import pairwise

import pytest

from toolhaft.errors import ToolError, UsageError
from toolhaft.report.store import save_run
from toolhaft.testing import record_trajectory, tool_spec
from toolhaft.types import ToolCall
from toolhaft_dense.training.batches import count_steps, endless_batches
from toolhaft_dense.training.examples import (
    Collector,
    LearningQuery,
    LearningSet,
    hold_out_services,
    pairs_of,
)
from toolhaft_dense.training.mining import Miner, same_documents
from toolhaft_dense.training.settings import PRESETS, RetrieverSettings
from toolhaft_dense.training.sources import Sources, gather
from toolhaft_dense.training.synthetic import make_queries

from .training_sets import make_set, write_toolbench

pytestmark = pytest.mark.slow


def test_a_folder_of_toolbench_is_read_and_its_double_rows_are_one_tool(tmp_path):
    found = gather(Sources(folders=(write_toolbench(tmp_path / "data", doubled=True),)))
    assert [(tool.tags[0], tool.parent) for tool in found.tools] == [
        ("Weather", "Sky"),
        ("Weather", "Sky"),
        ("Money", "Bank"),
        ("Games", "Bank"),
    ]
    assert [(query.text, query.positives) for query in found.queries] == [
        ("will it rain", (0,)),
        ("storm or rain", (0, 1)),
        ("send ten euros", (2,)),
    ]
    assert [(query.text, query.positives) for query in found.tests] == [("buy a house", (3,))]
    assert set(found.hashes) == {
        "corpus.tsv",
        "train.query.txt",
        "test.query.txt",
        "qrels.train.tsv",
        "qrels.test.tsv",
    }


def test_the_real_retrieval_data_is_read(shared):
    found = gather(Sources(folders=(shared / "toolbench/retrieval",)))
    assert len(found.tools) > 1_000
    assert len(found.queries) > 100
    assert not found.tests


def test_own_queries_name_the_tools_of_a_catalog(tmp_path):
    file = tmp_path / "queries.jsonl"
    lines = [{"query": "rain?", "tools": ["forecast"]}, {"query": "Rain? ", "tools": ["alerts"]}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    tools = [tool_spec("forecast"), tool_spec("alerts")]
    found = gather(Sources(tools=tools, queries=(file,)))
    assert [(query.text, query.positives) for query in found.queries] == [("rain?", (0, 1))]
    assert found.left_out == {"queries that are there already": 1}


def test_a_query_of_the_test_is_not_learned():
    collector = Collector()
    for name in ("a", "b"):
        collector.add_tool((name,), tool_spec(name))
    collector.add_query(LearningQuery(text="Rain today", positives=(0,)), test=True)
    collector.add_query(LearningQuery(text="rain  TODAY", positives=(1,)))
    found = collector.collected()
    assert not found.queries
    assert found.left_out == {"queries that are tested": 1}


def test_services_held_out_are_no_learned_querys_answer():
    learning = make_set()
    groups = learning.groups()
    learned, held_out = hold_out_services(learning, 0.4, seed=1)
    sides = [{groups[place] for query in side for place in query.positives} for side in (learned, held_out)]
    assert all(sides)
    assert not sides[0] & sides[1]
    assert len(learned) + len(held_out) == len(learning.queries)


def test_synthetic_queries_are_labelled_repeatable_and_never_held_out():
    learning = make_set()
    made = make_queries(learning, 60, seed=3)
    assert made == make_queries(learning, 60, seed=3)
    assert made != make_queries(learning, 60, seed=4)
    assert len(made) == 60
    assert {query.origin for query in made} == {"synthetic"}
    groups = learning.groups()
    for query in made:
        assert len({groups[place] for place in query.positives}) == 1
        assert not set("{}") & set(query.text)
    _, held_out = hold_out_services(learning.with_queries(made), 0.4, seed=1)
    assert {query.origin for query in held_out} == {"given"}


@pytest.mark.parametrize("source", ["bm25", "dense", "hybrid", "siblings"])
def test_no_answer_and_no_like_of_one_is_mined(source):
    import torch

    learning = make_set()
    twin = tool_spec(
        "FIND_weather", description=learning.tools[0].description, parent="weather service", tags=("weather",)
    )
    learning = type(learning)(tools=(*learning.tools, twin), queries=learning.queries)
    settings = RetrieverSettings(negatives=(source,), depth=5)
    miner = Miner(learning, learning.queries, settings)
    torch.manual_seed(0)
    vectors = torch.nn.functional.normalize(torch.randn(len(learning.tools), 8), dim=1)
    asked = torch.stack([vectors[query.positives[0]] for query in learning.queries])
    found = miner.mine(miner.rank(vectors, asked, [1] * len(asked)) if miner.needs_vectors else None)
    same = same_documents(learning.passages())
    assert same[len(learning.tools) - 1] == 0
    for query, lists in zip(learning.queries, found.by_source, strict=True):
        right = {same[place] for place in query.positives}
        mined = [place for places in lists for place in places]
        assert mined
        assert len(mined) <= 5
        assert not right & {same[place] for place in mined}


def test_known_negatives_come_first_and_draws_are_distinct():
    from random import Random

    learning = make_set()
    query = LearningQuery(text="please find some weather", positives=(0,), negatives=(5, 0, 7))
    settings = RetrieverSettings(negatives=("bm25",), depth=4)
    found = Miner(learning, [query], settings).mine()
    assert found.by_source[0][0] == (5, 7)
    drawn = found.draw(0, 5, Random(1))
    assert len(drawn) == len(set(drawn)) == 5
    assert found.draw(0, 100, Random(1)) == found.draw(0, 100, Random(1))
    assert set(found.draw(0, 100, Random(1))) == {place for few in found.by_source[0] for place in few}


def test_batches_see_every_pair_once_a_pass_and_can_be_taken_up():
    pairs = [(number, number) for number in range(10)]
    whole = endless_batches(pairs, 4, seed=2)
    first = [next(whole) for _ in range(10)]
    assert sorted(pair for batch in first[:5] for pair in batch) == sorted(pairs * 2)
    later = endless_batches(pairs, 4, seed=2, done=7)
    assert [next(later) for _ in range(3)] == first[7:]
    assert next(endless_batches(pairs, 4, seed=3)) != first[0]
    assert count_steps(10, 4, 2.0) == 5


def test_the_pairs_of_a_query_stand_together():
    pairs = [(query, tool) for query in range(7) for tool in range(3)]
    batches = endless_batches(pairs, 6, seed=2, together=True)
    seen = [pair for _ in range(7) for pair in next(batches)]
    assert sorted(seen) == sorted(pairs * 2)
    queries = [query for query, _ in seen]
    changes = sum(1 for before, after in pairwise(queries) if before != after)
    assert changes == 13  # fourteen turns of seven queries in two passes
    assert queries[:21:3] != sorted(queries[:21:3])
    later = endless_batches(pairs, 6, seed=2, done=4, together=True)
    assert [pair for _ in range(3) for pair in next(later)] == seen[24:]


def test_what_people_asked_comes_more_often_and_not_twice_in_a_turn():
    queries = [
        LearningQuery(text="rain and snow", positives=(0, 1)),
        LearningQuery(text="made", positives=(2,), origin="synthetic"),
    ]
    pairs = pairs_of(queries, repeats=3)
    assert sorted(pairs) == [(0, 0)] * 3 + [(0, 1)] * 3 + [(1, 2)]
    batch = next(endless_batches(pairs, 7, seed=0, together=True))
    turns = [pair for pair in batch if pair[0] == 0]
    assert [{*turns[start : start + 2]} for start in (0, 2, 4)] == [{(0, 0), (0, 1)}] * 3


def test_synthetic_queries_leave_out_the_service_and_stock_phrases():
    tool = tool_spec(
        "sky_watch_get_rain",
        description="This endpoint allows you to predict rain in the next hours.",
        parent="sky_watch",
    )
    made = make_queries(LearningSet(tools=(tool,), queries=()), 40, seed=1)
    texts = " ".join(query.text.lower() for query in made)
    assert "endpoint" not in texts
    assert "rain" in texts
    named = sum("sky watch" in query.text.lower() for query in made)
    assert 0 < named < 30  # only where the query says which service to use


def test_runs_teach_what_was_called_and_what_was_passed_over(tmp_path):
    tools = [tool_spec(name) for name in ("forecast", "pay", "alerts", "radar")]
    calls = [ToolCall(id=str(number), name=name) for number, name in enumerate(("radar", "forecast"))]
    failed = ToolError("it is down")
    rounds = [(calls[0], failed), (calls[1], {"rain": True})]
    good = record_trajectory("Rain in Oslo?", *rounds, answer="Yes.", tools=tools[:2] + tools[3:])
    other = record_trajectory("Give up", *rounds, tools=tools, id="other", status="gave_up")
    save_run(tmp_path / "run", [good, other])
    catalog = [tools[2], tools[0]]
    with pytest.raises(UsageError, match="0 tools"):
        gather(Sources(runs=(tmp_path / "run",)))
    found = gather(Sources(tools=catalog, runs=(tmp_path / "run",), include=("scripted", "simulated")))
    (query,) = found.queries
    assert query.origin == "trajectory"
    assert [found.tools[place].name for place in query.positives] == ["forecast"]
    assert [found.tools[place].name for place in query.negatives] == ["pay", "radar"]
    assert found.left_out == {"runs: failed": 1}


def test_toolllms_recipe_is_a_preset():
    settings = RetrieverSettings.from_words([], "toolllm")
    said = (settings.epochs, settings.batch, settings.learning_rate, settings.max_tokens, settings.seed)
    assert said == (5.0, 32, 2e-5, 256, 42)
    assert settings.hard_negatives == 0
    rates = [settings.rate_at(step, 1000) for step in (0, 249, 499, 749, 999)]
    assert rates == pytest.approx([1 / 500, 0.5, 1.0, 0.502, 0.002])
    assert RetrieverSettings.from_words(["epochs=2"], "toolllm").epochs == 2.0
    assert RetrieverSettings.from_words([]) == RetrieverSettings()
    assert set(PRESETS) == {"default", "toolllm"}
