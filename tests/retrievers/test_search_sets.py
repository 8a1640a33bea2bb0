"""The sets that tool search is measured on, and that what is measured does not get worse."""

import importlib.util
import sys
from pathlib import Path

import pytest

from toolhaft.evaluators.ranking import ndcg_at, recall_at
from toolhaft.retrievers.bm25 import BM25
from toolhaft.retrievers.rank_bm25 import RankBM25

pytestmark = pytest.mark.slow
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def search_sets():
    """Load the module of the benchmarks as the benchmarks do."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        place = importlib.util.spec_from_file_location("search_sets", BENCHMARKS / "search_sets.py")
        module = sys.modules["search_sets"] = importlib.util.module_from_spec(place)
        place.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(BENCHMARKS))
        for name in [each for each in sys.modules if each.startswith(("search_set", "shared_data"))]:
            del sys.modules[name]


def test_the_world_needs_no_data(search_sets):
    found = search_sets.load_set("world")
    names = [spec.name for spec in found.specs]
    assert len(set(names)) == len(names) > 200
    assert all(query.gold and query.gold <= set(names) for query in found.queries)


@pytest.mark.parametrize(
    "name",
    ["toolbench", "anytool-tools", "toolalpaca", "restgpt", "bfcl", "metatool", "metatool-multi"]
    + [f"apibench-torchhub{ending}" for ending in ("", "-compact", "-row", "-train")]
    + [f"apibench-huggingface{ending}" for ending in ("", "-compact", "-row")],
)
def test_every_set_has_tools_of_different_names_and_queries_with_gold(shared, search_sets, name):
    found = search_sets.load_set(name)
    names = {spec.name for spec in found.specs}
    assert len(names) == len(found.specs)
    assert len({query.id for query in found.queries}) == len(found.queries) > 30
    assert all(query.text.strip() and query.gold for query in found.queries)
    absent = sum(not query.gold <= names for query in found.queries)
    assert absent == (77 if "huggingface" in name else 0)


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "ndcg", "recall"), [("toolalpaca", 0.78, 0.84), ("restgpt", 0.46, 0.46)])
async def test_what_was_reached_on_development_sets_stays(shared, search_sets, name, ndcg, recall):
    found = search_sets.load_set(name)
    retriever = BM25()
    await retriever.index(found.specs)
    ranked = [[hit for hit, _ in await retriever.rank(query.text, 5)] for query in found.queries]
    asked = list(zip(ranked, found.queries, strict=True))
    assert sum(ndcg_at(names, query.gold, 5) for names, query in asked) / len(asked) > ndcg
    assert sum(recall_at(names, query.gold, 5) for names, query in asked) / len(asked) > recall


@pytest.mark.anyio
async def test_scores_equal_those_of_the_library_on_real_tools(shared, search_sets):
    found = search_sets.load_set("toolbench")
    ours, library = BM25(), RankBM25()
    await ours.index(found.specs)
    await library.index(found.specs)
    for query in found.queries[:25]:
        expected = await library.retrieve(query.text, 10)
        hits = await ours.retrieve(query.text, 10)
        assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in expected], rel=1e-6)
