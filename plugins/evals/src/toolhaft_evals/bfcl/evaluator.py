"""The evaluator ``bfcl``: are the calls those that the question accepts?"""

from __future__ import annotations

from typing import Any, Literal, cast, get_args

from toolhaft.errors import UsageError
from toolhaft.evaluators.base import Evaluator
from toolhaft.evaluators.prediction import made_calls
from toolhaft.types import Score, Task, Trajectory
from toolhaft_evals.bfcl.checker import CheckResult, Names, check_calls
from toolhaft_evals.bfcl.data import CATEGORIES, RELEVANCE, check_category
from toolhaft_evals.bfcl.decoding import Decoded, decode_text


class BFCL(Evaluator):
    """1 if the calls are acceptable, else 0; without acceptable ones, 1 if there is none.

    Of ``live_relevance`` any call is right.

    The calls of a trajectory may come in several steps. Where there is none, its answer is decoded, and
    one that cannot be is no abstention.

    Args:
        names: How models write dotted names; a prediction whose ``metadata["names"]`` says it is believed.
        strings: ``lenient`` ignores case, blanks and ``,./-_*^``.
        compatible: See `toolhaft_evals.bfcl.checker.check_calls`.

    Raises:
        UsageError: There is no such policy.

    Source: Patil et al., "The Berkeley Function Calling Leaderboard" (2025). Deviation: of irrelevance, what
    cannot be decoded is a failure; calls in several steps count as calls in parallel.
    """

    name = "bfcl"

    def __init__(
        self,
        *,
        names: Names = "dotted",
        strings: Literal["lenient", "strict"] = "lenient",
        compatible: bool = False,
    ) -> None:
        check_calls((), (), (), names=names, strings=strings)
        self._names: Names = names
        self._strings = strings
        self._compatible = compatible

    def check_task(self, task: Task) -> None:
        """Raise `UsageError` if the task has no functions and answers, or its category is not there yet."""
        check_category(str(task.metadata.get("category", CATEGORIES[0])))
        for name in ("functions", "possible_answer"):
            if not isinstance(task.metadata.get(name), list):
                raise UsageError(
                    f"bfcl needs metadata.{name}", where=f"task {task.id}", hint="Read tasks with load_tasks"
                )

    async def evaluate(self, task: Task, trajectory: Trajectory) -> Score:
        """Return 1 or 0, with the first mismatch in ``details``."""
        self.check_task(task)
        decoded = _decoded(trajectory)
        expected = task.metadata["possible_answer"]
        if not expected:
            return self._score_decision(decoded, wanted=task.metadata.get("category") == RELEVANCE)
        if decoded.problem:
            return self._score(CheckResult(valid=False), "parse_failure", decoded.problem, decoded)
        if decoded.abstained:
            return self._score(CheckResult(valid=False), "abstained", "no call was made", decoded)
        found = check_calls(
            task.metadata["functions"],
            decoded.calls,
            expected,
            names=_names_of(trajectory, self._names),
            strings=self._strings,
            compatible=self._compatible,
        )
        kind = "passed" if found.mismatch is None else found.mismatch.kind
        return self._score(found, kind, str(found.mismatch or "the calls are acceptable"), decoded)

    def _score_decision(self, decoded: Decoded, *, wanted: bool) -> Score:
        """Score whether a call was made at all, where no answer says which."""
        outcome = "parse_failure" if decoded.problem else "abstained" if decoded.abstained else "called"
        fits = "a function fits" if wanted else "no function fits"
        right = float(outcome == ("called" if wanted else "abstained"))
        return Score(
            name="bfcl",
            value=right,
            reason=decoded.problem or f"{'no' if decoded.abstained else 'a'} call was made, and {fits}",
            details={"calls": _shown(decoded)},
            evaluator=self.name,
            parts={"decision": right},
            outcome=outcome,
        )

    def _score(self, found: CheckResult, outcome: str, reason: str, decoded: Decoded) -> Score:
        total = found.expected or 1
        mismatch = found.mismatch
        details: dict[str, Any] = {"calls": _shown(decoded)}
        if mismatch is not None:
            details["mismatch"] = {
                "kind": mismatch.kind,
                "where": mismatch.where,
                "expected": mismatch.expected,
                "found": mismatch.found,
            }
        return Score(
            name="bfcl",
            value=float(found.valid),
            reason=reason,
            details=details,
            evaluator=self.name,
            parts={"functions": found.functions / total, "calls": found.matched / total},
            outcome=outcome,
        )


def _decoded(trajectory: Trajectory) -> Decoded:
    steps = trajectory.path()
    asked = [call for step in steps for call in step.calls]
    if not asked:
        return decode_text(trajectory.answer)
    if problems := [call.problem for call in asked if call.problem]:
        return Decoded(problem=problems[0])
    return Decoded(calls=tuple({call.name: call.arguments} for call in made_calls(trajectory)))


def _names_of(trajectory: Trajectory, default: Names) -> Names:
    said = trajectory.settings.get("prediction")
    found = said.get("names") if isinstance(said, dict) else None
    return cast(Names, found) if found in get_args(Names) else default


def _shown(decoded: Decoded) -> list[dict[str, Any]]:
    return [dict(call) for call in decoded.calls[:20]]
