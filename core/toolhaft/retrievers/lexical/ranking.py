"""The best of many scores, exactly, without sorting all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toolhaft.retrievers.lexical.arrays import np

_DECIMALS = 9
ROUNDED = 0.1**_DECIMALS
"""Scores that differ by less may count as equal."""
_MANY = 262_144
_PAGE = 4_096
_WIDTH = 256


def padded(size: int) -> int:
    """Return how many scores must be allocated for a number of documents."""
    width = _PAGE if size >= _MANY - _PAGE else _WIDTH
    return -(-size // width) * width


class Columns:
    """Scores as a table, of which only columns with high ones need be looked at.

    Args:
        scores: As many as `padded` says.
        k: How many of the best are wanted.

    Attributes:
        bound: A score that the k best reach at least, for as many columns have one; minus infinity if there
            are fewer scores.
    """

    def __init__(self, scores: Any, k: int) -> None:
        width = _PAGE if len(scores) >= _MANY else _WIDTH
        while width < 16 * k and width < _PAGE and len(scores) % (2 * width) == 0:
            width *= 2
        self._scores = scores
        self._table = scores.reshape(-1, width)
        self._highest = self._table.max(axis=0)
        if k <= width:
            self.bound = float(np.partition(self._highest, -k)[-k])
        else:
            self.bound = float(np.partition(scores, -k)[-k]) if k <= len(scores) else -np.inf

    def at_least(self, least: float) -> Any:
        """Return the rows of the scores that are not lower, ascending."""
        places = (self._highest >= least).nonzero()[0]
        if len(places) * 16 > len(self._highest):
            return (self._scores >= least).nonzero()[0]
        rows, columns = (self._table.take(places, axis=1) >= least).nonzero()
        return rows * len(self._highest) + places[columns]


def best_of(rows: Any, scores: Any, orders: Callable[[Any], Any], k: int) -> tuple[Any, Any, Any]:
    """Return row, score and order of the k best, equal scores by their order."""
    # Sums of the same numbers differ in their last bits by the order in which they were added.
    scores = np.round(scores, _DECIMALS)
    if len(rows) > 8 * k:
        least = np.partition(scores, -k)[-k]
        kept = scores >= least
        rows, scores = rows[kept], scores[kept]
    places = orders(rows)
    chosen = np.lexsort((places, -scores))[:k]
    return rows[chosen], scores[chosen], places[chosen]


def best_rows(scores: Any, k: int, held: Callable[[Any, Any], Any]) -> Any:
    """Return rows that the k best of those that match are among, and that match.

    Args:
        scores: Of all rows, not below 0; those of rows that match are above it.
        k: How many are wanted.
        held: Tells of rows with their scores which match.
    """
    columns = Columns(scores, k)
    if columns.bound > 0:
        rows = columns.at_least(columns.bound - ROUNDED)
        rows = rows[held(rows, scores[rows])]
        if len(rows) >= k:
            return rows
    rows = np.flatnonzero(scores)
    return rows[held(rows, scores[rows])]


def promising_rows(scores: Any, k: int, unseen: float, held: Callable[[Any, Any], Any]) -> Any:
    """Return rows that the k best will be among, or None if any row might be.

    Args:
        scores: Of all rows, as far as they were added up; see `best_rows`.
        k: How many are wanted.
        unseen: Most that may yet come to a score.
        held: Tells of rows with their scores which match already.
    """
    columns = Columns(scores, k)
    if columns.bound <= 0:
        return None
    rows = columns.at_least(columns.bound)
    own = scores[rows]
    own = own[held(rows, own)]
    if len(own) < k:
        return None
    least = float(np.partition(own, -k)[-k]) * (1 - 1e-9) - unseen
    return columns.at_least(least) if least > 0 else None


class Lifts:
    """What is added to scores in the end: that of the parent, and a share of the best of the same category.

    Args:
        most: Largest that the first can be.
        added: Gives the first for rows; None for nothing.
        share: Of the best score in the category.
        categories: Gives the hashes of the categories of rows; 0 is none.
    """

    def __init__(
        self,
        most: float,
        added: Callable[[Any], Any] | None,
        share: float,
        categories: Callable[[Any], Any],
    ) -> None:
        self._most = most
        self._added = added
        self._share = share
        self._categories = categories

    def lift(self, rows: Any, scores: Any) -> Any:
        """Return scores with their lifts, by the best among these rows."""
        lifted = scores if self._added is None else scores + self._added(rows)
        if self._share:
            groups, numbers = np.unique(self._categories(rows), return_inverse=True)
            best = np.zeros(len(groups))
            np.maximum.at(best, numbers, scores)
            best[groups == 0] = 0.0
            lifted = lifted + self._share * best[numbers]
        return lifted

    def candidates(self, scores: Any, k: int, matched: Callable[[], Any]) -> Any:
        """Return rows that the k best are among, and with each the best of its groups.

        Whatever is left out has a score so low that not even the best score as the best of all its groups
        would bring it among the k best; and the best of a group of which one is here is here.

        Args:
            scores: Of all rows, 0 where nothing matches.
            k: How many are wanted.
            matched: Gives all rows that match.
        """
        columns = Columns(scores, k)
        if columns.bound <= 0:
            return matched()
        rows = columns.at_least(columns.bound - ROUNDED)
        if self._added is None and not self._share:
            return rows
        own = scores[rows]
        best = float(own.max())
        reached = float(np.partition(self.lift(rows, own), -k)[-k])
        least = reached - self._most - self._share * best - 1e-9 * best
        return columns.at_least(least) if least > 0 else matched()
