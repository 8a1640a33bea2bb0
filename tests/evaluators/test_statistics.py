"""Every figure against one that was found another way: published, enumerated or simulated."""

import itertools
import math
import random
import time
from fractions import Fraction
from statistics import NormalDist

import pytest

from toolhaft.errors import UsageError
from toolhaft.evaluators.bootstrap import bootstrap_interval, difference_interval
from toolhaft.evaluators.statistics import (
    critical,
    detectable_difference,
    effective,
    holm,
    mcnemar,
    pass_all,
    pass_any,
    proportion,
    wilson,
)


@pytest.mark.parametrize(
    ("passed", "total", "low", "high"),
    [  # Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(passed, total, low, high):
    assert wilson(passed, total) == pytest.approx((low, high), abs=5e-5)
    assert wilson(total - passed, total) == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_wilson_inverts_the_score_test():
    for passed, total in itertools.product((1, 3, 9), (10, 35)):
        for bound in wilson(passed, total):
            deviation = abs(passed / total - bound) / math.sqrt(bound * (1 - bound) / total)
            assert deviation == pytest.approx(critical(0.95))


@pytest.mark.parametrize("total", [10, 35, 130])
def test_wilson_covers_what_it_says(total):
    """Exactly: the probability of every count, for shares from 0.02 to 0.98."""
    intervals = [wilson(passed, total) for passed in range(total + 1)]
    covered = []
    for percent in range(2, 99):
        share = percent / 100
        covered.append(
            sum(
                math.comb(total, passed) * share**passed * (1 - share) ** (total - passed)
                for passed, (low, high) in enumerate(intervals)
                if low <= share <= high
            )
        )
    assert 0.945 <= sum(covered) / len(covered) <= 0.965
    assert min(covered) > 0.83


def test_wilson_of_nothing_and_at_the_ends():
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 7)[0] == 0.0
    assert wilson(7, 7)[1] == 1.0


@pytest.mark.parametrize(("passed", "total"), [(-1, 3), (4, 3), (0, -1)])
def test_no_share(passed, total):
    with pytest.raises(UsageError, match="no share"):
        wilson(passed, total)


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 95])
def test_no_confidence(confidence):
    with pytest.raises(UsageError):
        critical(confidence)


def test_trials_of_one_task_are_no_independent_evidence():
    alike = {str(task): [task < 20] * 5 for task in range(40)}
    found = proportion(alike)
    assert (found.passed, found.total) == (100, 200)
    assert (found.low, found.high) == pytest.approx(wilson(20, 40))
    single = {str(task): [task < 20] for task in range(40)}
    assert (proportion(single).low, proportion(single).high) == wilson(20, 40)


def test_trials_that_vary_within_tasks_alone_are_worth_more():
    mixed = {str(task): [trial < 2 for trial in range(4)] for task in range(40)}
    assert effective(mixed) == 160
    never = {str(task): [False] * 4 for task in range(40)}
    assert effective(never) == 40
    assert effective({}) == 0
    assert proportion({}).high == 1.0


@pytest.mark.slow
def test_the_interval_of_clustered_trials_covers_what_it_says():
    random.seed(3)
    ours = naive = 0
    for _ in range(400):
        outcomes = {}
        for task in range(40):
            share = random.choice((0.1, 0.95))
            outcomes[str(task)] = [random.random() < share for _ in range(5)]
        found = proportion(outcomes)
        low, high = wilson(found.passed, found.total)
        ours += found.low <= 0.525 <= found.high
        naive += low <= 0.525 <= high
    assert 0.92 <= ours / 400 <= 0.98
    assert naive / 400 < 0.8


@pytest.mark.parametrize(
    ("wins", "losses", "exact", "mid_p"),
    [  # Fagerland, Lydersen and Laake (2013), the two examples
        (7, 1, 0.0703, 0.0391),
        (16, 6, 0.0525, 0.0347),
        (0, 0, 1.0, 1.0),
        (3, 0, 0.25, 0.125),
        (6, 0, 0.03125, 0.015625),
    ],
)
def test_mcnemar_as_published(wins, losses, exact, mid_p):
    assert mcnemar(wins, losses) == pytest.approx(exact, abs=5e-5)
    assert mcnemar(losses, wins) == mcnemar(wins, losses)
    assert mcnemar(wins, losses, mid_p=True) == pytest.approx(mid_p, abs=5e-5)


@pytest.mark.parametrize("number", range(1, 11))
def test_mcnemar_against_every_sequence(number):
    counts = [sum(flips) for flips in itertools.product((0, 1), repeat=number)]
    for wins in range(number + 1):
        away = abs(2 * wins - number)
        beyond = sum(abs(2 * count - number) >= away for count in counts)
        assert mcnemar(wins, number - wins) == float(Fraction(beyond, 2**number))
        at_least = sum(abs(2 * count - number) > away for count in counts)
        at = sum(abs(2 * count - number) == away for count in counts)
        middle = Fraction(at_least, 2**number) + Fraction(at, 2 * 2**number)
        assert mcnemar(wins, number - wins, mid_p=True) == pytest.approx(float(middle))


def test_mcnemar_of_many_and_of_impossible_numbers():
    exact = mcnemar(5_100, 4_900)
    normal = 2 * (1 - NormalDist().cdf(199 / 100))
    assert exact == pytest.approx(normal, rel=0.01)
    assert mcnemar(3_000, 0) < 1e-300
    with pytest.raises(UsageError):
        mcnemar(-1, 3)


def test_holm_as_published():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == pytest.approx([1.0, 1.0])
    assert holm([0.04]) == [0.04]
    assert holm([]) == []


def test_holm_errs_rarely_anywhere_in_the_family():
    random.seed(5)
    wrong = sum(min(holm([random.random() for _ in range(6)])) <= 0.05 for _ in range(4_000))
    assert wrong / 4_000 == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize("trials", [1, 4, 6])
def test_pass_all_and_any_against_every_choice(trials):
    for passed in range(trials + 1):
        outcomes = [True] * passed + [False] * (trials - passed)
        for k in range(1, trials + 1):
            chosen = list(itertools.combinations(outcomes, k))
            assert pass_all(passed, trials, k) == pytest.approx(sum(map(all, chosen)) / len(chosen))
            assert pass_any(passed, trials, k) == pytest.approx(sum(map(any, chosen)) / len(chosen))


@pytest.mark.parametrize(("passed", "trials", "k"), [(3, 2, 1), (1, 2, 3), (1, 2, 0), (-1, 2, 1)])
def test_trials_that_cannot_be(passed, trials, k):
    for estimate in (pass_all, pass_any):
        with pytest.raises(UsageError):
            estimate(passed, trials, k)


def differences(number, better, worse, draw=random):
    return draw.choices([1.0, -1.0, 0.0], weights=[better, worse, 1 - better - worse], k=number)


def test_the_bootstrap_against_every_resample():
    """All 5^5 resamples of five values, in place of ten thousand that are drawn."""
    values = [0.0, 0.25, 0.25, 1.0, -0.5]
    means = sorted(sum(drawn) / 5 for drawn in itertools.product(values, repeat=5))
    low, high = bootstrap_interval(values, seed=1, resamples=40_000)
    assert low == pytest.approx(means[round(0.025 * len(means))], abs=0.051)
    assert high == pytest.approx(means[round(0.975 * len(means))], abs=0.051)


def test_bca_against_its_definition():
    """The jackknife written out, and all resamples."""
    values = [0.0, 0.1, 0.1, 0.3, 0.9]
    mean = sum(values) / 5
    means = sorted(sum(drawn) / 5 for drawn in itertools.product(values, repeat=5))
    below = (
        sum(value < mean - 1e-12 for value in means) + sum(abs(value - mean) < 1e-12 for value in means) / 2
    )
    bias = NormalDist().inv_cdf(below / len(means))
    left_out = [(sum(values) - value) / 4 for value in values]
    centred = [sum(left_out) / 5 - value for value in left_out]
    skew = sum(value**3 for value in centred) / (6 * sum(value**2 for value in centred) ** 1.5)
    wanted = []
    for z in (-critical(0.95), critical(0.95)):
        share = NormalDist().cdf(bias + (bias + z) / (1 - skew * (bias + z)))
        wanted.append(means[min(len(means) - 1, round(share * len(means)))])
    assert bootstrap_interval(values, seed=2, resamples=40_000, method="bca") == pytest.approx(
        wanted, abs=0.03
    )


@pytest.mark.slow
@pytest.mark.parametrize(("number", "better", "worse"), [(40, 0.2, 0.1), (60, 0.1, 0.1), (130, 0.1, 0.02)])
def test_the_interval_of_a_difference_covers_what_it_says(number, better, worse):
    draw = random.Random(11)
    covered = 0
    for seed in range(300):
        low, high = difference_interval(differences(number, better, worse, draw), seed=seed, resamples=300)
        covered += low - 1e-9 <= better - worse <= high + 1e-9
    assert 0.92 <= covered / 300 <= 0.985


@pytest.mark.slow
@pytest.mark.parametrize("number", [6, 10, 20])
def test_few_tasks_do_not_make_it_too_sure(number):
    """Where resampling alone covers a third to two thirds of the time."""
    draw = random.Random(12)
    covered = 0
    for seed in range(300):
        low, high = difference_interval(differences(number, 0.1, 0.02, draw), seed=seed, resamples=200)
        covered += low <= 0.08 <= high
    assert covered / 300 >= 0.92


def test_tasks_that_all_end_alike_leave_room_for_a_difference():
    low, high = difference_interval([0.0] * 130)
    assert low == pytest.approx(-high)
    assert 0.01 < high < 0.03
    assert bootstrap_interval([0.0] * 130) == (0.0, 0.0)
    assert difference_interval([1.0] * 130)[1] == 1.0


def test_the_same_seed_gives_the_same_interval_and_swapping_mirrors_it():
    found = differences(50, 0.3, 0.1, random.Random(4))
    low, high = difference_interval(found, seed=9)
    assert difference_interval(found, seed=9) == (low, high)
    assert difference_interval([-value for value in found], seed=9) == pytest.approx((-high, -low))


def test_thirds_that_cancel_out_leave_no_rest():
    """The lower end is 0, and not the 1e-17 that three trials of a task come to in binary."""
    differences = [1 - 2 / 3, 1 / 3, 1 / 3, 2 / 3, 2 / 3 - 1, -1 / 3, 0.0] * 2
    ends = [bootstrap_interval(differences, seed=seed, resamples=200)[0] for seed in range(60)]
    assert 0.0 in ends
    assert not [end for end in ends if 0 < abs(end) < 1e-9]


def test_ten_thousand_resamples_of_130_tasks_take_less_than_a_second():
    found = [random.Random(1).random() - 0.5 for _ in range(130)]
    started = time.process_time()
    difference_interval(found)
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize(
    "settings", [{"values": []}, {"values": [1], "resamples": 10}, {"values": [1], "method": "t"}]
)
def test_bootstraps_that_make_no_sense(settings):
    with pytest.raises(UsageError, match="bootstrap"):
        bootstrap_interval(**settings)


@pytest.mark.slow
@pytest.mark.parametrize("number", [20, 60, 130])
def test_the_detectable_difference_is_detected_as_often_as_said(number):
    """Simulated: how often the interval leaves out 0 where the true difference is the one said."""
    draw = random.Random(21)
    observed = [1.0] * round(number * 0.15) + [-1.0] * round(number * 0.15)
    difference = detectable_difference(observed + [0.0] * (number - len(observed)))
    spread = max(0.3, difference)
    better, worse = (spread + difference) / 2, (spread - difference) / 2
    shown = 0
    for seed in range(300):
        low, high = difference_interval(differences(number, better, worse, draw), seed=seed, resamples=200)
        shown += not low <= 0 <= high
    assert 0.74 <= shown / 300 <= 0.9


def test_the_detectable_difference_solves_connors_formula():
    found = detectable_difference([1.0] * 20 + [-1.0] * 10 + [0.0] * 70)
    two_sided, one_sided = NormalDist().inv_cdf(0.975), NormalDist().inv_cdf(0.8)
    tasks = (two_sided * math.sqrt(0.3) + one_sided * math.sqrt(0.3 - found**2)) ** 2 / found**2
    assert tasks == pytest.approx(100, rel=1e-6)


def test_what_cannot_be_detected():
    assert detectable_difference([1.0] * 5) is None
    assert detectable_difference([1.0, -1.0] * 3) is not None
    shrinking = [detectable_difference([0.0] * number) for number in (10, 40, 160, 640)]
    assert shrinking == sorted(shrinking, reverse=True)
