"""``toolhaft train retriever``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Output = Annotated[Path, typer.Option("--output", "-o", help="Folder for what comes out.")]
Data = Annotated[list[Path], typer.Option(help="Folder in ToolBench's layout; may be given several times.")]
Catalog = Annotated[list[str], typer.Option(help="Tools: a catalog file, an OpenAPI document and so on.")]
Queries = Annotated[list[Path], typer.Option(help="Queries that name the catalog's tools (.jsonl, .csv).")]
Runs = Annotated[list[Path], typer.Option(help="Stored runs: what was called well answers the instruction.")]
Include = Annotated[
    list[str], typer.Option(help="Learn from runs with this label, such as heuristic or scripted.")
]
Synthetic = Annotated[int | None, typer.Option(help="Queries to make from the tools' own documents.")]
Base = Annotated[
    Path | None, typer.Option(help="Folder of the encoder to begin with; else all-MiniLM-L6-v2.")
]
Guide = Annotated[
    Path | None, typer.Option(help="Folder of a cross-encoder to distil, with --set distillation=kl.")
]
Preset = Annotated[str, typer.Option(help="Settings by name: default or toolllm.")]
Epochs = Annotated[float | None, typer.Option(help="Passes over the pairs.")]
Rate = Annotated[float | None, typer.Option(help="Highest rate.")]
Seed = Annotated[int | None, typer.Option(help="Of everything that chance decides.")]
HoldOut = Annotated[
    float | None, typer.Option(help="Share of services whose queries are measured, not learned.")
]
Words = Annotated[
    list[str],
    typer.Option("--set", help="Another setting: batch=64, hard_negatives=2, negatives=bm25,dense."),
]


def retriever(
    output: Output,
    data: Data = [],  # noqa: B006  typer copies it; likewise below
    catalog: Catalog = [],  # noqa: B006
    queries: Queries = [],  # noqa: B006
    runs: Runs = [],  # noqa: B006
    include: Include = [],  # noqa: B006
    synthetic: Synthetic = None,
    model: Base = None,
    teacher: Guide = None,
    preset: Preset = "default",
    epochs: Epochs = None,
    learning_rate: Rate = None,
    seed: Seed = None,
    hold_out: HoldOut = None,
    settings_words: Words = [],  # noqa: B006
    resume: Annotated[bool, typer.Option(help="Go on where an earlier run stopped.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train the encoder of the retriever `dense` on queries and the tools that answer them."""
    from toolhaft.cli.progress import ProgressBar
    from toolhaft_dense.training.running import train_retriever
    from toolhaft_dense.training.settings import RetrieverSettings
    from toolhaft_dense.training.sources import Sources, gather

    settings = RetrieverSettings.from_words(
        settings_words,
        preset,
        synthetic=synthetic,
        epochs=epochs,
        learning_rate=learning_rate,
        seed=seed,
        hold_out=hold_out,
    )
    sources = Sources(
        folders=tuple(data),
        tools=_tools(catalog),
        queries=tuple(queries),
        runs=tuple(runs),
        include=tuple(include),
    )
    learning = gather(sources)
    bar = ProgressBar()
    with bar.showing("Loading"):
        result = train_retriever(
            learning,
            output,
            settings,
            model=model,
            teacher=teacher,
            preset=preset,
            resume=resume,
            progress=bar.reach,
        )
    _show(result, learning.left_out, as_json=as_json)


def _tools(locations: list[str]) -> list[Any]:
    from toolhaft.agent import open_catalog

    return [spec for location in locations for spec in open_catalog(location).specs()]


def _show(result: Any, left_out: Any, *, as_json: bool) -> None:
    from toolhaft.cli.output import print_json, print_line

    trained = result.trained
    if as_json:
        print_json(
            {
                "model": str(result.model),
                "card": str(result.card),
                "steps": trained.steps,
                "planned": trained.planned,
                "resumed_at": trained.resumed_at,
                "tokens": trained.tokens,
                "seconds": round(trained.seconds, 1),
                "queries": result.queries,
                "held_out": result.held_out,
                "best_step": trained.best_step,
                "left_out": dict(left_out),
                "ndcg@5": {"before": result.before, "after": result.after},
            }
        )
        return
    made = ", ".join(f"{number:,} {name}" for name, number in result.queries.items())
    print_line(f"queries learned: {made}")
    for name, number in left_out.items():
        print_line(f"left out: {number:,} ({name})")
    resumed = f", taken up at step {trained.resumed_at:,}" if trained.resumed_at else ""
    early = f" of {trained.planned:,}: nothing more was gained" if trained.steps < trained.planned else ""
    said = f"{trained.steps:,} steps{early}, {trained.tokens:,} tokens, {trained.seconds:.0f} s{resumed}"
    print_line(said)
    if result.before is not None:
        print_line(f"NDCG@5 before {100 * result.before:.1f}, after {100 * result.after:.1f}")
    if not result.held_out:
        print_line("nothing was held out: the weights are those of the last step")
    elif not trained.best_step:
        said = f"nothing was gained on {result.held_out} queries held out: the encoder is as it was"
        print_line(f"{said}. Give more queries, or hold none out (--hold-out 0)")
    print_line(f"model  {result.model}   (--retriever 'dense?model={result.model}')")
    print_line(f"card   {result.card}")
