"""Ballots counted: what each says, and what they come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from toolhaft.errors import ModelError
from toolhaft.types import Score, from_value, to_value
from toolhaft_evals.judge.stored import Ballot

Method = Literal["sopr", "legacy"]
POINTS = {"Solved": 1.0, "Unsure": 0.5, "Unsolved": 0.0}
"""Of an answer. Source: Guo et al., "StableToolBench" (arXiv 2403.07714), section 4.2 (SoPR)."""
LEGACY = {
    ("Solved", ""): 1.0,
    ("Unsolved", "Solvable"): 0.0,
    ("Unsolved", "Unsure"): 0.5,
    ("Unsolved", "Unsolvable"): 1.0,
    ("Unsure", "Solvable"): 0.5,
    ("Unsure", "Unsure"): 0.5,
    ("Unsure", "Unsolvable"): 1.0,
}
"""Points by the status of answer and task. Source: Qin et al., "ToolLLM" (ICLR 2024), section 3.2 and the
released evaluator. Deviation: where that flips a coin, 0.5 stands."""
_ANSWER = ("pass_answer", "pass_path")


def answer_status(ballot: Ballot) -> str:
    """Return what a ballot says of the answer; empty where its last look has no verdict."""
    votes = [vote for vote in ballot if vote.prompt in _ANSWER]
    return votes[-1].verdict if votes else "Unsolved"


def points(ballot: Ballot, method: Method) -> float | None:
    """Return what a ballot is worth, in [0, 1]; None if it says nothing."""
    answer = answer_status(ballot)
    if method == "sopr":
        return POINTS.get(answer)
    tasks = [vote for vote in ballot if vote.prompt == "solvable"]
    return LEGACY.get((answer, tasks[-1].verdict if tasks else ""))


def count(
    ballots: Sequence[Ballot], *, method: Method, votes: int, judge: str, name: str, evaluator: str
) -> Score:
    """Return the score of ballots; all of them stand in its details.

    Args:
        ballots: Those that were cast.
        method: ``sopr`` is the mean of the points; ``legacy`` is 1 if they are at least half, else 0.
        votes: How many were wanted.
        judge: Name of the model.
        name: Of the score.
        evaluator: Name of what asked.

    Raises:
        ModelError: No ballot says anything.
    """
    cast = [(ballot, found) for ballot in ballots if (found := points(ballot, method)) is not None]
    worth = [found for _, found in cast]
    if not worth:
        raise ModelError(_no_vote(ballots), where=judge)
    mean = sum(worth) / len(worth)
    value = mean if method == "sopr" else float(mean >= 0.5)
    answers = [answer_status(ballot) for ballot, _ in cast]
    parts = {label.lower(): answers.count(label) / len(answers) for label in POINTS}
    details: dict[str, Any] = {
        "judge": judge,
        "method": method,
        "votes": votes,
        "missing": votes - len(ballots),
        "malformed": len(ballots) - len(cast),
        "points": worth,
        "prompts": {vote.prompt: vote.digest for ballot in ballots for vote in ballot},
        "ballots": to_value(tuple(ballots), tuple[Ballot, ...]),
    }
    said = ", ".join(f"{answers.count(label)} {label}" for label in POINTS if label in answers)
    reason = f"of {len(worth)} votes: {said}"
    if details["malformed"]:
        reason += f"; {details['malformed']} more had no verdict"
    outcome = "" if value >= 1.0 else "unsure" if value >= 0.5 else "unsolved"
    return Score(
        name=name,
        value=value,
        reason=reason,
        details=details,
        evaluator=evaluator,
        parts={**parts, "mean_points": mean},
        outcome=outcome,
    )


def count_again(score: Score) -> Score:
    """Return the score that the ballots in a score's details come to; no model is asked.

    A score without ballots, by a rule or without a question, is returned as it is.

    Raises:
        FormatError: The ballots are damaged.
    """
    details = score.details
    if "ballots" not in details:
        return score
    ballots = from_value(tuple[Ballot, ...], details["ballots"], where="details/ballots")
    return count(
        ballots,
        method="legacy" if details.get("method") == "legacy" else "sopr",
        votes=int(details.get("votes", len(ballots))),
        judge=str(details.get("judge", "")),
        name=score.name,
        evaluator=score.evaluator,
    )


def _no_vote(ballots: Sequence[Ballot]) -> str:
    problems = [vote.problem for ballot in ballots for vote in ballot if vote.problem]
    return f"none of {len(ballots)} votes has a verdict: {problems[0] if problems else 'none was cast'}"
