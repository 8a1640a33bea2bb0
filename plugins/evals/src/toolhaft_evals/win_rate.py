"""Win rate: which of two answers to the same task is better, by the votes of a model in both orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolhaft.errors import ModelError, UsageError
from toolhaft.evaluators.bootstrap import difference_interval
from toolhaft.evaluators.prediction import missing_trajectory
from toolhaft.evaluators.statistics import FEWEST, mcnemar, wilson
from toolhaft.models.base import Model
from toolhaft.types import Budget, Proportion, Score, Task, Trajectory, from_value, to_value
from toolhaft_evals.judge.prompts import prompt
from toolhaft_evals.judge.quoting import path_text, section
from toolhaft_evals.judge.rule import has_rule
from toolhaft_evals.judge.stored import Ballot
from toolhaft_evals.judge.verdict import Vote
from toolhaft_evals.judge.voting import VotingEvaluator

_ORDERS = ("reference", "candidate")
_WORTH = {"candidate": 1.0, "tie": 0.5, "reference": 0.0}


class WinRate(VotingEvaluator):
    """1 where the answer beats the reference's, 0 where it loses, 0.5 for a tie.

    Each vote is asked twice, with either answer first; more votes win. Without a question: a missing answer
    loses, and so does a rollout without an answer against one with; equal answers tie; where a task has a
    check of its own, that decides.

    Source: Qin et al., "ToolLLM" (ICLR 2024), section 3.2, the win rate. Deviations: prompts in our words;
    both orders are always asked; ties are ties, not lots; a missing answer stays in the denominator.

    Args:
        reference: The other arm: trajectories by task id, or a run's folder.
        votes: How often a pair is judged in both orders; for this and the others see `VotingEvaluator`.

    Raises:
        UsageError: The folder holds no run.
    """

    name = "win-rate"

    def __init__(
        self,
        *,
        reference: Mapping[str, Trajectory] | Path | str | None = None,
        judge: str | Model = "auto",
        votes: int = 1,
        rule: bool = True,
        budget: Budget | Mapping[str, Any] | None = None,
        judgements: Path | str | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(judge=judge, votes=votes, rule=rule, budget=budget, judgements=judgements, seed=seed)
        self._reference = _load(reference)

    def check_task(self, task: Task) -> None:
        """Raise `UsageError` if there is no reference, or the task's own check cannot hold."""
        if self._reference is None:
            raise UsageError("win-rate needs answers to compare with", hint="Give reference=FOLDER of a run")
        super().check_task(task)

    async def evaluate(self, task: Task, trajectory: Trajectory) -> Score:
        """Return the score of the trajectory against the reference's.

        Raises:
            UsageError: There is no reference, or the judge is the built-in heuristic.
            BudgetExceededError: The judge's budget is used up before a round was asked in both orders.
            ModelError: No vote has a verdict.
        """
        self.check_task(task)
        other = (self._reference or {}).get(task.id)
        found = _unasked(other, trajectory) or await self._by_rule(task, other, trajectory)
        if found is not None or other is None:
            winner, why = found or ("candidate", "")
            return _score(winner, why, {"judge": "rule" if why.startswith("the check") else "none"})
        texts = [(each.answer, each.status, path_text(each)) for each in (other, trajectory)]
        ballots = await self.ballots(
            task,
            ("win", prompt("win").digest, task.instruction, texts),
            lambda number: self._round(task, other, trajectory, number),
        )
        votes = [vote for ballot in ballots for vote in ballot]
        return count_votes(votes, judge=self.judge.name, votes=self.votes)

    async def compare(
        self, tasks: Sequence[Task], candidates: Mapping[str, Trajectory], *, seed: int = 0
    ) -> WinRateResult:
        """Return how an arm does against the reference; a task that it lacks is lost, and counted.

        Args:
            tasks: All of them.
            candidates: The arm's trajectories by task id.
            seed: Of the bootstrap.

        Raises:
            UsageError: There are no tasks; else raises as `evaluate` does.
        """
        scores = []
        for task in tasks:
            trajectory = candidates.get(task.id) or missing_trajectory(task)
            scores.append(await self.evaluate(task, trajectory))
        return summarize_wins(scores, seed=seed)

    async def _by_rule(
        self, task: Task, other: Trajectory | None, mine: Trajectory
    ) -> tuple[str, str] | None:
        if self.rule is None or other is None or not has_rule(task):
            return None
        theirs, ours = [(await self.rule.evaluate(task, each)).value for each in (other, mine)]
        winner = "tie" if theirs == ours else "candidate" if ours > theirs else "reference"
        return winner, f"the check of the task decides: {ours:g} against {theirs:g}"

    async def _round(self, task: Task, other: Trajectory, mine: Trajectory, number: int) -> Ballot:
        # In one order alone, a round would be the bias of that order: it counts whole or not at all.
        return tuple([await self._ask(task, other, mine, number, order) for order in _ORDERS])

    async def _ask(self, task: Task, other: Trajectory, mine: Trajectory, number: int, order: str) -> Vote:
        first, second = (other, mine) if order == "reference" else (mine, other)
        sections = (
            section("Request", task.instruction),
            *_sections("A", first),
            *_sections("B", second),
        )
        return await self.judge.ask(prompt("win"), sections, number=number, order=order)


@dataclass(frozen=True, slots=True, kw_only=True)
class WinRateResult:
    """How one arm does against another.

    Attributes:
        tasks: All of them, those without an answer too; ``wins``, ``ties`` and ``losses`` add up to it.
        missing: Losses for want of an answer.
        rate: The share of wins, with Wilson's 95 % interval; ties are no wins.
        difference: Wins less losses, over the tasks, in [-1, 1].
        low: Lower end of its paired 95 % bootstrap interval; likewise ``high``. None for too few tasks.
        p: Two-sided exact p-value of wins against losses; None for too few tasks.
        order_pairs: Rounds of which both orders have a verdict.
        order_flips: Those of them that named the same place both times, whoever stood there.
        order_changes: Those that named another winner, or a tie once.
        malformed: Votes without a verdict.
        unjudged: Pairs that could not be judged at all; these are in no figure.
        scores: Of the tasks, in their order, with every vote.
    """

    tasks: int
    wins: int
    ties: int
    losses: int
    missing: int
    rate: Proportion
    difference: float
    low: float | None
    high: float | None
    p: float | None
    order_pairs: int
    order_flips: int
    order_changes: int
    malformed: int
    unjudged: int = 0
    scores: tuple[Score, ...] = ()

    @property
    def order_bias(self) -> float:
        """The share of rounds whose verdict flips with the order, in [0, 1]; 0 of none."""
        return self.order_flips / self.order_pairs if self.order_pairs else 0.0


def winner_of(vote: Vote) -> str:
    """Return ``reference``, ``candidate`` or ``tie``; empty if the vote has no verdict."""
    if vote.verdict in ("", "tie"):
        return vote.verdict
    first, second = ("reference", "candidate") if vote.order == "reference" else ("candidate", "reference")
    return first if vote.verdict == "A" else second


def count_votes(found: Sequence[Vote], *, judge: str, votes: int) -> Score:
    """Return the score of a pair; all votes stand in its details, also those that do not count.

    A round counts if it has a verdict in both orders.

    Args:
        found: Two for each round, one in each order.
        judge: Name of the model.
        votes: Rounds that were wanted.

    Raises:
        ModelError: No vote has a verdict.
    """
    winners = [winner_of(vote) for vote in found]
    malformed = winners.count("")
    rounds: list[tuple[str, ...]] = []
    if len({vote.order for vote in found}) > 1:
        # A verdict in one order alone may be the bias of that order.
        rounds = [pair for pair in zip(winners[::2], winners[1::2], strict=False) if all(pair)]
        winners = [winner for pair in rounds for winner in pair]
    if not any(winners):
        said = next((vote.problem for vote in found if vote.problem), "none was cast")
        raise ModelError(f"none of {len(found)} votes has a verdict in both orders: {said}", where=judge)
    ours, theirs = winners.count("candidate"), winners.count("reference")
    winner = "tie" if ours == theirs else "candidate" if ours > theirs else "reference"
    flips = sum(set(pair) == {"candidate", "reference"} for pair in rounds)
    details = {
        "judge": judge,
        "votes": votes,
        "missing": votes - len(found) // 2,
        "malformed": malformed,
        "candidate": ours,
        "reference": theirs,
        "ties": winners.count("tie"),
        "order_pairs": len(rounds),
        "order_flips": flips,
        "order_changes": sum(len(set(pair)) > 1 for pair in rounds),
        "prompts": {vote.prompt: vote.digest for vote in found},
        "ballots": to_value(tuple(found), tuple[Vote, ...]),
    }
    return _score(winner, f"{ours} votes against {theirs}, {winners.count('tie')} ties", details)


def count_votes_again(score: Score) -> Score:
    """Return the score that the votes in a score's details come to; no model is asked."""
    details = score.details
    if "ballots" not in details:
        return score
    found = from_value(tuple[Vote, ...], details["ballots"], where="details/ballots")
    return count_votes(found, judge=str(details.get("judge", "")), votes=int(details.get("votes", 1)))


def summarize_wins(scores: Sequence[Score], *, seed: int = 0) -> WinRateResult:
    """Return the win rate from the scores of all tasks.

    Raises:
        UsageError: There are none.
    """
    if not scores:
        raise UsageError("there are no tasks to compare on")
    values = [score.value for score in scores]
    wins, losses, total = values.count(1.0), values.count(0.0), len(values)
    low, high = wilson(wins, total)
    differences = [2 * value - 1 for value in values]
    enough = total >= FEWEST
    interval = difference_interval(differences, seed=seed) if enough else (None, None)

    def add(name: str) -> int:
        return sum(int(score.details.get(name, 0)) for score in scores)

    return WinRateResult(
        tasks=total,
        wins=wins,
        ties=total - wins - losses,
        losses=losses,
        missing=sum(score.outcome == "missing" for score in scores),
        rate=Proportion(passed=wins, total=total, low=low, high=high),
        difference=sum(differences) / total,
        low=interval[0],
        high=interval[1],
        p=mcnemar(wins, losses) if enough else None,
        order_pairs=add("order_pairs"),
        order_flips=add("order_flips"),
        order_changes=add("order_changes"),
        malformed=add("malformed"),
        scores=tuple(scores),
    )


def _unasked(other: Trajectory | None, mine: Trajectory) -> tuple[str, str] | None:
    """Return winner and reason where no question is needed."""
    theirs, ours = _answered(other), _answered(mine)
    if not mine.steps:
        return ("tie" if other is None or not other.steps else "reference"), "there is no answer"
    if other is None or not other.steps:
        return "candidate", "the reference has no answer"
    if theirs != ours:
        return ("candidate" if ours else "reference"), "only one of the two came to an answer"
    if not ours:
        return "tie", "neither came to an answer"
    if other is not None and other.answer.strip() == mine.answer.strip():
        return "tie", "the answers are the same"
    return None


def _answered(trajectory: Trajectory | None) -> bool:
    finished = trajectory is not None and trajectory.status in ("answered", "asked")
    return finished and trajectory is not None and bool(trajectory.answer.strip())


def _score(winner: str, reason: str, details: dict[str, Any]) -> Score:
    outcome = {"candidate": "", "tie": "tie", "reference": "lost"}[winner]
    if winner == "reference" and reason == "there is no answer":
        outcome = "missing"
    said = {"candidate": "it wins", "tie": "a tie", "reference": "it loses"}[winner]
    return Score(
        name="win_rate",
        value=_WORTH[winner],
        reason=f"{said}: {reason}",
        details={**details, "winner": winner},
        evaluator="win-rate",
        outcome=outcome,
    )


def _sections(name: str, trajectory: Trajectory) -> tuple[str, str]:
    return (
        section(f"What {name} did", path_text(trajectory), limit=10**6),
        section(f"Final answer of {name}", trajectory.answer),
    )


def _load(reference: Mapping[str, Trajectory] | Path | str | None) -> Mapping[str, Trajectory] | None:
    if reference is None or isinstance(reference, Mapping):
        return reference
    from toolhaft.report.store import load_run

    trajectories, _ = load_run(Path(reference))
    return first_of_each(trajectories)


def first_of_each(trajectories: Iterable[Trajectory]) -> dict[str, Trajectory]:
    """Return the first trajectory of each task by the task's id, in their order."""
    found: dict[str, Trajectory] = {}
    for each in trajectories:
        found.setdefault(each.task.id, each)
    return found
