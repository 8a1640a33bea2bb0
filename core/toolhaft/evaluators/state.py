"""Was the task done? Judged by the state that was left and the answer that was given."""

from __future__ import annotations

from toolhaft.errors import UsageError
from toolhaft.evaluators.base import Evaluator
from toolhaft.evaluators.gold import check_gold
from toolhaft.evaluators.state_check import UNFINISHED, check
from toolhaft.types import Score, Task, Trajectory


class StateEvaluator(Evaluator):
    """1 if the end state and the answer are what the task's gold says, else 0; no judge is asked.

    A task with ``gold.asks`` is done only by a question to the user that mentions each entry, one that is
    not solvable only by saying so; in both, the rows of ``gold.state`` must hold as well. The language of
    the rows is described in ``docs/explanation/world.md``.

    Source: end states as the measure of tool use: Yao et al., "tau-bench" (2024), section 3; deviation:
    rows that must hold instead of one whole database, so that any way which leads there is accepted.
    """

    name = "state"

    def check_task(self, task: Task) -> None:
        """Raise `UsageError` if the gold has nothing to check or cannot hold."""
        check_gold(task)

    async def evaluate(self, task: Task, trajectory: Trajectory) -> Score:
        """Return 1 or 0, with the checks that do not hold in ``details["failed"]``.

        Raises:
            UsageError: The gold has nothing to check or cannot hold, or the trajectory has no end state
                though the gold is about it.
        """
        stateful = task.gold is not None and bool(task.gold.state)
        if stateful and trajectory.final_state is None and trajectory.status not in UNFINISHED:
            raise UsageError(
                "the end state is not in the trajectory, so it cannot be checked",
                where=f"task {task.id}",
                hint="Pass final_state= to Agent.run",
            )
        return check(task, trajectory.answer, trajectory.final_state or {}, status=trajectory.status)
