"""Tasks of a world, as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from toolhaft.errors import ConfigError, FormatError
from toolhaft.types import Gold, Task, from_value
from toolhaft.world.documents import read_file, world_folder
from toolhaft.world.place import Place
from toolhaft.world.preparation import (
    Preparation,
    check_approvals,
    check_faults,
    check_setup,
    make_preparation,
)
from toolhaft.world.solution import Solution, SolutionCall

KINDS = ("one_call", "multi_call", "cross_service", "dead_end", "approval", "ask", "unsolvable")
"""Tags of which a task has one: what makes it hard."""
TRAITS = ("look_alike", "write", "pagination", "fault", "empty_result", "form_body", "nested_body")
"""Tags that a task may have besides, with the names of its services."""
_ENDINGS = (".yaml", ".yml", ".json")
_MOST_FILES = 500
_MOST_TASKS = 20_000
_ROW = ("id", "instruction", "artifacts", "gold", "tags", "metadata", "format")
_OWN = ("seed", "solution", "setup", "faults", "approve")
_GOLD = ("tools", "calls", "state", "facts", "answer", "solvable", "asks")
_CALL = ("tool", "arguments", "save")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedTask:
    """A task and where it stands.

    Attributes:
        task: The task.
        file: Its file.
        pointer: Of its row in the file.
    """

    task: Task
    file: str
    pointer: str


def load_tasks(path: Path | str | None = None) -> tuple[Task, ...]:
    """Read tasks; the format is described in ``docs/explanation/world.md``.

    Args:
        path: A file, or a folder whose files are read by name; None gives the bundled tasks.

    Raises:
        FormatError: A record is malformed, or two tasks have one id.
        ConfigError: There is no such file, or there are too many.
    """
    tasks: dict[str, Task] = {}
    for file in task_files(path):
        for place, row in task_rows(file):
            found = read_task(row, place).task
            if found.id in tasks:
                raise place.refuse(f"two tasks have the id {found.id!r}")
            tasks[found.id] = found
    return tuple(tasks.values())


def task_files(path: Path | str | None = None) -> list[Path]:
    """Return the files that `load_tasks` reads.

    Raises:
        ConfigError: There are too many.
    """
    path = world_folder() / "tasks" if path is None else Path(path)
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix in _ENDINGS)
    if len(found) > _MOST_FILES:
        raise ConfigError(f"more than {_MOST_FILES} files", where=str(path))
    return found


def task_rows(file: Path) -> Iterator[tuple[Place, Any]]:
    """Iterate over the rows of a file, each with its place.

    Raises:
        FormatError: It is not a list, or too long.
        ConfigError: It cannot be read.
        SpecError: It is not YAML.
    """
    rows = read_file(file)
    if not isinstance(rows, list):
        raise FormatError("not a list of tasks", where=str(file))
    if len(rows) > _MOST_TASKS:
        raise FormatError(f"more than {_MOST_TASKS} tasks", where=str(file))
    for position, row in enumerate(rows):
        yield Place(str(file)) / position, row


def read_task(row: Any, place: Place) -> LocatedTask:
    """Read one task.

    Raises:
        FormatError: It is malformed; the message says where.
    """
    if not isinstance(row, dict):
        raise place.refuse("not a task: it is no object")
    place.mapping(row, (*_ROW, *_OWN))
    fields: dict[str, Any] = {key: value for key, value in row.items() if key not in _OWN}
    if isinstance(row.get("gold"), dict):
        (place / "gold").mapping(row["gold"], _GOLD)
    task = from_value(Task, fields, where=f"{place.file}#{place.pointer}" if place.pointer else place.file)
    if task.gold is None:
        raise place.refuse("a task of the world needs gold")
    if not task.id or not task.instruction.strip():
        raise place.refuse("a task needs an id and an instruction")
    seed = row.get("seed", 0)
    if type(seed) is not int:
        raise (place / "seed").refuse(f"not a whole number: {seed!r:.40}")
    solution = row.get("solution", {})
    _check_solution(solution, place / "solution")
    check_setup(row.get("setup", []), place / "setup")
    check_faults(row.get("faults", []), place / "faults")
    check_approvals(row.get("approve", []), place / "approve")
    more = {name: row[name] for name in ("setup", "faults", "approve") if row.get(name)}
    made = replace(
        task,
        instruction=" ".join(task.instruction.split()),
        gold=_with_tools(task.gold, solution),
        metadata={**task.metadata, "seed": seed, "solution": solution, **more},
    )
    return LocatedTask(task=made, file=place.file, pointer=place.pointer)


def reference_solution(task: Task) -> Solution:
    """Return how a task can be done.

    Raises:
        FormatError: The task has no solution, or a malformed one.
    """
    place = Place(task.id, "/solution")
    row = task.metadata.get("solution")
    if not isinstance(row, dict) or not row:
        raise place.refuse("the task has no reference solution")
    _check_solution(row, place)
    calls = tuple(
        from_value(SolutionCall, call, where=f"{place.file}#{place.pointer}") for call in row.get("calls", ())
    )
    return Solution(calls=calls, answer=str(row.get("answer", "")))


def preparation_of(task: Task) -> Preparation:
    """Return how a run is to begin for a task.

    Raises:
        FormatError: The task's ``setup`` or ``faults`` are malformed.
    """
    place = Place(task.id)
    setup, faults = task.metadata.get("setup", []), task.metadata.get("faults", [])
    check_setup(setup, place / "setup")
    check_faults(faults, place / "faults")
    return make_preparation(setup, faults)


def kind_of(task: Task) -> str:
    """Return the tag that says what makes a task hard; of several, the last of `KINDS`."""
    return next((kind for kind in reversed(KINDS) if kind in task.tags), "")


def sample_tasks(tasks: Sequence[Task], n: int) -> tuple[Task, ...]:
    """Return up to ``n`` tasks, spread over kinds and services, in their order; the same ones each time.

    The kinds take turns; within a kind those tasks come first whose services were used least.
    """
    waiting: dict[str, list[Task]] = {}
    for task in tasks:
        waiting.setdefault(kind_of(task), []).append(task)
    used: Counter[str] = Counter()
    chosen: set[str] = set()
    while len(chosen) < min(n, len(tasks)):
        for rest in waiting.values():
            if rest and len(chosen) < n:
                best = min(rest, key=lambda task: sum(used[tag] for tag in task.tags) / (len(task.tags) or 1))
                rest.remove(best)
                chosen.add(best.id)
                used.update(best.tags)
    return tuple(task for task in tasks if task.id in chosen)


def _check_solution(value: Any, place: Place) -> None:
    solution = place.mapping(value, ("calls", "answer"))
    for position, row in enumerate((place / "calls").rows(solution.get("calls", []))):
        where = place / "calls" / position
        call = where.mapping(row, _CALL)
        (where / "tool").text(call.get("tool"))
        (where / "arguments").mapping(call.get("arguments", {}))
        if not isinstance(call.get("save", ""), str):
            raise (where / "save").refuse("not a name")


def _with_tools(gold: Gold, solution: Any) -> Gold:
    """Return the gold with the tools that the solution calls, unless it names its own."""
    if gold.tools:
        return gold
    return replace(gold, tools=tuple(dict.fromkeys(call["tool"] for call in solution.get("calls", ()))))
