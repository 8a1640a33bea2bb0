"""Like vectors together, so that a search looks at a few cells of many."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from toolhaft_dense.quantised import Quantised

FROM = 200_000
"""Vectors from which the exact search takes longer than to encode the query."""
_PROBED = 64
_ROUNDS = 8
_SAMPLED = 48
_BLOCK = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Spans of rows, each around a centre.

    Attributes:
        centres: float32, of length 1, shape (cells, width).
        ends: Row behind the last one of each cell, shape (cells,).
        probed: Cells that are looked at.
    """

    centres: Any = field(repr=False)
    ends: Any = field(repr=False)
    probed: int = _PROBED

    def near(self, parts: Any) -> list[tuple[int, int]]:
        """Return the spans of the cells that are nearest to any part of a query, ascending."""
        import numpy

        scores = (parts @ self.centres.T).max(axis=0)
        count = min(self.probed, len(scores))
        chosen = numpy.sort(numpy.argpartition(-scores, count - 1)[:count])
        starts = numpy.where(chosen > 0, self.ends[chosen - 1], 0)
        return [
            (int(start), int(end))
            for start, end in zip(starts, self.ends[chosen], strict=True)
            if end > start
        ]


def make_cells(vectors: Quantised, seed: int = 0) -> tuple[Cells, Any]:
    """Return cells, and the order in which vectors are to lie for them, shape (vectors,).

    Args:
        vectors: At least one.
        seed: Of the sample from which the centres are found.

    Source: H. Jegou, M. Douze, C. Schmid, "Product quantization for nearest neighbor search", PAMI 2011,
    section IV (an inverted file over the centres of k-means), on the sphere, without its product quantiser.
    """
    import numpy

    count = max(1, round(len(vectors) ** 0.5))
    chance = numpy.random.default_rng(seed)
    sampled = numpy.sort(chance.permutation(len(vectors))[: _SAMPLED * count])
    points = vectors.of(sampled)
    centres = points[chance.permutation(len(points))[:count]]
    for _ in range(_ROUNDS):
        centres = _moved(points, centres)
    nearest: Any = numpy.empty(len(vectors), dtype=numpy.int32)
    for start in range(0, len(vectors), _BLOCK):
        rows = slice(start, start + _BLOCK)
        nearest[rows] = (vectors.whole[rows].astype(numpy.float32) @ centres.T).argmax(axis=1)
    sizes = numpy.bincount(nearest, minlength=len(centres))
    filled = sizes > 0  # like vectors leave cells empty, and to look at those would be in vain
    cells = Cells(centres=centres[filled], ends=numpy.cumsum(sizes[filled], dtype=numpy.int64))
    return cells, numpy.argsort(nearest, kind="stable")


def _moved(points: Any, centres: Any) -> Any:
    """Return the centres of the points that are nearest to each; one that has none stays where it is."""
    import numpy

    nearest = numpy.concatenate(
        [
            (points[start : start + _BLOCK] @ centres.T).argmax(axis=1)
            for start in range(0, len(points), _BLOCK)
        ]
    )
    order = numpy.argsort(nearest, kind="stable")
    present, starts = numpy.unique(nearest[order], return_index=True)
    sums = numpy.add.reduceat(points[order], starts, axis=0)
    lengths = numpy.linalg.norm(sums, axis=1, keepdims=True)
    moved = centres.copy()
    moved[present] = numpy.where(lengths > 0, sums / numpy.where(lengths > 0, lengths, 1), centres[present])
    return moved
