"""Tasks of the world, as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError
from toolhaft.types import Gold, Task, from_value
from toolhaft.world.documents import read_file, specs_folder
from toolhaft.world.solution import Solution, SolutionCall

_ENDINGS = (".yaml", ".yml", ".json")


def load_tasks(path: Path | None = None) -> tuple[Task, ...]:
    """Read tasks; the format is described in ``docs/explanation/world.md``.

    Args:
        path: A file, or a folder whose files are read by name; None gives the bundled tasks.

    Raises:
        FormatError: A record is malformed, or two tasks have one id.
        ConfigError: There is no such file.
    """
    tasks: dict[str, Task] = {}
    for file in _files(path):
        rows = read_file(file)
        if not isinstance(rows, list):
            raise FormatError("not a list of tasks", where=str(file))
        for position, row in enumerate(rows):
            where = f"{file}#/{position}"
            task = _task(row, where)
            if task.id in tasks:
                raise FormatError(f"two tasks have the id {task.id!r}", where=where)
            tasks[task.id] = task
    return tuple(tasks.values())


def reference_solution(task: Task) -> Solution:
    """Return how a task can be done.

    Raises:
        FormatError: The task has no solution, or a malformed one.
    """
    where = f"{task.id}#/solution"
    row = task.metadata.get("solution")
    if not isinstance(row, dict):
        raise FormatError("the task has no reference solution", where=where)
    calls = tuple(from_value(SolutionCall, call, where=where) for call in row.get("calls", ()))
    return Solution(calls=calls, answer=str(row.get("answer", "")))


def _files(path: Path | None) -> list[Path]:
    path = path or specs_folder() / "tasks"
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.suffix in _ENDINGS)
    return [path]


def _task(row: Any, where: str) -> Task:
    if not isinstance(row, dict):
        raise FormatError("not a task", where=where)
    fields: dict[str, Any] = {key: value for key, value in row.items() if key not in ("solution", "seed")}
    task = from_value(Task, fields, where=where)
    if task.gold is None:
        raise FormatError("a task of the world needs gold", where=where)
    metadata = {**task.metadata, "seed": row.get("seed", 0), "solution": row.get("solution", {})}
    gold = _with_tools(task.gold, metadata["solution"])
    return Task(
        id=task.id,
        instruction=" ".join(task.instruction.split()),
        artifacts=task.artifacts,
        gold=gold,
        tags=task.tags,
        metadata=metadata,
    )


def _with_tools(gold: Gold, solution: Any) -> Gold:
    """Return the gold with the tools that the solution calls, unless it names its own."""
    calls = solution.get("calls", ()) if isinstance(solution, dict) else ()
    tools = gold.tools or tuple(
        dict.fromkeys(str(call.get("tool")) for call in calls if isinstance(call, dict))
    )
    return Gold(
        tools=tools,
        calls=gold.calls,
        state=gold.state,
        facts=gold.facts,
        answer=gold.answer,
        solvable=gold.solvable,
    )
