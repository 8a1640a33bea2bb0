"""A benchmark run from the command line: predictions or models in, table and report out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.errors import UsageError
from toolhaft.evaluators.base import Evaluator
from toolhaft.types import Prediction, Task, ToolSpec

if TYPE_CHECKING:
    from toolhaft.runs.predictions import EvaluatedPredictions
    from toolhaft.secrets import SecretStore

Arms = Mapping[str, Sequence[Prediction]]
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """What is evaluated.

    Attributes:
        name: As on the command line, for example ``bfcl``.
        title: Heading.
        tasks: The questions.
        evaluators: The first decides.
        references: Floors and ceilings.
        load: Reads a file of predictions.
        tools: What each task offers, by its id.
        system: What a model that is asked is told first.
        metadata: For the predictions of a model that is asked.
        settings: How it was run, for the record.
    """

    name: str
    title: str
    tasks: Sequence[Task]
    evaluators: Sequence[Evaluator]
    references: Arms
    load: Callable[[Path], Sequence[Prediction]]
    tools: Mapping[str, Sequence[ToolSpec]] = field(default_factory=dict)
    system: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What every benchmark is told on the command line.

    Attributes:
        predictions: Words ``NAME=FILE``.
        models: Names of models to ask.
        evaluators: Names of evaluators.
        limit: Of questions.
        output: Folder for records and reports.
        seed: Of floors, models and bootstrap.
        concurrency: Requests under way at once.
        as_json: Whether to print JSON.
    """

    predictions: Sequence[str] = ()
    models: Sequence[str] = ()
    evaluators: Sequence[str] = ()
    limit: int | None = None
    output: Path | None = None
    seed: int = 0
    concurrency: int = 8
    as_json: bool = False


def run_benchmark(benchmark: Benchmark, options: Options) -> int:
    """Evaluate, print what was found, write records and report, and return the exit code.

    Args:
        benchmark: What is evaluated.
        options: What was said on the command line.

    Raises:
        ToolhaftError: Something of this cannot be.
    """
    from toolhaft.cli.inputs import pairs
    from toolhaft.report.store import check_output
    from toolhaft.runs.predictions import evaluate_predictions
    from toolhaft.secrets import SecretStore

    files = pairs(options.predictions, "--predictions")
    _check_names([*files, *options.models], benchmark)
    if options.output is not None:
        check_output(options.output, [*files, *options.models, *benchmark.references])
    known = {task.id for task in benchmark.tasks}
    arms: dict[str, Sequence[Prediction]] = {}
    for name, file in files.items():
        arms[name] = _kept(benchmark.load(Path(file)), known, file)
    secrets = SecretStore()
    notes: list[str] = []
    for model in options.models:
        arms[model] = _ask(model, benchmark, options, secrets, notes)
    found = evaluate_predictions(
        benchmark.tasks,
        arms,
        benchmark.evaluators,
        references=benchmark.references,
        tools=benchmark.tools,
        title=benchmark.title,
        notes=[*notes, *_notes(benchmark)],
        seed=options.seed,
    )
    _show(found, benchmark, options, secrets)
    return 3 if notes else 0


def choose(tasks: Sequence[Task], limit: int | None) -> tuple[Task, ...]:
    """Return at most so many tasks, spread evenly over all."""
    if limit is None or limit >= len(tasks):
        return tuple(tasks)
    return tuple(tasks[number * len(tasks) // limit] for number in range(limit))


def print_findings(findings: Mapping[str, Sequence[str]], *, as_json: bool) -> int:
    """Print what a lint found, its first lines of each kind; return the exit code, 1 if it found anything."""
    from toolhaft.cli.output import print_json, print_line

    if as_json:
        print_json({kind: list(lines) for kind, lines in findings.items()})
    else:
        for kind, lines in findings.items():
            print_line(f"{len(lines):>5}  {kind}")
            for line in lines[:_SHOWN]:
                print_line(f"         {line}")
            if len(lines) > _SHOWN:
                print_line(f"         ... {len(lines) - _SHOWN} more; --json prints all")
    return int(any(findings.values()))


def open_evaluators(
    options: Options, own: Mapping[str, Callable[[], Evaluator]], default: str
) -> list[Evaluator]:
    """Return the evaluators that were named: the benchmark's own with its data, any other by its name.

    Raises:
        UnknownNameError: There is no such evaluator.
    """
    from toolhaft.hooks.registry import Registry

    chosen = options.evaluators or (default,)
    return [own[name]() if name in own else Registry.default().evaluator(name) for name in chosen]


def _check_names(names: Sequence[str], benchmark: Benchmark) -> None:
    if not names:
        raise UsageError(
            "there is nothing to evaluate",
            hint="Give --predictions NAME=FILE, or --model NAME to ask a model",
        )
    for position, name in enumerate(names):
        if name in names[:position] or name in benchmark.references or name == "nothing":
            raise UsageError(f"the name {name!r:.60} is taken", hint="Give each arm a name of its own")


def _kept(predictions: Sequence[Prediction], known: set[str], file: str) -> list[Prediction]:
    """Return the predictions for the chosen tasks; a file that has none is one for something else."""
    kept = [prediction for prediction in predictions if prediction.task_id in known]
    if not kept:
        first = predictions[0].task_id if predictions else ""
        raise UsageError(
            "it holds no prediction for these questions",
            where=file,
            hint=f"Its first is for {first!r:.60}" if first else "It is empty",
        )
    return kept


def _ask(
    name: str, benchmark: Benchmark, options: Options, secrets: SecretStore, notes: list[str]
) -> tuple[Prediction, ...]:
    from toolhaft.agent import open_model
    from toolhaft.cli.output import notice
    from toolhaft.cli.progress import ProgressBar
    from toolhaft.tools.loop import run_sync
    from toolhaft_evals.asking import ask_model

    model = open_model(name, secrets=secrets, warn=notice)
    bar = ProgressBar()
    try:
        with bar.showing(f"{benchmark.title}: {name}", len(benchmark.tasks)):
            asked = run_sync(
                ask_model(
                    model,
                    benchmark.tasks,
                    tools=benchmark.tools,
                    system=benchmark.system,
                    metadata=benchmark.metadata,
                    concurrency=options.concurrency,
                    seed=options.seed,
                    progress=bar.advance,
                )
            )
    finally:
        run_sync(model.close())
    if failed := sum(asked.errors.values()):
        first = next(iter(asked.errors))
        notes.append(f"{failed} requests to {name} failed and count as missing; the first: {first:.200}")
    return asked.predictions


def _notes(benchmark: Benchmark) -> list[str]:
    *first, last = [f"'{name}'" for name in benchmark.references]
    names = f"{', '.join(first)} and {last}"
    return [f"{names} are no models, but what a score must be held against; they are compared with nobody."]


def _show(found: EvaluatedPredictions, benchmark: Benchmark, options: Options, secrets: SecretStore) -> None:
    from datetime import UTC, datetime

    from toolhaft.cli.figures import print_comparison
    from toolhaft.cli.output import print_json, print_line
    from toolhaft.report.store import save_evaluation
    from toolhaft.types import to_value

    folder = options.output or Path("toolhaft-runs") / f"{benchmark.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    said = {
        "benchmark": benchmark.name,
        "evaluators": [evaluator.name for evaluator in benchmark.evaluators],
        "limit": options.limit,
        "seed": options.seed,
        **benchmark.settings,
    }
    files = save_evaluation(
        folder,
        found.comparison,
        found.records,
        settings={**said, "predictions": list(options.predictions), "models": list(options.models)},
        redact=secrets.redact,
    )
    if options.as_json:
        print_json({**to_value(found.comparison), "folder": str(folder), "report": str(files.html)})
    else:
        print_comparison(found.comparison)
        print_line(f"\nReport: {files.html}")
