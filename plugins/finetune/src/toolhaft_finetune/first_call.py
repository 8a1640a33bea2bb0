"""Was the first call the right one, to the letter? The strictest thing that can be said of a small model."""

from __future__ import annotations

from toolhaft.errors import UsageError
from toolhaft.evaluators.base import Evaluator
from toolhaft.evaluators.match import equal_json
from toolhaft.types import Score, Task, ToolCall, Trajectory


class FirstCall(Evaluator):
    """1 if the first call has the name and the arguments of the first gold call, no more and no fewer.

    ``parts`` has ``tool`` (the right name) and ``arguments`` (all of them right, with the right name). What
    is called afterwards is nothing here, so a lucky second try does not count.
    """

    name = "first-call"

    def check_task(self, task: Task) -> None:
        """Raise `UsageError` if the task has no gold calls."""
        if task.gold is None or not task.gold.calls:
            raise UsageError(
                "first-call needs the call that a good solution begins with",
                where=f"task {task.id}",
                hint="Give the task gold.calls",
            )

    async def evaluate(self, task: Task, trajectory: Trajectory) -> Score:
        """Return 1 or 0, with the call that was made and the wanted one in ``details``.

        Raises:
            UsageError: The task has no gold calls.
        """
        self.check_task(task)
        wanted = task.gold.calls[0] if task.gold is not None else ToolCall(id="", name="")
        made = next((call for step in trajectory.path() for call in step.calls), None)
        named = made is not None and made.name == wanted.name
        right = (
            made is not None and named and not made.problem and equal_json(made.arguments, wanted.arguments)
        )
        return Score(
            name="first_call",
            value=float(right),
            reason=_reason(made, wanted, named=named, right=right),
            details={
                "made": {"name": made.name, "arguments": made.arguments} if made is not None else None,
                "wanted": {"name": wanted.name, "arguments": wanted.arguments},
            },
            evaluator=self.name,
            parts={"tool": float(named), "arguments": float(right)},
        )


def _reason(made: ToolCall | None, wanted: ToolCall, *, named: bool, right: bool) -> str:
    if made is None:
        return "no call was made"
    if right:
        return "the first call is the gold call"
    if not named:
        return f"{made.name[:64]} was called instead of {wanted.name}"
    if made.problem:
        return f"the arguments cannot be read: {made.problem[:100]}"
    names = [
        name
        for name in {**wanted.arguments, **made.arguments}
        if name not in made.arguments
        or name not in wanted.arguments
        or not equal_json(made.arguments[name], wanted.arguments[name])
    ]
    return f"the right tool with other arguments: {', '.join(name[:40] for name in names[:5])}"
