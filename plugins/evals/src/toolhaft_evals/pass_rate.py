"""Pass rate: does the answer do what was asked, by the votes of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

from toolhaft.errors import UsageError
from toolhaft.evaluators.bootstrap import bootstrap_interval
from toolhaft.evaluators.statistics import FEWEST
from toolhaft.models.base import Model
from toolhaft.types import Budget, Score, Task, Trajectory
from toolhaft_evals.judge.counting import Method, answer_status, count
from toolhaft_evals.judge.prompts import prompt
from toolhaft_evals.judge.quoting import path_text, section, tools_text
from toolhaft_evals.judge.rule import has_rule
from toolhaft_evals.judge.stored import Ballot
from toolhaft_evals.judge.voting import VotingEvaluator

_FINISHED = ("answered", "asked", "gave_up")
_PROMPTS = ("pass_answer", "pass_path", "solvable")


class PassRate(VotingEvaluator):
    """Solved 1, Unsure 0.5, Unsolved 0, as the mean of several votes.

    An answer that is empty, and a rollout that came to no answer, is Unsolved without a question. Where the
    first look says Unsure, the judge sees the calls and what came back, too. Every vote stands in the score's
    details; one without a verdict counts for nothing and is reported.

    Source: Guo et al., "StableToolBench" (arXiv 2403.07714), section 4.2 (SoPR). With ``legacy=True`` the
    decision table of Qin et al., "ToolLLM" (ICLR 2024), with the released evaluator's rules: no Finish fails;
    a give-up or an empty answer is Unsolved; whether the task can be solved is asked where the answer is not
    Solved; a majority of votes passes. Deviations: prompts in our words; half a point in place of a coin;
    a tie of votes passes, as in the printed rate of the reference, not by lot.

    Args:
        legacy: Use ToolBench's table.
        votes: How often each answer is judged; for this and the others see `VotingEvaluator`.
    """

    name = "pass-rate"

    def __init__(
        self,
        *,
        legacy: bool = False,
        judge: str | Model = "auto",
        votes: int = 3,
        rule: bool = True,
        budget: Budget | Mapping[str, Any] | None = None,
        judgements: Path | str | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(judge=judge, votes=votes, rule=rule, budget=budget, judgements=judgements, seed=seed)
        self._method: Method = "legacy" if legacy else "sopr"

    async def evaluate(self, task: Task, trajectory: Trajectory) -> Score:
        """Return the score.

        Raises:
            BudgetExceededError: The judge's budget is used up before the first vote.
            ModelError: No vote has a verdict.
            UsageError: The judge is the built-in heuristic.
        """
        if self.rule is not None and has_rule(task):
            return await self.rule.evaluate(task, trajectory)
        if unjudged := self._unasked(trajectory):
            return unjudged
        shown = (task.instruction, trajectory.answer, trajectory.status, path_text(trajectory))
        digests = [prompt(name).digest for name in _PROMPTS]
        functions = tools_text(trajectory.tools) if self._method == "legacy" else ""
        ballots = await self.ballots(
            task,
            ("pass", self._method, digests, shown, functions),
            lambda number: self._ballot(task, trajectory, number),
        )
        return count(
            ballots,
            method=self._method,
            votes=self.votes,
            judge=self.judge.name,
            name="pass_rate",
            evaluator=self.name,
        )

    def _unasked(self, trajectory: Trajectory) -> Score | None:
        """Return the score of what needs no question, or None."""
        finished = trajectory.status in _FINISHED
        empty = not trajectory.answer.strip() or trajectory.status == "gave_up"
        if finished and (not empty or self._method == "legacy"):
            return None
        reason = f"it ended as {trajectory.status}, without an answer to judge"
        if finished and trajectory.status != "gave_up":
            reason = "the answer is empty"
        return Score(
            name="pass_rate",
            value=0.0,
            reason=reason,
            details={"judge": "none", "method": self._method},
            evaluator=self.name,
            parts={"solved": 0.0, "unsure": 0.0, "unsolved": 1.0, "mean_points": 0.0},
            outcome="" if trajectory.status == "gave_up" else "unsolved",
        )

    async def _ballot(self, task: Task, trajectory: Trajectory, number: int) -> Ballot:
        request = section("Request", task.instruction)
        answer = section("Final answer", trajectory.answer)
        ballot: Ballot = ()
        if trajectory.answer.strip() and trajectory.status != "gave_up":
            ballot = (await self.judge.ask(prompt("pass_answer"), (request, answer), number=number),)
            if answer_status(ballot) == "Unsure":
                path = section("What was done", path_text(trajectory), limit=10**6)
                shown = (request, path, answer)
                ballot += (await self.judge.ask(prompt("pass_path"), shown, number=number),)
        if self._method == "legacy" and answer_status(ballot) in ("Unsure", "Unsolved"):
            functions = section("Functions", tools_text(trajectory.tools), limit=10**6)
            ballot += (await self.judge.ask(prompt("solvable"), (request, functions), number=number),)
        return ballot


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRateSummary:
    """The scores of an arm together.

    Attributes:
        tasks: How many there are.
        mean: Of the scores, in [0, 1].
        low: Lower end of its 95 % bootstrap interval over tasks; likewise ``high``. None for too few tasks.
        runs: The mean of each vote over the tasks, as StableToolBench's runs are.
        deviation: Standard deviation of ``runs``.
        malformed: Votes without a verdict; ``missing`` those that were never cast.
    """

    tasks: int
    mean: float
    low: float | None
    high: float | None
    runs: tuple[float, ...]
    deviation: float
    malformed: int
    missing: int


def summarize(scores: Sequence[Score], *, seed: int = 0) -> PassRateSummary:
    """Return the pass rate of an arm from the scores of its tasks.

    A task that was decided without votes counts alike in every run; a vote without a verdict counts as the
    mean of the task's other votes.

    Args:
        scores: One for each task, from `PassRate`.
        seed: Of the bootstrap.

    Raises:
        UsageError: There are no scores.
    """
    if not scores:
        raise UsageError("there are no scores")
    values = [score.value for score in scores]
    low, high = bootstrap_interval(values, seed=seed) if len(values) >= FEWEST else (None, None)
    points = [list(score.details.get("points", ())) or [score.value] for score in scores]
    most = max(map(len, points))
    filled = [
        each * most if len(each) == 1 else [*each, *[fmean(each)] * (most - len(each))] for each in points
    ]
    runs = tuple(fmean(each[number] for each in filled) for number in range(most))
    return PassRateSummary(
        tasks=len(scores),
        mean=fmean(values),
        low=low,
        high=high,
        runs=runs,
        deviation=pstdev(runs),
        malformed=sum(int(score.details.get("malformed", 0)) for score in scores),
        missing=sum(int(score.details.get("missing", 0)) for score in scores),
    )
