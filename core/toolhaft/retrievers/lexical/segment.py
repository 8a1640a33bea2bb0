"""One part of an index: documents with their terms' postings, never changed, but that some may be removed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from toolhaft.errors import FormatError
from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.hashing import hash_text
from toolhaft.retrievers.lexical.segment_file import SegmentFile

_SCANNED = 4_000_000
"""Words of postings looked at in one go."""
_SHORT = 4_096
"""Gains of a term up to which they are checked together with those of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What is there no more of a segment.

    Attributes:
        rows: Numbers of its documents, ascending.
        terms: Numbers of its terms, ascending, of which documents were removed.
        counts: How many of each.
    """

    rows: Any
    terms: Any
    counts: Any


def none_removed() -> Removed:
    """Return that nothing was removed."""
    return Removed(rows=np.zeros(0, "<u4"), terms=np.zeros(0, "<u4"), counts=np.zeros(0, "<u4"))


class Segment:
    """Documents, numbered by row.

    The postings of term number ``i`` lie at ``2 * starts[i]``: the rows, ascending, and as many gains, which
    are what the term adds to each row's score for an idf of 1.

    Args:
        file: The arrays.
        removed: Which documents are there no more.

    Raises:
        FormatError: The arrays do not fit each other.
    """

    def __init__(self, file: SegmentFile, removed: Removed | None = None) -> None:
        self.file = file
        self.size = len(file.array("lengths"))
        terms = file.array("terms")
        self._starts = file.array("starts")
        self._postings = file.array("postings")
        self._gains = self._postings.view("<f4")
        whole = {"parents", "categories", "orders", "name_hashes", "name_rows"}
        if (
            any(len(file.array(name)) != self.size for name in whole)
            or len(file.array("name_starts")) != self.size + 1
            or len(self._starts) != len(terms) + 1
            or len(file.array("parent_starts")) != len(terms) + 1
            or len(file.array("peaks")) != len(terms)
            or len(file.array("parent_lengths")) != len(file.array("parent_hashes"))
            or len(file.array("frequencies")) != len(file.array("frequency_counts"))
        ):
            raise file.damaged("its arrays do not fit each other")
        self.removed = none_removed() if removed is None else removed
        self._terms: Any = None
        # No term gains more, however often a document holds it; the hundredth is for what 24 bits round.
        most = 1.01 * (float(file.facts.get("k1", math.inf)) + 1)
        self._most = np.array(most, "<f4").view("<u4")[()]

    @property
    def live(self) -> int:
        """How many documents are there."""
        return self.size - len(self.removed.rows)

    def terms(self) -> Any:
        """Return the hashes of the terms, ascending."""
        if self._terms is None:
            self._terms = self.file.checked("terms")
            self.file.check("starts", 0, len(self._starts))
        return self._terms

    def find(self, hashes: Any) -> Any:
        """Return the number of each term, -1 where it is in no document."""
        terms = self.terms()
        if not len(terms):
            return np.full(len(hashes), -1)
        places = np.minimum(np.searchsorted(terms, hashes), len(terms) - 1)
        return np.where(terms[places] == hashes, places, -1)

    def frequencies(self, terms: Any) -> Any:
        """Return in how many documents each of these terms is; 0 for the number -1."""
        counts = (self._starts[terms + 1] - self._starts[terms]).astype(np.int64)
        removed = self.removed
        if len(removed.terms):
            places = np.minimum(np.searchsorted(removed.terms, terms), len(removed.terms) - 1)
            counts -= np.where(removed.terms[places] == terms, removed.counts[places], 0)
        return np.where(terms < 0, 0, counts)

    def lists(self, terms: Any) -> list[tuple[Any, Any] | None]:
        """Return for each of some terms the rows that hold it, and what it adds to each; None for -1."""
        ends = len(self._postings) // 2
        found: list[tuple[Any, Any] | None] = []
        read: list[Any] = []
        for term, first, last in zip(
            terms.tolist(), self._starts[terms].tolist(), self._starts[terms + 1].tolist(), strict=True
        ):
            if term < 0:
                found.append(None)
                continue
            if not first <= last <= ends:
                raise self.file.damaged("postings lie outside")
            self.file.check("postings", 2 * first, 2 * last)
            read.append(self._postings[first + last : 2 * last])
            found.append((self._postings[2 * first : first + last], self._gains[first + last : 2 * last]))
        if not self.file.trusted:
            self._check_gains(read)
        return found

    def _check_gains(self, lists: list[Any]) -> None:
        """Raise `FormatError` if the words of a gain are below zero, no number or too large.

        Read as whole numbers, the words of floats above zero are in the same order, and all others larger.
        """
        short = [words for words in lists if len(words) <= _SHORT]
        together = [np.concatenate(short)] if short else []
        for words in (*together, *(words for words in lists if len(words) > _SHORT)):
            if len(words) and words.max() > self._most:
                raise self.file.damaged("a score is beyond all measure")

    def peak(self, term: int) -> float:
        """Return the most that a term adds to a score for an idf of 1."""
        self.file.check("peaks", term, term + 1)
        return float(self.file.array("peaks")[term])

    def parents_with(self, terms: Any) -> list[Any]:
        """Return for each of some terms the numbers of its documents' parents, from 1; none for -1."""
        starts, lists = self.file.array("parent_starts"), self.file.array("parent_postings")
        found: list[Any] = []
        for term, first, last in zip(
            terms.tolist(), starts[terms].tolist(), starts[terms + 1].tolist(), strict=True
        ):
            if term < 0:
                first = last = 0
            if not first <= last <= len(lists):
                raise self.file.damaged("a list of parents lies outside")
            self.file.check("parent_postings", first, last)
            found.append(lists[first:last])
        return found

    def range_of_postings(self, first: int, last: int) -> tuple[Any, Any, Any]:
        """Return number within a range of terms, row and gain of each of their postings."""
        starts = self._starts[first : last + 1].astype(np.int64)
        if len(starts) and not 0 <= starts[0] <= starts[-1] <= len(self._postings) // 2:
            raise self.file.damaged("postings lie outside")
        counts = np.diff(starts)
        if len(counts) and int(counts.min()) < 0:
            raise self.file.damaged("postings lie outside")
        self.file.check("postings", 2 * int(starts[0]), 2 * int(starts[-1]))
        words = self._postings[2 * int(starts[0]) : 2 * int(starts[-1])]
        self.file.count_read(words.nbytes)
        terms = np.repeat(np.arange(len(counts)), counts)
        places = np.arange(len(terms)) + (starts[:-1] - starts[0])[terms]
        return terms, words[places], words[places + counts[terms]].view("<f4")

    def names(self, rows: Any) -> list[str]:
        """Return the names of documents."""
        places = self.file.take("name_starts", np.concatenate([rows, rows + 1])).tolist()
        names = self.file.array("names")
        found: list[str] = []
        for first, last in zip(places[: len(rows)], places[len(rows) :], strict=True):
            if not first <= last <= len(names):
                raise self.file.damaged("a name lies outside")
            self.file.check("names", first, last)
            try:
                found.append(str(names.data[first:last], "utf-8", "surrogatepass"))
            except UnicodeDecodeError:
                raise self.file.damaged("a name cannot be read") from None
        return found

    def row_named(self, name: str) -> int | None:
        """Return the row of a name that is there, or None."""
        hashes = self.file.array("name_hashes")
        wanted = np.uint64(hash_text(name))
        first, last = (int(np.searchsorted(hashes, wanted, side)) for side in ("left", "right"))
        self.file.check("name_hashes", max(first - 1, 0), min(last + 1, self.size))
        rows = self.file.take("name_rows", np.arange(first, last))
        for row, found in zip(rows.tolist(), self.names(rows), strict=True):
            if found == name and not self.is_removed(row):
                return int(row)
        return None

    def is_removed(self, row: int) -> bool:
        """Return whether a document is there no more."""
        place = int(np.searchsorted(self.removed.rows, row))
        return place < len(self.removed.rows) and int(self.removed.rows[place]) == row

    def without(self, rows: list[int]) -> Segment:
        """Return the segment with more documents removed."""
        gone = np.unique(np.array(rows, dtype="<u4"))
        terms, counts = np.unique(
            np.concatenate([np.repeat(self.removed.terms, self.removed.counts), self._terms_of(gone)]),
            return_counts=True,
        )
        removed = Removed(
            rows=np.union1d(self.removed.rows, gone),
            terms=terms.astype("<u4"),
            counts=counts.astype("<u4"),
        )
        return Segment(self.file, removed)

    def _terms_of(self, rows: Any) -> Any:
        """Return the number of every term of some documents, a term once for each that holds it.

        All postings are gone through, some 10 ms for each 100 MB; documents' terms are kept nowhere else.
        """
        self.terms()
        starts = self._starts.astype(np.int64) * 2
        found: list[Any] = []
        for begin in range(0, len(self._postings), _SCANNED):
            words = self._postings[begin : begin + _SCANNED]
            same = words == rows[0] if len(rows) == 1 else np.isin(words, rows)
            found.append(np.flatnonzero(same) + begin)
            self.file.count_read(words.nbytes)
        places = np.concatenate(found) if found else np.zeros(0, np.int64)
        terms = np.searchsorted(starts, places, "right") - 1
        # The second half of each term's words are gains, which may look like rows.
        return terms[places - starts[terms] < (starts[terms + 1] - starts[terms]) // 2].astype("<u4")


def check_removed(file: SegmentFile, segment: Segment) -> Removed:
    """Return what a file says was removed of a segment; raises `FormatError` if that cannot be."""
    rows, terms, counts = (file.checked(name) for name in ("removed", "removed_terms", "removed_counts"))
    if file.facts.get("of") != segment.file.digest:
        raise FormatError("the search index is damaged: parts of two are mixed", where=file.where)
    ascending = all((np.diff(numbers.astype(np.int64)) > 0).all() for numbers in (rows, terms))
    if (
        len(terms) != len(counts)
        or not ascending
        or (len(counts) and int(counts.max()) > len(rows))
        or (len(rows) and int(rows[-1]) >= segment.size)
        or (len(terms) and int(terms[-1]) >= len(segment.terms()))
    ):
        raise file.damaged("what was removed was never there")
    return Removed(rows=rows, terms=terms, counts=counts)
