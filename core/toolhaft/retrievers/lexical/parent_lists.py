"""Which parents hold a term: kept beside its postings, so that a query need not look at every document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.segment_writer import SegmentWriter
from toolhaft.retrievers.lexical.sources import Spill

_AT_ONCE = 1_000_000
"""Numbers that are copied in one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentNumbers:
    """The parents of a segment's documents, numbered from 1.

    Attributes:
        hashes: Of the parents, ascending.
        numbers: By row; 0 for none.
    """

    hashes: Any
    numbers: Any


def number_parents(parents: Any) -> ParentNumbers:
    """Return numbers for the hashes of parents by row; the hash 0 is no parent."""
    hashes, numbers = np.unique(parents, return_inverse=True)
    if len(hashes) and hashes[0] == 0:
        return ParentNumbers(hashes=hashes[1:], numbers=numbers.astype("<u4"))
    return ParentNumbers(hashes=hashes, numbers=(numbers + 1).astype("<u4"))


class ParentLists:
    """Gathers for each term the parents of its documents, as postings are written.

    Args:
        parents: Of the rows.
    """

    def __init__(self, parents: ParentNumbers) -> None:
        self._parents = parents
        self._lengths = np.zeros(len(parents.hashes) + 1, np.int64)
        self._counts: list[Any] = []
        self._lists = Spill(None)
        self._size = 0

    def add(self, words: Any, counts: Any) -> None:
        """Take the postings of the next terms: for each so many rows, then as many gains."""
        terms = np.repeat(np.arange(len(counts), dtype=np.uint64), counts)
        rows = words[np.arange(len(terms)) + (np.cumsum(counts) - counts)[terms]]
        keys = (terms << np.uint64(32)) | self._parents.numbers[rows].astype(np.uint64)
        keys.sort()
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])] if len(keys) else keys
        keys = keys[keys.astype("<u4") > 0]
        numbers = keys.astype("<u4")
        self._lists.append(numbers)
        self._size += len(numbers)
        self._counts.append(
            np.bincount((keys >> np.uint64(32)).astype(np.int64), minlength=len(counts)).astype("<u4")
        )
        self._lengths += np.bincount(numbers, minlength=len(self._lengths))

    def write(self, writer: SegmentWriter) -> None:
        """Write rows, hashes, lengths and lists of the parents."""
        numbers = self._parents.numbers
        writer.put("parent_rows", np.argsort(numbers, kind="stable"))
        counts = np.bincount(numbers, minlength=len(self._lengths))
        writer.put("parent_row_starts", np.concatenate([[0], np.cumsum(counts)]))
        writer.put("parent_hashes", self._parents.hashes)
        writer.put("parent_lengths", self._lengths[1:])
        writer.put(
            "parent_starts", np.concatenate([[0], np.cumsum(np.concatenate([[0], *self._counts])[1:])])
        )
        writer.begin("parent_postings")
        for first in range(0, self._size, _AT_ONCE):
            numbers = self._lists.read(0, first, min(first + _AT_ONCE, self._size))
            writer.write("parent_postings", numbers)
        self._lists.close()
