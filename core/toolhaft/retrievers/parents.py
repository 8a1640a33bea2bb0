"""Lifting the tools of a service that fits the query as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from toolhaft.errors import UsageError
from toolhaft.types import ToolSpec


def lift_by_parent(
    hits: Iterable[tuple[int, float]], specs: Sequence[ToolSpec], share: float
) -> list[tuple[int, float]]:
    """Return the hits, each with ``share`` of the best score among the tools of its parent added.

    One instruction tends to need several tools of one service, and often its words describe only one of
    them. Tools without a parent keep their score.

    Args:
        hits: Numbers into ``specs``, with scores.
        specs: The tools indexed.
        share: 0 changes nothing.
    """
    found = list(hits)
    best: dict[str, float] = {}
    for number, score in found:
        parent = specs[number].parent
        if parent:
            best[parent] = max(best.get(parent, 0.0), score)
    return [(number, score + share * best.get(specs[number].parent, 0.0)) for number, score in found]


def check_share(share: float) -> float:
    """Return a share for `lift_by_parent`; raises `UsageError` unless it is from 0 to 10."""
    if not 0 <= share <= 10:
        raise UsageError(f"parent_boost is {share}", hint="Use a number from 0 to 10")
    return share
