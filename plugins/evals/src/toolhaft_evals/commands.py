"""``toolhaft eval apibench``, ``bfcl`` and ``gpt4tools``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolhaft.types import Task
from toolhaft_evals.benchmark import (
    Benchmark,
    Options,
    choose,
    open_evaluators,
    print_findings,
    run_benchmark,
)

_Data = Annotated[Path, typer.Option("--data", help="Folder of the data as it is published.")]
_Predictions = Annotated[
    list[str] | None, typer.Option("--predictions", help="NAME=FILE of what a model said; several times.")
]
_Models = Annotated[list[str] | None, typer.Option("--model", help="A model to ask; several times.")]
_Evaluators = Annotated[
    list[str] | None, typer.Option("--evaluator", help="An evaluator; the first decides what has passed.")
]
_Limit = Annotated[int | None, typer.Option(help="Only so many questions, spread over all.", min=1)]
_Seed = Annotated[int, typer.Option(help="Of the random floor, the models and the bootstrap.")]
_Concurrency = Annotated[int, typer.Option(help="Requests to a model under way at once.", min=1)]
_Lint = Annotated[bool, typer.Option("--lint", help="Say what is wrong with the data, and end.")]
_Output = Annotated[Path | None, typer.Option("-o", "--output", help="Folder for records and report.")]
_AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def evaluate_apibench(
    data: _Data,
    predictions: _Predictions = None,
    model: _Models = None,
    hub: Annotated[str, typer.Option(help="Name of the hub, where the data has several.")] = "",
    evaluator: _Evaluators = None,
    limit: _Limit = None,
    seed: _Seed = 0,
    concurrency: _Concurrency = 8,
    lint: _Lint = False,
    output: _Output = None,
    as_json: _AsJSON = False,
) -> None:
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
    database, tasks = open_database(data, name), choose(load_tasks(data, name), limit)
    if lint:
        raise typer.Exit(print_findings(lint_apibench(tasks, database), as_json=as_json))
    own = {
        "apibench": lambda: APIBench(database=database),
        "apibench-compat": lambda: CompatibleAPIBench(database=database),
    }
    benchmark = Benchmark(
        name="apibench",
        title=f"APIBench {name}: {len(tasks)} questions",
        tasks=tasks,
        evaluators=open_evaluators(evaluator or (), own, "apibench"),
        references=make_floors(tasks, database, seed=seed),
        system=instructions(database),
        settings={"data": str(data), "hub": name, "evaluators": evaluator or ["apibench"], "limit": limit},
    )
    options = _options(predictions, model, output, seed, concurrency, as_json)
    raise typer.Exit(run_benchmark(benchmark, options, lambda path: load_answers(path, name)))


def evaluate_bfcl(
    data: _Data,
    predictions: _Predictions = None,
    model: _Models = None,
    category: Annotated[list[str] | None, typer.Option(help="Only this category; several times.")] = None,
    names: Annotated[
        str, typer.Option(help="How the predictions write dotted names: dotted or underscored.")
    ] = "dotted",
    strings: Annotated[str, typer.Option(help="lenient (as published) or strict.")] = "lenient",
    compatible: Annotated[
        bool, typer.Option("--compatible", help="Follow the published checker beside its rules too.")
    ] = False,
    evaluator: _Evaluators = None,
    limit: _Limit = None,
    seed: _Seed = 0,
    concurrency: _Concurrency = 8,
    lint: _Lint = False,
    output: _Output = None,
    as_json: _AsJSON = False,
) -> None:
    """Say how often models make the calls that a question accepts: BFCL, Python, a single turn.

    Predictions are result files of the leaderboard, or folders of them. Exit codes: 0 evaluated, 1 the
    lint found something, 2 wrong usage, 3 some requests to a model failed.
    """
    from toolhaft_evals.bfcl.data import load_results, load_tasks, tool_specs
    from toolhaft_evals.bfcl.evaluator import open_bfcl
    from toolhaft_evals.bfcl.floors import make_floors
    from toolhaft_evals.bfcl.lint import lint_bfcl

    tasks = choose(load_tasks(data, category or ()), limit)
    if lint:
        raise typer.Exit(print_findings(lint_bfcl(tasks), as_json=as_json))
    own = {"bfcl": lambda: open_bfcl(names=names, strings=strings, compatible=compatible)}
    benchmark = Benchmark(
        name="bfcl",
        title=f"BFCL: {len(tasks)} questions",
        tasks=tasks,
        evaluators=open_evaluators(evaluator or (), own, "bfcl"),
        references=make_floors(tasks, seed=seed),
        tools={task.id: tool_specs(task) for task in tasks},
        metadata={"names": "underscored"},
        settings={
            "data": str(data),
            "names": names,
            "strings": strings,
            "compatible": compatible,
            "limit": limit,
        },
    )
    options = _options(predictions, model, output, seed, concurrency, as_json)
    raise typer.Exit(run_benchmark(benchmark, options, lambda path: load_results(path, tasks)))


def evaluate_gpt4tools(
    data: Annotated[Path, typer.Option("--data", help="File of records: instruction, input, output.")],
    predictions: _Predictions = None,
    model: _Models = None,
    evaluator: _Evaluators = None,
    limit: _Limit = None,
    seed: _Seed = 0,
    concurrency: _Concurrency = 8,
    output: _Output = None,
    as_json: _AsJSON = False,
) -> None:
    """Say how often models use the right image tools on the right files.

    Evaluators: gpt4tools (strict), gpt4tools-compat (as the published code). Exit codes: 0 evaluated,
    2 wrong usage, 3 some requests to a model failed.
    """
    from toolhaft_evals.gpt4tools.compatible import CompatibleGPT4Tools
    from toolhaft_evals.gpt4tools.data import load_outputs, load_tasks, make_floors
    from toolhaft_evals.gpt4tools.strict import GPT4Tools

    everything = load_tasks(data)
    tasks: tuple[Task, ...] = choose(everything, limit)
    own = {"gpt4tools": GPT4Tools, "gpt4tools-compat": CompatibleGPT4Tools}
    benchmark = Benchmark(
        name="gpt4tools",
        title=f"GPT4Tools: {len(tasks)} records",
        tasks=tasks,
        evaluators=open_evaluators(evaluator or (), own, "gpt4tools"),
        references=make_floors(tasks),
        settings={"data": str(data), "evaluators": evaluator or ["gpt4tools"], "limit": limit},
    )
    options = _options(predictions, model, output, seed, concurrency, as_json)
    raise typer.Exit(run_benchmark(benchmark, options, lambda path: load_outputs(path, everything)))


def _options(
    predictions: list[str] | None,
    models: list[str] | None,
    output: Path | None,
    seed: int,
    concurrency: int,
    as_json: bool,
) -> Options:
    return Options(
        predictions=predictions or (),
        models=models or (),
        output=output,
        seed=seed,
        concurrency=concurrency,
        as_json=as_json,
    )
