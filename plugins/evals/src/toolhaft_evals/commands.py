"""``toolhaft eval apibench``, ``bfcl`` and ``gpt4tools``: each says what is its own, and shares the rest."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from toolhaft_evals.benchmark import (
    Benchmark,
    Options,
    choose,
    open_evaluators,
    print_findings,
    run_benchmark,
)

_Data = Annotated[Path, typer.Option("--data", help="Folder of the data as it is published.")]
_Lint = Annotated[bool, typer.Option("--lint", help="Say what is wrong with the data, and end.")]


def _shared(
    predictions: Annotated[
        list[str] | None, typer.Option(help="NAME=FILE of what a model said; several times.")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="A model to ask; several times.")] = None,
    evaluator: Annotated[
        list[str] | None, typer.Option(help="An evaluator; the first decides what has passed.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only so many questions, spread over all.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Of the random floor, the models and the bootstrap.")] = 0,
    concurrency: Annotated[int, typer.Option(help="Requests to a model under way at once.", min=1)] = 8,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for records and report.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> Options:
    """Return what every benchmark is told."""
    return Options(
        predictions=predictions or (),
        models=model or (),
        evaluators=evaluator or (),
        limit=limit,
        output=output,
        seed=seed,
        concurrency=concurrency,
        as_json=as_json,
    )


def _benchmark(prepare: Callable[..., Benchmark]) -> Callable[..., None]:
    """Return a command with the options of ``prepare``, behind its first, and those that all share."""
    own = list(inspect.signature(prepare, eval_str=True).parameters.values())[1:]
    shared = inspect.signature(_shared, eval_str=True).parameters

    @wraps(prepare)
    def command(**said: Any) -> None:
        options = _shared(**{name: said.pop(name) for name in shared})
        raise typer.Exit(run_benchmark(prepare(options, **said), options))

    command.__signature__ = inspect.Signature([*own, *shared.values()])  # type: ignore[attr-defined]
    return command


@_benchmark
def evaluate_apibench(
    options: Options,
    data: _Data,
    hub: Annotated[str, typer.Option(help="Name of the hub, where the data has several.")] = "",
    lint: _Lint = False,
) -> Benchmark:
    """Say how often models call the right API of a hub, with the right arguments.

    Evaluators: apibench (strict), apibench-compat (as the published scripts). Exit codes: 0 evaluated,
    1 the lint found something, 2 wrong usage, 3 some requests to a model failed.
    """
    from toolhaft_evals.apibench.asking import instructions
    from toolhaft_evals.apibench.data import choose_hub, load_answers, load_tasks, open_database
    from toolhaft_evals.apibench.evaluator import APIBench, CompatibleAPIBench
    from toolhaft_evals.apibench.floors import make_floors
    from toolhaft_evals.apibench.lint import lint_apibench

    name = choose_hub(data, hub)
    database, tasks = open_database(data, name), choose(load_tasks(data, name), options.limit)
    if lint:
        raise typer.Exit(print_findings(lint_apibench(tasks, database), as_json=options.as_json))
    own = {
        "apibench": lambda: APIBench(database=database),
        "apibench-compat": lambda: CompatibleAPIBench(database=database),
    }
    return Benchmark(
        name="apibench",
        title=f"APIBench {name}: {len(tasks)} questions",
        tasks=tasks,
        evaluators=open_evaluators(options, own, "apibench"),
        references=make_floors(tasks, database, seed=options.seed),
        load=lambda path: load_answers(path, name),
        system=instructions(database),
        settings={"data": str(data), "hub": name},
    )


@_benchmark
def evaluate_bfcl(
    options: Options,
    data: _Data,
    category: Annotated[list[str] | None, typer.Option(help="Only this category; several times.")] = None,
    names: Annotated[
        str, typer.Option(help="How the predictions write dotted names: dotted or underscored.")
    ] = "dotted",
    strings: Annotated[str, typer.Option(help="lenient (as published) or strict.")] = "lenient",
    compatible: Annotated[
        bool, typer.Option("--compatible", help="Follow the published checker beside its rules too.")
    ] = False,
    lint: _Lint = False,
) -> Benchmark:
    """Say how often models make the calls that a question accepts: BFCL, Python, a single turn.

    Predictions are result files of the leaderboard, or folders of them. Exit codes: 0 evaluated, 1 the
    lint found something, 2 wrong usage, 3 some requests to a model failed.
    """
    from toolhaft_evals.bfcl.data import load_results, load_tasks, tool_specs
    from toolhaft_evals.bfcl.evaluator import BFCL
    from toolhaft_evals.bfcl.floors import make_floors
    from toolhaft_evals.bfcl.lint import lint_bfcl

    tasks = choose(load_tasks(data, category or ()), options.limit)
    if lint:
        raise typer.Exit(print_findings(lint_bfcl(tasks), as_json=options.as_json))
    policy: dict[str, Any] = {"names": names, "strings": strings, "compatible": compatible}
    return Benchmark(
        name="bfcl",
        title=f"BFCL: {len(tasks)} questions",
        tasks=tasks,
        evaluators=open_evaluators(options, {"bfcl": lambda: BFCL(**policy)}, "bfcl"),
        references=make_floors(tasks, seed=options.seed),
        load=lambda path: load_results(path, tasks),
        tools={task.id: tool_specs(task) for task in tasks},
        metadata={"names": "underscored"},
        settings={"data": str(data), **policy},
    )


@_benchmark
def evaluate_gpt4tools(
    options: Options,
    data: Annotated[Path, typer.Option("--data", help="File of records: instruction, input, output.")],
) -> Benchmark:
    """Say how often models use the right image tools on the right files.

    Evaluators: gpt4tools (strict), gpt4tools-compat (as the published code). Exit codes: 0 evaluated,
    2 wrong usage, 3 some requests to a model failed.
    """
    from toolhaft_evals.gpt4tools.compatible import CompatibleGPT4Tools
    from toolhaft_evals.gpt4tools.data import load_outputs, load_tasks, make_floors
    from toolhaft_evals.gpt4tools.strict import GPT4Tools

    everything = load_tasks(data)
    tasks = choose(everything, options.limit)
    own = {"gpt4tools": GPT4Tools, "gpt4tools-compat": CompatibleGPT4Tools}
    return Benchmark(
        name="gpt4tools",
        title=f"GPT4Tools: {len(tasks)} records",
        tasks=tasks,
        evaluators=open_evaluators(options, own, "gpt4tools"),
        references=make_floors(tasks),
        load=lambda path: load_outputs(path, everything),
        settings={"data": str(data)},
    )
