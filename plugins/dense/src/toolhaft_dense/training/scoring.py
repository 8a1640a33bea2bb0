"""How well tools fit queries while an encoder learns: the score by which the retriever serves them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from toolhaft_dense.texts import query_parts

if TYPE_CHECKING:
    import torch

Span = tuple[int, int]


def split_queries(texts: Sequence[str], *, sentences: bool) -> tuple[list[str], list[int]]:
    """Return the parts of all queries one after the other, and how many each query has.

    Args:
        texts: Of the queries.
        sentences: Whether the sentences of a query stand after it, as the retriever compares them.
    """
    parts = [query_parts(text) if sentences else [text] for text in texts]
    return [part for each in parts for part in each], [len(each) for each in parts]


def spans_of(counts: Sequence[int]) -> list[Span]:
    """Return where the parts of each query begin and end."""
    ends = list(accumulate(counts))
    return [(end - count, end) for count, end in zip(counts, ends, strict=True)]


def score_tools(parts: torch.Tensor, counts: Sequence[int], tools: torch.Tensor) -> torch.Tensor:
    """Return the score of each tool for each query, shape (queries, tools), in [-1, 1].

    That is the cosine; of several parts the mean of the first one's and the largest of the others'.

    Args:
        parts: Vectors of length 1 of the queries' parts, shape (parts, width), each query's first.
        counts: Parts of each query, at least 1.
        tools: Vectors of length 1, shape (tools, width).
    """
    import torch

    cosines = parts @ tools.T
    rows = [
        cosines[start] if end - start == 1 else (cosines[start] + cosines[start + 1 : end].amax(dim=0)) / 2
        for start, end in spans_of(counts)
    ]
    return torch.stack(rows)
