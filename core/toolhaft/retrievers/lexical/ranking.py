"""The best of many scores, exactly, without sorting all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toolhaft.retrievers.lexical.arrays import np

COLUMNS = 1_024
"""Scores come in a multiple of this number; the largest of every so-many-th one bounds the best."""


def padded(size: int) -> int:
    """Return how many scores must be allocated for a number of documents."""
    return -(-size // COLUMNS) * COLUMNS


def bound_of_best(scores: Any, k: int) -> float:
    """Return a score that the k best reach at least; minus infinity if there are fewer.

    The largest of each of many groups are taken: the k-th of these is reached by k scores of k groups.
    """
    columns = COLUMNS
    while columns < 8 * k and columns * 2 <= len(scores) and len(scores) % (columns * 2) == 0:
        columns *= 2
    if k > columns or not len(scores):
        return float(np.partition(scores, -k)[-k]) if 0 < k <= len(scores) else -np.inf
    return float(np.partition(scores.reshape(-1, columns).max(axis=0), -k)[-k])


def best_of(rows: Any, scores: Any, orders: Callable[[Any], Any], k: int) -> list[tuple[int, float, int]]:
    """Return row, score and order of the k best, equal scores by their order."""
    if len(rows) > k:
        least = np.partition(scores, -k)[-k]
        kept = scores >= least
        rows, scores = rows[kept], scores[kept]
    places = orders(rows)
    chosen = np.lexsort((places, -scores))[:k]
    return list(zip(rows[chosen].tolist(), scores[chosen].tolist(), places[chosen].tolist(), strict=True))


class Lifts:
    """What scores gain by the best of their groups.

    Args:
        shares: Of the best score of a group, one share for each way to group.
        groups: Gives the hashes of the groups of rows, an array for each way; 0 is no group.
    """

    def __init__(self, shares: tuple[float, ...], groups: tuple[Callable[[Any], Any], ...]) -> None:
        self._used = [(share, of) for share, of in zip(shares, groups, strict=True) if share]
        self.most = sum(share for share, _ in self._used)

    def lift(self, rows: Any, scores: Any) -> Any:
        """Return scores with their lifts, by the best among these rows."""
        lifted = scores
        for share, of in self._used:
            groups, numbers = np.unique(of(rows), return_inverse=True)
            best = np.zeros(len(groups))
            np.maximum.at(best, numbers, scores)
            best[groups == 0] = 0.0
            lifted = lifted + share * best[numbers]
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
        bound = bound_of_best(scores, k)
        if bound <= 0:
            return matched()
        rows = np.flatnonzero(scores >= bound)
        if not self.most:
            return rows
        own = scores[rows]
        best = float(own.max())
        reached = float(np.partition(self.lift(rows, own), -k)[-k])
        least = reached - self.most * best - 1e-9 * best
        return np.flatnonzero(scores >= least) if least > 0 else matched()
