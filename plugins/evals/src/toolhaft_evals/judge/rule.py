"""The judge that needs no model: the task's own check, where it has one."""

from __future__ import annotations

from dataclasses import replace

from toolhaft.evaluators.base import Evaluator
from toolhaft.evaluators.gold import check_gold
from toolhaft.evaluators.state import StateEvaluator
from toolhaft.types import Score, Task, Trajectory


class RuleJudge(Evaluator):
    """Decides by the end state, the facts and the questions that a task's gold asks for; never by a model."""

    name = "rule"

    def __init__(self) -> None:
        self._check = StateEvaluator()

    def check_task(self, task: Task) -> None:
        """Raise `UsageError` if the task has no check, or one that cannot hold."""
        self._check.check_task(task)

    async def evaluate(self, task: Task, trajectory: Trajectory) -> Score:
        """Return 1 or 0; raises as `toolhaft.evaluators.state.StateEvaluator` does."""
        found = await self._check.evaluate(task, trajectory)
        return replace(found, name="rule", evaluator=self.name, details={**found.details, "judge": "rule"})


def has_rule(task: Task) -> bool:
    """Return whether a task has a check of its own.

    Raises:
        UsageError: It has one that cannot hold.
    """
    gold = task.gold
    if gold is None or not (gold.state or gold.facts or gold.asks or not gold.solvable):
        return False
    check_gold(task)
    return True
