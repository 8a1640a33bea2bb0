"""``toolhaft train sft``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from toolhaft_finetune.settings import TrainingSettings

_DEFAULT = TrainingSettings()


def sft(
    model: Annotated[Path, typer.Option(help="Model folder: config.json, *.safetensors, a tokenizer.")],
    data: Annotated[list[Path], typer.Option(help="Rows as JSON lines; may be given several times.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for what comes out.")],
    include: Annotated[
        list[str], typer.Option(help="Train on rows with this label, such as heuristic or scripted.")
    ] = [],  # noqa: B006  typer copies it
    full: Annotated[bool, typer.Option(help="Train every weight instead of LoRA.")] = False,
    rank: Annotated[int, typer.Option(help="Rank of the additions.")] = _DEFAULT.rank,
    learning_rate: Annotated[float, typer.Option(help="Highest rate.")] = _DEFAULT.learning_rate,
    epochs: Annotated[float, typer.Option(help="Passes over the rows.")] = _DEFAULT.epochs,
    steps: Annotated[int | None, typer.Option(help="Steps, instead of epochs.")] = None,
    max_tokens: Annotated[int, typer.Option(help="Longer rows are left out.")] = _DEFAULT.max_tokens,
    seed: Annotated[int, typer.Option(help="Of everything that chance decides.")] = _DEFAULT.seed,
    hold_out: Annotated[float, typer.Option(help="Share of rows measured and not learned.")] = 0.0,
    settings_words: Annotated[
        list[str],
        typer.Option("--set", help="Another setting: alpha=32, batch_tokens=4096, schedule=linear."),
    ] = [],  # noqa: B006
    resume: Annotated[bool, typer.Option(help="Go on where an earlier run stopped.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fine-tune a model on tool calls, with loss on the assistant's turns only."""
    from toolhaft.cli.progress import ProgressBar
    from toolhaft_finetune.sft import train_sft

    settings = TrainingSettings.from_words(
        settings_words,
        method="full" if full else "lora",
        rank=rank,
        learning_rate=learning_rate,
        epochs=epochs,
        steps=steps,
        max_tokens=max_tokens,
        seed=seed,
    )
    bar = ProgressBar()
    with bar.showing("Loading"):
        result = train_sft(
            model,
            data,
            output,
            settings,
            include=include,
            hold_out=hold_out,
            resume=resume,
            progress=lambda step, steps, loss: bar.reach(step, steps, f"loss {loss:.3f}"),
        )
    _show(result, as_json=as_json)


def _show(result: Any, *, as_json: bool) -> None:
    from toolhaft.cli.output import print_json, print_line

    trained = result.trained
    if as_json:
        print_json(
            {
                "merged": str(result.merged),
                "adapter": str(result.adapter) if result.adapter else None,
                "card": str(result.card),
                "steps": trained.steps,
                "resumed_at": trained.resumed_at,
                "tokens": trained.tokens,
                "seconds": round(trained.seconds, 1),
                "dropped": result.dropped,
            }
        )
        return
    resumed = f", taken up at step {trained.resumed_at:,}" if trained.resumed_at else ""
    print_line(f"{trained.steps:,} steps, {trained.tokens:,} tokens, {trained.seconds:.0f} s{resumed}")
    for name, number in result.dropped.items():
        print_line(f"left out: {number:,} rows ({name})")
    print_line(f"model  {result.merged}   (hf:{result.merged})")
    print_line(f"card   {result.card}")
