"""Taking in documents one by one, and writing them as a segment, in bounded memory."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.base import Document, IndexSettings
from toolhaft.retrievers.lexical.hashing import hash_group, hash_texts
from toolhaft.retrievers.lexical.merging import norms_of, write_postings
from toolhaft.retrievers.lexical.parent_lists import ParentNumbers, number_parents
from toolhaft.retrievers.lexical.segment_writer import SegmentWriter
from toolhaft.retrievers.lexical.sources import RunSource, Spill

_RUN = 2_000_000
"""Terms, repeats counting, after which what was taken in is sorted and put aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentTable:
    """What is kept of documents besides their terms, by row.

    Attributes:
        lengths: Terms in each, repeats counting.
        parents: Hashes; 0 for none.
        categories: Likewise.
        orders: See `toolhaft.retrievers.lexical.base.Hit`.
        names: All names as UTF-8, one after the other.
        name_starts: Where each begins, and their end.
        name_hashes: Of each.
    """

    lengths: Any
    parents: Any
    categories: Any
    orders: Any
    names: Any
    name_starts: Any
    name_hashes: Any

    @property
    def average(self) -> float:
        """Mean number of terms."""
        return float(self.lengths.mean()) if len(self.lengths) else 0.0

    def write(self, writer: SegmentWriter, parents: ParentNumbers) -> None:
        """Write it as arrays of a segment, the parents as numbers."""
        rows = np.argsort(self.name_hashes, kind="stable")
        writer.put("lengths", self.lengths)
        writer.put("parents", parents.numbers)
        writer.put("categories", self.categories)
        writer.put("orders", self.orders)
        writer.put("names", self.names)
        writer.put("name_starts", self.name_starts)
        writer.put("name_hashes", self.name_hashes[rows])
        writer.put("name_rows", rows)


def write_segment(
    stream: BinaryIO, table: DocumentTable, sources: Sequence[Any], average: float, settings: IndexSettings
) -> str:
    """Write documents and their postings; return the digest that names the content."""
    writer = SegmentWriter(stream)
    parents = number_parents(table.parents)
    table.write(writer, parents)
    norms = norms_of(table.lengths, average, settings.k1, settings.b)
    write_postings(writer, sources, norms, settings.k1, parents)
    facts = {"average": average, "k1": settings.k1, "b": settings.b}
    return writer.finish(facts)


class Collector:
    """Takes in documents.

    Args:
        settings: How they are scored.
        folder: Where to put aside what is too much for memory; None for the system's folder.
        order: Of the first document.
    """

    def __init__(self, settings: IndexSettings, folder: str | None = None, order: int = 0) -> None:
        self._settings = settings
        self._spill = Spill(folder)
        self._order = order
        self._runs: list[RunSource] = []
        self._orders: array[int] | None = None
        self._lengths = array("I")
        self._parents = array("Q")
        self._categories = array("Q")
        self._names = bytearray()
        self._name_starts = array("Q", [0])
        self._name_hashes = bytearray()
        self._new_names: list[str] = []
        self._sorted = 0
        self._ids = array("I")
        self._vocabulary = _numbering()

    def __len__(self) -> int:
        return len(self._lengths)

    def add(self, document: Document) -> None:
        """Take in a document."""
        self._ids.extend(map(self._vocabulary.__getitem__, document.terms))
        self._lengths.append(len(document.terms))
        self._parents.append(hash_group(document.parent))
        self._categories.append(hash_group(document.category))
        self._names += document.name.encode("utf-8", "surrogatepass")
        self._name_starts.append(len(self._names))
        self._new_names.append(document.name)
        if len(self._ids) >= _RUN:
            self._sort()

    def finish(self) -> tuple[DocumentTable, list[RunSource]]:
        """Return what was taken in; of several with one name the last, at the place of the first."""
        self._sort()
        size = len(self._lengths)
        names = np.frombuffer(bytes(self._names), "<u1")
        table = DocumentTable(
            lengths=np.array(self._lengths, "<u4"),
            parents=np.array(self._parents, "<u8"),
            categories=np.array(self._categories, "<u8"),
            orders=np.arange(self._order, self._order + size, dtype="<u4"),
            names=names,
            name_starts=np.array(self._name_starts, "<u8"),
            name_hashes=np.frombuffer(bytes(self._name_hashes), "<u8"),
        )
        last = _last_of_name(table)
        if last is None:
            return table, self._runs
        return self._without_repeats(table, last), self._runs

    def close(self) -> None:
        """Let go of what was put aside."""
        self._spill.close()

    def _without_repeats(self, table: DocumentTable, last: dict[int, int]) -> DocumentTable:
        """Leave out documents that a later one of the same name replaces: row -> row of the last."""
        size = len(table.lengths)
        orders = table.orders.copy()
        kept = np.ones(size, dtype=bool)
        for row, replaced_by in last.items():
            orders[replaced_by] = min(orders[replaced_by], orders[row])
            kept[row] = False
        new_rows = np.where(kept, np.cumsum(kept) - 1, -1)
        for run in self._runs:
            run.leave_out(new_rows)
        return keep_rows(table, kept, orders)

    def _sort(self) -> None:
        """Put aside the postings of what was taken in since the last time."""
        self._name_hashes += hash_texts(self._new_names).tobytes()
        self._new_names = []
        if not self._ids:
            self._sorted = len(self._lengths)
            return
        hashes, numbers = np.unique(hash_texts(self._vocabulary), return_inverse=True)
        lengths = np.array(self._lengths[self._sorted :], "<u4")
        keys = numbers[np.frombuffer(self._ids, f"=u{self._ids.itemsize}")].astype(np.uint64)
        self._ids = array("I")
        self._vocabulary.clear()
        keys <<= np.uint64(32)
        keys |= np.repeat(np.arange(self._sorted, self._sorted + len(lengths), dtype=np.uint64), lengths)
        keys.sort()
        begins = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        frequencies = np.diff(np.append(begins, len(keys))).astype("<u4")
        keys = keys[begins]
        starts = np.searchsorted(keys, np.arange(len(hashes) + 1, dtype=np.uint64) << np.uint64(32))
        self._runs.append(RunSource(self._spill, hashes, starts, keys.astype("<u4"), frequencies))
        self._sorted = len(self._lengths)


def keep_rows(table: DocumentTable, kept: Any, orders: Any) -> DocumentTable:
    """Return some rows of a table, with other orders."""
    sizes = np.diff(table.name_starts.astype(np.int64))
    return DocumentTable(
        lengths=table.lengths[kept],
        parents=table.parents[kept],
        categories=table.categories[kept],
        orders=orders[kept],
        names=table.names[np.repeat(kept, sizes)],
        name_starts=np.concatenate([[0], np.cumsum(sizes[kept])]),
        name_hashes=table.name_hashes[kept],
    )


def _numbering() -> defaultdict[str, int]:
    """Return a mapping that numbers what it is asked for, from 0."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    return numbers


def _last_of_name(table: DocumentTable) -> dict[int, int] | None:
    """Return row -> last row of the same name, for rows that are not it; None if names differ."""
    rows = np.argsort(table.name_hashes, kind="stable")
    hashes = table.name_hashes[rows]
    repeated = np.flatnonzero(hashes[1:] == hashes[:-1])
    if not len(repeated):
        return None
    last: dict[bytes, int] = {}
    suspects = np.unique(np.concatenate([rows[repeated], rows[repeated + 1]])).tolist()
    names = {
        row: bytes(table.names[int(table.name_starts[row]) : int(table.name_starts[row + 1])])
        for row in suspects
    }
    for row, name in names.items():
        last[name] = row
    return {row: last[name] for row, name in names.items() if last[name] != row}
