"""Files of kept vectors whose bytes are not what was written, anywhere in them."""

import logging
import random

import numpy
import pytest

from toolhaft_dense import arrays_file
from toolhaft_dense.arrays_file import open_arrays, write_arrays
from toolhaft_dense.damaged import DamagedError
from toolhaft_dense.quantised import quantise
from toolhaft_dense.segments import SegmentFolder
from toolhaft_dense.texts import KEY

pytestmark = pytest.mark.slow  # imports numpy
ROWS, WIDTH = 1_500, 48


@pytest.fixture
def store(tmp_path):
    chance = numpy.random.default_rng(0)
    vectors = chance.normal(size=(ROWS, WIDTH)).astype(numpy.float32)
    keys = chance.integers(0, 256, size=(ROWS, KEY), dtype=numpy.uint8)
    folder = SegmentFolder(tmp_path, WIDTH)
    folder.add(keys, quantise(vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)))
    return folder


def _file(store):
    (file,) = store.folder.iterdir()
    return file


def _flip(content, place):
    return content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]


def test_a_bit_that_was_flipped_anywhere_is_found(store, caplog):
    file = _file(store)
    content = file.read_bytes()
    ((right, _),) = [(segment.vectors.whole.copy(), segment) for segment in store.open()]
    draw = random.Random(1)
    refused = 0
    for place in [0, 17, 60, len(content) - 1, *(draw.randrange(len(content)) for _ in range(150))]:
        file.unlink(missing_ok=True)
        file.write_bytes(_flip(content, place))
        with caplog.at_level(logging.ERROR):
            found = store.open()
        refused += not found
        assert all((segment.vectors.whole == right).all() for segment in found)
    assert refused > 140  # what lies between arrays harms nobody


def test_a_file_that_was_cut_anywhere_is_found(store, caplog):
    file = _file(store)
    content = file.read_bytes()
    for size in (0, 5, 30, len(content) // 2, len(content) - 16, len(content) - 1):
        file.unlink(missing_ok=True)
        file.write_bytes(content[:size])
        assert store.open() == []
    assert "damaged" in caplog.text


def test_of_a_long_file_the_vectors_are_checked_when_they_are_used(store, monkeypatch):
    monkeypatch.setattr(arrays_file, "CHECKED_AT_ONCE", 0)
    file = _file(store)
    arrays, checks = open_arrays(file)
    start, width = checks.places["whole"]
    offset = arrays["whole"].ctypes.data - arrays["keys"].ctypes.data  # `keys` begin the arrays
    assert (start, width) == (offset, WIDTH)
    content = file.read_bytes()
    place = content.index(arrays["whole"][1_000].tobytes())
    file.unlink()
    file.write_bytes(_flip(content, place))
    (segment,) = store.open()
    segment.vectors.check(0, 600)
    assert len(segment.vectors.take(numpy.array([3, 7]))) == 2
    with pytest.raises(DamagedError, match="not what was written") as found:
        segment.vectors.take(numpy.array([3, 1_000]))
    assert found.value.file == file


def test_a_file_of_earlier_times_is_read_without_checksums(tmp_path, monkeypatch):
    file = tmp_path / "old"
    write_arrays(file, {"numbers": numpy.arange(100)})
    content = file.read_bytes()
    start = content.index(b"{")
    header = content[start : content.index(b"}", content.index(b"size")) + 1]
    old = header.replace(b', "checked": true', b"")
    data = numpy.arange(100).tobytes()
    head = arrays_file._MAGIC + len(old).to_bytes(8, "little") + arrays_file._sum(old) + old
    size = -(-len(data) // 64) * 64
    file.write_bytes(head.ljust(arrays_file._start(len(old)), b"\0") + data.ljust(size, b"\0"))
    arrays, _ = open_arrays(file)
    assert arrays["numbers"].tolist() == list(range(100))
