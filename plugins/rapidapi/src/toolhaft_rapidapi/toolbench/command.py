"""``toolhaft eval toolbench``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Planners = Annotated[list[str] | None, typer.Option(help="A planner; may be given several times.")]
Models = Annotated[list[str] | None, typer.Option(help="A model; may be given several times.")]


def evaluate_toolbench(
    queries: Annotated[list[Path], typer.Option(help="A query file; may be given several times.")],
    planner: Planners = None,
    model: Models = None,
    limit: Annotated[int | None, typer.Option(help="Only so many queries, evenly spread.", min=1)] = None,
    ids: Annotated[Path | None, typer.Option(help="A file of test ids: only these queries.")] = None,
    naming: Annotated[str, typer.Option(help="Names of the tools: readable or toolbench.")] = "readable",
    budget: Annotated[list[str] | None, typer.Option(help="Of a rollout: --budget model_calls=40.")] = None,
    concurrency: Annotated[int, typer.Option(help="Rollouts under way at once.", min=1)] = 8,
    executor: Annotated[str, typer.Option(help="local, process, or what plugins bring.")] = "local",
    workers: Annotated[int, typer.Option(help="Processes of --executor process.", min=1)] = 2,
    seed: Annotated[int, typer.Option(help="Of the simulator, the agents and the bootstrap.")] = 0,
    evaluator: Annotated[
        list[str] | None, typer.Option(help="An evaluator; the first decides what has passed.")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the evaluation.")] = Path(
        "toolhaft-runs/toolbench"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Carry out ToolBench's queries with the APIs that each of them is given, simulated in this process.

    Nothing leaves the machine but what a model is asked. Started again with the same folder, it goes on
    where it stopped. Exit codes: 0 evaluated, 1 an arm cannot work, 2 wrong usage, 3 some rollouts ended in
    an error or wait, 130 interrupted.
    """
    from toolhaft.cli.inputs import budget as read_budget
    from toolhaft_rapidapi.toolbench.evaluation import Choices, QueryEvaluation

    choices = Choices(
        queries=tuple(queries),
        planners=tuple(planner or ("react",)),
        models=tuple(model or ("heuristic",)),
        limit=limit,
        ids=ids,
        naming=naming,
        budget=read_budget(budget or ()),
        concurrency=concurrency,
        executor=executor,
        workers=workers,
        seed=seed,
        evaluators=tuple(evaluator or ()),
    )
    raise typer.Exit(QueryEvaluation(choices, output=output).show(as_json=as_json))
