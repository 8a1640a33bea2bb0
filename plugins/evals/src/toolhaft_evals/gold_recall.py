"""Were the tools that are needed really used?"""

from __future__ import annotations

from toolhaft.errors import UsageError
from toolhaft.evaluators.base import Evaluator
from toolhaft.evaluators.prediction import made_calls
from toolhaft.types import Score, Task, Trajectory
from toolhaft_evals.scope import Scope, check_scope, steps_in


class GoldRecall(Evaluator):
    """The share of a task's gold tools that were called with success at least once.

    Of a prediction, which nobody carried out, every call counts that can be read.

    Arguments are not compared, and calls beyond the gold ones cost nothing: a rollout that calls every
    tool there is reaches 1, so read it beside the number of calls in the score's details.

    Args:
        scope: ``path`` counts calls on the way to the answer, ``trajectory`` those on abandoned
            branches too.
    """

    name = "gold-recall"

    def __init__(self, *, scope: Scope = "path") -> None:
        check_scope(scope)
        self._scope: Scope = scope

    async def evaluate(self, task: Task, trajectory: Trajectory) -> Score:
        """Return found over needed, in [0, 1].

        Raises:
            UsageError: The task names neither gold tools nor gold calls.
        """
        needed = _gold_tools(task)
        if not needed:
            raise UsageError(
                "gold-recall needs the tools that a good solution uses",
                where=f"task {task.id}",
                hint="Give the task gold.tools or gold.calls",
            )
        steps = steps_in(trajectory, self._scope)
        succeeded = {call.name for call in made_calls(trajectory, steps)}
        found = [name for name in needed if name in succeeded]
        missing = [name for name in needed if name not in succeeded]
        reason = f"{len(found)} of {len(needed)} gold tools were called with success"
        return Score(
            name="gold_recall",
            value=len(found) / len(needed),
            reason=f"{reason}; missing: {', '.join(missing)}" if missing else reason,
            details={
                "found": found,
                "missing": missing,
                "calls": sum(len(step.calls) for step in steps),
                "scope": self._scope,
            },
            evaluator=self.name,
        )


def _gold_tools(task: Task) -> tuple[str, ...]:
    """Return the names of gold tools and of the tools of gold calls, each once."""
    if task.gold is None:
        return ()
    return tuple(dict.fromkeys([*task.gold.tools, *(call.name for call in task.gold.calls)]))
