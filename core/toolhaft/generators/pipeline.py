"""From a catalog to a folder of training data: sample, instruct, filter, solve, check, split, write."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from toolhaft.errors import UsageError
from toolhaft.generators.base import Drops, Environment, Generator
from toolhaft.generators.filters import exact_key, find_near_copies
from toolhaft.generators.folder import REPORT, GenerationFolder
from toolhaft.generators.offering import Offer
from toolhaft.generators.rows import call_row, left_out, row_of, write_rows
from toolhaft.generators.solutions import Solution, Solver
from toolhaft.generators.splits import By, split_tasks
from toolhaft.secrets import SecretStore
from toolhaft.tools.catalog import Catalog
from toolhaft.types import Task, Trajectory

ROWS = "rows.jsonl"
_SLACK = 1.3
"""How many more tasks than wanted are made, so that enough are left when near-copies are dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be made.

    Attributes:
        n: Tasks.
        seed: For everything that draws lots.
        threshold: From which similarity on a text is a near-copy; 1 keeps all but copies.
        include: Labels of rows that are exported; see `toolhaft.generators.rows.LABELS`.
        share: Of the test part; 0 makes none.
        by: How it is split off, see `toolhaft.generators.splits.split_tasks`.
        settings: What else the folder's record says; a folder with other settings is not gone on with.
    """

    n: int
    seed: int = 0
    threshold: float = 0.7
    include: tuple[str, ...] = ()
    share: float = 0.0
    by: By = "instruction"
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was made.

    Attributes:
        tasks: How many are in the folder.
        solved: How many of them were solved, of those that were tried.
        tried: How many were tried; fewer than ``tasks`` where calls could not be made.
        rows: Rows by file.
        tools: How many different tools the tasks take.
        drops: What was left out, by reason.
        examples: Of each reason, one.
        seconds: By stage.
    """

    tasks: int
    solved: int
    tried: int
    rows: dict[str, int]
    tools: int
    drops: dict[str, int]
    examples: dict[str, str]
    seconds: dict[str, float]


Progress = Callable[[str, int, int], None]
"""Told of a stage, how much of it is done, and how much there is to be."""


class Pipeline:
    """Makes training data in a folder; begun again with the same settings, it goes on where it stopped.

    Args:
        catalog: The tools that tasks are made for.
        folder: Where everything is written.
        generators: Take their turns; each makes its share of the tasks.
        plan: What is to be made.
        environment: Where calls are made; None makes none.
        solver: Carries tasks out; None exports the bare gold calls.
        held_out: Instructions to keep clear of.
        secrets: Kept out of everything that is written.
        progress: See `Progress`.
    """

    def __init__(
        self,
        catalog: Catalog,
        folder: Path,
        generators: Sequence[Generator],
        plan: Plan,
        *,
        environment: Environment | None = None,
        solver: Solver | None = None,
        held_out: Sequence[str] = (),
        secrets: SecretStore | None = None,
        progress: Progress | None = None,
    ) -> None:
        if not generators:
            raise UsageError("no generator is named", hint="Use one-tool")
        self.drops = Drops()
        self._catalog = catalog
        self._store = GenerationFolder(folder, (secrets or SecretStore()).redact)
        self._generators = tuple(generators)
        self._plan = plan
        self._environment = environment
        self._solver = solver
        self._held_out = tuple(held_out)
        self._progress = progress or _say_nothing
        self._seconds: dict[str, float] = {}

    async def run(self) -> Result:
        """Make what is missing, and return what there is.

        Raises:
            UsageError: The folder holds something else, or cannot be written.
            FormatError: A file of it is damaged.
        """
        self._store.begin({"format": 1, **asdict(self._plan)})
        tasks = self._store.tasks(self.drops)
        if tasks is None:
            with self._timed("tasks"):
                tasks = [task async for task in self._tasks()]
            tasks = self._filtered(tasks)
            self._store.write_tasks(tasks, self.drops)
        solutions = await self._solve(tasks) if self._solver is not None else {}
        rows = await self._export(tasks, solutions)
        tried = list(solutions.values())
        result = Result(
            tasks=len(tasks),
            solved=sum(solution.passed for solution in tried),
            tried=len(tried),
            rows=rows,
            tools=len({name for task in tasks if task.gold is not None for name in task.gold.tools}),
            drops=dict(self.drops.counts.most_common()),
            examples=dict(self.drops.examples),
            seconds={name: round(seconds, 3) for name, seconds in self._seconds.items()},
        )
        self._store.write_json(REPORT, asdict(result))
        return result

    async def _tasks(self) -> AsyncIterator[Task]:
        """Yield tasks, a share from each generator, until there are enough for what filters may drop."""
        wanted = max(round(self._plan.n * _SLACK), self._plan.n + 5)
        share = -(-wanted // len(self._generators))
        made = 0
        for generator in self._generators:
            stream = generator.generate(
                self._catalog,
                n=share,
                seed=self._plan.seed,
                environment=self._environment,
                drops=self.drops,
            )
            async with aclosing(stream) as tasks:  # type: ignore[type-var]
                async for task in tasks:
                    made += 1
                    self._progress("tasks", made, wanted)
                    yield task

    def _filtered(self, tasks: list[Task]) -> list[Task]:
        """Return the tasks without copies and near-copies, at most as many as are wanted."""
        with self._timed("filters"):
            keys: set[str] = set()
            different = []
            for task in tasks:
                key = exact_key(task)
                if key in keys:
                    self.drops.add("an exact copy of another", task.instruction)
                else:
                    keys.add(key)
                    different.append(task)
            near = find_near_copies(
                [task.instruction for task in different],
                threshold=self._plan.threshold,
                against=self._held_out,
            )
            held = set(self._held_out)
            for position, other in near.items():
                reason = "a near-copy of one held out" if other in held else "a near-copy of another"
                self.drops.add(reason, f"{different[position].instruction} ~ {other}")
            kept = [task for position, task in enumerate(different) if position not in near]
            chosen = _fair(kept, self._plan.n)
            for _ in range(len(kept) - len(chosen)):
                self.drops.add("more than were wanted")
        return self._split(chosen)

    def _split(self, tasks: list[Task]) -> list[Task]:
        if not self._plan.share:
            return tasks
        parts = split_tasks(
            tasks,
            share=self._plan.share,
            by=self._plan.by,
            seed=self._plan.seed,
        )
        test = {task.id for task in parts.test}
        mixed = {task.id for task in parts.mixed}
        for task in parts.mixed:
            self.drops.add("takes both seen and unseen tools", task.instruction)
        return [
            replace(task, metadata={**task.metadata, "split": "test" if task.id in test else "train"})
            for task in tasks
            if task.id not in mixed
        ]

    async def _solve(self, tasks: Sequence[Task]) -> dict[str, Solution]:
        """Return a solution of each task whose calls can be made; those stored already are not made again."""
        solver = self._solver
        if solver is None:
            return {}
        found = self._store.solutions(tasks)
        unseen = self._unseen(tasks)
        with self._timed("solutions"), self._store.adding() as add:
            for number, task in enumerate(tasks):
                self._progress("solutions", number, len(tasks))
                if task.id not in found and task.metadata.get("executed"):
                    found[task.id] = await solver.solve(task, hidden=_hidden(task, unseen))
                    add(found[task.id])
        return found

    async def _export(self, tasks: Sequence[Task], solutions: dict[str, Solution]) -> dict[str, int]:
        """Write the rows of what was solved, and return how many by file."""
        files: dict[str, list[dict[str, Any]]] = {}
        dropped: Counter[str] = Counter()
        unseen = self._unseen(tasks)
        for task in tasks:
            part = task.metadata.get("split", "")
            name = f"rows.{part}.jsonl" if part else ROWS
            rows = files.setdefault(name, [])
            more = {"split": part} if part else {}
            solution = solutions.get(task.id)
            if solution is None:
                row = await self._bare(task, more, unseen)
            elif not solution.passed or solution.trajectory is None:
                reason = solution.problem or (solution.score.reason if solution.score else "")
                self.drops.add("not solved", f"{task.id}: {reason}")
                continue
            else:
                row = self._row(solution.trajectory, solution, more)
            if row is None:
                self.drops.add("has no calls to learn from", task.id)
            elif label := left_out(row["metadata"]["labels"], self._plan.include):
                dropped[label] += 1
            else:
                rows.append(self._store.clean(row))
        for label, count in dropped.items():
            for _ in range(count):
                self.drops.add(f"labelled {label}, which was not asked for")
        return {name: write_rows(self._store.path / name, rows) for name, rows in files.items()}

    def _row(self, trajectory: Trajectory, solution: Solution, more: dict[str, Any]) -> dict[str, Any]:
        score = solution.score.value if solution.score is not None else 0.0
        solver = trajectory.settings.get("solver", "")
        return row_of(trajectory, solver=solver, score=score, seed=self._plan.seed, **more)

    def _unseen(self, tasks: Sequence[Task]) -> frozenset[str]:
        """Return the tools that training rows must not show: those of the test part, if it has its own."""
        if self._plan.by != "tool":
            return frozenset()
        test = [task for task in tasks if task.metadata.get("split") == "test"]
        return frozenset(name for task in test if task.gold is not None for name in task.gold.tools)

    async def _bare(self, task: Task, more: dict[str, Any], unseen: frozenset[str]) -> dict[str, Any] | None:
        offer = Offer(self._catalog.specs(), k=int(self._plan.settings.get("k", 8)))
        names = await offer.tools_for(task, seed=self._plan.seed, hidden=_hidden(task, unseen))
        specs = [self._catalog.spec(name) for name in names]
        return call_row(task, specs, solver="none", seed=self._plan.seed, **more)

    def _timed(self, stage: str) -> _Timer:
        return _Timer(self._seconds, stage)


class _Timer:
    """Adds the seconds that a block took to those of its stage."""

    def __init__(self, seconds: dict[str, float], stage: str) -> None:
        self._seconds = seconds
        self._stage = stage

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        took = time.perf_counter() - self._began
        self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + took


def _hidden(task: Task, unseen: frozenset[str]) -> frozenset[str]:
    return unseen if task.metadata.get("split") == "train" else frozenset()


def _fair(tasks: Sequence[Task], n: int) -> list[Task]:
    """Return up to ``n`` tasks in their order, those of each generator in equal measure."""
    waiting: dict[str, list[Task]] = {}
    for task in tasks:
        waiting.setdefault(str(task.metadata.get("generator", "")), []).append(task)
    chosen: set[str] = set()
    while len(chosen) < min(n, len(tasks)):
        for rest in waiting.values():
            if rest and len(chosen) < n:
                chosen.add(rest.pop(0).id)
    return [task for task in tasks if task.id in chosen]


def _say_nothing(stage: str, done: int, planned: int) -> None:
    """Take a report of progress that nobody wants."""
