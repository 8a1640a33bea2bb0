"""The k nearest of a set of vectors: compared as whole numbers, the best ones again by the query as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from toolhaft_dense.cells import Cells
from toolhaft_dense.quantised import Quantised, dot_all, quantise

_AGAIN = 4
_AGAIN_AT_LEAST = 64
_GROUP = 64
Hit = tuple[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Vectors that lie together.

    Attributes:
        vectors: One a row.
        positions: Of the rows; None where they are 0, 1, 2 and so on.
        hidden: Rows that are not found any more.
        cells: Where like vectors lie together, so that most rows need not be looked at; None looks at all.
    """

    vectors: Quantised
    positions: Any = field(default=None, repr=False)
    hidden: Any = field(default=None, repr=False)
    cells: Cells | None = None

    def nearest(self, parts: Any, whole: Quantised, count: int) -> tuple[Any, Any]:
        """Return positions and cosines of at least the ``count`` nearest rows, in no order.

        Args:
            parts: float32, shape (parts, width).
            whole: The same, quantised.
            count: More may come back: others that are as near, and where the whole numbers err.
        """
        import numpy

        scores, rows = self._scores(parts, whole)
        best = best_of(scores, count)
        best = best[scores[best] > -numpy.inf]
        chosen = best if rows is None else rows[best]
        held = self.vectors.of(chosen)
        # Not one product of matrices: that gives equal vectors scores that differ in the last digit.
        exact = combine(numpy.stack([(held * part).sum(axis=1) for part in parts]))
        return (chosen if self.positions is None else self.positions[chosen]), exact

    def _scores(self, parts: Any, whole: Quantised) -> tuple[Any, Any]:
        """Return what rows score, about, and which rows these are: None is all of them."""
        import numpy

        if self.cells is None:
            scores = self._compare(whole, slice(None))
            if self.hidden is not None:
                scores[self.hidden] = -numpy.inf
            return scores, None
        spans = self.cells.near(parts) or [(0, 0)]
        rows = numpy.concatenate([numpy.arange(start, end) for start, end in spans])
        scores = numpy.concatenate([self._compare(whole, slice(start, end)) for start, end in spans])
        if self.hidden is not None:
            scores[numpy.isin(rows, self.hidden)] = -numpy.inf
        return scores, rows

    def _compare(self, whole: Quantised, rows: slice) -> Any:
        self.vectors.check(rows.start or 0, len(self.vectors) if rows.stop is None else rows.stop)
        found = dot_all(self.vectors.whole[rows], whole.whole)
        if len(whole) > 1:
            found *= whole.scales[:, None]
            scores = combine(found)
        else:
            scores = found[0]
            scores *= whole.scales[0]
        scores *= self.vectors.scales[rows]
        return scores


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorIndex:
    """Vectors by position, each position in one of the blocks."""

    blocks: tuple[Block, ...] = field(repr=False)

    def nearest(self, parts: Any, k: int) -> list[Hit]:
        """Return position and score of the k nearest, best first, equal ones in the order of positions.

        The score is the cosine; of several parts the mean of the first one's cosine and the largest of the
        others'.

        Args:
            parts: A query and what it consists of, or the query alone; float32, each of length 1, shape
                (parts, width).
            k: At least 1.
        """
        import numpy

        whole = quantise(parts)
        count = max(_AGAIN * k, _AGAIN_AT_LEAST)
        found = [block.nearest(parts, whole, count) for block in self.blocks]
        positions = numpy.concatenate([places for places, _ in found])
        scores = numpy.concatenate([cosines for _, cosines in found])
        order = numpy.lexsort((positions, -scores))[:k]
        return [(int(positions[row]), float(scores[row])) for row in order]


def combine(cosines: Any) -> Any:
    """Return one score a column of what its parts score, shape (parts, columns)."""
    if len(cosines) == 1:
        return cosines[0]
    return (cosines[0] + cosines[1:].max(axis=0)) / 2


def best_of(scores: Any, count: int) -> Any:
    """Return where the ``count`` best scores are, ascending, with all that equal the last of them."""
    import numpy

    if count >= len(scores):
        return numpy.arange(len(scores))
    whole = len(scores) // _GROUP * _GROUP
    groups: Any = numpy.append(
        scores[:whole].reshape(-1, _GROUP).max(axis=1), scores[whole:].max(initial=-numpy.inf)
    )
    if count >= len(groups):
        least = numpy.partition(scores, len(scores) - count)[len(scores) - count]
        return numpy.flatnonzero(scores >= least)
    # The best of `count` groups bound the `count` best scores from below: few groups hold them all.
    bound = numpy.partition(groups, len(groups) - count)[len(groups) - count]
    places = numpy.flatnonzero(groups >= bound)[:, None] * _GROUP + numpy.arange(_GROUP)
    places = places.ravel()
    places = places[places < len(scores)]
    held = scores[places]
    least = numpy.partition(held, len(held) - count)[len(held) - count]
    return places[held >= least]
