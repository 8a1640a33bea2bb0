"""Finding the best documents in the segments of an index.

Postings are added up, the rarest terms first where there are many of them. Then the rest is looked up only
for documents that can still come among the best: no term adds more than its peak.

Source: H. Turtle, J. Flood, "Query evaluation: strategies and optimizations", Information Processing and
Management 31(6), 1995 (MaxScore). Here whole lists are added by one call of numpy, so that skipping is tried
a few times in a query instead of at each document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.base import Hit, IndexSettings
from toolhaft.retrievers.lexical.parent_scores import Parents
from toolhaft.retrievers.lexical.posting_sums import PostingSums, Weighed
from toolhaft.retrievers.lexical.promising import Promising
from toolhaft.retrievers.lexical.ranking import Lifts, best_of, best_rows, promising_rows
from toolhaft.retrievers.lexical.segment import Segment
from toolhaft.retrievers.lexical.term_table import TermTable

_MANY_ROWS = 40_000
"""Documents up to which the parents of all of them are looked at."""
_WORTH_SKIPPING = 100_000
"""Postings of a query from which on it is tried to skip some."""
_SCANNED = 0.2
"""How many more for each row: all rows' scores are looked at to find out what can be skipped."""
_TRIED_AFTER = (0.1, 0.25, 0.5)
"""Shares of a query's postings after which that is tried."""
_HOPEFUL = 0.3
"""Share of the most that was added up to which what is left may be, for that to be worth a try."""
_LOOKED_UP = 20
"""How many postings are added in the time in which one is looked up."""
_FAINT = 1e-9
"""Weight up to which a term may add so little to the score of a parent that it is lost in rounding."""
_POSTING = 8
"""Bytes of a posting."""
_MAPPED_AROUND = 65_536
"""Bytes that the system maps where a few of them are read."""


class Search:
    """Finds documents in segments; what it is made for never changes.

    Args:
        segments: The first is the largest.
        settings: How documents are scored.
    """

    def __init__(self, segments: Sequence[Segment], settings: IndexSettings) -> None:
        self._segments = tuple(segments)
        self._settings = settings
        self.live = sum(segment.live for segment in segments)
        self._table = TermTable(self._segments, self.live, settings)
        self._sums = PostingSums(self._segments)
        self._parents: Parents | None = None

    def top(
        self, query: Mapping[str, float], k: int, parent_share: float, category_share: float
    ) -> list[Hit]:
        """Return the k best; see `toolhaft.retrievers.lexical.base.TermIndex.top`."""
        if not self.live:
            return []
        terms = self._table.find(query)
        k = min(k, self.live)
        if parent_share:
            self._known_parents()
        if not terms or k < 1:
            return []
        weighed = [(term, term.idf * weight) for term, weight in terms]
        parents = self._known_parents().score(terms, parent_share) if parent_share else None
        scores = self._sums.room()
        rows, own = self._candidates(weighed, scores, parents, category_share, k)
        rows, own, orders = best_of(rows, own, lambda rows: self._sums.gather("orders", rows), k)
        read = sum(max(_POSTING * term.frequency, _MAPPED_AROUND) for term, _ in terms)
        self._segments[0].file.count_read(read)
        self._sums.give_back(scores)
        return list(map(Hit, self._sums.names(rows), own.tolist(), orders.tolist()))

    def _candidates(
        self, terms: Weighed, scores: Any, parents: Any, category_share: float, k: int
    ) -> tuple[Any, Any]:
        """Return rows that the k best are among, and their scores: those of their parents, and their own."""
        least = min(weight for _, weight in terms)
        if category_share or least <= _FAINT * (1.0 + (0.0 if parents is None else float(parents.max()))):
            return self._lifted(terms, scores, parents, category_share, k)
        total = sum(term.frequency for term, _ in terms)
        if total > _WORTH_SKIPPING + _SCANNED * len(scores):
            return self._skipping(terms, total, scores, parents, k)
        if parents is None or len(scores) < _MANY_ROWS:
            return self._added_up(terms, scores, parents, k)
        scores.fill(0.0)
        self._sums.add(terms, scores)
        return Promising(self._segments, self._sums, self._known_parents(), parents, k).find(scores)

    def _added_up(self, terms: Weighed, scores: Any, parents: Any, k: int) -> tuple[Any, Any]:
        """Return the same, adding everything to the scores of the parents of all rows."""
        self._begin(scores, parents)
        self._sums.add(terms, scores)
        rows = best_rows(scores, k, self._held_with(parents))
        return rows, scores[rows]

    def _skipping(self, terms: Weighed, total: int, scores: Any, parents: Any, k: int) -> tuple[Any, Any]:
        """Return the same, without going through all postings if that can be."""
        self._begin(scores, parents)
        held = self._held_with(parents)
        terms = sorted(terms, key=lambda pair: pair[0].frequency)
        done, added = 0, 0
        for share in _TRIED_AFTER:
            first = done
            while done < len(terms) and added <= share * total:
                added += terms[done][0].frequency
                done += 1
            if first == done:
                continue
            self._sums.add(terms[first:done], scores)
            rest = terms[done:]
            unseen = self._most_of(rest)
            if unseen > _HOPEFUL * self._most_of(terms[:done]):
                continue
            rows = promising_rows(scores, k, unseen, held)
            if rows is not None and len(rows) * len(rest) * _LOOKED_UP < total - added:
                own = self._sums.look_up(rest, rows, scores[rows])
                kept = held(rows, own)
                return rows[kept], own[kept]
        self._sums.add(terms[done:], scores)
        rows = best_rows(scores, k, held)
        return rows, scores[rows]

    def _held_with(self, parents: Any) -> Callable[[Any, Any], Any]:
        """Return what tells of rows with their scores, those of parents in them, which hold a term."""
        return lambda rows, own: own > (0.0 if parents is None else self._by_parent(rows, parents))

    def _most_of(self, terms: Weighed) -> float:
        """Return the most that terms add to a score."""
        return sum(weight * self._table.peak(term) for term, weight in terms)

    def _lifted(
        self, terms: Weighed, scores: Any, parents: Any, category_share: float, k: int
    ) -> tuple[Any, Any]:
        """Return the same where what is added to a score depends on others, or some terms weigh nothing."""

        def matched() -> Any:
            return self._sums.matched(terms, scores)

        def added(rows: Any) -> Any:
            return self._by_parent(rows, parents)

        def categories(rows: Any) -> Any:
            return self._sums.gather("categories", rows)

        most = 0.0 if parents is None else float(parents.max())
        lifts = Lifts(most, None if parents is None else added, category_share, categories)
        scores.fill(0.0)
        self._sums.add(terms, scores)
        rows = lifts.candidates(scores, k, matched)
        return rows, lifts.lift(rows, scores[rows])

    def _begin(self, scores: Any, parents: Any) -> None:
        """Have the scores of all rows begin with those of their parents, or with 0."""
        if parents is None:
            scores.fill(0.0)
            return
        for number, _, part in self._sums.parts(scores):
            # Told to check the numbers, numpy would make a copy of it all; they were checked before.
            np.take(parents, self._known_parents().of(number), out=part, mode="clip")

    def _by_parent(self, rows: Any, parents: Any) -> Any:
        """Return the scores of the rows' parents."""
        known = self._known_parents()
        if len(self._segments) == 1:
            return parents[known.of(0)[rows]]
        values = np.zeros(len(rows))
        for number, here, own in self._sums.by_segment(rows):
            values[here] = parents[known.of(number)[own]]
        return values

    def _known_parents(self) -> Parents:
        if self._parents is None:
            self._parents = Parents(self._segments, self._settings)
        return self._parents
