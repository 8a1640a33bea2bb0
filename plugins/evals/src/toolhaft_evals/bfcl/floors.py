"""Answers that nobody had to think for, and the perfect ones."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from toolhaft.types import Prediction, Task
from toolhaft_evals.answers import scripted
from toolhaft_evals.bfcl.data import RELEVANCE, tool_calls
from toolhaft_evals.bfcl.decoding import Decoded
from toolhaft_evals.bfcl.values import OMITTED


def make_floors(tasks: Sequence[Task], *, seed: int = 0) -> dict[str, list[Prediction]]:
    """Return the references: never a call, a random function with no arguments, and the answers fed back."""
    draw = random.Random(seed)
    return {
        "floor: no call": [_said(task, ()) for task in tasks],
        "floor: random": [_said(task, ({_random(task, draw): {}},)) for task in tasks],
        "ceiling: gold": [_said(task, _perfect(task, draw)) for task in tasks],
    }


def perfect_calls(possible_answer: Sequence[Mapping[str, Any]]) -> tuple[dict[str, dict[str, Any]], ...]:
    """Return calls with the first acceptable value of each parameter, those that may be omitted too."""
    found = []
    for answer in possible_answer:
        ((name, accepted),) = answer.items()
        arguments = {}
        for parameter, values in accepted.items():
            offered = [value for value in values if value != OMITTED]
            if offered:
                arguments[parameter] = _plain(offered[0])
        found.append({name: arguments})
    return tuple(found)


def _plain(value: Any) -> Any:
    """Return an acceptable value as a value: members of objects list theirs, one of which is taken."""
    if isinstance(value, dict):
        members = {
            name: [one for one in values if one != OMITTED] if isinstance(values, list) else [values]
            for name, values in value.items()
        }
        return {name: _plain(values[0]) for name, values in members.items() if values}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value


def _perfect(task: Task, draw: random.Random) -> Sequence[dict[str, dict[str, Any]]]:
    if task.metadata.get("category") == RELEVANCE:
        return ({_random(task, draw): {}},)
    return perfect_calls(task.metadata["possible_answer"])


def _random(task: Task, draw: random.Random) -> str:
    return str(draw.choice(task.metadata["functions"])["name"])


def _said(task: Task, calls: Sequence[dict[str, dict[str, Any]]]) -> Prediction:
    return scripted(task, calls=tool_calls(Decoded(calls=tuple(calls))), names="dotted")
