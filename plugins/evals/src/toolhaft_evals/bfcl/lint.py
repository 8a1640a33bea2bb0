"""What is wrong with the questions and answers themselves: findings, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from toolhaft.types import Task
from toolhaft_evals.bfcl.checker import check_calls
from toolhaft_evals.bfcl.floors import perfect_calls
from toolhaft_evals.bfcl.values import OMITTED


def lint_bfcl(tasks: Sequence[Task]) -> dict[str, list[str]]:
    """Return the findings by kind, each as a line that says where."""
    questions = Counter((task.instruction, str(task.metadata["functions"])) for task in tasks)
    return {
        "answer that its own first values do not meet": [
            f"{task.id}: {result.mismatch}" for task, result in _perfect(tasks) if not result.valid
        ],
        "required argument that may be omitted": [
            f"{task.id}: {name}.{parameter}"
            for task, name, parameter, accepted, schema in _parameters(tasks)
            if OMITTED in accepted and parameter in (schema.get("required") or ())
        ],
        "argument that the function does not have": [
            f"{task.id}: {name}.{parameter}"
            for task, name, parameter, _, schema in _parameters(tasks)
            if parameter not in (schema.get("properties") or {})
        ],
        "only acceptable value is to omit it": [
            f"{task.id}: {name}.{parameter}"
            for task, name, parameter, accepted, _ in _parameters(tasks)
            if all(value == OMITTED for value in accepted)
        ],
        "question that stands twice": [
            f"{text:.120}: {times} times" for (text, _), times in questions.items() if times > 1
        ],
    }


def _perfect(tasks: Sequence[Task]) -> Iterator[tuple[Task, Any]]:
    for task in tasks:
        expected = task.metadata["possible_answer"]
        if expected:
            yield task, check_calls(task.metadata["functions"], perfect_calls(expected), expected)


def _parameters(tasks: Sequence[Task]) -> Iterator[tuple[Task, str, str, Sequence[Any], dict[str, Any]]]:
    for task in tasks:
        schemas = {function["name"]: function["parameters"] for function in task.metadata["functions"]}
        for answer in task.metadata["possible_answer"]:
            for name, accepted in answer.items():
                for parameter, values in accepted.items():
                    yield task, name, parameter, values, schemas.get(name, {})
