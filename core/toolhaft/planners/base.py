"""The search over tool calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator

from toolhaft.models.base import Model
from toolhaft.tools.context import RunContext
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import Event, Task


class Planner(ABC):
    """Carries out a task by calling tools."""

    name: str = ""

    @abstractmethod
    def rollout(self, task: Task, tools: ToolSet, model: Model, context: RunContext) -> AsyncIterator[Event]:
        """Yield what happens; the last event is a `toolhaft.types.RolloutFinished`.

        Args:
            task: The instruction; its ``gold`` must not be read.
            tools: What may be called; read it anew each step, it may grow.
            model: Who decides.
            context: Seed, budget, policy, artifacts and labels of this rollout.
        """
