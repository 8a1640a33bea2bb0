"""Products with a model's large matrices, in the precision that was asked for."""

from __future__ import annotations

from typing import Any, Literal

Precision = Literal["int8", "fp32"]
Product = tuple[str, str, list[tuple[str, Any]]]
_LARGEST = 127


def product_of(weight: Any, bias: Any, precision: Precision) -> Product:
    """Return operator, domain and named arrays of a product with a matrix, and of the bias that is added.

    In ``int8`` each row of the matrix has a scale of its own, and what is multiplied is quantised when it is
    known, by one scale a batch. For ``fp32`` the addition is a node of its own.

    Args:
        weight: float32, shape (rows, columns), as torch keeps it.
        bias: float32, shape (rows,).
        precision: What is wanted.
    """
    import numpy

    if precision == "fp32":
        return "MatMul", "", [("weight", weight.T)]
    scale = (numpy.abs(weight).max(axis=1).clip(1e-12) / _LARGEST).astype(numpy.float32)
    whole = numpy.rint(weight / scale[:, None]).astype(numpy.int8)
    zero: Any = numpy.zeros(len(scale), dtype=numpy.int8)
    arrays = [("weight", whole.T), ("scale", scale), ("zero", zero), ("bias", bias)]
    return "DynamicQuantizeMatMul", "com.microsoft", arrays


def rows_of(table: Any) -> tuple[Any, Any]:
    """Return a table's rows as int8, and the scale of each, shape (rows, 1)."""
    import numpy

    scale = (numpy.abs(table).max(axis=1, keepdims=True).clip(1e-12) / _LARGEST).astype(numpy.float32)
    return numpy.rint(table / scale).astype(numpy.int8), scale
