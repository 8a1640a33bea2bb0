"""Did a rollout end with an answer, as ToolBench counts it?"""

from __future__ import annotations

from toolhaft.evaluators.base import Evaluator
from toolhaft.types import Score, Task, Trajectory


class ValidFinish(Evaluator):
    """Whether the rollout came to an answer by itself, and the answer is not empty.

    It is the precondition of every judged figure, and no more: whether the answer is right, it does not say.

    Source: Qin et al., "ToolLLM" (ICLR 2024), the flag ``win`` of the answer files. Deviation: an empty
    answer does not count.
    """

    name = "valid-finish"

    async def evaluate(self, task: Task, trajectory: Trajectory) -> Score:
        """Return 1 for an answer, 0 for anything else."""
        finished = trajectory.status in ("answered", "asked")
        said = bool(trajectory.answer.strip())
        reason = "it ended with an answer" if finished and said else f"it ended as {trajectory.status}"
        if finished and not said:
            reason = "the answer is empty"
        return Score(
            name="valid_finish",
            value=float(finished and said),
            reason=reason,
            details={"status": trajectory.status, "steps": len(trajectory.steps)},
            evaluator=self.name,
        )
