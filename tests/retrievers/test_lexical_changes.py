"""Adding, replacing and removing single documents: what is found is what a new index finds."""

import random

import pytest

from toolhaft.retrievers.lexical import Document, IndexSettings, open_index, segment
from toolhaft.retrievers.lexical.array_index import ArrayIndex
from toolhaft.retrievers.lexical.pure import PureIndex

SETTINGS = IndexSettings(b=0.0)
"""Without lengths: those of changed documents are compared with the average at the last merge."""


def drawn(draw, number):
    terms = [f"w{min(int(draw.expovariate(0.03)), 200)}" for _ in range(draw.randint(0, 25))]
    parent = draw.choice(["", "p", "q", f"r{number % 40}"])
    return Document(name=f"tool{number}", terms=terms, parent=parent, category=draw.choice(["", "a", "b"]))


def assert_same(found, expected):
    assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-4)
    scores = {hit.name: hit.score for hit in expected}
    last = expected[-1].score if expected else 0.0
    for hit in found:
        assert scores.get(hit.name, last) == pytest.approx(hit.score, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("idf", ["auto", "smoothed"])
def test_changes_in_any_order_give_the_scores_of_a_new_index(tmp_path, monkeypatch, idf):
    monkeypatch.setattr(segment, "_LONG", 40)
    draw = random.Random(11)
    settings = IndexSettings(b=0.0, idf=idf)
    documents = [drawn(draw, number) for number in range(400)]
    arrays = ArrayIndex.build(documents, settings, folder=tmp_path, version="0")
    pure = PureIndex(documents, settings)
    most_segments = 0
    for step in range(40):
        put = [drawn(draw, draw.randint(0, 600)) for _ in range(draw.choice([0, 1, 1, 3, 20]))]
        remove = [f"tool{draw.randint(0, 600)}" for _ in range(draw.choice([0, 0, 1, 5]))]
        for index in (arrays, pure):
            index.change(put, remove, version=str(step))
        most_segments = max(most_segments, len(arrays._segments))
        if step % 7 == 0:
            arrays = open_index(tmp_path, settings)
            assert arrays.version == str(step)
        assert len(arrays) == len(pure)
        for _ in range(2):
            query = {f"w{draw.randint(0, 60)}": draw.choice([1.0, 0.5]) for _ in range(6)}
            share = draw.choice([0.0, 0.4])
            assert_same(*(i.top(query, 15, category_share=share) for i in (arrays, pure)))
    assert most_segments > 2


@pytest.mark.parametrize("engine", [ArrayIndex.build, PureIndex])
def test_a_query_in_the_midst_of_a_change_finds_what_was_there_before(engine):
    index = engine([Document(name=name, terms=[name, "pet"]) for name in "abc"], SETTINGS)
    before = index.top({"pet": 1.0}, 5)
    seen = []

    def put():
        seen.append(index.top({"pet": 1.0}, 5))
        yield Document(name="d", terms=["pet"])

    index.change(put(), ["a"])
    assert seen == [before]
    assert [hit.name for hit in index.top({"pet": 1.0}, 5)] == ["b", "c", "d"]


@pytest.mark.slow
def test_after_a_merge_scores_are_those_of_a_new_index_parents_included():
    draw = random.Random(3)
    settings = IndexSettings()
    first = [drawn(draw, number) for number in range(60)]
    second = [drawn(draw, number) for number in range(30, 120)]
    changed = ArrayIndex.build(first, settings)
    changed.change(second, ["tool0", "tool7"], version="")
    assert len(changed._segments) == 1
    now = {document.name: document for document in [*first, *second]}
    fresh = ArrayIndex.build([d for d in now.values() if d.name not in ("tool0", "tool7")], settings)
    for _ in range(20):
        query = {f"w{draw.randint(0, 60)}": 1.0 for _ in range(6)}
        assert_same(*(i.top(query, 20, parent_share=1.2) for i in (changed, fresh)))


@pytest.mark.parametrize("engine", [ArrayIndex.build, PureIndex], ids=["arrays", "pure"])
def test_a_replaced_document_keeps_its_place_and_a_new_one_comes_last(engine):
    documents = [Document(name=name, terms=["same", "thing"]) for name in "abc"]
    documents += [Document(name=f"x{i}", terms=[f"x{i}"]) for i in range(9)]
    index = engine(documents, IndexSettings())
    index.change([Document(name="new", terms=["same", "thing"]), Document(name="b", terms=["same", "thing"])])
    assert [hit.name for hit in index.top({"same": 1.0}, 9)] == ["a", "b", "c", "new"]
    index.change([Document(name="a", terms=["same", "thing"])], ["a"])
    assert [hit.name for hit in index.top({"same": 1.0}, 9)] == ["b", "c", "new", "a"]


@pytest.mark.parametrize("engine", [ArrayIndex.build, PureIndex], ids=["arrays", "pure"])
def test_a_new_document_is_found_with_its_parent(engine):
    documents = [Document(name=f"t{i}", terms=[f"w{i}"], parent=f"p{i % 10}") for i in range(50)]
    index = engine(documents, IndexSettings())
    index.change([Document(name="new", terms=["fresh", "w3"], parent="p3")])
    plain, lifted = (index.top({"fresh": 1.0}, 3, parent_share=share) for share in (0.0, 1.0))
    assert [hit.name for hit in lifted] == ["new"]
    assert lifted[0].score > plain[0].score
    assert {hit.name for hit in index.top({"w3": 1.0}, 9, parent_share=1.0)} == {"t3", "new"}


@pytest.mark.parametrize("engine", [ArrayIndex.build, PureIndex], ids=["arrays", "pure"])
def test_an_index_can_be_emptied_and_filled_again(engine):
    index = engine([Document(name="a", terms=["x"]), Document(name="b", terms=["y"])], IndexSettings())
    index.change(remove=["a", "b", "unknown"])
    assert len(index) == 0
    assert index.top({"x": 1.0}, 5) == []
    index.change([Document(name="c", terms=["x"]), Document(name="d", terms=["z"])])
    assert [hit.name for hit in index.top({"x": 1.0}, 5)] == ["c"]


@pytest.mark.slow
def test_one_document_more_writes_a_small_file(tmp_path):
    draw = random.Random(5)
    documents = [drawn(draw, number) for number in range(3_000)]
    index = ArrayIndex.build(documents, SETTINGS, folder=tmp_path, version="1")
    before = {place.name: place.stat() for place in tmp_path.iterdir()}
    index.change([Document(name="new", terms=["fresh"])], version="2")
    written = [place for place in tmp_path.glob("*.bin") if place.name not in before]
    assert len(written) == 1
    assert written[0].stat().st_size < 30_000
    assert all(
        (tmp_path / name).stat().st_mtime_ns == told.st_mtime_ns
        for name, told in before.items()
        if name.endswith(".bin")
    )
