"""Solutions of generated tasks: by any planner with any model, or by playing the gold calls back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from toolhaft.errors import ToolhaftError
from toolhaft.evaluators.base import Evaluator
from toolhaft.generators.base import Environment
from toolhaft.generators.offering import Offer
from toolhaft.models.base import Model
from toolhaft.planners.base import Planner
from toolhaft.secrets import SecretStore
from toolhaft.tools.budget import BudgetMeter
from toolhaft.tools.context import RunContext
from toolhaft.tools.policy import CallRequest, Decision, Policy
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import (
    Budget,
    Completion,
    Message,
    Origin,
    Score,
    Task,
    ToolCall,
    ToolSpec,
    Trajectory,
)
from toolhaft.types.pointer import unescape

REFERENCE = "reference"
"""Name of the solver that plays the gold calls back."""


class PlaybackModel(Model):
    """Makes the calls of a task's gold, one a step, and ends with its answer. It decides nothing.

    Args:
        calls: In order.
        answer: Said when they are made.
    """

    name = REFERENCE
    origin: Origin = "scripted"

    def __init__(self, calls: Sequence[ToolCall], answer: str) -> None:
        self._calls = tuple(calls)
        self._answer = answer

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        avoid: Sequence[ToolCall] = (),
        on_delta: Callable[[str], None] | None = None,
        seed: int | None = None,
        max_tokens: int | None = None,
    ) -> Completion:
        """Return the call that is next by what the conversation shows, else the answer."""
        made = sum(bool(message.calls) for message in messages)
        if made < len(self._calls):
            call = replace(self._calls[made], id=f"call-{made + 1}")
            return Completion(calls=(call,), finish="tool_calls", model=self.name, origin=self.origin)
        if on_delta is not None:
            on_delta(self._answer)
        return Completion(text=self._answer, model=self.name, origin=self.origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """One rollout of a task, and whether it did it.

    Attributes:
        problem: Why there is no usable rollout, or empty.
    """

    task: Task
    trajectory: Trajectory | None = None
    score: Score | None = None
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether the evaluator is satisfied."""
        return self.score is not None and self.score.value >= 1.0


class Solver:
    """Carries out tasks, each in a run of its own, and has them checked.

    Args:
        environment: Where the calls are made.
        planner: Searches.
        offer: Which tools are shown.
        evaluator: Says whether a task was done; ``fallback`` is asked of tasks that it cannot check.
        fallback: For example one that compares calls.
        model: Who decides; None plays the gold calls back.
        budget: Of each rollout.
        secrets: Kept out of what is shown and written.
        seed: Of the rollouts.
    """

    def __init__(
        self,
        environment: Environment,
        planner: Planner,
        offer: Offer,
        evaluator: Evaluator,
        *,
        fallback: Evaluator | None = None,
        model: Model | None = None,
        budget: Budget | None = None,
        secrets: SecretStore | None = None,
        seed: int = 0,
    ) -> None:
        self.name = REFERENCE if model is None else f"{planner.name} {model.name}"
        self._environment = environment
        self._planner = planner
        self._offer = offer
        self._evaluator = evaluator
        self._fallback = fallback
        self._model = model
        self._budget = budget or Budget()
        self._secrets = secrets or SecretStore()
        self._seed = seed

    async def solve(self, task: Task, *, hidden: Collection[str] = ()) -> Solution:
        """Carry a task out and check what came of it; an error of a model or tool is the solution's problem.

        Args:
            task: With gold.
            hidden: Tools that are not shown beside those that the task needs.

        Raises:
            ConfigError: The model lacks a key, as it would for every task.
        """
        from toolhaft.errors import ConfigError

        run = f"solve-{task.id}"[:80]
        try:
            trajectory = await self._roll_out(task, run, hidden)
            score = await self._score(task, trajectory)
        except ConfigError:
            raise
        except ToolhaftError as error:
            return Solution(task=task, problem=f"{error.code}: {error.what}"[:300])
        finally:
            await self._environment.reset(run)
        return Solution(task=task, trajectory=trajectory, score=score)

    async def _roll_out(self, task: Task, run: str, hidden: Collection[str]) -> Trajectory:
        names = await self._offer.tools_for(task, seed=self._seed, hidden=hidden)
        catalog = await self._environment.catalog(run)

        async def final_state() -> dict[str, Any]:
            return checked_part(await self._environment.state(run), task)

        context = RunContext(
            id=f"{task.id}-{self.name.replace(' ', '-').replace(':', '-').replace('/', '-')}"[:120],
            seed=self._seed,
            meter=BudgetMeter(self._budget),
            policy=Policy(allow=("write",)),
            approver=gold_approver(task),
            secrets=self._secrets,
            final_state=final_state,
        )
        model = self._model or PlaybackModel(*_played(task))
        trajectory: Trajectory | None = None
        try:
            tools = ToolSet(catalog.select(*(name for name in names if name in catalog)))
            async for event in self._planner.rollout(task, tools, model, context):
                if event.type == "rollout_finished":
                    trajectory = event.trajectory
        finally:
            await catalog.close()
        if trajectory is None:
            raise ToolhaftError("the planner ended without a trajectory", where=self._planner.name)
        return replace(trajectory, settings={**trajectory.settings, "solver": self.name})

    async def _score(self, task: Task, trajectory: Trajectory) -> Score:
        gold = task.gold
        checkable = gold is not None and (gold.state or gold.facts or gold.asks or not gold.solvable)
        evaluator = self._evaluator if checkable or self._fallback is None else self._fallback
        return await evaluator.evaluate(task, trajectory)


def checked_part(state: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """Return what of a state the checks of a task look at: two levels of their paths."""
    kept: dict[str, Any] = {}
    for row in task.gold.state if task.gold is not None else ():
        first, *rest = [unescape(part) for part in str(row["path"]).lstrip("/").split("/")]
        if first not in state:
            continue
        if not rest or not isinstance(state[first], dict):
            kept[first] = state[first]
        elif rest[0] in state[first]:
            kept.setdefault(first, {})[rest[0]] = state[first][rest[0]]
        else:
            kept.setdefault(first, {})
    return kept


def gold_approver(task: Task) -> Callable[[CallRequest, Decision], bool]:
    """Return who answers for a task's user: writes pass, what cannot be undone only if the gold has it."""
    calls = task.gold.calls if task.gold is not None else ()

    def approve(request: CallRequest, _decision: Decision) -> bool:
        if request.spec.effect != "irreversible":
            return True
        return any(call.name == request.spec.name and call.arguments == request.arguments for call in calls)

    return approve


def _played(task: Task) -> tuple[tuple[ToolCall, ...], str]:
    solution = task.metadata.get("solution")
    answer = solution.get("answer") if isinstance(solution, dict) else ""
    return (task.gold.calls if task.gold is not None else ()), str(answer or "It is done.")
