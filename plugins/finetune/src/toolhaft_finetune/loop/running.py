"""The stages of the loop, one after the other."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolhaft.tools.loop import run_sync
from toolhaft.world.server import World
from toolhaft_finetune.folder import quiet
from toolhaft_finetune.loop.evaluation import BASE, TUNED, evaluate_arms
from toolhaft_finetune.loop.report import REPORT, write_report
from toolhaft_finetune.loop.settings import LoopSettings
from toolhaft_finetune.loop.stages import Stages
from toolhaft_finetune.loop.tasks import PRETRAINING, TUNING, load_held_back, write_tasks
from toolhaft_finetune.rows import read_rows
from toolhaft_finetune.settings import TrainingSettings
from toolhaft_finetune.sft import MERGED, Result, train_sft
from toolhaft_finetune.training import CHECKPOINTS, Progress

ORIGINS = ("scripted",)
"""The rows are made by gold calls, and say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopResult:
    """What the loop left.

    Attributes:
        report: The page with all figures.
        facts: Of each stage.
        tuned: The tuned model's folder, and ``base`` that of the base model.
        base: See above.
    """

    report: Path
    facts: Mapping[str, Mapping[str, Any]]
    tuned: Path
    base: Path


def run_loop(
    folder: Path,
    settings: LoopSettings | None = None,
    *,
    tell: Callable[[str], None] = lambda _line: None,
    progress: Progress | None = None,
) -> LoopResult:
    """Close the loop in a folder, or go on where an earlier process stopped.

    Args:
        folder: For everything.
        settings: How large.
        tell: Takes a line about each stage.
        progress: Told of each training step.

    Raises:
        ToolhaftError: A stage failed; those before it are done.
    """
    settings = settings or LoopSettings()
    stages = Stages(folder, settings.to_json(), tell)
    with quiet():
        facts = _run_stages(stages, settings, progress)
        write_report(folder, settings, facts)
    return LoopResult(
        report=folder / REPORT, facts=facts, tuned=folder / TUNED / MERGED, base=folder / BASE / MERGED
    )


def _run_stages(
    stages: Stages, settings: LoopSettings, progress: Progress | None
) -> dict[str, Mapping[str, Any]]:
    folder = stages.folder

    async def evaluate(place: Path, _: LoopSettings, world: World) -> Mapping[str, Any]:
        models = {name: folder / name / MERGED for name in (BASE, TUNED)}
        tasks = load_held_back(folder / "tasks")
        return await evaluate_arms(place, tasks, models, world, seed=settings.seed)

    # In this order: each reads what those before it wrote.
    return {
        "tasks": stages.run("tasks", lambda place: _in_world(settings, place, write_tasks)),
        "start": stages.run("start", lambda place: _write_start(place, folder, settings)),
        BASE: stages.run(BASE, lambda place: _pretrain(place, folder, settings, progress), resumes=True),
        TUNED: stages.run(TUNED, lambda place: _tune(place, folder, settings, progress), resumes=True),
        "evaluation": stages.run("evaluation", lambda place: _in_world(settings, place, evaluate)),
    }


def pretraining_settings(settings: LoopSettings) -> TrainingSettings:
    """Return how the base model is trained: every weight, with a little loss on the prompts as well."""
    return TrainingSettings(
        method="full",
        optimizer="muon",
        learning_rate=3e-3,
        matrix_rate=0.02,
        steps=settings.pretraining_steps,
        batch_tokens=settings.batch_tokens,
        max_tokens=600,
        prompt_weight=0.05,
        schedule="linear",
        warm_up=0.05,
        seed=settings.seed,
    )


def tuning_settings(settings: LoopSettings) -> TrainingSettings:
    """Return how LoRA goes: loss on the assistant's turns alone."""
    return TrainingSettings(
        rank=16,
        alpha=32,
        dropout=0.0,
        learning_rate=5e-3,
        steps=settings.tuning_steps,
        batch_tokens=settings.batch_tokens,
        max_tokens=600,
        warm_up=0.05,
        seed=settings.seed,
        evaluate_every=25,
    )


def _in_world(
    settings: LoopSettings,
    place: Path,
    work: Callable[[Path, LoopSettings, World], Awaitable[Mapping[str, Any]]],
) -> Mapping[str, Any]:
    async def enter() -> Mapping[str, Any]:
        async with World(seed=settings.seed) as world:
            return await work(place, settings, world)

    return run_sync(enter())


def _write_start(place: Path, folder: Path, settings: LoopSettings) -> Mapping[str, Any]:
    from toolhaft_finetune.loop.tiny import write_base

    return write_base(place / "model", _texts(folder / "tasks" / PRETRAINING), settings)


def _texts(path: Path) -> Iterator[str]:
    """Iterate over what stands in the rows of part A, for the tokenizer."""
    for row in read_rows([path], include=ORIGINS).rows:
        for message in row.messages:
            yield str(message.get("content") or "")
            for call in message.get("tool_calls") or []:
                yield json.dumps(call["function"], ensure_ascii=False)
        for tool in row.tools:
            function = tool["function"]
            yield f"{function['name']}({','.join(function['parameters'].get('properties', {}))})"


def _pretrain(
    place: Path, folder: Path, settings: LoopSettings, progress: Progress | None
) -> Mapping[str, Any]:
    result = train_sft(
        folder / "start" / "model",
        [folder / "tasks" / PRETRAINING],
        place,
        pretraining_settings(settings),
        include=ORIGINS,
        hold_out=0.02,
        resume=(place / CHECKPOINTS).exists(),
        progress=progress,
    )
    return _told(result)


def _tune(place: Path, folder: Path, settings: LoopSettings, progress: Progress | None) -> Mapping[str, Any]:
    result = train_sft(
        folder / BASE / MERGED,
        [folder / "tasks" / TUNING],
        place,
        tuning_settings(settings),
        include=ORIGINS,
        hold_out=0.05,
        resume=(place / CHECKPOINTS).exists(),
        progress=progress,
    )
    return _told(result)


def _told(result: Result) -> Mapping[str, Any]:
    trained = result.trained
    return {"steps": trained.steps, "tokens": trained.tokens, "dropped": dict(result.dropped)}
