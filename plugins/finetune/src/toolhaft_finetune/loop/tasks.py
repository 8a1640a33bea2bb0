"""From the world's documents to tools, tasks and rows: part A for the base model, part B for LoRA."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from toolhaft.errors import UsageError
from toolhaft.generators.base import Drops
from toolhaft.generators.filters import find_near_copies
from toolhaft.generators.template import OneTool
from toolhaft.hooks.registry import Registry
from toolhaft.report.files import read_lines, read_record, write_whole
from toolhaft.tools.catalog import Catalog
from toolhaft.types import Task, to_json
from toolhaft_finetune.loop.settings import LoopSettings
from toolhaft_finetune.loop.solving import Solved, make_row, solve

if TYPE_CHECKING:
    from toolhaft.retrievers.base import Retriever
    from toolhaft.world.server import World

_NEAR = 0.7
"""Similarity from which an instruction is too near one that is held back."""
PRETRAINING, TUNING, HELD_BACK = "pretraining.jsonl", "tuning.jsonl", "held_back.jsonl"


async def write_tasks(folder: Path, settings: LoopSettings, world: World) -> dict[str, Any]:
    """Import the tools, make tasks for both parts, carry them out, and write the rows.

    Args:
        folder: For the files.
        settings: How many.
        world: Started.

    Returns:
        Counts of everything, also of what was left out.
    """
    catalog = await world.catalog("loop")
    retriever = Registry.default().retriever("bm25")
    await retriever.index(catalog.specs())
    parts = split_tools(catalog, settings)
    facts: dict[str, Any] = {"tools": len(catalog)}
    try:
        numbers = {"A": settings.pretraining_tasks, "B": settings.tuning_tasks}
        for part, names in parts.items():
            drops = Drops()
            generator = OneTool(phrasings=settings.phrasings)
            made = [
                task
                async for task in generator.generate(
                    catalog.select(*names),
                    n=numbers[part],
                    seed=settings.seed,
                    environment=world,
                    drops=drops,
                )
            ]
            found, counts = await _carry_out(world, made, retriever)
            facts[f"part {part}"] = {
                "tools": len(names),
                "tasks": len(made),
                **counts,
                "dropped": drops.counts,
            }
            if part == "A":
                _write(folder / PRETRAINING, [make_row(solved) for solved in found])
                continue
            learned, held_back, near = hold_back(found, settings.held_back, settings.seed)
            _write(folder / TUNING, [make_row(solved) for solved in learned if solved.offered])
            lines = (to_json(solved.task) + b"\n" for solved in held_back)
            write_whole(folder / HELD_BACK, lines)
            facts["tuning rows"] = sum(solved.offered for solved in learned)
            facts["left out as near-copies"] = near
            facts["held back"] = len(held_back)
            facts["of these with the tool offered"] = sum(solved.offered for solved in held_back)
    finally:
        await catalog.close()
    return facts


def split_tools(catalog: Catalog, settings: LoopSettings) -> dict[str, list[str]]:
    """Return the names of the tools in two parts, each with operations of most services.

    Raises:
        UsageError: One part would be empty.
    """
    names = sorted(catalog.names)
    Random(f"parts/{settings.seed}").shuffle(names)
    number = settings.tuning_tools
    if not number < len(names):
        raise UsageError(f"there are {len(names)} tools", where="settings", hint="Lower tuning_tools")
    return {"A": sorted(names[number:]), "B": sorted(names[:number])}


def hold_back(solved: Sequence[Solved], number: int, seed: int) -> tuple[list[Solved], list[Solved], int]:
    """Part tasks into those to learn and those held back.

    All tasks with the same call go the same way, so that no call that is asked for was learned as it
    stands; of calls without arguments, which are all the same, each instruction goes its own way.

    Args:
        solved: In the order they were made.
        number: How many are held back, at most; every tool keeps tasks to learn from.
        seed: Of the choice.

    Returns:
        What to learn, what is held back, and how many near-copies of it were left out of the former.
    """
    groups: dict[str, list[Solved]] = {}
    for one in solved:
        groups.setdefault(_call_of(one.task), []).append(one)
    tools = Counter(_tool_of(group[0].task) for group in groups.values())
    taken: Counter[str] = Counter()
    keys = sorted(groups)
    Random(f"held back/{seed}").shuffle(keys)
    held: dict[str, Solved] = {}
    for key in keys:
        tool = _tool_of(groups[key][0].task)
        if len(held) < number and (taken[tool] + 1) * 4 <= tools[tool]:
            taken[tool] += 1
            held[key] = groups[key][0]
    learned = [one for one in solved if _call_of(one.task) not in held]
    kept = [one for one in solved if held.get(_call_of(one.task)) is one]
    clear_of = [one.task.instruction for one in kept]
    clear = [
        one
        for one in learned
        if not find_near_copies([one.task.instruction], threshold=_NEAR, against=clear_of)
    ]
    return clear, kept, len(learned) - len(clear)


def load_held_back(folder: Path) -> list[Task]:
    """Return the tasks that were held back.

    Raises:
        FormatError: The file is damaged.
    """
    lines = read_lines(folder / HELD_BACK, "Delete the stage's folder to do it again")
    return [read_record(Task, line, where) for line, where in lines]


def _call_of(task: Task) -> str:
    calls = task.gold.calls if task.gold is not None else ()
    said = [[call.name, call.arguments] for call in calls]
    return json.dumps(
        said if any(call.arguments for call in calls) else [said, task.instruction], sort_keys=True
    )


def _tool_of(task: Task) -> str:
    return task.gold.tools[0] if task.gold is not None and task.gold.tools else ""


async def _carry_out(
    world: World, tasks: Sequence[Task], retriever: Retriever
) -> tuple[list[Solved], Mapping[str, int]]:
    """Return what passed its check or lacked only the offer of its tool, and counts."""
    kept: list[Solved] = []
    counts = {"passed": 0, "tool not offered": 0, "check failed": 0}
    async for solved in solve(world, tasks, retriever):
        name = "passed" if solved.passed else "check failed" if solved.offered else "tool not offered"
        counts[name] += 1
        if solved.passed or not solved.offered:
            kept.append(solved)
    return kept, counts


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    write_whole(path, (json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows))
