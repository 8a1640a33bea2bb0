"""The interval of a mean of paired differences, by drawing the tasks again and again."""

from __future__ import annotations

import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import repeat
from statistics import NormalDist
from typing import Literal, get_args

from toolhaft.errors import UsageError
from toolhaft.evaluators.statistics import CONFIDENCE, critical

BootstrapMethod = Literal["percentile", "bca"]
RESAMPLES = 10_000
_DIGITS = 12
_FEW = 10
"""Tasks that differ, below which resampling knows too little of how tasks differ."""


def bootstrap_interval(
    values: Sequence[float],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    method: BootstrapMethod = "percentile",
) -> tuple[float, float]:
    """Return the bootstrap interval of a mean.

    Args:
        values: One for each task.
        seed: The same seed gives the same interval.
        resamples: How often the tasks are drawn; at least 100.
        confidence: In (0, 1).
        method: ``percentile``, or ``bca`` with correction for bias and skewness.

    Raises:
        UsageError: There are no values, too few resamples, or there is no such method.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), sections 13.3 (percentile) and
    14.3 (BCa); the acceleration of a mean in closed form is its equation 14.15.
    """
    if not values or resamples < 100 or method not in get_args(BootstrapMethod):
        raise UsageError(
            f"no bootstrap of {len(values)} values with {resamples} resamples by {method!r}",
            hint=f"Give values, at least 100 resamples, and one of {', '.join(get_args(BootstrapMethod))}",
        )
    number = len(values)
    draw = random.Random(seed).choices
    sums = sorted(math.fsum(draw(values, k=number)) for _ in repeat(None, resamples))
    tail = (1 - confidence) / 2
    low, high = (tail, tail) if method == "percentile" else _corrected(values, sums, confidence)
    # Counted from both ends alike, so that to swap the arms mirrors the interval. Thirds that cancel out
    # leave a rest in binary, by which an interval would leave out 0.
    last = resamples - 1
    return (
        round(sums[min(last, int(low * resamples))] / number, _DIGITS),
        round(sums[last - min(last, int(high * resamples))] / number, _DIGITS),
    )


def difference_interval(
    differences: Sequence[float],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> tuple[float, float]:
    """Return the interval of a mean difference in [-1, 1], sound for few differing tasks too.

    It is the percentile bootstrap over tasks. Where fewer than ten tasks differ, the interval is widened
    to hold the adjusted normal one as well: of tasks that all end alike, resampling would conclude that
    there is no difference at all, with certainty.

    Args:
        differences: Of each task, the second arm's mean less the first's.
        seed: The same seed gives the same interval.
        resamples: How often the tasks are drawn.
        confidence: In (0, 1).

    Raises:
        UsageError: As `bootstrap_interval` does.

    Source: Agresti and Min, "Simple improved confidence intervals for comparing matched proportions"
    (2005), for the adjustment: half a task is added to each of the four outcomes of a pair.
    """
    low, high = bootstrap_interval(differences, seed=seed, resamples=resamples, confidence=confidence)
    if sum(difference != 0 for difference in differences) >= _FEW:
        return low, high
    number = len(differences) + 2
    mean = math.fsum(differences) / number
    spread = (math.fsum(difference**2 for difference in differences) + 1) / number - mean * mean
    half = critical(confidence) * math.sqrt(spread / number)
    return max(-1.0, min(low, mean - half)), min(1.0, max(high, mean + half))


def _corrected(values: Sequence[float], sums: Sequence[float], confidence: float) -> tuple[float, float]:
    """Return which share of the resamples to leave out at the lower and at the upper end."""
    normal, number, total = NormalDist(), len(values), math.fsum(values)
    # Sums that equal the observed one count half: of few distinct values, many do.
    below = (bisect_left(sums, total) + bisect_right(sums, total)) / 2 / len(sums)
    bias = normal.inv_cdf(min(max(below, 0.5 / len(sums)), 1 - 0.5 / len(sums)))
    centred = [value - total / number for value in values]
    squares = math.fsum(value**2 for value in centred)
    skew = math.fsum(value**3 for value in centred) / (6 * squares**1.5) if squares else 0.0

    def share(z: float) -> float:
        shifted = bias + z
        return normal.cdf(bias + shifted / (1 - skew * shifted))

    z = critical(confidence)
    return share(-z), 1 - share(z)
