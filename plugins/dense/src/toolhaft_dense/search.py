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

    def nearest(self, query: Any, whole: Any, count: int) -> tuple[Any, Any]:
        """Return positions and cosines of at least the ``count`` nearest rows, in no order.

        Args:
            query: float32, shape (width,).
            whole: The same, quantised.
            count: More may come back: others that are as near, and where the whole numbers err.
        """
        import numpy

        scores, rows = self._scores(query, whole)
        best = best_of(scores, count)
        best = best[scores[best] > -numpy.inf]
        chosen = best if rows is None else rows[best]
        exact = self.vectors.of(chosen) @ query
        return (chosen if self.positions is None else self.positions[chosen]), exact

    def _scores(self, query: Any, whole: Any) -> tuple[Any, Any]:
        """Return what rows score, about, and which rows these are: None is all of them."""
        import numpy

        if self.cells is None:
            scores = dot_all(self.vectors.whole, whole)
            scores *= self.vectors.scales
            if self.hidden is not None:
                scores[self.hidden] = -numpy.inf
            return scores, None
        spans = self.cells.near(query)
        rows = numpy.concatenate([numpy.arange(start, end) for start, end in spans])
        scores = numpy.concatenate([dot_all(self.vectors.whole[start:end], whole) for start, end in spans])
        scores *= self.vectors.scales[rows]
        if self.hidden is not None:
            scores[numpy.isin(rows, self.hidden)] = -numpy.inf
        return scores, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorIndex:
    """Vectors by position, each position in one of the blocks."""

    blocks: tuple[Block, ...] = field(repr=False)

    def nearest(self, query: Any, k: int) -> list[Hit]:
        """Return position and cosine of the k nearest, best first, equal ones in the order of positions.

        Args:
            query: float32, of length 1, shape (width,).
            k: At least 1.
        """
        import numpy

        whole = quantise(query[None, :]).whole[0]
        count = max(_AGAIN * k, _AGAIN_AT_LEAST)
        found = [block.nearest(query, whole, count) for block in self.blocks]
        positions = numpy.concatenate([places for places, _ in found])
        scores = numpy.concatenate([cosines for _, cosines in found])
        order = numpy.lexsort((positions, -scores))[:k]
        return [(int(positions[row]), float(scores[row])) for row in order]


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
