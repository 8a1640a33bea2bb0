"""An evaluation: several arms on the same tasks, each rollout scored, whatever becomes of the others."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ConfigError, ToolhaftError, UsageError
from toolhaft.evaluators.base import Evaluator
from toolhaft.evaluators.comparing import ArmAttempts, Attempt, compare_arms
from toolhaft.evaluators.failure import cut_short
from toolhaft.evaluators.reading import FLOOR
from toolhaft.evaluators.scoring import score_all
from toolhaft.runs.stopping import FIRST, hopeless_error, incomplete_note
from toolhaft.tools.budget import BudgetMeter
from toolhaft.types import Budget, Comparison, ErrorInfo, Score, Task, Trajectory, Usage

if TYPE_CHECKING:
    from toolhaft.hooks.registry import Registry

_MOST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way of doing the tasks.

    Attributes:
        name: Unique in the evaluation.
        planner: Its name; likewise ``model``.
        k: How many tools the retriever chooses.
        budget: Of each rollout.
        settings: Anything else that the rollout needs to know.
    """

    name: str
    planner: str = "react"
    model: str = "heuristic"
    k: int = 8
    budget: Budget = Budget()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One rollout and its scores.

    Attributes:
        arm: Its name.
        trial: From 0.
        trajectory: The record; of a rollout that failed before there was any, it holds the error alone.
        scores: One of each evaluator, in their order. The first decides; its details have the failure kind
            under ``failure``.
    """

    arm: str
    trial: int
    trajectory: Trajectory
    scores: tuple[Score, ...]

    @property
    def kind(self) -> str:
        """How it ended: see `toolhaft.evaluators.failure.FAILURE_KINDS`."""
        return str(self.scores[0].details["failure"])

    @property
    def cut(self) -> str:
        """The quantity of the budget of all rollouts that was used up in this one; empty if none was."""
        return cut_short(self.trajectory)


Rollout = Callable[[Arm, Task, int], Awaitable[Trajectory]]
"""Carries out a task as an arm does, for the given trial. A `ToolhaftError` is recorded as its outcome, but
for `ConfigError`."""
Beginning = Callable[[Task], Awaitable[dict[str, Any]]]
"""Returns the state of the environment before anything was done, for the arm that does nothing."""
Progress = Callable[[Outcome, int, int], None]
"""Told of each rollout that ended, how many have, and how many there are to be."""
_Job = tuple[Arm, Task, int]


class EvaluationRun:
    """Runs every arm on every task, and scores what comes of it.

    The arms take turns at each task, so that whatever stops the evaluation early leaves pairs. An arm
    named ``nothing`` is added: it makes no call and answers with an empty text.

    Args:
        arms: With names of their own.
        tasks: Each is tried by each arm.
        rollout: Carries out one task.
        evaluators: Names or evaluators; the first decides what has passed.
        trials: How often each arm tries each task.
        concurrency: Rollouts under way at once.
        limit: Of all rollouts together; nothing new is begun beyond it. See ``meter``.
        beginning: See `Beginning`; without it, an empty state.
        progress: Told of each rollout that ended.
        registry: Where evaluators are looked up; the default finds every installed plugin.

    Attributes:
        stopped: Why not everything was done: empty, ``interrupted``, ``error``, or the quantity that was
            used up.
        meter: What is left of the limit. A rollout that is given it, as in ``Agent.run(shared=run.meter)``,
            asks it before each request, so that the limit holds however many are under way; of any other,
            what it spent is known when it has ended.

    Raises:
        UsageError: Arms, tasks or numbers make no sense, or a task lacks what an evaluator needs.
        UnknownNameError: There is no such evaluator.
    """

    def __init__(
        self,
        arms: Sequence[Arm],
        tasks: Sequence[Task],
        rollout: Rollout,
        *,
        evaluators: Sequence[str | Evaluator] = ("state",),
        trials: int = 1,
        concurrency: int = 8,
        limit: Budget | None = None,
        beginning: Beginning | None = None,
        progress: Progress | None = None,
        registry: Registry | None = None,
    ) -> None:
        _check_numbers(trials=trials, concurrency=concurrency)
        _check_unique("arm", [arm.name for arm in arms])
        _check_unique("task", [task.id for task in tasks])
        if any(arm.name == FLOOR for arm in arms):
            raise UsageError(f"the name {FLOOR!r} is that of the arm that does nothing")
        self.evaluators = [_evaluator(each, registry) for each in evaluators]
        if not self.evaluators:
            raise UsageError("no evaluator was given", hint="Use ['state']")
        for task in tasks:
            for evaluator in self.evaluators:
                evaluator.check_task(task)
        if len(arms) * len(tasks) * trials > _MOST:
            raise UsageError(
                f"{len(arms)} arms, {len(tasks)} tasks and {trials} trials are more than {_MOST:,} rollouts",
                hint="Evaluate in parts, and compare the stored runs",
            )
        self.arms = (*arms, Arm(name=FLOOR, planner=FLOOR, model="", k=0))
        self.tasks = tuple(tasks)
        self.trials = trials
        self.stopped = ""
        self._rollout = rollout
        self._concurrency = concurrency
        self._limit = limit or Budget(steps=None, model_calls=None, tool_calls=None)
        self.meter = BudgetMeter(self._limit)
        self._beginning = beginning
        self._progress = progress
        self._jobs: list[_Job] = list(_plan(self.arms, self.tasks, trials))
        self._done: dict[int, Outcome] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._spent = Usage()
        self._steps = 0
        self._first: dict[str, list[Trajectory]] = {arm.name: [] for arm in self.arms}

    @property
    def planned(self) -> int:
        """How many rollouts there are to be."""
        return len(self._jobs)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What was done so far: by task, then by trial, then by arm, whatever finished first."""
        return tuple(self._done[position] for position in sorted(self._done))

    async def run(self) -> None:
        """Run what is to be run; what is done is kept, however this ends.

        Errors of a rollout other than `ToolhaftError` are bugs: they end the evaluation.

        Raises:
            ConfigError: A rollout lacks a setting or key, which others would lack, too.
            ModelError: An arm's model cannot be used: its first rollouts all ended in the same error.
        """
        self.meter.started = time.monotonic()
        waiting = iter(enumerate(self._jobs))
        self._workers = {
            asyncio.create_task(self._work(waiting)) for _ in range(min(self._concurrency, len(self._jobs)))
        }
        try:
            done, _ = await asyncio.wait(self._workers, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for worker in self._workers:
                worker.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)
        for worker in done:
            if not worker.cancelled():
                worker.result()

    def cancel(self) -> None:
        """End it: rollouts under way are dropped, those that ended are kept. Call it on its event loop."""
        self.stopped = self.stopped or "interrupted"
        for worker in self._workers:
            worker.cancel()

    def attempts(self) -> tuple[ArmAttempts, ...]:
        """Return what was done, as statistics see it."""
        return tuple(
            ArmAttempts(
                name=arm.name,
                planner=arm.planner,
                model=arm.model,
                attempts=tuple(
                    Attempt.of(outcome.trajectory, outcome.scores[0], trial=outcome.trial)
                    for outcome in self.outcomes
                    if outcome.arm == arm.name
                ),
            )
            for arm in self.arms
        )

    def records(self) -> dict[str, tuple[list[Trajectory], dict[str, list[Score]]]]:
        """Return the trajectories and scores of each arm, as `toolhaft.report.store` writes them."""
        found: dict[str, tuple[list[Trajectory], dict[str, list[Score]]]] = {
            arm.name: ([], {}) for arm in self.arms
        }
        for outcome in self.outcomes:
            trajectories, scores = found[outcome.arm]
            trajectories.append(outcome.trajectory)
            scores[outcome.trajectory.id] = list(outcome.scores)
        return found

    def compare(self, *, title: str = "Evaluation", seed: int = 0) -> Comparison:
        """Return the statistics of what was done.

        Args:
            title: Heading.
            seed: Of the bootstrap.
        """
        notes = [self._say_stopped()] if self.stopped else []
        return compare_arms(self.attempts(), title=title, notes=notes, seed=seed)

    def _say_stopped(self) -> str:
        counted = {
            name: Counter(arm.name for arm, *_ in jobs)
            for name, jobs in (
                ("planned", self._jobs),
                ("done", [self._jobs[position] for position in self._done]),
                ("cut", [self._jobs[position] for position, outcome in self._done.items() if outcome.cut]),
            )
        }
        return incomplete_note(self.stopped, **counted)

    async def _work(self, waiting: Iterator[tuple[int, _Job]]) -> None:
        for position, (arm, task, trial) in waiting:
            if self.stopped or (arm.name != FLOOR and self._used_up()):
                return
            outcome = await self._score(arm, task, trial, await self._carry_out(arm, task, trial))
            usage = outcome.trajectory.usage
            self._done[position] = outcome
            self._spent += usage
            self._steps += len(outcome.trajectory.steps)
            self.stopped = self.stopped or outcome.cut
            if self._progress is not None:
                self._progress(outcome, len(self._done), len(self._jobs))
            self._check_hope(outcome)

    def _check_hope(self, outcome: Outcome) -> None:
        first = self._first[outcome.arm]
        if len(first) < FIRST:
            first.append(outcome.trajectory)
            if error := hopeless_error(outcome.arm, first):
                self.stopped = self.stopped or "error"
                raise error

    def _used_up(self) -> bool:
        # What a rollout spends is in the meter, in the sum of those that ended, or in both.
        spent, meter, limit = self._spent, self.meter, self._limit
        tokens = spent.input_tokens + spent.output_tokens
        for name, used, allowed in (
            ("steps", max(self._steps, meter.steps), limit.steps),
            ("model_calls", max(spent.model_calls, meter.model_calls), limit.model_calls),
            ("tool_calls", max(spent.tool_calls, meter.tool_calls), limit.tool_calls),
            ("tokens", max(tokens, meter.input_tokens + meter.output_tokens), limit.tokens),
            ("cost", max(spent.cost, meter.cost), limit.cost),
            ("seconds", meter.elapsed(), limit.seconds),
        ):
            if allowed is not None and used >= allowed:
                self.stopped = name
                return True
        return False

    async def _carry_out(self, arm: Arm, task: Task, trial: int) -> Trajectory:
        try:
            if arm.name == FLOOR:
                trajectory = await self._do_nothing(task)
            else:
                trajectory = await self._rollout(arm, task, trial)
        except ConfigError:
            raise  # a key that is missing is missing for every rollout
        except ToolhaftError as error:
            trajectory = _failed(arm, task, trial, error)
        settings = {**trajectory.settings, "arm": arm.name, "trial": trial}
        return replace(trajectory, settings=settings)

    async def _do_nothing(self, task: Task) -> Trajectory:
        state = await self._beginning(task) if self._beginning is not None else {}
        return Trajectory(id=f"{FLOOR}-{task.id}", task=task, planner=FLOOR, final_state=state)

    async def _score(self, arm: Arm, task: Task, trial: int, trajectory: Trajectory) -> Outcome:
        scores = await score_all(self.evaluators, task, trajectory)
        return Outcome(arm=arm.name, trial=trial, trajectory=trajectory, scores=scores)


def _plan(arms: Sequence[Arm], tasks: Sequence[Task], trials: int) -> Iterator[_Job]:
    for task in tasks:
        for trial in range(trials):
            # What does nothing does it alike each time.
            yield from ((arm, task, trial) for arm in arms if arm.name != FLOOR or trial == 0)


def _failed(arm: Arm, task: Task, trial: int, error: ToolhaftError) -> Trajectory:
    """Return the record of a rollout that an error ended."""
    if isinstance(error.trajectory, Trajectory):
        return error.trajectory
    return Trajectory(
        id=f"{arm.name}-{task.id}-{trial}",
        task=task,
        status="error",
        error=ErrorInfo(**error.to_dict()),
        planner=arm.planner,
        model=arm.model,
        budget=arm.budget,
    )


def _evaluator(given: str | Evaluator, registry: Registry | None) -> Evaluator:
    if isinstance(given, Evaluator):
        return given
    if registry is None:
        from toolhaft.hooks.registry import Registry

        registry = Registry.default()
    return registry.evaluator(given)


def _check_numbers(**numbers: int) -> None:
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise UsageError(f"{name} is {number!r}", hint="Give a whole number of at least 1")


def _check_unique(kind: str, names: Sequence[str]) -> None:
    if not names:
        raise UsageError(f"there is no {kind}", hint=f"Give at least one {kind}")
    for name, times in Counter(names).items():
        if times > 1:
            raise UsageError(f"{times} {kind}s are named {name!r}", hint="Give each a name of its own")
