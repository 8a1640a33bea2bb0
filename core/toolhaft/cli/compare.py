"""``toolhaft compare``: stored runs of the same tasks, put side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.errors import FormatError, UsageError

if TYPE_CHECKING:
    from toolhaft.evaluators.comparing import ArmAttempts
    from toolhaft.types import Comparison, Score, Trajectory

_SHOWN = 5


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of stored runs, or arms of evaluations.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to write the comparison as HTML.")
    ] = None,
    evaluator: Annotated[
        str | None, typer.Option(help="Whose scores decide; those that the runs hold by default.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare stored runs of the same tasks with paired statistics.

    All figures are of the tasks that every run has; the others are left out, and said. Rollouts are paired
    by task and trial. Of each pair, the second run is compared with the first.
    """
    from toolhaft.cli.figures import print_comparison
    from toolhaft.cli.output import print_json, print_line
    from toolhaft.types import to_value

    if output is not None and output.suffix != ".html":
        raise UsageError(
            f"{str(output)!r} does not end in .html", hint="Name a file for the report: -o comparison.html"
        )
    stored, notes = share_tasks(load_runs(runs, evaluator))
    comparison = compare_runs(stored, notes=notes, seed=seed)
    if output is not None:
        _write(output, comparison, stored)
    if as_json:
        print_json({**to_value(comparison), "report": str(output) if output else None})
        return
    print_comparison(comparison)
    if output is not None:
        print_line(f"\nReport: {output}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run as it was read.

    Attributes:
        name: What tells it apart from the others.
        folder: Where it is.
        trajectories: Of all its rollouts.
        scores: By the id of the trajectory.
        trials: Of each trajectory, in their order.
        deciding: Of each trajectory, the score that decides.
        said: What a reader must know of these scores.
    """

    name: str
    folder: Path
    trajectories: Sequence[Trajectory]
    scores: Mapping[str, Sequence[Score]]
    trials: Sequence[int]
    deciding: Sequence[Score]
    said: Sequence[str] = ()

    def attempts(self) -> ArmAttempts:
        """Return the run as statistics see it."""
        from toolhaft.evaluators.comparing import ArmAttempts, Attempt

        planners = dict.fromkeys(trajectory.planner for trajectory in self.trajectories)
        models = dict.fromkeys(trajectory.model for trajectory in self.trajectories)
        records = zip(self.trajectories, self.deciding, self.trials, strict=True)
        return ArmAttempts(
            name=self.name,
            planner=", ".join(planners),
            model=", ".join(models),
            attempts=tuple(Attempt.of(record, score, trial=trial) for record, score, trial in records),
        )

    def instructions(self) -> dict[str, str]:
        """Return the text of each task, by its id."""
        return {
            trajectory.task.id: " ".join(trajectory.task.instruction.split())
            for trajectory in self.trajectories
        }

    def only(self, tasks: Set[str]) -> StoredRun:
        """Return the run with the rollouts of these tasks alone."""
        records = zip(self.trajectories, self.trials, self.deciding, strict=True)
        kept = [record for record in records if record[0].task.id in tasks]
        return replace(
            self,
            trajectories=[trajectory for trajectory, _, _ in kept],
            scores={t.id: self.scores[t.id] for t, _, _ in kept if t.id in self.scores},
            trials=[trial for _, trial, _ in kept],
            deciding=[score for _, _, score in kept],
        )


def load_runs(paths: Sequence[Path], evaluator: str | None = None) -> list[StoredRun]:
    """Read runs that are to be compared.

    Args:
        paths: Folders as `toolhaft.report.store.save_run` writes them, files of trajectories, or
            evaluations of a single arm.
        evaluator: Name of the evaluator whose scores decide; a run that has none is scored by it now.

    Raises:
        UsageError: There are fewer than two, one stands twice, or one is not there, empty or not scored.
        FormatError: One is damaged.
    """
    if len(paths) < 2:
        raise UsageError("there is nothing to compare it with", hint="Name two runs: toolhaft compare A B")
    places = [_arm_folder(path) for path in paths]
    for position, place in enumerate(places):
        if place.resolve() in [other.resolve() for other in places[:position]]:
            raise UsageError(
                "a run is compared with itself", where=str(place), hint="Name two different runs"
            )
    return [_load(name, place, evaluator) for name, place in zip(_names(places), places, strict=True)]


def share_tasks(runs: Sequence[StoredRun]) -> tuple[list[StoredRun], list[str]]:
    """Return the runs with the tasks alone that all of them have, and what is to be said of the others.

    Raises:
        UsageError: They share no task, or a task of one id has different texts.
    """
    from itertools import combinations

    tasks = [run.instructions() for run in runs]
    shared = {task for task in tasks[0] if all(task in other for other in tasks)}
    if not shared:
        raise UsageError(
            "the runs have no task in common",
            where=_joined([run.name for run in runs]),
            hint="; ".join(
                f"{run.name} has {_listed(list(own))}" for run, own in zip(runs, tasks, strict=True)
            ),
        )
    kept = [run.only(shared) for run in runs]
    notes: list[str] = []
    for a, b in combinations(kept, 2):
        notes += _check_pair(a, b)
    number = len({task for own in tasks for task in own} - shared)
    if number:
        others = [[task for task in own if task not in shared] for own in tasks]
        alone = [
            f"{run.name} has {len(own)} of them ({_listed(own)})"
            for run, own in zip(runs, others, strict=True)
            if own
        ]
        which = "tasks that not every run has are" if number > 1 else "task that not every run has is"
        notes.insert(
            0, f"{number} {which} left out of all figures, {len(shared)} counted: {'; '.join(alone)}."
        )
    return kept, notes


def compare_runs(runs: Sequence[StoredRun], *, notes: Sequence[str] = (), seed: int = 0) -> Comparison:
    """Compare runs of the same tasks; see `share_tasks`."""
    from toolhaft.evaluators.comparing import compare_arms

    title = " and ".join(run.name for run in runs) if len(runs) < 4 else f"{len(runs)} runs"
    found = compare_arms([run.attempts() for run in runs], title=title, notes=notes, seed=seed)
    return replace(found, notes=(*found.notes, *(line for run in runs for line in run.said)))


def _arm_folder(path: Path) -> Path:
    """Return the folder of the only arm of an evaluation, floors and ceilings aside, or the path itself."""
    from toolhaft.evaluators.reading import FLOOR
    from toolhaft.report.store import is_evaluation, load_evaluation

    if not is_evaluation(path):
        return path
    evaluation = load_evaluation(path)
    aside = {FLOOR, *(arm.name for arm in evaluation.comparison.arms if arm.reference)}
    folders = [place for name, place in evaluation.folders.items() if name not in aside]
    if len(folders) != 1:
        arms = ", ".join(str(path / place) for place in folders)
        raise UsageError(
            f"the evaluation has {len(folders)} arms", where=str(path), hint=f"Name one of them: {arms}"
        )
    return path / folders[0]


def _names(places: Sequence[Path]) -> list[str]:
    """Return the shortest ends of the paths that tell them apart."""
    parts = [place.resolve().with_suffix("").parts for place in places]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(each[-length:]) for each in parts]
        if len(set(names)) == len(names) and "nothing" not in names:
            return names
    return [str(place) for place in places]


def _load(name: str, folder: Path, evaluator: str | None) -> StoredRun:
    from toolhaft.cli.compare_scores import settle_scores
    from toolhaft.report.store import load_run

    trajectories, scores = load_run(folder)
    if not trajectories:
        raise UsageError("the run is empty", where=str(folder))
    deciding, said = settle_scores(name, trajectories, scores, evaluator, str(folder))
    return StoredRun(
        name=name,
        folder=folder,
        trajectories=trajectories,
        scores=scores,
        trials=_trials(trajectories, str(folder)),
        deciding=deciding,
        said=said,
    )


def _trials(trajectories: Sequence[Trajectory], where: str) -> list[int]:
    """Return the trial of each trajectory: as recorded, else its place among those of its task."""
    seen: dict[str, list[int]] = {}
    for trajectory in trajectories:
        before = seen.setdefault(trajectory.task.id, [])
        trial = trajectory.settings.get("trial", len(before))
        if type(trial) is not int or trial < 0 or trial in before:
            raise FormatError(
                f"the task {trajectory.task.id!r} has the trial {trial!r:.40} twice, or it is none",
                where=where,
                hint="The record is damaged, or holds more than one run",
            )
        before.append(trial)
    taken = {task: iter(trials) for task, trials in seen.items()}
    return [next(taken[trajectory.task.id]) for trajectory in trajectories]


def _check_pair(a: StoredRun, b: StoredRun) -> list[str]:
    """Return what is to be said of a pair of runs of the same tasks before its figures."""
    first, second = a.instructions(), b.instructions()
    who = f"{a.name} and {b.name}"
    changed = [task for task in first if first[task] != second[task]]
    if changed:
        raise UsageError(
            f"{len(changed)} of {len(first)} tasks do not say the same in both: {_listed(changed)}",
            where=who,
            hint="Compare runs of the same tasks",
        )
    gold = {trajectory.task.id: trajectory.task.gold for trajectory in a.trajectories}
    other = [t.task.id for t in b.trajectories if t.task.id in gold and gold[t.task.id] != t.task.gold]
    if not other:
        return []
    tasks = list(dict.fromkeys(other))
    return [f"What is asked of {_listed(tasks)} differs between {who}: their scores may, too."]


def _joined(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _listed(tasks: Sequence[str]) -> str:
    shown = ", ".join(task[:60] for task in tasks[:_SHOWN])
    return shown if len(tasks) <= _SHOWN else f"{shown} and {len(tasks) - _SHOWN} more"


def _write(output: Path, comparison: Comparison, runs: Sequence[StoredRun]) -> None:
    import os

    from toolhaft.report.comparison import render_comparison
    from toolhaft.report.files import write_whole

    settings: dict[str, Any] = {"runs": {run.name: str(run.folder) for run in runs}}
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        html = render_comparison(
            comparison,
            arms={run.name: (run.trajectories, run.scores) for run in runs},
            folders={
                run.name: os.path.relpath(run.folder, output.parent) for run in runs if run.folder.is_dir()
            },
            settings=settings,
        )
        write_whole(output, [html.encode()])
    except OSError as error:
        raise UsageError(
            f"cannot write the comparison: {error.strerror or error}",
            where=str(output),
            hint="Name another file with -o",
        ) from None
