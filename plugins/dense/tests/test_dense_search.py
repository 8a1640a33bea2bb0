"""The search over vectors, exact and by cells, and tables in layers."""

import itertools

import numpy
import pytest

from toolhaft_dense import quantised
from toolhaft_dense.batches import plan_batches
from toolhaft_dense.cells import make_cells
from toolhaft_dense.names import Names, pack_names
from toolhaft_dense.quantised import dot_all, quantise
from toolhaft_dense.search import Block, VectorIndex, best_of
from toolhaft_dense.table import Layer, Table
from toolhaft_dense.texts import query_parts

pytestmark = pytest.mark.slow  # imports numpy


def units(count, width=32, seed=0):
    found = numpy.random.default_rng(seed).normal(size=(count, width)).astype(numpy.float32)
    return found / numpy.linalg.norm(found, axis=1, keepdims=True)


@pytest.mark.parametrize("count", [1, 2, 7, 50, 5_000])
@pytest.mark.parametrize("k", [1, 3, 50])
def test_the_search_finds_the_nearest_and_ties_keep_their_order(count, k):
    vectors = units(count)
    vectors[count // 2 :] = vectors[: count - count // 2]  # every vector twice: ties
    held = quantise(vectors)
    index = VectorIndex(blocks=(Block(vectors=held),))
    query = units(1, seed=9)[0]
    found = index.nearest(query[None], min(k, count))
    scores = held.of(numpy.arange(count)) @ query
    assert [round(score, 5) for _, score in found] == pytest.approx(
        sorted((float(score) for score in scores), reverse=True)[:k], abs=2e-5
    )
    for (first, score), (second, next_score) in itertools.pairwise(found):
        assert score > next_score or first < second


@pytest.mark.parametrize("kernels", [True, False])
def test_products_are_exact_with_and_without_kernels(monkeypatch, kernels):
    if kernels and not quantised.has_kernels():
        pytest.skip("numkong is not installed")
    monkeypatch.setattr(quantised, "has_kernels", lambda: kernels)
    chance = numpy.random.default_rng(0)
    matrix = chance.integers(-127, 128, (9_000, 384)).astype(numpy.int8)
    queries = chance.integers(-127, 128, (3, 384)).astype(numpy.int8)
    assert (dot_all(matrix, queries) == queries.astype(numpy.int64) @ matrix.T.astype(numpy.int64)).all()
    assert dot_all(matrix[:0], queries).shape == (3, 0)


def test_most_of_the_ten_nearest_survive_eight_bits():
    vectors, queries = units(5_000, 384), units(50, 384, seed=1)
    index = VectorIndex(blocks=(Block(vectors=quantise(vectors)),))
    kept = 0
    for query in queries:
        best = set(numpy.argsort(-(vectors @ query))[:10].tolist())
        kept += len(best & {position for position, _ in index.nearest(query[None], 10)})
    assert kept >= 0.96 * 500


def test_vectors_of_no_number_are_none():
    vectors = units(4)
    vectors[1], vectors[2, 3] = 0, numpy.nan
    held = quantise(vectors)
    assert held.scales[1] == held.scales[2] == 0
    assert not held.whole[1].any()
    assert not held.whole[2].any()
    assert numpy.abs(held.of([0, 3]) - vectors[[0, 3]]).max() < 0.01


@pytest.mark.parametrize("count", [1, 64, 65, 1_000, 10_000])
def test_the_best_of_many_scores_are_found_with_all_that_equal_them(count):
    scores = numpy.random.default_rng(0).integers(0, 50, count).astype(numpy.float32)
    for wanted in (1, 3, 64, 200):
        found = best_of(scores, wanted)
        least = numpy.sort(scores)[::-1][min(wanted, count) - 1]
        assert found.tolist() == numpy.flatnonzero(scores >= least).tolist() or count <= wanted
        assert len(found) >= min(wanted, count)


def test_cells_find_most_of_what_the_exact_search_finds():
    centres = units(40)
    vectors = numpy.concatenate([centre + 0.3 * units(100, seed=n) for n, centre in enumerate(centres)])
    vectors = (vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)).astype(numpy.float32)
    held = quantise(vectors)
    cells, order = make_cells(held)
    again, same_order = make_cells(held)
    assert (order == same_order).all()
    assert (cells.ends == again.ends).all()
    assert sorted(order.tolist()) == list(range(4_000))
    rows = numpy.empty(4_000, dtype=numpy.int64)
    rows[order] = numpy.arange(4_000)
    names = Names(pack_names(str(number) for number in range(4_000)))
    table = Table(layers=(Layer(vectors=held.take(order), names=names, rows=rows, cells=cells),))
    exact = VectorIndex(blocks=(Block(vectors=held),))
    same = 0
    for number in range(0, 4_000, 100):
        query = vectors[number]
        found = [position for position, _ in table.index.nearest(query[None], 10)]
        assert found[0] == number
        same += len(set(found) & {position for position, _ in exact.nearest(query[None], 10)})
    assert same >= 0.9 * 400


@pytest.mark.parametrize("count", [9, 17, 153, 257])
def test_equal_vectors_score_the_same_wherever_they_lie(count):
    vectors = numpy.repeat(units(1, 384), count, axis=0)
    index = VectorIndex(blocks=(Block(vectors=quantise(vectors)),))
    for parts in (vectors[:1], units(3, 384, seed=1) + vectors[:1]):
        found = index.nearest(parts, count)
        assert [position for position, _ in found] == list(range(count))
        assert len({score for _, score in found}) == 1


def test_cells_of_like_vectors_are_not_empty():
    held = quantise(numpy.repeat(units(1), 5_000, axis=0))
    cells, order = make_cells(held)
    assert (numpy.diff(cells.ends, prepend=0) > 0).all()
    block = Block(vectors=held.take(order), cells=cells)
    assert len(VectorIndex(blocks=(block,)).nearest(units(1), 5)) == 5


def test_a_later_layer_replaces_and_adds_and_the_dead_are_not_found():
    vectors = units(10)
    base = Layer(vectors=quantise(vectors[:6]), names=Names(pack_names("abcdef")))
    later = Layer(
        vectors=quantise(vectors[6:9]), names=Names(pack_names("bgh")), positions=numpy.array([1, 6, 7])
    )
    table = Table(layers=(base,)).covered(later, [3, 7])
    assert (table.size, table.living, table.patched) == (8, 6, 5)
    assert [table.name(position) for position in range(8)] == list("abcdefgh")
    assert [table.find(name) for name in "abdgh"] == [[0], [1], [], [6], []]
    assert table.find("nowhere") == []
    found = {position: score for position, score in table.index.nearest(vectors[6:7], 8)}
    assert set(found) == {0, 1, 2, 4, 5, 6}
    assert found[1] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("budget", [1, 100, 2_048])
def test_batches_hold_every_text_once_within_the_budget(budget):
    lengths = numpy.random.default_rng(0).integers(2, 257, 3_000).tolist()
    plan = plan_batches(lengths, budget)
    assert sorted(position for batch in plan.batches for position in batch) == list(range(3_000))
    for batch in plan.batches:
        assert len(batch) == 1 or len(batch) * max(lengths[position] for position in batch) <= budget
    assert plan.real == sum(lengths)
    assert plan.computed <= 1.1 * plan.real
    assert plan_batches([], budget).batches == ()


def test_parts_of_a_query_count_by_the_nearest_of_them():
    vectors = units(500)
    held = quantise(vectors)
    index = VectorIndex(blocks=(Block(vectors=held),))
    parts = units(4, seed=3)
    cosines = parts @ held.of(numpy.arange(500)).T
    expected = (cosines[0] + cosines[1:].max(axis=0)) / 2
    found = index.nearest(parts, 20)
    assert [position for position, _ in found] == numpy.argsort(-expected)[:20].tolist()
    assert found[0][1] == pytest.approx(expected.max(), abs=1e-5)


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ("Rain?", ["Rain?"]),
        ("I go to Paris. Will it rain?", ["I go to Paris. Will it rain?", "I go to Paris.", "Will it rain?"]),
        ("a\n\nb", ["a\n\nb", "a", "b"]),
        ("去巴黎。下雨吗？", ["去巴黎。下雨吗？", "去巴黎。", "下雨吗？"]),
        ("Version 2.5 of it", ["Version 2.5 of it"]),
        ("x. " * 100, ["x. " * 100, *["x."] * 12]),
    ],
)
def test_a_query_is_cut_into_its_sentences(query, parts):
    assert query_parts(query) == parts
