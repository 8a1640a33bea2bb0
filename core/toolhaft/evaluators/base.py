"""Scoring what was done."""

from __future__ import annotations

from abc import ABC, abstractmethod

from toolhaft.types import Score, Task, Trajectory


class Evaluator(ABC):
    """Scores a trajectory against its task."""

    name: str = ""

    def check_task(self, task: Task) -> None:
        """Raise if a task lacks what this evaluator needs; asked before anything is spent on it.

        Raises:
            UsageError: It does, for example gold tools.
        """

    @abstractmethod
    async def evaluate(self, task: Task, trajectory: Trajectory) -> Score:
        """Return a figure in [0, 1] with its reason.

        Raises:
            UsageError: The task lacks what this evaluator needs, for example gold tools.
        """
