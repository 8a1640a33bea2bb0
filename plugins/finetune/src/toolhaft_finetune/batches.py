"""The order of the rows: made from the seed alone, so that a place in it is a number."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

Batch = tuple[int, ...]
"""Positions of samples."""
_POOL = 512


def plan_epoch(lengths: Sequence[int], *, batch_tokens: int, seed: int, epoch: int) -> list[Batch]:
    """Return the batches of an epoch: samples of like length together, in an order that the seed gives.

    Args:
        lengths: Tokens of each sample.
        batch_tokens: Most tokens of a batch with its padding; a longer sample is a batch by itself.
        seed: Of the order.
        epoch: From 0.
    """
    order = random.Random(f"{seed}/{epoch}")
    places = list(range(len(lengths)))
    order.shuffle(places)
    batches: list[Batch] = []
    for start in range(0, len(places), _POOL):
        pool = sorted(places[start : start + _POOL], key=lambda place: (lengths[place], place))
        batches += _fill(pool, lengths, batch_tokens)
    order.shuffle(batches)
    return batches


def endless_batches(lengths: Sequence[int], *, batch_tokens: int, seed: int) -> Iterator[Batch]:
    """Iterate over the batches of one epoch after the other, without end."""
    epoch = 0
    while True:
        yield from plan_epoch(lengths, batch_tokens=batch_tokens, seed=seed, epoch=epoch)
        epoch += 1


def count_steps(
    lengths: Sequence[int], *, batch_tokens: int, seed: int, epochs: float, accumulation: int
) -> int:
    """Return how many steps so many epochs take; at least one."""
    whole = int(epochs)
    batches = sum(
        len(plan_epoch(lengths, batch_tokens=batch_tokens, seed=seed, epoch=epoch)) for epoch in range(whole)
    )
    if epochs > whole:
        last = plan_epoch(lengths, batch_tokens=batch_tokens, seed=seed, epoch=whole)
        batches += round(len(last) * (epochs - whole))
    return max(1, -(-batches // accumulation))


def _fill(pool: Sequence[int], lengths: Sequence[int], batch_tokens: int) -> Iterator[Batch]:
    batch: list[int] = []
    for place in pool:  # the longest so far is the last, so its length is that of the batch
        if batch and lengths[place] * (len(batch) + 1) > batch_tokens:
            yield tuple(batch)
            batch = []
        batch.append(place)
    if batch:
        yield tuple(batch)
