"""Which pairs make a step: an endless order that follows from the seed alone."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count, islice
from random import Random

Pair = tuple[int, int]
"""The position of a query, and that of a tool that answers it."""


def count_steps(pairs: int, batch: int, epochs: float) -> int:
    """Return how many steps so many passes over the pairs are; at least 1."""
    return max(1, round(pairs * epochs / batch))


def endless_batches(
    pairs: Sequence[Pair], batch: int, seed: int, done: int = 0, *, together: bool = False
) -> Iterator[list[Pair]]:
    """Yield batches without end, each pass over the pairs in an order of its own.

    Args:
        pairs: At least one.
        batch: How many pairs make one; more than there are is all of them.
        seed: Of the orders.
        done: Batches to leave out, as made already.
        together: Whether the pairs of a query follow each other.
    """
    batch = min(batch, len(pairs))
    first, skipped = divmod(done * batch, len(pairs))
    endless = islice(_shuffled(pairs, seed, first, together), skipped, None)
    while True:
        yield list(islice(endless, batch))


def chance_of(seed: int, *what: object) -> Random:
    """Return chance that depends on a seed and on what it is for, so that no state of it need be kept."""
    return Random(hashlib.sha256(repr((seed, what)).encode()).digest())


def _shuffled(pairs: Sequence[Pair], seed: int, first: int, together: bool) -> Iterator[Pair]:
    for epoch in count(first):
        order = list(pairs)
        chance_of(seed, "epoch", epoch).shuffle(order)
        if together:
            order = _by_query(order)
        yield from order


def _by_query(order: Sequence[Pair]) -> list[Pair]:
    """Return the pairs so that those of a query follow each other; what stands twice has a turn twice."""
    seen: Counter[Pair] = Counter()
    turns: dict[tuple[int, int], list[Pair]] = {}
    for pair in order:
        turns.setdefault((pair[0], seen[pair]), []).append(pair)
        seen[pair] += 1
    return [pair for turn in turns.values() for pair in turn]
