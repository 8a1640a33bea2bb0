"""Could the calls be made as the model wrote them?"""

from __future__ import annotations

from toolhaft.errors import InvalidArgumentsError, SpecError
from toolhaft.evaluators.base import Evaluator
from toolhaft.tools.schema import ArgumentChecker
from toolhaft.types import Score, Step, Task, ToolCall, ToolSpec, Trajectory
from toolhaft_evals.scope import Scope, check_scope, steps_in

_SHOWN = 20


class SchemaValidity(Evaluator):
    """The share of calls that name an offered tool and fit its JSON Schema.

    A rollout without calls scores 1, for nothing in it is invalid; its details say ``calls: 0``, so that
    it can be told apart. Arguments that had to be mended before they parsed count as invalid.

    Args:
        scope: ``trajectory`` counts every call the model made, ``path`` those on the way to the answer.
    """

    name = "schema-validity"

    def __init__(self, *, scope: Scope = "trajectory") -> None:
        check_scope(scope)
        self._scope: Scope = scope

    async def evaluate(self, task: Task, trajectory: Trajectory) -> Score:
        """Return valid over all calls, in [0, 1]."""
        specs = {spec.name: spec for spec in trajectory.tools}
        checker = ArgumentChecker()
        problems = [
            (call.name, _problem(call, step, specs, checker))
            for step in steps_in(trajectory, self._scope)
            for call in step.calls
        ]
        invalid = [{"tool": name, "problem": problem} for name, problem in problems if problem]
        calls, valid = len(problems), len(problems) - len(invalid)
        reason = f"{valid} of {calls} calls were valid" if calls else "no calls were made"
        return Score(
            name="schema_validity",
            value=valid / calls if calls else 1.0,
            reason=f"{reason}; first: {invalid[0]['tool']}: {invalid[0]['problem']}" if invalid else reason,
            details={"calls": calls, "valid": valid, "invalid": invalid[:_SHOWN], "scope": self._scope},
            evaluator=self.name,
        )


def _problem(call: ToolCall, step: Step, specs: dict[str, ToolSpec], checker: ArgumentChecker) -> str:
    """Return why a call is invalid, or nothing."""
    spec = specs.get(call.name)
    if spec is None or (step.offered and call.name not in step.offered):
        return "the tool was not offered"
    if call.problem:
        return f"the arguments could not be read: {call.problem}"
    if call.repaired:
        return "the arguments had to be mended"
    try:
        checker.check(spec, call.arguments)
    except InvalidArgumentsError as error:
        return error.what
    except SpecError as error:
        return f"the tool's own schema is broken: {error.what}"
    return ""
