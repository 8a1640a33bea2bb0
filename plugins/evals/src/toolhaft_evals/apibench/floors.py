"""Answers that nobody had to think for: what a score must be held against."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from toolhaft.types import Prediction, Task
from toolhaft_evals.answers import scripted
from toolhaft_evals.apibench.database import Database


def make_floors(tasks: Sequence[Task], database: Database, *, seed: int = 0) -> dict[str, list[Prediction]]:
    """Return the references: one constant answer, a random API each time, and the gold call fed back.

    Args:
        tasks: Those that are evaluated.
        database: Where the APIs are drawn from; the constant one is the first of the commonest domain.
        seed: Of the random APIs.
    """
    commonest = Counter(row.domain for row in database.rows).most_common(1)[0][0]
    constant = next(row for row in database.rows if row.domain == commonest)
    draw = random.Random(seed)
    return {
        "floor: constant": [_said(task, constant.source) for task in tasks],
        "floor: random": [_said(task, draw.choice(database.rows).source) for task in tasks],
        "ceiling: gold": [_said(task, task.metadata["api_call"]) for task in tasks],
    }


def _said(task: Task, call: str) -> Prediction:
    return scripted(task, f"<<<api_call>>>: {call}\n<<<api_provider>>>: -")
