"""Adding up what terms give to documents, over all segments of an index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.ranking import padded
from toolhaft.retrievers.lexical.segment import Postings, Segment
from toolhaft.retrievers.lexical.term_table import Term

SHORT = 2_048
"""Postings of a term up to which they are added together with those of other terms."""
Weighed = Sequence[tuple[Term, float]]
"""Terms, each with what it is multiplied by: its idf and its weight in the query."""


class PostingSums:
    """Sums for rows, numbered among all segments.

    Args:
        segments: As of the index.
    """

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = segments
        self._starts = np.cumsum([0, *(segment.size for segment in segments)])
        self._parts: list[tuple[Segment, int]] = list(zip(segments, self._starts.tolist(), strict=False))
        self._spare: list[Any] = []

    def room(self) -> Any:
        """Return room for the scores of all rows, from an earlier query if no other uses it now."""
        try:
            return self._spare.pop()
        except IndexError:
            return np.zeros(padded(int(self._starts[-1])))

    def give_back(self, scores: Any) -> None:
        """Have room used again: a fresh array of this size would cost more than the sums, for its pages."""
        self._spare.append(scores)

    def parts(self, scores: Any) -> Iterator[tuple[int, Segment, Any]]:
        """Yield number, segment and scores of each segment's rows."""
        for number, (segment, start) in enumerate(self._parts):
            yield number, segment, scores[start : start + segment.size]

    def add(self, terms: Weighed, scores: Any) -> None:
        """Add what terms give to the scores of all rows that hold them and are there."""
        for number, segment, part in self.parts(scores):
            short: list[Postings] = []
            weights: list[float] = []
            try:
                for term, weight in terms:
                    postings = term.postings[number]
                    if postings is None:
                        continue
                    if len(postings.rows) <= SHORT:
                        short.append(postings)
                        weights.append(weight)
                    else:
                        np.add.at(part, postings.rows, postings.gains * np.float64(weight))
                if short:
                    gains = np.concatenate([postings.gains for postings in short], dtype=np.float64)
                    gains *= np.array(weights).repeat([len(postings.rows) for postings in short])
                    rows = np.concatenate([postings.rows for postings in short], dtype=np.intp)
                    np.add.at(part, rows, gains)
            except IndexError:
                raise segment.file.damaged("a row lies outside") from None
            if len(segment.removed.rows):
                part[segment.removed.rows] = 0.0

    def look_up(self, terms: Weighed, rows: Any, scores: Any) -> Any:
        """Return scores of rows, with what more terms give to them."""
        if not terms:
            return scores
        for number, here, own in self.by_segment(rows):
            wanted = own.astype("<u4")
            part = scores[here]
            for term, weight in terms:
                postings = term.postings[number]
                if postings is None or not len(postings.rows):
                    continue
                places = postings.rows.searchsorted(wanted)
                held = (postings.rows.take(places, mode="clip") == wanted).nonzero()[0]
                if len(held):
                    part[held] += postings.gains[places[held]] * np.float64(weight)
            scores[here] = part
        return scores

    def matched(self, terms: Weighed, scores: Any) -> Any:
        """Return all rows that share a term with the query."""
        if min((weight for _, weight in terms), default=0.0) > 1e-200:
            return np.flatnonzero(scores)
        held = np.zeros(len(scores), dtype=bool)
        for number, segment, part in self.parts(held):
            for term, _ in terms:
                postings = term.postings[number]
                if postings is not None:
                    part[postings.rows] = True
            part[segment.removed.rows] = False
        return np.flatnonzero(held)

    def gather(self, name: str, rows: Any) -> Any:
        """Return values of an array of the segments by row."""
        if len(self._segments) == 1:
            return self._segments[0].file.take(name, rows)
        values = np.zeros(len(rows), np.uint64)
        for number, here, own in self.by_segment(rows):
            values[here] = self._segments[number].file.take(name, own)
        return values

    def names(self, rows: Any) -> list[str]:
        """Return the names of rows."""
        if len(self._segments) == 1:
            return self._segments[0].names(rows)
        names = np.empty(len(rows), dtype=object)
        for number, here, own in self.by_segment(rows):
            names[here] = self._segments[number].names(own)
        return list(names)

    def by_segment(self, rows: Any) -> Iterator[tuple[int, Any, Any]]:
        """Yield the number of a segment, which of the rows are its, and their numbers there."""
        if len(self._segments) == 1:
            yield 0, slice(None), rows
            return
        parts = np.searchsorted(self._starts, rows, "right") - 1
        for number in np.unique(parts).tolist():
            here = np.flatnonzero(parts == number)
            yield number, here, rows[here] - self._starts[number]

    def start(self, number: int) -> int:
        """Return the first row of a segment."""
        return self._parts[number][1]
