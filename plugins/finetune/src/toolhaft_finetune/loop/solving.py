"""Tasks carried out by their own gold calls through the planner: where the training rows come from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolhaft.agent import Agent
from toolhaft.evaluators.state import StateEvaluator
from toolhaft.generators.rows import row_of
from toolhaft.generators.solutions import PlaybackModel
from toolhaft.models.base import Model
from toolhaft.planners.react import ReAct
from toolhaft.retrievers.base import Retriever
from toolhaft.types import Scored, Task, ToolSpec, Trajectory
from toolhaft.world.approval import approver_of
from toolhaft_finetune.loop.settings import SYSTEM, K

if TYPE_CHECKING:
    from toolhaft.world.server import World

_AT_ONCE = 8
_BUDGET = {"steps": 3, "model_calls": 3, "tool_calls": 4}


class Indexed(Retriever):
    """A retriever that was given its tools already, for agents that all have the same."""

    def __init__(self, retriever: Retriever) -> None:
        self.name = retriever.name
        self._retriever = retriever

    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Do nothing."""

    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return what the retriever finds."""
        return await self._retriever.retrieve(query, k)


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """A task with what came of it.

    Attributes:
        passed: Whether the state check passed.
        offered: Whether the search offered the gold tool.
    """

    task: Task
    trajectory: Trajectory
    passed: bool
    offered: bool


async def solve(world: World, tasks: Sequence[Task], retriever: Retriever) -> AsyncIterator[Solved]:
    """Carry tasks out by their gold calls, each in a run of its own, and check the state they leave.

    Args:
        world: Started.
        tasks: Each with one gold call.
        retriever: With the world's tools indexed.
    """
    for start in range(0, len(tasks), _AT_ONCE):
        part = tasks[start : start + _AT_ONCE]
        runs = [_solve_one(world, task, f"solve-{number}", retriever) for number, task in enumerate(part)]
        for solved in await asyncio.gather(*runs):
            yield solved


async def _solve_one(world: World, task: Task, run: str, retriever: Retriever) -> Solved:
    trajectory = await roll_out(world, task, run, model=_playback(task), retriever=retriever)
    score = await StateEvaluator().evaluate(task, trajectory)
    first = trajectory.steps[0].offered if trajectory.steps else ()
    wanted = task.gold.tools if task.gold is not None else ()
    return Solved(
        task=task, trajectory=trajectory, passed=score.value == 1.0, offered=set(wanted) <= set(first)
    )


async def roll_out(world: World, task: Task, run: str, *, model: Model, retriever: Retriever) -> Trajectory:
    """Carry a task out in a run of its own, as the models do when they are evaluated.

    Args:
        world: Started.
        task: What is to be done.
        run: Name of the run.
        model: Who decides.
        retriever: With the world's tools indexed.
    """
    from toolhaft.secrets import SecretStore

    await world.prepare(run, task)
    catalog = await world.catalog(run)
    agent = Agent(
        catalog,
        model=model,
        planner=ReAct(system=SYSTEM),
        retriever=Indexed(retriever),
        k=K,
        budget=_BUDGET,
        allow="write",
        approver=approver_of(task),
        secrets=SecretStore(world.secrets),
    )
    try:
        done = await agent.run(task, final_state=lambda: world.state(run, task))
        return done.trajectory
    finally:
        await catalog.close()
        await world.reset(run)


def make_row(solved: Solved) -> dict[str, Any]:
    """Return the training row of a task: what the model was shown and said, and what made it."""
    return row_of(solved.trajectory, system=SYSTEM)


def _playback(task: Task) -> PlaybackModel:
    calls = task.gold.calls if task.gold is not None else ()
    return PlaybackModel(calls, str(task.metadata.get("solution", {}).get("answer") or "It is done."))
