"""Finding the best documents by what is best on its own, and what has the best parents.

A score is that of the document and that of its parent on top. Documents that are high up in neither order
cannot be among the best.

Source: R. Fagin, A. Lotem, M. Naor, "Optimal aggregation algorithms for middleware", Journal of Computer and
System Sciences 66(4), 2003 (threshold algorithm). Here both orders are looked into once, a fixed way down.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.parent_scores import Parents
from toolhaft.retrievers.lexical.posting_sums import PostingSums
from toolhaft.retrievers.lexical.ranking import ROUNDED, Columns
from toolhaft.retrievers.lexical.segment import Segment

_HIGH_PARENTS = 16
"""So many of the best parents have all their documents looked at, where those of all add too much."""
_HIGH_ROWS = 4
"""So many times k of the best documents on their own are looked at."""
_MOST_ROWS = 1_024
"""Rows that are looked at without the best parents, and of the best parents."""


class Promising:
    """Tells which rows can be among the best of a query.

    Args:
        segments: As of the index.
        sums: Adds up postings.
        parents: Knows the parents of rows.
        added: What each parent adds to its documents, by number.
        k: How many of the best are wanted.
    """

    def __init__(
        self, segments: Sequence[Segment], sums: PostingSums, parents: Parents, added: Any, k: int
    ) -> None:
        self._segments = segments
        self._sums = sums
        self._parents = parents
        self._added = added
        self._k = k

    def find(self, scores: Any) -> tuple[Any, Any]:
        """Return rows that the k best are among, and that match, and their scores with what is added to them.

        Args:
            scores: Of all rows on their own, 0 where nothing matches.
        """
        columns = Columns(scores, _HIGH_ROWS * self._k)
        if columns.bound <= 0:
            return self._lifted(scores.nonzero()[0], scores)
        rows, reached = self._lifted(columns.at_least(columns.bound), scores)
        least = self._least(reached) - float(self._added.max())
        if least >= columns.bound:
            return rows, reached
        found = columns.at_least(least) if least > 0 else None
        if found is not None and len(found) <= _MOST_ROWS:
            return self._lifted(found, scores)
        high = self._high_parents()
        if high is not None:
            others = np.setdiff1d(high[0], rows, assume_unique=True)
            others = others[scores[others] > 0]
            beside, more = self._lifted(others, scores)
            reached = np.concatenate([reached, more])
            least = self._least(reached) - high[1]
            if least >= columns.bound:
                return np.concatenate([rows, beside]), reached
            if least > 0:
                found = columns.at_least(least)
                beside = beside[scores[beside] < least]
                return self._lifted(np.concatenate([found, beside]), scores)
        return self._lifted(scores.nonzero()[0] if found is None else found, scores)

    def _lifted(self, rows: Any, scores: Any) -> tuple[Any, Any]:
        """Return rows, and their scores with what their parents add."""
        lifted = scores[rows]
        for number, here, own in self._sums.by_segment(rows):
            lifted[here] += self._added[self._parents.of_rows(number, own)]
        return rows, lifted

    def _least(self, reached: Any) -> float:
        """Return what the k-th best reaches at least; nothing if there are fewer."""
        if len(reached) < self._k:
            return 0.0
        return float(np.partition(reached, -self._k)[-self._k]) * (1 - 1e-12) - ROUNDED

    def _high_parents(self) -> tuple[Any, float] | None:
        """Return the rows of the best parents, and what any other adds at most; None if they are many."""
        columns = Columns(self._added, _HIGH_PARENTS)
        high = columns.at_least(columns.bound) if columns.bound > 0 else self._added.nonzero()[0]
        rows: list[Any] = []
        for number, segment in enumerate(self._segments):
            found = segment.rows_of_parents(self._parents.within(number, high), _MOST_ROWS)
            if found is None:
                return None
            rows.append(found + self._sums.start(number))
        return np.concatenate(rows), max(columns.bound, 0.0)
