"""DFSDT: depth-first search over decisions. What leads nowhere is taken back, and decided otherwise.

Source: Qin et al., "ToolLLM: Facilitating Large Language Models to Master 16000+ Real-world APIs" (ICLR
2024), section 3.1 and appendix A.5. Deviations: the search is a state machine (`toolhaft.planners.tree`);
depth counts rounds; the budget is asked before anything is spent; repeated calls are noticed; it does not go
back past a write that succeeded or a call that was refused; an answer that directly follows a dead end is
kept, and something better is looked for; when nothing is left to try, the search grows wider, after Ginsberg
and Harvey, "Iterative Broadening" (Artificial Intelligence 55, 1992); of several ends the same one is always
taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import asdict, replace
from typing import Literal

from toolhaft.errors import BudgetExceededError, ToolhaftError
from toolhaft.models.base import Model
from toolhaft.planners.base import Planner
from toolhaft.planners.profile import TOOLBENCH, Profile
from toolhaft.planners.prompts import prompt
from toolhaft.planners.record import Record
from toolhaft.planners.search import Search
from toolhaft.tools.context import RunContext
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import Event, RolloutFinished, RolloutStarted, Status, Task


class DFSDT(Planner):
    """Depth-first search over decisions.

    Args:
        system: Replaces the system prompt (``planners/prompts/dfsdt_system.txt``).
        width: Decisions that are tried at one point at first, at least 1.
        widest: Decisions that are tried at one point at last. When nothing is left to try, the width grows
            by one and the search goes on at the deepest point where the model may have more ideas; it does
            not grow if this is no more than ``width``. ``width=1, widest=1`` is a path.
        depth: Rounds from the start, or from the last write that stands, at which a path is cut.
        counting: What ``depth`` counts: ``rounds``, or ``nodes`` (one for a thought, two for each call).
        back_off: Rounds that a give-up takes back, itself included.
        answers: Answers after which the search ends; the first is taken.
        model_calls: Most requests to the model, beside the budget.
        past_writes: Whether the search goes back past a write that succeeded. If so, it is not repeated, and
            the model is told of it.
        doubt: Whether it looks for something better than an answer that directly follows a dead end.
        repeats: Whether calls that were made before at this point, or on this path, are made again.

    Raises:
        UsageError: A number is less than 1, or a setting is none of its values.
    """

    name = "dfsdt"

    def __init__(
        self,
        *,
        system: str | None = None,
        width: int = 2,
        widest: int = 4,
        depth: int = 12,
        counting: Literal["rounds", "nodes"] = "rounds",
        back_off: int = 2,
        answers: int = 1,
        model_calls: int | None = None,
        past_writes: bool = False,
        doubt: bool = True,
        repeats: bool = False,
    ) -> None:
        self.system = system if system is not None else prompt("dfsdt_system")
        self.profile = Profile(
            width=width,
            widest=widest,
            depth=depth,
            counting=counting,
            back_off=back_off,
            answers=answers,
            model_calls=model_calls,
            past_writes=past_writes,
            doubt=doubt,
            repeats=repeats,
        )

    async def rollout(
        self, task: Task, tools: ToolSet, model: Model, context: RunContext
    ) -> AsyncIterator[Event]:
        """Carry out the task; see `Planner.rollout`."""
        task = context.receive(task)
        context.settings = {**context.settings, "search": asdict(self.profile)}
        record = Record(task, context, planner=self.name, model=model.name)
        search = Search(self.profile, self.system, task, tools, model, context, record)
        yield RolloutStarted(task=task, planner=self.name, model=model.name)
        try:
            while search.tree.status == "searching":
                async with aclosing(search.step()) as events:
                    async for event in events:
                        yield event
            yield await self._finish(search, None)
        except BudgetExceededError as error:
            yield await self._finish(search, "budget", error)
        except asyncio.CancelledError:
            if not context.absorb_cancellation():
                raise
            yield await self._finish(search, "cancelled")
        except ToolhaftError as error:
            yield await self._finish(search, "error", error)
            raise

    async def _finish(
        self, search: Search, broken_off: Status | None, error: ToolhaftError | None = None
    ) -> RolloutFinished:
        """Settle which end is taken, and return the last event.

        Args:
            search: The search as it stands.
            broken_off: Why it did not come to its own end, if so.
            error: What broke it off.
        """
        end = search.settle()
        search.context.settings["search"] |= {"ended": broken_off or search.tree.status}
        # A spent budget ends the search for something better; what it had in hand is its end all the same.
        if end is not None and broken_off in (None, "budget"):
            return await search.record.finish(end.status, answer=end.answer, answer_step=end.step)
        status: Status = broken_off or ("loop" if search.went_in_circles else "gave_up")
        return await search.record.finish(
            status,
            answer=end.answer if end is not None else search.last_thought,
            answer_step=end.step if end is not None else None,
            error=error,
        )


class ToolBenchDFSDT(DFSDT):
    """The search as ToolBench runs it: 12 nodes, width 2, 200 calls, back-off 2.

    Source: as for `DFSDT`. It asks the model at the same points and in the same order as the reference.
    Deviations: there is no function ``Finish``, a message without calls is the answer and ``GIVE UP`` gives
    up; siblings are asked for through ``avoid``; the call that would exceed the budget is not made instead
    of being thrown away; the environment is not copied, so writes of abandoned branches are not repeated and
    reads are reused until something is written; the search does not go back past a call that was refused; a
    give-up is taken by rule and not by lot, and is none of the answers.

    Args:
        system: Replaces the system prompt.
        model_calls: Most requests to the model.
    """

    name = "dfsdt-toolbench"

    def __init__(self, *, system: str | None = None, model_calls: int = 200) -> None:
        super().__init__(system=system)
        self.profile = replace(TOOLBENCH, model_calls=model_calls)
