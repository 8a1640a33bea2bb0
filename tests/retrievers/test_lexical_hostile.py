"""Files of an index that somebody made on purpose: their checksums are right, what they say is not."""

import json
import shutil
from dataclasses import replace
from hashlib import blake2b
from io import BytesIO
from itertools import pairwise
from math import inf, isfinite, nan

import numpy as np
import pytest

from toolhaft.errors import FormatError
from toolhaft.retrievers.lexical import Document, IndexSettings, open_index
from toolhaft.retrievers.lexical.array_index import ArrayIndex
from toolhaft.retrievers.lexical.manifest import KeptPart, _digest, read_manifest, write_manifest
from toolhaft.retrievers.lexical.pure import PureIndex
from toolhaft.retrievers.lexical.segment_file import SegmentFile
from toolhaft.retrievers.lexical.segment_writer import SegmentWriter

pytestmark = pytest.mark.slow
SETTINGS = IndexSettings(composition="test 1")
QUERY = {f"w{number}": 1.0 for number in range(13)}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with an index of two segments and a removed document."""
    folder = tmp_path_factory.mktemp("kept") / "bm25"
    documents = [
        Document(name=f"tool {n}", terms=[f"w{n % 13}", f"w{n % 7}", "w1"], parent=f"p{n % 9}")
        for n in range(100)
    ]
    index = ArrayIndex.build(documents, SETTINGS, folder=folder, version="1")
    index.change([Document(name="late", terms=["w1", "w2"], parent="p3")], ["tool 5"], version="2")
    return folder


def forge(folder, change, *, removed=False):
    """Write the first segment, or what was removed of it, anew with other arrays and right checksums."""
    manifest = read_manifest(folder)
    part = manifest.parts[0]
    place = folder / (part.removed if removed else part.file)
    digest = write_arrays(place, change)
    if not removed:
        write_arrays(folder / part.removed, lambda arrays, facts: facts.update(of=digest))
        part = replace(part, digest=digest)
    write_manifest(folder, replace(manifest, parts=(part, *manifest.parts[1:])))


def write_arrays(place, change):
    file = SegmentFile.open(place)
    arrays = {name: file.array(name).copy() for name in file.facts["sections"]}
    facts = {name: value for name, value in file.facts.items() if name in ("average", "k1", "b", "of")}
    change(arrays, facts)
    stream = BytesIO()
    writer = SegmentWriter(stream)
    for name, values in arrays.items():
        writer.put(name, values)
    digest = writer.finish(facts)
    place.unlink()
    place.write_bytes(stream.getvalue())
    return digest


def set_all(name, value):
    def change(arrays, facts):
        arrays[name][:] = value

    return change


def turn_round(name):
    def change(arrays, facts):
        arrays[name] = arrays[name][::-1].copy()

    return change


def set_gains(value):
    def change(arrays, facts):
        starts, gains = arrays["starts"].tolist(), arrays["postings"].view("<f4")
        for first, last in pairwise(starts):
            gains[first + last : 2 * last] = value

    return change


def use(index):
    """Do all that reads its arrays."""
    for share in (0.0, 1.2, 10.0):
        assert all(isfinite(hit.score) for hit in index.top(QUERY, 12, parent_share=share))
    index.change([Document(name="new", terms=["w1"])], ["tool 7"], version="3")
    index.change([Document(name=f"new {n}", terms=["w1"]) for n in range(60)], version="4")


CASES = {
    "parents": set_all("parents", 2**32 - 1),
    "parent_postings": set_all("parent_postings", 2**32 - 1),
    "parent_starts": set_all("parent_starts", 2**40),
    "starts": set_all("starts", 2**63),
    "starts backwards": turn_round("starts"),
    "frequencies": set_all("frequencies", 2**32 - 1),
    "rows": set_all("postings", 2**31),
    "gains of no number": set_gains(nan),
    "infinite gains": set_gains(inf),
    "gains below zero": set_gains(-1.0),
    "gains beyond all measure": set_gains(1e30),
    "name_starts": set_all("name_starts", 2**63),
    "name_rows": set_all("name_rows", 2**32 - 1),
}
REMOVED = {
    "as many as fill the memory": set_all("removed_counts", 2**32 - 1),
    "rows": set_all("removed", 2**32 - 1),
    "terms": set_all("removed_terms", 2**32 - 1),
    "terms backwards": turn_round("removed_terms"),
}


@pytest.mark.parametrize(
    ("change", "removed"),
    [*((change, False) for change in CASES.values()), *((change, True) for change in REMOVED.values())],
    ids=[*CASES, *(f"removed {case}" for case in REMOVED)],
)
def test_arrays_that_lie_are_told_of_and_rank_nothing(kept, tmp_path, change, removed):
    folder = tmp_path / "bm25"
    shutil.copytree(kept, folder)
    forge(folder, change, removed=removed)
    index = open_index(folder, SETTINGS)
    if index is None:  # said when it was opened, and made anew
        return
    with pytest.raises(FormatError, match="damaged"):
        use(index)


@pytest.mark.parametrize(
    "change",
    [
        set_all("parent_rows", 2**32 - 1),
        set_all("parent_row_starts", 2**40),
        turn_round("parent_row_starts"),
    ],
    ids=["rows", "starts", "starts backwards"],
)
def test_documents_of_a_parent_that_lie_are_told_of(kept, tmp_path, change):
    folder = tmp_path / "bm25"
    shutil.copytree(kept, folder)
    parents = np.arange(1, 9)
    segment = open_index(folder, SETTINGS)._segments[0]
    found = segment.rows_of_parents(parents, 100)
    assert sorted(found.tolist()) == np.flatnonzero(segment.file.array("parents") < 9).tolist()
    assert segment.rows_of_parents(parents, 10) is None
    forge(folder, change)
    with pytest.raises(FormatError, match="documents lies outside"):
        open_index(folder, SETTINGS)._segments[0].rows_of_parents(parents, 100)


@pytest.fixture
def documents(tmp_path):
    """A folder with an index of documents as lines."""
    PureIndex.build([Document(name="a", terms=["w1"])], SETTINGS, folder=tmp_path, version="1")
    return tmp_path


ROWS = {
    "order": ["x", "b", "", "", {"w1": 1}],
    "order of no number": [nan, "b", "", "", {"w1": 1}],
    "name": [1, ["b"], "", "", {"w1": 1}],
    "parent": [1, "b", {}, "", {"w1": 1}],
    "category": [1, "b", "", ["c"], {"w1": 1}],
    "counts": [1, "b", "", "", ["w1"]],
    "as many as fill the memory": [1, "b", "", "", {"w1": 10**12}],
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_documents_that_lie_are_told_of(documents, row, caplog):
    manifest = read_manifest(documents)
    place = documents / manifest.parts[0].file
    data = place.read_bytes() + json.dumps(row).encode()
    place.write_bytes(data)
    part = KeptPart(file=place.name, digest=blake2b(data, digest_size=32).hexdigest())
    write_manifest(documents, replace(manifest, parts=(part,)))
    assert open_index(documents, SETTINGS) is None
    assert "damaged" in caplog.text


FACTS = {
    "next_order": "x",
    "version": 5,
    "generation": None,
    "parts": [{"file": 5, "digest": ""}],
    "made_with": [],
}


@pytest.mark.parametrize(
    ("fact", "value"),
    [*FACTS.items(), ("next_order", 10**40), ("parts", [{"file": "a\0b", "digest": ""}])],
    ids=[*FACTS, "next_order beyond all measure", "file of no name"],
)
def test_a_manifest_that_lies_is_told_of(documents, fact, value, caplog):
    place = documents / "index.json"
    told = json.loads(place.read_text())
    told["facts"][fact] = value
    place.write_text(json.dumps({**told, "digest": _digest(told["facts"])}))
    assert open_index(documents, SETTINGS) is None
    assert "damaged" in caplog.text


def test_what_a_process_wrote_itself_is_no_damage(tmp_path):
    index = ArrayIndex.build([Document(name="a", terms=["w1"])], SETTINGS, folder=tmp_path, version="1")
    with pytest.raises(ValueError, match="no such term"):
        index.change(bad_documents(), version="2")


def bad_documents():
    """Fail as a caller's own documents might."""
    yield Document(name="b", terms=["w1"])
    raise ValueError("no such term")
