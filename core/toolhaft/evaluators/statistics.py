"""How sure a figure is: intervals, tests and what could have been found, in plain Python.

Everything here is for tasks that are drawn independently of each other. Trials of one task are not, so the
task is the unit throughout, and its trials are averaged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist, fmean, variance

from toolhaft.errors import UsageError
from toolhaft.types import Proportion

CONFIDENCE = 0.95
FEWEST = 6
"""Tasks below which two arms are not compared: of five, even five wins and no loss give p = 0.0625."""


def wilson(passed: float, total: float, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the interval of a share.

    Args:
        passed: At most ``total``; likewise not negative.
        total: How many there are; of none, everything from 0 to 1 is possible. It need not be whole: see
            `proportion`.
        confidence: In (0, 1).

    Raises:
        UsageError: The numbers are no share.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference" (1927); it is
    recommended over the usual interval by Brown, Cai and DasGupta, "Interval Estimation for a Binomial
    Proportion" (2001).
    """
    if not 0 <= passed <= total:
        raise UsageError(f"{passed} of {total} is no share")
    if not total:
        return 0.0, 1.0
    z = critical(confidence)
    share = passed / total
    weight = 1 + z * z / total
    centre = (share + z * z / (2 * total)) / weight
    half = z / weight * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    # At the ends the two terms are equal, but for rounding.
    return (max(0.0, centre - half) if passed else 0.0), (min(1.0, centre + half) if passed < total else 1.0)


def critical(confidence: float) -> float:
    """Return how many standard deviations on both sides of the mean hold that share of a normal variable.

    Raises:
        UsageError: The confidence is not in (0, 1).
    """
    if not 0 < confidence < 1:
        raise UsageError(f"the confidence is {confidence!r}", hint="Give a number between 0 and 1: 0.95")
    return NormalDist().inv_cdf((1 + confidence) / 2)


def proportion(outcomes: Mapping[str, Sequence[bool]], *, confidence: float = CONFIDENCE) -> Proportion:
    """Return the share of trials that passed, with an interval that knows which belong to one task.

    With one trial of each task this is `wilson`. With several it is Wilson's interval for the number of
    independent trials that would be worth as much: between the number of tasks, if all trials of a task
    end alike, and the number of trials.

    Args:
        outcomes: By task, whether each of its trials passed.
        confidence: In (0, 1).

    Source: effective sample size, Korn and Graubard, "Confidence intervals for proportions with small
    expected number of positive counts estimated from survey data" (1998); deviation: Wilson's interval in
    place of Clopper and Pearson's, and no more than one design effect for all.
    """
    trials = [trial for task in outcomes.values() for trial in task]
    passed, total = sum(trials), len(trials)
    worth = effective(outcomes) if total else 0.0
    low, high = wilson(worth * passed / total if total else 0.0, worth, confidence=confidence)
    return Proportion(passed=passed, total=total, low=low, high=high)


def effective(outcomes: Mapping[str, Sequence[bool]]) -> float:
    """Return how many independent trials the given ones are worth, see `proportion`."""
    means = [fmean(trials) for trials in outcomes.values() if trials]
    total = sum(len(trials) for trials in outcomes.values())
    share = sum(sum(trials) for trials in outcomes.values()) / total if total else 0.0
    if len(means) < 2 or not 0 < share < 1:
        return float(len(means))
    spread = variance(means) / len(means)
    worth = share * (1 - share) / spread if spread else float(total)
    return min(float(total), max(float(len(means)), worth))


def mcnemar(wins: int, losses: int, *, mid_p: bool = False) -> float:
    """Return the two-sided p-value of the exact test whether wins and losses are equally likely.

    Args:
        wins: Tasks that the second arm passed and the first did not.
        losses: The other way round. Tasks on which both did alike say nothing and are left out.
        mid_p: Count the observed table half: less cautious, and closer to the nominal level.

    Raises:
        UsageError: A count is negative.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions" (1947),
    in its exact binomial form; mid-p: Fagerland, Lydersen and Laake, "The McNemar test for binary
    matched-pairs data: mid-p and asymptotic are better than exact conditional" (2013). Deviation: with
    several trials, a win is a task whose mean is higher, which makes this the sign test.
    """
    if wins < 0 or losses < 0:
        raise UsageError(f"{wins} wins and {losses} losses cannot be")
    number, fewer = wins + losses, min(wins, losses)
    if not number:
        return 1.0
    term = tail = 1
    for i in range(1, fewer + 1):
        term = term * (number - i + 1) // i
        tail += term
    whole = 1 << number
    if mid_p:
        return 1 - term / whole / 2 if wins == losses else (2 * tail - term) / whole
    return min(1.0, 2 * tail / whole)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number, in the same order.

    To call those significant that are at most 0.05 after it errs anywhere in the family in at most 5 % of
    the cases, whatever depends on what.

    Source: Holm, "A simple sequentially rejective multiple test procedure" (1979).
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, position in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[position]))
        adjusted[position] = largest
    return adjusted


def pass_all(passed: int, trials: int, k: int) -> float:
    """Estimate the chance that k of k trials of a task pass (pass^k), without bias.

    Args:
        passed: Trials that passed.
        trials: Trials made.
        k: At least 1, at most ``trials``.

    Raises:
        UsageError: The numbers do not fit together.

    Source: Yao et al., "tau-bench: A Benchmark for Tool-Agent-User Interaction in Real-World Domains"
    (2024), section 3.
    """
    _check_trials(passed, trials, k)
    return math.comb(passed, k) / math.comb(trials, k)


def pass_any(passed: int, trials: int, k: int) -> float:
    """Estimate the chance that at least one of k trials passes (pass@k), without bias; raises as `pass_all`.

    Source: Chen et al., "Evaluating Large Language Models Trained on Code" (2021), section 2.1.
    """
    _check_trials(passed, trials, k)
    return 1 - math.comb(trials - passed, k) / math.comb(trials, k)


def _check_trials(passed: int, trials: int, k: int) -> None:
    if not (0 <= passed <= trials and 1 <= k <= trials):
        raise UsageError(f"{passed} of {trials} trials passed, and k is {k}: that cannot be")


def detectable_difference(
    differences: Sequence[float], *, confidence: float = CONFIDENCE, power: float = 0.8
) -> float | None:
    """Return the smallest true difference that as many paired tasks would show with the given power.

    Args:
        differences: Of each task, the second arm's mean less the first's, in [-1, 1]. They tell how much
            tasks differ by themselves; the difference that was observed does not count.
        confidence: Of the interval that must leave out 0.
        power: The chance to show it, in (0, 1).

    Returns:
        A difference in (0, 1], or None if no difference is large enough for so few tasks.

    Source: Connor, "Sample size for testing differences in proportions for the paired-sample design"
    (1987), solved for the difference. Deviation: the share of tasks on which the arms differ is the mean
    square of the differences, and never less than the difference that is asked about.
    """
    number = len(differences)
    if number < FEWEST:
        return None
    spread = fmean(difference * difference for difference in differences)
    two_sided, one_sided = critical(confidence), NormalDist().inv_cdf(power)

    def lacks(difference: float) -> bool:
        discordant = max(spread, difference)
        needed = two_sided * math.sqrt(discordant) + one_sided * math.sqrt(discordant - difference**2)
        return needed > difference * math.sqrt(number)

    low, high = 0.0, 1.0
    if lacks(high):
        return None
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if lacks(middle) else (low, middle)
    return high
