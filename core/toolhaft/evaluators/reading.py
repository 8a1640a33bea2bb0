"""What the figures of a comparison say in words, and what they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from toolhaft.evaluators.remarks import say_errors
from toolhaft.evaluators.statistics import FEWEST
from toolhaft.types import ArmResult, Pairing

FLOOR = "nothing"
"""The arm that does nothing; what it passes, no arm has earned."""
_LEVEL = 0.05


def verdict(pairing: Pairing) -> str:
    """Return in one sentence what a pairing shows.

    A difference is called shown only if the interval leaves out 0 and the p-value of the test, adjusted for
    the number of pairings, is at most 0.05; if the two disagree, the sentence says so.
    """
    who = f"{pairing.b} against {pairing.a}"
    if pairing.low is None or pairing.high is None or pairing.mcnemar_p is None:
        return (
            f"{who}: too few tasks ({pairing.tasks}) to say anything; {FEWEST} are the least that a test "
            "can tell apart"
        )
    spread = (
        f"{points(pairing.difference)} points, 95 % interval {points(pairing.low)} to {points(pairing.high)}"
    )
    if pairing.wins == pairing.losses == 0:
        return f"{who}: no difference shown: all {pairing.tasks} tasks ended alike ({spread})"
    p = pairing.adjusted_p if pairing.adjusted_p is not None else pairing.mcnemar_p
    if not pairing.shown and p > _LEVEL:
        return f"{who}: no difference shown: the interval includes 0 ({spread})"
    if not pairing.shown:
        return (
            f"{who}: not sure: one wins more tasks than it loses, but the interval of the difference "
            f"includes 0 ({spread}, p = {p:.3g})"
        )
    if p > _LEVEL:
        return (
            f"{who}: not sure: the interval leaves out 0, but the exact test does not confirm it "
            f"({spread}, p = {p:.3g})"
        )
    better = pairing.b if pairing.difference > 0 else pairing.a
    return f"{who}: {better} is better ({spread}, p = {p:.3g})"


def points(share: float) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    text = f"{100 * share:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def notes_on(
    arms: Sequence[ArmResult],
    pairings: Sequence[Pairing],
    *,
    origins: Mapping[str, Set[str]],
    errors: Mapping[str, Mapping[str, int]],
    tasks: int,
) -> tuple[str, ...]:
    """Return what a reader must know to read the figures.

    Args:
        arms: With their figures.
        pairings: Each pair of them.
        origins: By arm, who wrote the steps.
        errors: By arm, how often each error ended a rollout.
        tasks: How many different tasks there are.
    """
    notes = [verdict(pairing) for pairing in pairings]
    heuristic = [name for name, found in origins.items() if "heuristic" in found]
    if heuristic:
        notes.append(
            f"The model of {_listed(heuristic)} is the built-in heuristic, no language model: its "
            "figures are a floor, and a difference between planners with it need not hold with a language "
            "model."
        )
    made_up = [name for name, found in origins.items() if found & {"replay", "scripted"}]
    if made_up:
        notes.append(
            f"What {_listed(made_up)} did was read from a file or written in advance: no model was asked now."
        )
    if any(arm.pass_all for arm in arms):
        notes.append(
            "There are several trials of each task. They are no independent evidence, so the task is the "
            "unit: its trials are averaged, a win is a task with the higher mean, and p is that of the sign "
            "test."
        )
    if len(pairings) > 1:
        notes.append(
            f"{len(pairings)} pairs were compared, and one in twenty intervals misses by chance: p is "
            "adjusted for their number (Holm), the intervals are not."
        )
    notes += [
        f"Doing nothing passes {arm.passes.passed} of {arm.passes.total} tasks: no arm has earned those."
        for arm in arms
        if arm.name == FLOOR and arm.passes.passed
    ]
    notes += [
        f"{count} of {arm.passes.total} rollouts of {arm.name} ended in an error; they count as failed."
        + say_errors(errors.get(arm.name, {}))
        for arm in arms
        if (count := arm.failures.get("error"))
    ]
    notes += [
        f"{pairing.b} against {pairing.a}: {tasks - pairing.tasks} of {tasks} tasks were not tried by both, "
        "or not to the end, and are left out of their comparison."
        for pairing in pairings
        if pairing.tasks < tasks
    ]
    return tuple(notes)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"
