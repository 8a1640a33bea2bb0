"""``toolhaft loop``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def loop(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder; a loop begun in it is gone on with.")
    ],
    quick: Annotated[bool, typer.Option(help="About a minute: shows that all works, and no more.")] = False,
    seed: Annotated[int, typer.Option(help="Of everything that chance decides.")] = 0,
    settings_words: Annotated[
        list[str], typer.Option("--set", help="Another size: tuning_steps=200, held_back=100.")
    ] = [],  # noqa: B006
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Close the loop offline: import tools, generate tasks, train a small model, tune it, evaluate it."""
    from toolhaft.cli.output import notice, print_json, print_line
    from toolhaft_finetune.loop.running import run_loop
    from toolhaft_finetune.loop.settings import LoopSettings

    begun = LoopSettings.quick(seed) if quick else LoopSettings(seed=seed)
    settings = begun.changed(settings_words)
    result = run_loop(output, settings, tell=notice, progress=_tell_training)
    if as_json:
        print_json({"report": str(result.report), "facts": dict(result.facts)})
        return
    evaluation = result.facts["evaluation"]
    for name in evaluation["arms"]:
        passed, total, low, high = evaluation[name]["first call"]
        done = evaluation[name]["state check"][0]
        share = passed / total if total else 0.0
        print_line(
            f"{name:<11} first call right {passed:>4} of {total}  {share:>4.0%}  [{low:.0%}, {high:.0%}]"
            f"   state check passed {done:>4}"
        )
    print_line(f"\nReport: {result.report}")


def _tell_training(step: int, steps: int, loss: float) -> None:
    from toolhaft.cli.output import notice

    if step == steps or step % 50 == 0:
        notice(f"  step {step:,} of {steps:,}, loss {loss:.3f}")
