"""Scores of parents, each as a document that holds every term of its documents once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.base import IndexSettings
from toolhaft.retrievers.lexical.segment import Segment

_SHORT = 2_048
"""Numbers in a list up to which it is added together with others."""


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
        first = segments[0].file.checked("parent_hashes")
        lengths = [segments[0].file.checked("parent_lengths").astype(np.float64)]
        known: dict[int, int] = {}
        self._numbers: list[Any] = [None]
        for segment in segments[1:]:
            hashes = segment.file.checked("parent_hashes")
            places = np.searchsorted(first, hashes)
            held = np.zeros(len(hashes), dtype=bool)
            inside = places < len(first)
            held[inside] = first[places[inside]] == hashes[inside]
            numbers = places + 1
            for place in np.flatnonzero(~held).tolist():
                numbers[place] = known.setdefault(int(hashes[place]), len(first) + 1 + len(known))
            self._numbers.append(np.concatenate([[0], numbers]))
        self.size = len(first) + len(known)
        longest = np.concatenate([*lengths, np.zeros(len(known))])
        for segment, numbers in zip(segments[1:], self._numbers[1:], strict=True):
            np.maximum.at(longest, numbers[1:] - 1, segment.file.checked("parent_lengths"))
        average = float(longest.mean()) if self.size else 0.0
        k1, b = settings.k1, settings.b
        norms = k1 * (1 - b + b * longest / average) if average > 0 else np.full(self.size, k1)
        self._gains = np.concatenate([[0.0], (k1 + 1) / (1 + norms)])
        self._by_row = [self._read_rows(number) for number in range(len(segments))]

    def score(self, terms: Sequence[tuple[Any, float]]) -> Any:
        """Return the score of every parent, at place 0 that of no parent.

        Args:
            terms: For each its parents (see `with_term`) and its weight.
        """
        scores = np.zeros(self.size + 1)
        weighed: list[float] = []
        for parents, weight in terms:
            count = len(parents)
            weighed.append(weight * math.log(1 + (self.size - count + 0.5) / (count + 0.5)))
        try:
            add_lists(scores, [parents for parents, _ in terms], weighed)
        except IndexError:
            raise self._segments[0].file.damaged("a parent lies outside") from None
        scores *= self._gains
        return scores

    def with_terms(self, terms: Sequence[Sequence[int]]) -> list[Any]:
        """Return for each of some terms the parents that hold it.

        Args:
            terms: For each its number in every segment, -1 where it is not.
        """
        places = np.array(terms).reshape(len(terms), len(self._segments)).T
        lists = [s.parents_with(numbers) for s, numbers in zip(self._segments, places, strict=True)]
        if len(lists) == 1:
            return lists[0]
        return [self._union(each) for each in zip(*lists, strict=True)]

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
        return self._by_row[number]

    def _read_rows(self, number: int) -> Any:
        file = self._segments[number].file
        file.checked("parent_starts")
        own = file.checked("parents")
        if not file.trusted and len(own) and int(own.max()) > len(file.array("parent_hashes")):
            raise file.damaged("a parent lies outside")
        numbers = self._numbers[number]
        return own if numbers is None else numbers[own]


def add_lists(scores: Any, lists: Sequence[Any], weights: Sequence[float]) -> None:
    """Add to the scores at the numbers of each list its weight; short lists go together."""
    short: list[Any] = []
    each: list[float] = []
    for numbers, weight in zip(lists, weights, strict=True):
        if len(numbers) > _SHORT:
            np.add.at(scores, numbers, weight)
        else:
            short.append(numbers)
            each.append(weight)
    if short:
        np.add.at(scores, np.concatenate(short), np.repeat(np.array(each), [len(n) for n in short]))
