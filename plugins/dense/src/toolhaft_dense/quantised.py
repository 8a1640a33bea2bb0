"""Vectors as whole numbers of 8 bits: a quarter of the bytes, and the cosines all but the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import Any

_LARGEST = 127
_BLOCK = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantised:
    """Vectors, each by a scale of its own.

    Attributes:
        whole: int8, shape (vectors, width).
        scales: float32, shape (vectors,): a vector is its whole numbers times its scale; 0 where there is
            none.
        checks: Called with first row and the row behind the last, before rows are compared or copied; raises
            what says that they are damaged. None where they are in memory.
    """

    whole: Any = field(repr=False)
    scales: Any = field(repr=False)
    checks: Callable[[int, int], None] | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.scales)

    def check(self, first: int, last: int) -> None:
        """Check that rows are what was written, where that was not done yet."""
        if self.checks is not None:
            self.checks(first, last)

    def of(self, rows: Any) -> Any:
        """Return some vectors as float32."""
        return self.whole[rows].astype("float32") * self.scales[rows][:, None]

    def take(self, rows: Any) -> Quantised:
        """Return some of the vectors, copied."""
        if len(rows):
            self.check(int(rows.min()), int(rows.max()) + 1)
        return Quantised(whole=self.whole[rows], scales=self.scales[rows])


def quantise(vectors: Any) -> Quantised:
    """Return float32 vectors, shape (vectors, width), as whole numbers; those of no number become none."""
    import numpy

    largest = numpy.abs(vectors).max(axis=1, initial=0)
    good = numpy.isfinite(largest) & (largest > 0)
    scales = numpy.where(good, largest / _LARGEST, 0).astype(numpy.float32)
    divided = numpy.where(good[:, None], vectors, 0) / numpy.where(good, scales, 1)[:, None]
    return Quantised(whole=numpy.rint(divided).astype(numpy.int8), scales=scales)


def dot_all(matrix: Any, queries: Any) -> Any:
    """Return the products of all rows with queries, whole numbers as float32, shape (queries, rows).

    They are exact for vectors of up to a thousand numbers, and all but exact beyond.

    Args:
        matrix: int8, contiguous, shape (rows, width).
        queries: int8, contiguous, shape (queries, width).
    """
    import numpy

    found: Any = numpy.empty((len(queries), len(matrix)), dtype=numpy.float32)
    if not len(matrix):
        return found
    if has_kernels():
        import numkong

        numkong.cdist(queries, matrix, metric="dot", out=found)
        return found
    real = queries.astype(numpy.float32)
    for start in range(0, len(matrix), _BLOCK):
        found[:, start : start + _BLOCK] = real @ matrix[start : start + _BLOCK].astype(numpy.float32).T
    return found


@cache
def has_kernels() -> bool:
    """Tell whether products of whole numbers are computed by numkong, not by numpy."""
    return find_spec("numkong") is not None
