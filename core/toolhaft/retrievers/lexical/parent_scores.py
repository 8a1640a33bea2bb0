"""Scores of parents, each as a document that holds every term of its documents once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.base import IndexSettings
from toolhaft.retrievers.lexical.posting_sums import SHORT, Weighed
from toolhaft.retrievers.lexical.ranking import padded
from toolhaft.retrievers.lexical.segment import Segment
from toolhaft.retrievers.lexical.term_table import Term


class Parents:
    """The parents of several segments' documents, each with a number among all, from 1.

    Those of the first segment keep its numbers. What was removed counts until segments are merged, and a
    parent in several of them is as long as in that where it is longest.

    Args:
        segments: As of the index.
        settings: How documents are scored.
    """

    def __init__(self, segments: Sequence[Segment], settings: IndexSettings) -> None:
        self._segments = segments
        lengths = segments[0].file.checked("parent_lengths")
        count = self._first = len(lengths)
        known: dict[int, int] = {}
        self._numbers: list[Any] = [None]
        for segment in segments[1:]:
            first = segments[0].file.checked("parent_hashes")
            hashes = segment.file.checked("parent_hashes")
            places = np.searchsorted(first, hashes)
            held = np.zeros(len(hashes), dtype=bool)
            inside = places < len(first)
            held[inside] = first[places[inside]] == hashes[inside]
            numbers = places + 1
            for place in np.flatnonzero(~held).tolist():
                numbers[place] = known.setdefault(int(hashes[place]), count + 1 + len(known))
            self._numbers.append(np.concatenate([[0], numbers]))
        self.size = count + len(known)
        self._gains = np.zeros(padded(self.size + 1))
        longest = self._gains[1 : self.size + 1]
        longest[:count] = lengths
        for segment, numbers in zip(segments[1:], self._numbers[1:], strict=True):
            np.maximum.at(longest, numbers[1:] - 1, segment.file.checked("parent_lengths"))
        _weigh_lengths(longest, settings)
        self._by_row: dict[int, Any] = {}

    def score(self, terms: Weighed, share: float) -> Any:
        """Return what each parent adds to its documents; at place 0, of no parent, nothing.

        Args:
            terms: With their weights in the query.
            share: Of its score that a parent adds.
        """
        new = [term for term, _ in terms if term.parents is None]
        if new:
            self._read(new)
        scores = np.zeros(len(self._gains))
        short: list[Any] = []
        weights: list[float] = []
        try:
            for term, weight in terms:
                if len(term.parents) > SHORT:
                    np.add.at(scores, term.parents, weight * term.parent_idf)
                else:
                    short.append(term.parents)
                    weights.append(weight * term.parent_idf)
            if short:
                each = np.array(weights).repeat([len(numbers) for numbers in short])
                np.add.at(scores, np.concatenate(short, dtype=np.intp), each)
        except IndexError:
            raise self._segments[0].file.damaged("a parent lies outside") from None
        scores *= self._gains
        scores *= share
        return scores

    def _read(self, terms: Sequence[Term]) -> None:
        """Note where terms are among parents, and what they weigh there."""
        lists: list[list[Any]] = []
        for number, segment in enumerate(self._segments):
            parts = [term.postings[number] for term in terms]
            lists.append(segment.parents_with([-1 if part is None else part.number for part in parts]))
        for term, *each in zip(terms, *lists, strict=True):
            term.parents = each[0] if len(each) == 1 else self._union(each)
            count = len(term.parents)
            term.parent_idf = math.log(1 + (self.size - count + 0.5) / (count + 0.5))

    def _union(self, lists: Sequence[Any]) -> Any:
        """Return the numbers among all of the parents in one list for each segment."""
        first = lists[0]
        pairs = zip(self._numbers[1:], lists[1:], strict=True)
        new = np.unique(np.concatenate([numbers[own] for numbers, own in pairs]))
        if len(first) and len(new):
            places = np.minimum(np.searchsorted(first, new), len(first) - 1)
            new = new[first[places] != new]
        return np.concatenate([first, new.astype("<u4")])

    def of(self, number: int) -> Any:
        """Return the parent of every row of a segment, by the segment's number."""
        known = self._by_row.get(number)
        if known is None:
            known = self._by_row[number] = self._read_rows(number)
        return known

    def of_rows(self, number: int, rows: Any) -> Any:
        """Return the parents of a few rows of a segment."""
        known = self._by_row.get(number)
        if known is not None:
            return known[rows]
        own = self._segments[number].file.take("parents", rows)
        numbers = self._numbers[number]
        return own if numbers is None else numbers[own]

    def _read_rows(self, number: int) -> Any:
        file = self._segments[number].file
        own = file.checked("parents")
        if not file.trusted and len(own) and int(own.max()) > len(file.array("parent_hashes")):
            raise file.damaged("a parent lies outside")
        numbers = self._numbers[number]
        # As numpy counts: else it makes such a copy of them for every query.
        return own.astype(np.intp) if numbers is None else numbers[own]

    def within(self, number: int, parents: Any) -> Any:
        """Return the numbers in a segment of those of some parents that are there."""
        numbers = self._numbers[number]
        if numbers is not None:
            return np.flatnonzero(np.isin(numbers, parents))
        return parents if len(self._segments) == 1 else parents[parents <= self._first]


def _weigh_lengths(lengths: Any, settings: IndexSettings) -> None:
    """Turn lengths into what a parent of each gets for a term, in place: fresh pages would take longer."""
    average = float(lengths.mean()) if len(lengths) else 0.0
    if average > 0:
        lengths *= settings.b
        lengths /= average
        lengths += 1 - settings.b
        lengths *= settings.k1
    else:
        lengths.fill(settings.k1)
    lengths += 1
    np.divide(settings.k1 + 1, lengths, out=lengths)
