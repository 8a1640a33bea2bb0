"""Which texts are computed at once: those of one length, within a budget of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlan:
    """Batches of positions, and what they cost.

    Attributes:
        batches: Positions of the texts computed at once, the longest texts first.
        real: Tokens that the texts have.
        computed: Tokens that are computed, those included that fill a batch up to its longest text.
    """

    batches: tuple[tuple[int, ...], ...]
    real: int
    computed: int


def plan_batches(lengths: Sequence[int], budget: int) -> BatchPlan:
    """Sort texts by their length and cut them into batches.

    A batch that were filled up by more than a tenth of its tokens is cut shorter.

    Args:
        lengths: Tokens of each text.
        budget: Tokens a batch may have, filling included; a longer text is a batch by itself.
    """
    order = sorted(range(len(lengths)), key=lambda position: -lengths[position])
    batches: list[tuple[int, ...]] = []
    start = 0
    computed = 0
    while start < len(order):
        longest = max(1, lengths[order[start]])
        most = max(1, budget // longest)
        end, real = start, 0
        while end < len(order) and end - start < most:
            real += lengths[order[end]]
            if longest * (end - start + 1) > _FILLED * real and end - start >= _FEWEST:
                break
            end += 1
        batches.append(tuple(order[start:end]))
        computed += longest * (end - start)
        start = end
    return BatchPlan(batches=tuple(batches), real=sum(lengths), computed=computed)


_FILLED = 1.1
_FEWEST = 4
"""Texts below which a batch is not cut for its filling: a call has a cost of its own."""
