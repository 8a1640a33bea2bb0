"""Kept vectors in their files, without an encoder."""

import hashlib
import json
import logging
import os
import subprocess
import sys
import threading

import numpy
import pytest

from toolhaft.errors import ConfigError
from toolhaft.testing import tool_spec
from toolhaft_dense.arrays_file import write_arrays
from toolhaft_dense.onnx_files import kept_graph
from toolhaft_dense.quantised import quantise
from toolhaft_dense.segments import SegmentFolder
from toolhaft_dense.texts import KEY, passage, text_key

pytestmark = pytest.mark.slow  # imports numpy

WIDTH = 8


def vectors_of(count, seed=0):
    found = numpy.random.default_rng(seed).normal(size=(count, WIDTH)).astype(numpy.float32)
    return quantise(found / numpy.linalg.norm(found, axis=1, keepdims=True))


def keys_of(*names):
    joined = b"".join(text_key(str(name)) for name in names)
    return numpy.frombuffer(joined, dtype=numpy.uint8).reshape(len(names), KEY)


def known(segments):
    return {bytes(key) for segment in segments for key in segment.keys}


def test_what_was_added_is_there_the_next_time_and_mapped(tmp_path):
    store = SegmentFolder(tmp_path / "a", WIDTH)
    assert store.open() == []
    vectors = vectors_of(3)
    store.add(keys_of("a", "b", "c"), vectors, {"more": numpy.arange(4)})
    (segment,) = SegmentFolder(tmp_path / "a", WIDTH).open()
    assert isinstance(segment.vectors.whole, numpy.memmap)
    assert not segment.vectors.whole.flags.writeable
    assert (segment.vectors.whole == vectors.whole).all()
    assert (segment.vectors.scales == vectors.scales).all()
    assert segment.more["more"].tolist() == [0, 1, 2, 3]
    assert segment.find(keys_of("c", "x", "a", "c")).tolist() == [2, -1, 0, 2]
    assert SegmentFolder(tmp_path / "b", WIDTH).open() == []
    assert not [file for file in tmp_path.rglob("*") if file.name.startswith(".")]


def test_a_million_vectors_take_a_quarter_of_their_bytes(tmp_path):
    store = SegmentFolder(tmp_path, 384)
    vectors = numpy.random.default_rng(0).normal(size=(2_000, 384)).astype(numpy.float32)
    store.add(keys_of(*range(2_000)), quantise(vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)))
    (file,) = tmp_path.iterdir()
    assert file.stat().st_size <= 0.27 * vectors.nbytes


def test_many_segments_become_one_and_a_large_one_is_not_written_again(tmp_path):
    store = SegmentFolder(tmp_path, WIDTH)
    large = store.add(keys_of(*range(1_000, 1_100)), vectors_of(100))
    segments = [large]
    for number in range(16):
        segments = store.merge([*segments, store.add(keys_of(number), vectors_of(1, seed=number))])
    assert len(segments) == len(store.open()) == len(list(store.folder.iterdir())) == 2
    assert large.id in {segment.id for segment in segments}
    small = next(segment for segment in segments if segment.id != large.id)
    for number in range(16):
        row = small.find(keys_of(number))[0]
        assert (small.vectors.whole[row] == vectors_of(1, seed=number).whole[0]).all()


def test_threads_that_write_at_once_lose_nothing(tmp_path):
    def write(number):
        store = SegmentFolder(tmp_path, WIDTH)
        for step in range(5):
            store.add(keys_of(f"{number % 2}-{step}"), vectors_of(1, seed=step))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = keys_of(*(f"{number}-{step}" for number in range(2) for step in range(5)))
    assert known(SegmentFolder(tmp_path, WIDTH).open()) == {bytes(key) for key in expected}


def test_processes_that_write_and_merge_at_once_lose_nothing(tmp_path):
    code = (
        "import numpy, sys, pathlib; from toolhaft_dense.texts import text_key;"
        "from toolhaft_dense.segments import SegmentFolder; from toolhaft_dense.quantised import quantise;"
        f"store = SegmentFolder(pathlib.Path({str(tmp_path)!r}), 8);"
        "row = quantise(numpy.eye(1, 8, dtype=numpy.float32));"
        "key = lambda n: numpy.frombuffer(text_key(f'{sys.argv[1]}-{n}'), dtype=numpy.uint8)[None];"
        "[store.merge([*store.open(), store.add(key(n), row)]) for n in range(60)]"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, str(number)]) for number in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    expected = keys_of(*(f"{number}-{step}" for number in range(2) for step in range(60)))
    assert known(SegmentFolder(tmp_path, WIDTH).open()) == {bytes(key) for key in expected}


def _file(store, id):
    return store.folder / f"{id}.vectors"


def _cut(store, id):
    _file(store, id).write_bytes(_file(store, id).read_bytes()[:-10])


def _text(content):
    return lambda store, id: _file(store, id).write_bytes(content)


def _flip(place):
    def damage(store, id):
        content = bytearray(_file(store, id).read_bytes())
        content[place] ^= 0xFF
        _file(store, id).write_bytes(bytes(content))

    return damage


def _replace(**arrays):
    whole = vectors_of(3)
    given = {"keys": keys_of("a", "b", "c"), "whole": whole.whole, "scales": whole.scales} | arrays
    return lambda store, id: write_arrays(
        _file(store, id), {name: array for name, array in given.items() if array is not None}
    )


def _without_end(store, id):
    """A header that claims more than the file has, with a digest that fits."""
    size = 10**11 * KEY
    told = {
        "arrays": {"keys": {"type": "uint8", "shape": [10**11, KEY], "start": 0}},
        "facts": {},
        "size": size,
    }
    header = json.dumps(told).encode()
    with _file(store, id).open("wb") as stream:
        stream.write(b"toolhaft arrays 1\n" + len(header).to_bytes(8, "little"))
        stream.write(hashlib.blake2b(header, digest_size=16).digest() + header)
        stream.truncate(-(-stream.tell() // 64) * 64 + size)


DAMAGES = {
    "cut": _cut,
    "empty": _text(b""),
    "text": _text(b"hello"),
    "a header without end": _text(b"toolhaft arrays 1\n" + b"\xff" * 40),
    "a header that was changed": _flip(60),
    "a file that was prolonged": lambda store, id: _file(store, id).write_bytes(
        _file(store, id).read_bytes() + b"x"
    ),
    "numbers beyond all measure": _without_end,
    "vectors of another width": _replace(whole=numpy.zeros((3, 9), dtype=numpy.int8)),
    "vectors of another type": _replace(whole=numpy.zeros((3, WIDTH), dtype=numpy.float32)),
    "one row fewer": _replace(whole=vectors_of(2).whole),
    "scales of another length": _replace(scales=vectors_of(2).scales),
    "scales that are no numbers": _replace(scales=numpy.full(3, numpy.nan, dtype=numpy.float32)),
    "scales without measure": _replace(scales=numpy.full(3, 1e9, dtype=numpy.float32)),
    "no scales": _replace(scales=None),
    "keys of another shape": _replace(keys=numpy.zeros(48, dtype=numpy.uint8)),
    "keys of another type": _replace(keys=numpy.zeros((3, KEY), dtype=numpy.int64)),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_a_damaged_segment_is_told_of_and_left_out(tmp_path, caplog, case):
    store = SegmentFolder(tmp_path, WIDTH)
    whole = store.add(keys_of("z"), vectors_of(1))
    segment = store.add(keys_of("a", "b", "c"), vectors_of(3))
    DAMAGES[case](store, segment.id)
    with caplog.at_level(logging.WARNING):
        found = store.open()
    assert [each.id for each in found] == [whole.id]
    assert "damaged and are made anew" in caplog.text
    assert str(_file(store, segment.id)) in caplog.text
    assert store.add(keys_of("a", "b", "c"), vectors_of(3)).id == segment.id
    assert len(store.open()) == 2


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot be used") as raised:
        SegmentFolder(tmp_path / "file", WIDTH).add(keys_of("a"), vectors_of(1))
    assert "folder=False" in raised.value.hint


def test_what_killed_processes_left_is_swept_away_after_a_day(tmp_path):
    store = SegmentFolder(tmp_path, WIDTH)
    store.add(keys_of("a"), vectors_of(1))
    left, fresh = (store.folder / f".{name}.vectors.{'0' * 16}" for name in ("left", "fresh"))
    for file in (left, fresh):
        file.write_bytes(b"half")
    os.utime(left, (1_000, 1_000))
    store.add(keys_of("b"), vectors_of(1))
    assert not left.exists()
    assert fresh.exists()
    assert len(store.open()) == 2


def test_a_kept_graph_is_read_and_a_damaged_one_made_anew(tmp_path, caplog):
    assert kept_graph(tmp_path / "graphs", "a-mean-int8", lambda: b"one") == b"one"
    assert kept_graph(tmp_path / "graphs", "a-mean-int8", lambda: b"two") == b"one"
    assert kept_graph(tmp_path / "graphs", "a-mean-fp32", lambda: b"three") == b"three"
    (file,) = (tmp_path / "graphs").glob("a-mean-int8*")
    file.write_bytes(b"on")
    assert kept_graph(tmp_path / "graphs", "a-mean-int8", lambda: b"two") == b"two"
    assert "damaged and is made anew" in caplog.text
    assert len(list((tmp_path / "graphs").iterdir())) == 2
    caplog.clear()
    (tmp_path / "file").write_text("x")
    assert kept_graph(tmp_path / "file", "a", lambda: b"four") == b"four"
    assert "cannot be kept" in caplog.text
    assert kept_graph(None, "a", lambda: b"five") == b"five"


def test_a_passage_is_words():
    spec = tool_spec(
        "getPetById",
        description="Find a pet.",
        parent="PetStore API",
        tags=("Animals",),
        parameters={"type": "object", "properties": {"petId": {"type": "integer"}, "x": {}}},
    )
    assert passage(spec) == "Animals pet store api: get pet by id. Find a pet. Parameters: pet id, x."
    assert passage(tool_spec("日本", description="")).startswith("日本.")
