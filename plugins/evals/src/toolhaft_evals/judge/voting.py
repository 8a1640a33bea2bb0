"""What pass rate and win rate share: a judge that votes within a budget, and whose votes are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from toolhaft.errors import BudgetExceededError, UsageError
from toolhaft.evaluators.base import Evaluator
from toolhaft.models.base import Model
from toolhaft.types import Budget, Task
from toolhaft_evals.judge.asking import Judge
from toolhaft_evals.judge.rule import RuleJudge, has_rule
from toolhaft_evals.judge.stored import Ballot, Judgements, key_of
from toolhaft_evals.judge.verdict import FAILED

_MOST_VOTES = 101


class VotingEvaluator(Evaluator):
    """An evaluator that asks a judge.

    Args:
        judge: A model, or its name; ``replay:FILE`` answers from a recording. It is opened when it is asked.
        votes: How often each answer is judged.
        rule: Whether a task's own check decides where it has one, and no model is asked.
        budget: Of the judge, over all answers.
        judgements: A file in which ballots are kept, and from which they are taken if it has them.
        seed: Of the first vote.

    Raises:
        UsageError: ``votes`` makes no sense.
        FormatError: The file of judgements is damaged.
    """

    def __init__(
        self,
        *,
        judge: str | Model = "auto",
        votes: int,
        rule: bool = True,
        budget: Budget | Mapping[str, Any] | None = None,
        judgements: Path | str | None = None,
        seed: int = 0,
    ) -> None:
        if isinstance(votes, bool) or not isinstance(votes, int) or not 1 <= votes <= _MOST_VOTES:
            raise UsageError(f"votes is {votes!r}", hint=f"Give a whole number from 1 to {_MOST_VOTES}")
        self.judge = Judge(judge, budget=budget, seed=seed)
        self.votes = votes
        self.rule = RuleJudge() if rule else None
        self._judgements = Judgements(judgements)

    def check_task(self, task: Task) -> None:
        """Raise `UsageError` if the task's own check cannot hold."""
        if self.rule is not None and has_rule(task):
            self.rule.check_task(task)

    async def ballots(
        self, task: Task, material: Any, cast: Callable[[int], Awaitable[Ballot]]
    ) -> tuple[Ballot, ...]:
        """Return the ballots on an answer: those that are kept, else new ones.

        They are kept if they are whole; a judge that could not be reached is asked again next time.

        Args:
            task: What was asked.
            material: What is judged and how, as JSON values: other material is another question.
            cast: Casts the ballot of a number, from 0.

        Raises:
            BudgetExceededError: The budget is used up before the first ballot is whole.
        """
        key = key_of(task.id, self.votes, self.judge.name, material)
        found = self._judgements.find(key)
        if found is not None:
            return found
        ballots: list[Ballot] = []
        for number in range(self.votes):
            try:
                ballots.append(await cast(number))
            except BudgetExceededError:
                if not ballots:
                    raise
                return tuple(ballots)
        if not any(vote.problem.startswith(FAILED) for ballot in ballots for vote in ballot):
            self._judgements.keep(key, task.id, ballots)
        return tuple(ballots)
