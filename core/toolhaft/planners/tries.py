"""Several independent tries of one planner in one budget: ``NAME@n``.

Source: ReACT@N of Qin et al., "ToolLLM: Facilitating Large Language Models to Master 16000+ Real-world APIs"
(ICLR 2024), section 4.2, which tries again until the cost of the search is reached. Deviations: what is left
of the budget is shared evenly among the tries to come; an answer that directly follows a dead end does not
end the tries; there is no further try after one that wrote, or in which somebody refused a call.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import fields, replace
from typing import Any, cast

from toolhaft.errors import PluginError, ToolhaftError, UsageError
from toolhaft.models.base import Model
from toolhaft.planners.base import Planner
from toolhaft.planners.choice import End, choose
from toolhaft.planners.evidence import is_doubtful, weigh
from toolhaft.tools.budget import BudgetMeter
from toolhaft.tools.context import RunContext
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import (
    Budget,
    CallFinished,
    CallStarted,
    Event,
    RolloutFinished,
    RolloutStarted,
    Step,
    StepFinished,
    Task,
    Trajectory,
)

MOST_TRIES = 100


class Tries(Planner):
    """Independent tries of a planner; the first that answers is taken.

    Each try draws from the seed plus its number, and knows nothing of those before, but that no write of
    theirs is made again. An answer that directly follows a dead end does not end the tries. If none answers,
    the end is chosen as in a search. There is no further try after one that asks the user, that the model
    declined, in which a call was refused, or that wrote something: a fresh start would not know of it.

    Args:
        planner: Makes each try.
        tries: How many at most, 1 to 100.
        past_writes: Whether to try again after a try that wrote.

    Raises:
        UsageError: ``tries`` is out of range.
    """

    def __init__(self, planner: Planner, tries: int, *, past_writes: bool = False) -> None:
        if isinstance(tries, bool) or not isinstance(tries, int) or not 1 <= tries <= MOST_TRIES:
            raise UsageError(
                f"the number of tries is {str(tries)[:20]}",
                where=f"planner {planner.name}@n",
                hint=f"Give 1 to {MOST_TRIES}",
            )
        self.planner = planner
        self.tries = tries
        self.past_writes = past_writes
        self.name = f"{planner.name}@{tries}"

    async def rollout(
        self, task: Task, tools: ToolSet, model: Model, context: RunContext
    ) -> AsyncIterator[Event]:
        """Carry out the task; see `Planner.rollout`."""
        yield RolloutStarted(task=task, planner=self.name, model=model.name)
        meter, whole, seed = context.meter, context.meter.budget, context.seed
        made: list[Trajectory] = []
        try:
            while not self._is_enough(made, meter, whole):
                context.seed = seed + len(made)
                meter.budget = _share(whole, meter, self.tries - len(made))
                async with aclosing(self._try(made, task, tools, model, context)) as events:
                    async for event in events:
                        yield event
                for step in made[-1].steps:
                    context.memory.abandon(step.calls)
            context.seed, meter.budget = seed, whole
            yield RolloutFinished(trajectory=_join(made, self.name, context))
        except ToolhaftError:
            context.seed, meter.budget = seed, whole
            if made:
                yield RolloutFinished(trajectory=_join(made, self.name, context))
            raise
        finally:
            context.seed, meter.budget = seed, whole

    async def _try(
        self, made: list[Trajectory], task: Task, tools: ToolSet, model: Model, context: RunContext
    ) -> AsyncGenerator[Event, None]:
        """Make one try, with its steps numbered after those of the tries before."""
        offset = sum(len(trajectory.steps) for trajectory in made)
        count = len(made)
        events = self.planner.rollout(task, tools.branch(), model, context)
        async with aclosing(cast("AsyncGenerator[Event, None]", events)) as own:
            async for event in own:
                if isinstance(event, RolloutFinished):
                    made.append(event.trajectory)
                elif isinstance(event, CallStarted | CallFinished):
                    yield replace(event, step=event.step + offset)
                elif isinstance(event, StepFinished):
                    yield replace(event, step=_move(event.step, offset))
                elif not isinstance(event, RolloutStarted):
                    yield event
        if len(made) == count:
            raise PluginError(f"the planner {self.planner.name!r} ended without a trajectory")

    def _is_enough(self, made: list[Trajectory], meter: BudgetMeter, whole: Budget) -> bool:
        if not made:
            return False
        last = made[-1]
        if len(made) == self.tries or meter.cut_short or last.status in ("refused", "cancelled", "error"):
            return True
        if last.status in ("answered", "asked") and not is_doubtful(last.path()):
            return True
        evidence = [weigh(step.calls, step.observations) for step in last.steps]
        # A fresh start would ask for leave again, until somebody says yes.
        if any(found.refused or (found.wrote and not self.past_writes) for found in evidence):
            return True
        return any(left <= 0 for left in _left(whole, meter).values())


def _left(whole: Budget, meter: BudgetMeter) -> dict[str, float]:
    """Return what is left of each quantity that is limited."""
    spent: dict[str, float] = {
        "steps": meter.steps,
        "model_calls": meter.model_calls,
        "tool_calls": meter.tool_calls,
        "tokens": meter.input_tokens + meter.output_tokens,
        "cost": meter.cost,
        "seconds": meter.elapsed(),
    }
    limits = {field.name: getattr(whole, field.name) for field in fields(whole)}
    # A rollout may go on without tool calls: that none is left does not end it.
    return {
        name: limit - spent[name]
        for name, limit in limits.items()
        if limit is not None and (name != "tool_calls" or limit > spent[name])
    }


def _share(whole: Budget, meter: BudgetMeter, tries: int) -> Budget:
    """Return the budget up to which the next of so many tries may spend."""
    limits: dict[str, Any] = {}
    for name, left in _left(whole, meter).items():
        limit = getattr(whole, name)
        counted = isinstance(limit, int) and name not in ("cost", "seconds")
        limits[name] = limit - (left - (-(-left // tries) if counted else left / tries))
    return replace(whole, **limits)


def _join(made: list[Trajectory], name: str, context: RunContext) -> Trajectory:
    """Return one trajectory whose roots are the tries, with the answer of the one that is taken."""
    ends = [_end(number, trajectory) for number, trajectory in enumerate(made)]
    # What broke the last try off broke off the whole.
    taken = len(made) - 1
    if made[-1].status not in ("error", "cancelled"):
        end = choose(ends)
        taken = end.step if end is not None else taken
    steps: list[Step] = []
    answer_step = None
    for number, trajectory in enumerate(made):
        if number == taken and trajectory.answer_step is not None:
            answer_step = trajectory.answer_step + len(steps)
        offset = len(steps)
        steps += [_move(step, offset, abandoned=number != taken) for step in trajectory.steps]
    chosen, last = made[taken], made[-1]
    return replace(
        last,
        steps=tuple(steps),
        answer=chosen.answer,
        answer_step=answer_step,
        status=chosen.status,
        error=(last.error or chosen.error) if chosen.error is not None else None,
        tools=tuple({spec.name: spec for trajectory in made for spec in trajectory.tools}.values()),
        usage=context.meter.usage(),
        budget=context.meter.budget,
        seed=context.seed,
        planner=name,
        started=made[0].started,
    )


def _end(number: int, trajectory: Trajectory) -> End:
    path = trajectory.path()
    evidence = [weigh(step.calls, step.observations) for step in path]
    answered = trajectory.status in ("answered", "asked")
    return End(
        step=number,
        status=trajectory.status,
        answer=trajectory.answer,
        doubted=answered and is_doubtful(path),
        writes=sum(found.wrote for found in evidence),
        productive=sum(found.productive for found in evidence),
        length=len(path),
    )


def _move(step: Step, offset: int, *, abandoned: bool = False) -> Step:
    parent = step.parent + offset if step.parent is not None else None
    status = step.status
    if abandoned and status in ("continued", "answered"):
        status = "abandoned"
    return replace(step, id=step.id + offset, parent=parent, status=status)
