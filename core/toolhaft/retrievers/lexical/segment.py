"""One part of an index: documents with their terms' postings, never changed, but that some may be removed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from toolhaft.errors import FormatError
from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.hashing import hash_text
from toolhaft.retrievers.lexical.segment_file import SegmentFile

_SCANNED = 4_000_000
"""Words of postings looked at in one go."""
_LONG = 4_096
"""Postings of a term from which on a document is looked up in them."""
_SHORT = 4_096
"""Gains of a term up to which they are checked together with those of others."""

_WORD = np.dtype("<u4")


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


class Postings(NamedTuple):
    """Where a term is in a segment.

    Attributes:
        rows: Of the documents that hold it, ascending, removed ones included.
        gains: What it adds to the score of each for an idf of 1.
        number: Of the term.
        held: Of the documents that are there.
    """

    rows: Any
    gains: Any
    number: int
    held: int


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
        whole = {"parents", "categories", "orders", "name_hashes", "name_rows", "parent_rows"}
        if (
            any(len(file.array(name)) != self.size for name in whole)
            or len(file.array("name_starts")) != self.size + 1
            or len(self._starts) != len(terms) + 1
            or len(file.array("parent_starts")) != len(terms) + 1
            or len(file.array("peaks")) != len(terms)
            or len(file.array("parent_lengths")) != len(file.array("parent_hashes"))
            or len(file.array("parent_row_starts")) != len(file.array("parent_hashes")) + 2
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

    def postings(self, hashes: Any) -> list[Postings | None]:
        """Return the postings of some terms, None for one that is in no document."""
        numbers = self.find(hashes)
        starts, ends = self._starts[numbers].tolist(), self._starts[numbers + 1].tolist()
        counts = self.frequencies(numbers).tolist() if len(self.removed.terms) else ()
        most = len(self._postings) // 2
        found: list[Postings | None] = []
        for place, (number, first, last) in enumerate(zip(numbers.tolist(), starts, ends, strict=True)):
            if number < 0:
                found.append(None)
                continue
            if not first <= last <= most:
                raise self.file.damaged("postings lie outside")
            self.file.check("postings", 2 * first, 2 * last)
            rows, gains = self._postings[2 * first : first + last], self._gains[first + last : 2 * last]
            found.append(Postings(rows, gains, number, counts[place] if counts else last - first))
        if not self.file.trusted:
            self._check_gains([postings.gains for postings in found if postings is not None])
        return found

    def _check_gains(self, lists: list[Any]) -> None:
        """Raise `FormatError` if a gain is below zero, no number or too large.

        Read as whole numbers, the words of floats above zero are in the same order, and all others larger.
        """
        short = [gains for gains in lists if len(gains) <= _SHORT]
        together = [np.concatenate(short)] if short else []
        for gains in (*together, *(gains for gains in lists if len(gains) > _SHORT)):
            if len(gains) and gains.view(_WORD).max() > self._most:
                raise self.file.damaged("a score is beyond all measure")

    def peak(self, term: int) -> float:
        """Return the most that a term adds to a score for an idf of 1."""
        self.file.check("peaks", term, term + 1)
        return float(self.file.array("peaks")[term])

    def parents_with(self, terms: Sequence[int]) -> list[Any]:
        """Return for each of some terms the numbers of its documents' parents, from 1; none for -1."""
        starts, lists = self.file.array("parent_starts"), self.file.array("parent_postings")
        self.file.check("parent_starts", 0, len(starts))
        numbers = np.array(terms)
        found: list[Any] = []
        for term, first, last in zip(
            terms, starts[numbers].tolist(), starts[numbers + 1].tolist(), strict=True
        ):
            if term < 0:
                first = last = 0
            if not first <= last <= len(lists):
                raise self.file.damaged("a list of parents lies outside")
            self.file.check("parent_postings", first, last)
            found.append(lists[first:last])
        return found

    def rows_of_parents(self, parents: Any, most: int) -> Any:
        """Return the rows of some parents; None if they are more than so many."""
        rows = self.file.array("parent_rows")
        firsts = self.file.take("parent_row_starts", parents).astype(np.int64)
        lasts = self.file.take("parent_row_starts", parents + 1).astype(np.int64)
        counts = lasts - firsts
        if len(counts) and (int(counts.min()) < 0 or int(lasts.max()) > len(rows)):
            raise self.file.damaged("a list of documents lies outside")
        if int(counts.sum()) > most:
            return None
        lists = [np.zeros(0, np.intp)]
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
            self.file.check("parent_rows", first, last)
            lists.append(rows[first:last])
        found = np.concatenate(lists, dtype=np.intp)
        if len(found) and int(found.max()) >= self.size:
            raise self.file.damaged("a list of documents lies outside")
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
        names = self.file.array("names").data
        found: list[str] = []
        for first, last in zip(places[: len(rows)], places[len(rows) :], strict=True):
            if not first <= last <= len(names):
                raise self.file.damaged("a name lies outside")
            self.file.check("names", first, last)
            try:
                found.append(str(names[first:last], "utf-8", "surrogatepass"))
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

        Documents' terms are kept nowhere else. In long lists of postings they are looked up, and all that
        lies between those is gone through.
        """
        self.terms()
        starts = self._starts.astype(np.int64)
        long = (np.diff(starts) >= _LONG).nonzero()[0]
        found: list[Any] = []
        begin = 0
        for term in long.tolist():
            first, last = int(starts[term]), int(starts[term + 1])
            found.append(self._terms_between(begin, 2 * first, starts, rows))
            held = self._postings[2 * first : first + last]
            places = held.searchsorted(rows)
            count = int((held.take(places, mode="clip") == rows).sum())
            if count:
                found.append(np.full(count, term))
            begin = 2 * last
        found.append(self._terms_between(begin, len(self._postings), starts, rows))
        self.file.count_read(self._postings.nbytes)
        return np.concatenate(found).astype("<u4")

    def _terms_between(self, begin: int, end: int, starts: Any, rows: Any) -> Any:
        """Return the same for the terms whose postings lie in a range of words."""
        found = [np.zeros(0, np.int64)]
        for first in range(begin, end, _SCANNED):
            words = self._postings[first : min(first + _SCANNED, end)]
            same = words == rows[0] if len(rows) == 1 else np.isin(words, rows)
            found.append(same.nonzero()[0] + first)
        places = np.concatenate(found)
        if not len(places):
            return places
        terms = np.searchsorted(2 * starts, places, "right") - 1
        # The second half of each term's words are gains, which may look like rows.
        return terms[places - 2 * starts[terms] < starts[terms + 1] - starts[terms]]


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
