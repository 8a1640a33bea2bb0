"""The k nearest of a set of vectors, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from toolhaft_dense.vectors import Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorIndex:
    """Vectors by position, some of them in files.

    Attributes:
        size: How many positions there are.
        blocks: ``(matrix, rows, positions)``: the position ``positions[i]`` has the vector
            ``matrix[rows[i]]``; ``rows`` is None where they are all rows in their order.
    """

    size: int
    blocks: tuple[tuple[Any, Any, Any], ...] = field(repr=False)

    def nearest(self, query: Any, k: int) -> list[tuple[int, float]]:
        """Return position and cosine of the k nearest, best first, equal ones in the order of positions.

        Args:
            query: Of length 1, shape (width,).
            k: At least 1.
        """
        import numpy

        scores: Any = numpy.zeros(self.size, dtype=numpy.float32)
        for matrix, rows, positions in self.blocks:
            found = matrix @ query
            scores[positions] = found if rows is None else found[rows]
        if k < self.size:
            least = numpy.partition(scores, self.size - k)[self.size - k]
            candidates = numpy.flatnonzero(scores >= least)
        else:
            candidates = numpy.arange(self.size)
        order = candidates[numpy.argsort(-scores[candidates], kind="stable")][:k]
        return [(int(position), float(scores[position])) for position in order]


def build_index(keys: Sequence[bytes], segments: Sequence[Segment]) -> VectorIndex:
    """Return an index of the vectors of the keys.

    A segment most of whose rows are wanted is searched where it lies, memory-mapped; of another one the rows
    are copied.

    Args:
        keys: One a position; every one is in a segment.
        segments: Where the vectors are; the first one that has a key counts.
    """
    import numpy

    found: list[dict[int, int]] = [{} for _ in segments]
    for position, key in enumerate(keys):
        number = next(number for number, segment in enumerate(segments) if key in segment.rows)
        found[number][position] = segments[number].rows[key]
    blocks = []
    for segment, wanted in zip(segments, found, strict=True):
        if not wanted:
            continue
        positions = numpy.fromiter(wanted, dtype=numpy.intp)
        rows = numpy.fromiter(wanted.values(), dtype=numpy.intp)
        if 2 * len(wanted) < len(segment.rows):
            blocks.append((segment.vectors[rows], None, positions))
        else:
            blocks.append((segment.vectors, rows, positions))
    return VectorIndex(size=len(keys), blocks=tuple(blocks))
