"""Arms put side by side: what each did, and what their differences are worth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from statistics import fmean

from toolhaft.errors import UsageError
from toolhaft.evaluators.bootstrap import RESAMPLES, difference_interval
from toolhaft.evaluators.failure import FAILURE_KINDS, cut_short, failure_kind, is_kind
from toolhaft.evaluators.reading import FLOOR, notes_on
from toolhaft.evaluators.remarks import count_tries, is_idle, remark_on
from toolhaft.evaluators.statistics import (
    FEWEST,
    detectable_difference,
    holm,
    mcnemar,
    pass_all,
    pass_any,
    proportion,
)
from toolhaft.evaluators.tag_order import in_order
from toolhaft.types import ArmResult, Comparison, Pairing, Score, Trajectory, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One rollout, as statistics see it.

    Attributes:
        task: Its id.
        trial: From 0.
        kind: One of `toolhaft.evaluators.failure.FAILURE_KINDS`, or an outcome that an evaluator names.
        tags: Of the task.
        steps: Rounds of thought and calls.
        usage: What was spent.
        origin: Who wrote the steps, for example ``heuristic``; empty if there are none.
        error: What ended it, if that was an error.
        cut: Whether a budget of several rollouts cut it short; it is in no pair then.
        idle: Whether nothing was called, though a solution of the task calls something.
        tries: How many tries there were, see ``NAME@n``.
        alike: Whether there were several, and all were the same.
        parts: Component figures of the score, each in [0, 1].
    """

    task: str
    trial: int = 0
    kind: str = "passed"
    tags: tuple[str, ...] = ()
    steps: int = 0
    usage: Usage = Usage()
    origin: str = "model"
    error: str = ""
    cut: bool = False
    idle: bool = False
    tries: int = 1
    alike: bool = False
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the task was done."""
        return self.kind == "passed"

    @classmethod
    def of(cls, trajectory: Trajectory, score: Score, *, trial: int = 0) -> Attempt:
        """Return what a trajectory and the score that decides come to.

        The failure kind is the one that the score's details hold under ``failure``, else made anew.
        """
        kind = score.details.get("failure")
        if kind not in FAILURE_KINDS:
            kind = failure_kind(score, trajectory)
        error = trajectory.error.what if trajectory.error is not None else score.reason
        origins = [origin for origin in trajectory.origins if origin != "model"]
        tries, alike = count_tries(trajectory)
        return cls(
            task=trajectory.task.id,
            trial=trial,
            kind=kind,
            tags=trajectory.task.tags,
            steps=len(trajectory.steps),
            usage=trajectory.usage,
            origin=origins[0] if origins else "model" if trajectory.steps else "",
            error=error if kind == "error" else "",
            cut=bool(cut_short(trajectory)),
            idle=is_idle(trajectory),
            tries=tries,
            alike=alike,
            parts=score.parts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmAttempts:
    """The rollouts of one arm.

    Attributes:
        name: Unique in the comparison.
        planner: Its name; likewise ``model``.
        attempts: In the order of tasks and trials.
        reference: Whether it is a floor or a ceiling: it gets its row, but is paired with nobody.
    """

    name: str
    planner: str = ""
    model: str = ""
    attempts: tuple[Attempt, ...] = ()
    reference: bool = False

    @property
    def competes(self) -> bool:
        """Whether it is compared with other arms, and remarked on."""
        return not self.reference and self.name != FLOOR

    def outcomes(self) -> dict[str, list[bool]]:
        """Return, by task, whether each trial passed."""
        found: dict[str, list[bool]] = {}
        for attempt in self.attempts:
            found.setdefault(attempt.task, []).append(attempt.passed)
        return found


def compare_arms(
    arms: Sequence[ArmAttempts],
    *,
    title: str = "Comparison",
    notes: Iterable[str] = (),
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Compare each pair of arms on the tasks that both tried.

    Args:
        arms: One named ``nothing`` is the floor: it gets its row, but is paired with nobody; likewise
            those that are a ``reference``.
        title: Heading.
        notes: What a reader must know besides what the figures themselves bring up.
        seed: Of the bootstrap.
        resamples: How often the bootstrap draws the tasks.

    Raises:
        UsageError: There are no arms, or two of one name, or an arm tried one trial of a task twice.
    """
    _check_arms(arms)
    pairings = [
        _pair(a, b, seed=seed, resamples=resamples)
        for a, b in combinations([arm for arm in arms if arm.competes], 2)
    ]
    pairings = _adjust([pairing for pairing in pairings if pairing.tasks])
    results = tuple(_summarise(arm) for arm in arms)
    tasks = dict.fromkeys(attempt.task for arm in arms for attempt in arm.attempts)
    means = {arm.name: _means(arm) for arm in arms}
    origins = {arm.name: {attempt.origin for attempt in arm.attempts} for arm in arms if not arm.reference}
    errors = {arm.name: Counter(attempt.error for attempt in arm.attempts if attempt.error) for arm in arms}
    return Comparison(
        title=title,
        arms=results,
        pairings=tuple(pairings),
        notes=(
            *notes,
            *notes_on(results, pairings, origins=origins, errors=errors, tasks=len(tasks)),
            *(remark for arm in arms if arm.competes for remark in _remarks(arm)),
        ),
        outcomes={
            task: {name: found[task] for name, found in means.items() if task in found} for task in tasks
        },
    )


def _check_arms(arms: Sequence[ArmAttempts]) -> None:
    if not arms:
        raise UsageError("there is nothing to compare", hint="Give at least one arm")
    for name, times in Counter(arm.name for arm in arms).items():
        if times > 1:
            raise UsageError(f"{times} arms are named {name!r}", hint="Give each a name of its own")
    for arm in arms:
        for (task, trial), times in Counter((one.task, one.trial) for one in arm.attempts).items():
            if times > 1:
                raise UsageError(
                    f"trial {trial} of the task {task!r} is there {times} times", where=f"arm {arm.name}"
                )
        for attempt in arm.attempts:
            if not is_kind(attempt.kind):
                raise UsageError(f"there is no failure kind {attempt.kind!r:.80}", where=f"arm {arm.name}")


def _remarks(arm: ArmAttempts) -> list[str]:
    several = [one for one in arm.attempts if one.tries > 1]
    return remark_on(
        arm.name,
        idle=len({one.task for one in arm.attempts if one.idle and one.passed}),
        tried_again=len(several),
        alike=sum(one.alike for one in several),
    )


def _means(arm: ArmAttempts) -> dict[str, float]:
    return {task: fmean(trials) for task, trials in arm.outcomes().items()}


def _summarise(arm: ArmAttempts) -> ArmResult:
    attempts, outcomes = arm.attempts, arm.outcomes()
    tags = {attempt.task: attempt.tags for attempt in attempts}
    by_tag = {
        tag: proportion({task: trials for task, trials in outcomes.items() if tag in tags[task]})
        for tag in in_order(dict.fromkeys(tag for found in tags.values() for tag in found))
    }
    kinds = Counter(attempt.kind for attempt in attempts)
    part_names = dict.fromkeys(name for attempt in attempts for name in attempt.parts)
    trials = min((len(found) for found in outcomes.values()), default=0)
    depths = range(1, trials + 1) if trials > 1 else ()
    usages = [attempt.usage for attempt in attempts]
    return ArmResult(
        name=arm.name,
        planner=arm.planner,
        model=arm.model,
        passes=proportion(outcomes),
        by_tag=by_tag,
        model_calls=_mean([usage.model_calls for usage in usages]),
        tool_calls=_mean([usage.tool_calls for usage in usages]),
        steps=_mean([attempt.steps for attempt in attempts]),
        tokens=_mean([usage.input_tokens + usage.output_tokens for usage in usages]),
        cost=_mean([usage.cost for usage in usages]),
        seconds=_mean([usage.seconds for usage in usages]),
        failures={
            kind: kinds[kind] for kind in dict.fromkeys((*FAILURE_KINDS, *sorted(kinds))) if kinds[kind]
        },
        parts={name: _mean(_figures(attempts, name)) for name in part_names},
        reference=not arm.competes,
        pass_all={k: _mean([pass_all(sum(n), len(n), k) for n in outcomes.values()]) for k in depths},
        pass_any={k: _mean([pass_any(sum(n), len(n), k) for n in outcomes.values()]) for k in depths},
    )


def _figures(attempts: Sequence[Attempt], part: str) -> list[float]:
    """Return a component figure of each attempt; what has none at all, as what is missing, counts as 0."""
    return [one.parts.get(part, 0.0) for one in attempts if part in one.parts or not one.parts]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


def _pair(a: ArmAttempts, b: ArmAttempts, *, seed: int, resamples: int) -> Pairing:
    before, after = _paired_means(a, b)
    differences = [after[task] - before[task] for task in before]
    wins = sum(difference > 0 for difference in differences)
    losses = sum(difference < 0 for difference in differences)
    pairing = Pairing(
        a=a.name,
        b=b.name,
        tasks=len(differences),
        wins=wins,
        ties=len(differences) - wins - losses,
        losses=losses,
        difference=_mean(differences),
    )
    if len(differences) < FEWEST:
        return pairing
    low, high = difference_interval(differences, seed=seed, resamples=resamples)
    return replace(
        pairing,
        low=low,
        high=high,
        mcnemar_p=mcnemar(wins, losses),
        detectable=detectable_difference(differences),
    )


def _paired_means(a: ArmAttempts, b: ArmAttempts) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Return the mean of each task over the trials that both arms brought to their end."""
    ended = [{(one.task, one.trial) for one in arm.attempts if not one.cut} for arm in (a, b)]
    both = ended[0] & ended[1]
    first, second = (
        _means(replace(arm, attempts=tuple(one for one in arm.attempts if (one.task, one.trial) in both)))
        for arm in (a, b)
    )
    return first, second


def _adjust(pairings: Sequence[Pairing]) -> list[Pairing]:
    tested = [pairing for pairing in pairings if pairing.mcnemar_p is not None]
    adjusted = dict(
        zip(
            ((pairing.a, pairing.b) for pairing in tested),
            holm([pairing.mcnemar_p or 0.0 for pairing in tested]),
            strict=True,
        )
    )
    return [replace(pairing, adjusted_p=adjusted.get((pairing.a, pairing.b))) for pairing in pairings]
