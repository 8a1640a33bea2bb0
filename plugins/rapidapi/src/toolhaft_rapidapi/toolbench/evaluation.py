"""An evaluation on ToolBench's queries: every arm is a journaled batch, and all are reported together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from toolhaft.cli.batch_progress import ProgressLine
from toolhaft.cli.eval_world import make_arms, read_limits
from toolhaft.cli.figures import print_comparison
from toolhaft.cli.output import notice, print_json, print_line
from toolhaft.cli.run import prepare
from toolhaft.errors import JournalError, ToolhaftError, UsageError
from toolhaft.evaluators.reading import FLOOR
from toolhaft.hooks.registry import Registry
from toolhaft.report.reuse import JOURNALS
from toolhaft.types import Comparison, Task, Trajectory, from_json, to_value
from toolhaft_rapidapi.naming import NAMINGS
from toolhaft_rapidapi.toolbench.queries import bare, load_ids, read_queries
from toolhaft_rapidapi.toolbench.work import TARGET

if TYPE_CHECKING:
    from toolhaft.runs.batch import BatchResult
    from toolhaft.runs.evaluate import Arm, EvaluationRun

DECIDES = "valid-finish"
BESIDE = ("gold-recall", "schema-validity")
"""Evaluators of the plugin toolhaft-evals, taken where it is installed."""
_SIMULATED = (
    "No API was called: every observation was made up by the built-in simulator and is labelled simulated. "
    "The figures say how tools are chosen and called, not whether the answers are true."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What is evaluated, and how; see `toolhaft_rapidapi.toolbench.command.evaluate_toolbench`."""

    queries: tuple[Path, ...]
    planners: tuple[str, ...] = ("react",)
    models: tuple[str, ...] = ("heuristic",)
    limit: int | None = None
    ids: Path | None = None
    naming: str = "readable"
    budget: Mapping[str, float] = field(default_factory=dict)
    concurrency: int = 8
    executor: str = "local"
    workers: int = 2
    seed: int = 0
    evaluators: tuple[str, ...] = ()


class QueryEvaluation:
    """What ``toolhaft eval toolbench`` does; everything is checked before anything is begun.

    Args:
        choices: What is evaluated, and how.
        output: Folder of the evaluation; the journals are in a sub-folder.

    Raises:
        ToolhaftError: Something of this cannot be.
    """

    def __init__(self, choices: Choices, *, output: Path) -> None:
        from toolhaft.report.store import check_output, name_folders

        if choices.naming not in NAMINGS:
            raise UsageError(f"there is no naming {choices.naming!r}", hint=f"One of {', '.join(NAMINGS)}")
        self._choices = choices
        self.output = output
        self.tasks = choose_queries(choices)
        self.arms = make_arms(choices.planners, choices.models, k=1, budget=read_limits(choices.budget))
        self.evaluators, self._missing = choose_evaluators(choices.evaluators, self.tasks)
        prepare(output)
        check_output(output, [*(arm.name for arm in self.arms), FLOOR])
        self._folders = name_folders([arm.name for arm in self.arms])

    def show(self, *, as_json: bool) -> int:
        """Carry out what is left, print what was found, write the report, and return the exit code."""
        from toolhaft.tools.loop import run_sync

        for arm in self.arms:
            result = self._work_off(arm, quiet=as_json)
            if waiting := _waiting(result):
                notice(f"{waiting} of {len(self.tasks)} rollouts of {arm.name} wait: there is no report yet.")
                notice("Start the same command again to go on.")
                return 130 if result.stopped == "interrupted" else 3
        run = self._scored()
        run_sync(run.run(), on_interrupt=run.cancel)
        comparison = self._compare(run)
        files = self._save(run, comparison)
        if as_json:
            print_json({**to_value(comparison), "folder": str(self.output), "report": str(files.html)})
        else:
            print_comparison(comparison)
            print_line(f"\nReport: {files.html}")
        errors = any(outcome.kind == "error" for outcome in run.outcomes)
        return 130 if run.stopped == "interrupted" else 3 if errors or run.stopped else 0

    def _work_off(self, arm: Arm, *, quiet: bool) -> BatchResult:
        from toolhaft.agent.batch import Batch, BatchOptions

        choices = self._choices
        progress = ProgressLine(quiet=quiet)
        batch = Batch(
            self.output / JOURNALS / self._folders[arm.name],
            self.tasks,
            settings={
                "queries": [str(path.resolve()) for path in choices.queries],
                "naming": choices.naming,
                "model": arm.model,
                "planner": arm.planner,
                "budget": dict(choices.budget),
                "seed": choices.seed,
            },
            target=TARGET,
            options=BatchOptions(
                concurrency=choices.concurrency, executor=choices.executor, workers=choices.workers
            ),
            watch=progress.show,
            warn=notice,
        )
        try:
            return batch.run_sync()
        except JournalError as error:
            if error.code == "E-JOURNAL-CHANGED":
                error.hint = "Take another folder with -o, or the queries and settings it was begun with"
            raise
        finally:
            progress.close()

    def _scored(self) -> EvaluationRun:
        """Return the run that scores what the batches left."""
        from toolhaft.runs.evaluate import EvaluationRun

        done = {arm.name: self._trajectories(arm) for arm in self.arms}

        async def take(arm: Arm, task: Task, _trial: int) -> Trajectory:
            found = done[arm.name].get(task.id)
            if isinstance(found, Trajectory):
                return found
            raise ToolhaftError(str(found or "there is no record of it"), where=f"task {task.id}")

        return EvaluationRun(self.arms, self.tasks, take, evaluators=self.evaluators)

    def _trajectories(self, arm: Arm) -> dict[str, Trajectory | str]:
        """Return what became of each task, or why there is no record."""
        from toolhaft.runs.journal import read_results

        found: dict[str, Trajectory | str] = {}
        folder = self.output / JOURNALS / self._folders[arm.name]
        for row in read_results(folder):
            where = f"{folder}: job {row['position']}"
            found[str(row["id"])] = (
                from_json(Trajectory, row["result"], where=where) if row["result"] else str(row["error"])
            )
        return found

    def _compare(self, run: EvaluationRun) -> Comparison:
        number = len(self.tasks)
        title = f"ToolBench: {number} {'query' if number == 1 else 'queries'} with simulated APIs"
        found = run.compare(title=title, seed=self._choices.seed)
        return replace(found, notes=(_SIMULATED, *self._figures(run), *self._missing, *found.notes))

    def _figures(self, run: EvaluationRun) -> list[str]:
        """Return a line for each arm with the means of what was scored."""
        lines = []
        for arm in self.arms:
            scored = [outcome for outcome in run.outcomes if outcome.arm == arm.name]
            means = []
            for place, evaluator in enumerate(run.evaluators):
                values = [outcome.scores[place].value for outcome in scored]
                whole = sum(value >= 1.0 for value in values)
                means.append(f"{evaluator.name} {fmean(values):.3f} (1.0 in {whole} of {len(values)})")
            origins = {found for outcome in scored for found in _origins(outcome.trajectory)}
            said = f"; observations: {', '.join(sorted(origins))}" if origins else ""
            lines.append(f"{arm.name}: {', '.join(means)}{said}.")
        return lines

    def _save(self, run: EvaluationRun, comparison: Comparison) -> Any:
        from toolhaft.report.store import save_evaluation

        said = {name: getattr(self._choices, name) for name in self._choices.__dataclass_fields__}
        said |= {
            "queries": [path.name for path in self._choices.queries],
            "ids": self._choices.ids.name if self._choices.ids else None,
            "evaluators": [evaluator.name for evaluator in run.evaluators],
        }
        settings = {"benchmark": "toolbench", "provenance": "simulated", **said}
        return save_evaluation(self.output, comparison, run.records(), settings=settings)


def choose_queries(choices: Choices) -> tuple[Task, ...]:
    """Return the tasks that are to be done.

    Raises:
        UsageError: A query has no APIs to choose from, or none is left.
        ToolhaftError: A file cannot be read.
    """
    queries = read_queries(
        choices.queries, naming="readable" if choices.naming != "toolbench" else "toolbench"
    )
    tasks: Sequence[Task] = queries.tasks
    if choices.ids is not None:
        wanted = set(load_ids(choices.ids))
        tasks = [task for task in tasks if str(task.metadata["query_id"]) in wanted]
    for task in tasks:
        if not queries.candidates[task.id]:
            raise UsageError(
                "the query has no api_list, so there is nothing to choose from",
                where=f"query {task.id}",
                hint="Leave it out; `toolhaft run --tools rapidapi:...` does instructions in the open domain",
            )
    if not tasks:
        raise UsageError("no query is left", hint="Leave out --ids, or name the file that has them")
    if choices.limit is not None and choices.limit < len(tasks):
        step = len(tasks) / choices.limit
        tasks = [tasks[int(number * step)] for number in range(choices.limit)]
    return tuple(bare(task) for task in tasks)


def choose_evaluators(names: Sequence[str], tasks: Sequence[Task]) -> tuple[list[Any], list[str]]:
    """Return the evaluators, and what a reader must know of those that could not be taken.

    Raises:
        UnknownNameError: One that was asked for is not there.
    """
    registry = Registry.default()
    if names:
        return [registry.evaluator(name) for name in names], []
    known = set(registry.names("evaluator"))
    found, missing = [registry.evaluator(DECIDES)], []
    for name in BESIDE:
        if name not in known:
            missing.append(f"{name} is not measured: pip install toolhaft-evals brings it.")
        elif name == "gold-recall" and not all(task.gold and task.gold.tools for task in tasks):
            missing.append("gold-recall is not measured: some queries name no relevant APIs.")
        else:
            found.append(registry.evaluator(name))
    return found, missing


def _origins(trajectory: Trajectory) -> set[str]:
    """Return where its observations came from; calls that were never made have none."""
    return {
        observation.provenance
        for observation in trajectory.observations()
        if observation.error is None or observation.provenance != "live" or observation.exchanges
    }


def _waiting(result: BatchResult) -> int:
    return sum(result.counts.get(name, 0) for name in ("waiting", "leased"))
