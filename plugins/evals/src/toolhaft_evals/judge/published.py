"""Votes that ToolEval and StableToolBench stored, counted as ours are.

Source: the result files of StableToolBench (``pass_rate_results``, ``preference_results``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError
from toolhaft.models.parsing import NotJSONError, read_json
from toolhaft.report.files import read_at_most
from toolhaft.types import Score
from toolhaft_evals.judge.counting import POINTS, count
from toolhaft_evals.judge.verdict import Vote
from toolhaft_evals.win_rate import count_votes

_LARGEST = 200_000_000
_HINT = "Name a result file of ToolEval or StableToolBench, .json"


def read_pass_results(path: Path | str) -> dict[str, Score]:
    """Return the scores of stored judgements, by query id: one vote for each run.

    Raises:
        UsageError: The file cannot be read.
        FormatError: It is no such file; the message has the JSON pointer.
    """
    found = {}
    for query_id, value in _read(path).items():
        where = f"{path}#/{query_id}/is_solved"
        runs = value.get("is_solved") if isinstance(value, Mapping) else None
        if not isinstance(runs, Mapping) or not runs:
            raise FormatError("there are no runs", where=where, hint=_HINT)
        ballots = [(_vote(runs[run], f"{where}/{run}"),) for run in sorted(runs, key=_number)]
        found[query_id] = count(
            ballots,
            method="sopr",
            votes=len(ballots),
            judge="stored",
            name="pass_rate",
            evaluator="pass-rate",
        )
    return found


def read_preferences(path: Path | str, *, reference: str, candidate: str) -> dict[str, Score]:
    """Return the scores of stored votes, by query id; in which order they were asked is not stored.

    Args:
        path: The file.
        reference: Name of the one method in it.
        candidate: Name of the other, whose wins are counted.

    Raises:
        UsageError: The file cannot be read.
        FormatError: It is no such file, or lacks a method.
    """
    found = {}
    for query_id, value in _read(path).items():
        votes: list[Vote] = []
        for name, verdict in ((reference, "A"), (candidate, "B")):
            number = value.get(name) if isinstance(value, Mapping) else None
            if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 10_000:
                raise FormatError(f"no votes for {name!r:.80}", where=f"{path}#/{query_id}", hint=_HINT)
            votes += [Vote(prompt="stored", digest="", verdict=verdict, order="reference")] * number
        if not votes:
            raise FormatError("there are no votes", where=f"{path}#/{query_id}", hint=_HINT)
        score = count_votes(votes, judge="stored", votes=len(votes))
        score.details["missing"] = 0
        found[query_id] = score
    return found


def _vote(said: Any, where: str) -> Vote:
    label = said.removeprefix("AnswerStatus.") if isinstance(said, str) else ""
    if label not in POINTS:
        raise FormatError(f"{str(said)[:60]!r} is no status", where=where, hint=f"One of {', '.join(POINTS)}")
    return Vote(prompt="pass_answer", digest="", verdict=label)


def _read(path: Path | str) -> dict[str, Any]:
    data = read_at_most(Path(path), _LARGEST, what="result", hint=_HINT)
    try:
        value = read_json(data)
    except NotJSONError as error:
        raise FormatError(str(error), where=str(path), hint=_HINT) from None
    if not isinstance(value, dict):
        raise FormatError("no object with query ids", where=str(path), hint=_HINT)
    return value


def _number(run: str) -> tuple[int, str]:
    return (int(run), "") if run.isdecimal() and len(run) < 10 else (10**9, run)
