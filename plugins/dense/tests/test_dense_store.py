"""Kept vectors and the search over them, without an encoder."""

import itertools
import logging
import os
import subprocess
import sys
import threading

import numpy
import pytest

from toolhaft.errors import ConfigError
from toolhaft_dense.search import build_index
from toolhaft_dense.texts import passage, text_key
from toolhaft_dense.vectors import Segment, VectorStore

pytestmark = pytest.mark.slow  # imports numpy

WIDTH = 8


def vectors_of(count, seed=0):
    found = numpy.random.default_rng(seed).normal(size=(count, WIDTH)).astype(numpy.float32)
    return found / numpy.linalg.norm(found, axis=1, keepdims=True)


def keys_of(*names):
    return [text_key(str(name)) for name in names]


def test_what_was_added_is_there_the_next_time_and_mapped(tmp_path):
    store = VectorStore(tmp_path, "print", WIDTH)
    assert store.open() == []
    vectors = vectors_of(3)
    store.add(keys_of("a", "b", "c"), vectors)
    (segment,) = VectorStore(tmp_path, "print", WIDTH).open()
    assert isinstance(segment.vectors, numpy.memmap)
    assert not segment.vectors.flags.writeable
    assert (segment.vectors == vectors).all()
    assert segment.rows == {key: row for row, key in enumerate(keys_of("a", "b", "c"))}
    assert VectorStore(tmp_path, "another print", WIDTH).open() == []
    assert not [file for file in tmp_path.rglob("*") if file.name.startswith(".")]


def test_many_segments_become_one(tmp_path):
    store = VectorStore(tmp_path, "print", WIDTH)
    segments = []
    for number in range(17):
        segments = store.merge([*segments, store.add(keys_of(number), vectors_of(1, seed=number))])
    assert len(segments) == 1
    assert len(store.open()) == 1
    assert len(list(store.folder.iterdir())) == 2
    for number in range(17):
        (key,) = keys_of(number)
        assert (segments[0].vectors[segments[0].rows[key]] == vectors_of(1, seed=number)[0]).all()


def test_threads_that_write_at_once_lose_nothing(tmp_path):
    def write(number):
        store = VectorStore(tmp_path, "print", WIDTH)
        for step in range(5):
            store.add(keys_of(f"{number % 2}-{step}"), vectors_of(1, seed=step))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    segments = VectorStore(tmp_path, "print", WIDTH).open()
    known = {key for segment in segments for key in segment.rows}
    assert known == set(keys_of(*(f"{number}-{step}" for number in range(2) for step in range(5))))


def test_processes_that_write_and_merge_at_once_lose_nothing(tmp_path):
    code = (
        "import numpy, sys; from toolhaft_dense.texts import text_key;"
        "from toolhaft_dense.vectors import VectorStore;"
        f"store = VectorStore(__import__('pathlib').Path({str(tmp_path)!r}), 'print', 8);"
        "row = numpy.eye(1, 8, dtype=numpy.float32);"
        "[store.merge([*store.open(), store.add([text_key(f'{sys.argv[1]}-{n}')], row)]) for n in range(60)]"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, str(number)]) for number in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    segments = VectorStore(tmp_path, "print", 8).open()
    known = {key for segment in segments for key in segment.rows}
    assert known == set(keys_of(*(f"{number}-{step}" for number in range(2) for step in range(60))))


@pytest.mark.parametrize("count", [1, 2, 7, 50])
@pytest.mark.parametrize("k", [1, 3, 50])
def test_the_search_is_exact_and_ties_keep_their_order(count, k):
    vectors = vectors_of(count)
    vectors[count // 2 :] = vectors[: count - count // 2]  # every vector twice: ties
    keys = keys_of(*range(count))
    half = count // 2 or 1
    segments = [
        Segment(id="1", vectors=vectors[:half], rows={key: row for row, key in enumerate(keys[:half])}),
        Segment(id="2", vectors=vectors[half:], rows={key: row for row, key in enumerate(keys[half:])}),
    ]
    index = build_index(keys, segments)
    query = vectors_of(1, seed=9)[0]
    found = index.nearest(query, min(k, count))
    scores = [float(vector @ query) for vector in vectors]
    assert [round(score, 5) for _, score in found] == [
        round(score, 5) for score in sorted(scores, reverse=True)[:k]
    ]
    for (first, score), (second, next_score) in itertools.pairwise(found):
        assert score > next_score or first < second


def test_a_small_part_of_a_large_segment_is_searched_alone():
    vectors = vectors_of(100)
    keys = keys_of(*range(100))
    segment = Segment(id="1", vectors=vectors, rows={key: row for row, key in enumerate(keys)})
    index = build_index([keys[70], keys[3], keys[3]], [segment])
    assert len(index.blocks[0][0]) == 3
    assert index.nearest(vectors[3], 3)[0] == (1, pytest.approx(1))
    assert [position for position, _ in index.nearest(vectors[3], 3)][:2] == [1, 2]


def _cut(store, id):
    file = store.folder / f"{id}.vectors.npy"
    file.write_bytes(file.read_bytes()[:-10])


def _replace(kind, array):
    def damage(store, id):
        numpy.save(store.folder / f"{id}.{kind}.npy", array, allow_pickle=True)

    return damage


def _text(kind, text):
    return lambda store, id: (store.folder / f"{id}.{kind}.npy").write_bytes(text)


class Evil:
    """Leaves a trace where it is unpickled."""

    def __reduce__(self):
        return (print, ("unpickled",))


DAMAGES = {
    "vectors cut": _cut,
    "vectors empty": _text("vectors", b""),
    "vectors are text": _text("vectors", b"hello"),
    "vectors with a hostile header": _text(
        "vectors",
        b"\x93NUMPY\x01\x00\x40\x00"
        + b"{'descr': '<f4', 'fortran_order': False, 'shape': (9**99,)}".ljust(64),
    ),
    "vectors missing": lambda store, id: (store.folder / f"{id}.vectors.npy").unlink(),
    "vectors of another width": _replace("vectors", numpy.zeros((3, 9), dtype=numpy.float32)),
    "vectors of another type": _replace("vectors", numpy.zeros((3, WIDTH))),
    "vectors of other length": _replace("vectors", 2 * vectors_of(3)),
    "vectors of no number": _replace("vectors", numpy.full((3, WIDTH), numpy.nan, dtype=numpy.float32)),
    "vectors pickled": _replace("vectors", numpy.array([Evil()] * 3, dtype=object)),
    "keys of another segment": _replace("keys", numpy.zeros((3, 32), dtype=numpy.uint8)),
    "keys of another shape": _replace("keys", numpy.zeros(96, dtype=numpy.uint8)),
    "keys pickled": _replace("keys", numpy.array([Evil()] * 3, dtype=object)),
    "keys empty": _text("keys", b""),
    "one row fewer": _replace("vectors", vectors_of(2)),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_a_damaged_segment_is_told_of_and_left_out(tmp_path, caplog, capsys, case):
    store = VectorStore(tmp_path, "print", WIDTH)
    whole = store.add(keys_of("z"), vectors_of(1))
    segment = store.add(keys_of("a", "b", "c"), vectors_of(3))
    DAMAGES[case](store, segment.id)
    with caplog.at_level(logging.WARNING):
        found = store.open()
    assert [each.id for each in found] == [whole.id]
    assert "damaged and are made anew" in caplog.text
    assert "unpickled" not in capsys.readouterr().out
    assert store.add(keys_of("a", "b", "c"), vectors_of(3)).id == segment.id
    assert len(store.open()) == 2


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot be used") as raised:
        VectorStore(tmp_path / "file", "print", WIDTH).add(keys_of("a"), vectors_of(1))
    assert "folder=False" in raised.value.hint


def test_what_killed_processes_left_is_swept_away_after_a_day(tmp_path):
    store = VectorStore(tmp_path, "print", WIDTH)
    store.add(keys_of("a"), vectors_of(1))
    left, fresh = (store.folder / f".{name}.vectors.npy.{'0' * 16}" for name in ("left", "fresh"))
    for file in (left, fresh):
        file.write_bytes(b"half")
    os.utime(left, (1_000, 1_000))
    store.add(keys_of("b"), vectors_of(1))
    assert not left.exists()
    assert fresh.exists()
    assert len(store.open()) == 2


def test_a_passage_is_words():
    from toolhaft.testing import tool_spec

    spec = tool_spec(
        "getPetById",
        description="Find a pet.",
        parent="PetStore API",
        tags=("Animals",),
        parameters={"type": "object", "properties": {"petId": {"type": "integer"}, "x": {}}},
    )
    assert passage(spec) == "Animals pet store api: get pet by id. Find a pet. Parameters: pet id, x."
    assert passage(tool_spec("日本", description="")).startswith("日本.")
