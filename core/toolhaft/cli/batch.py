"""``toolhaft batch``: a file of instructions, carried out with tools, and resumed where it stopped."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.batch_progress import ProgressLine
from toolhaft.cli.batch_summary import tell_batch
from toolhaft.cli.catalogs import AllowHost, AsJSON, Auth, Chosen, FindTools
from toolhaft.cli.inputs import budget as read_budget
from toolhaft.cli.inputs import pairs
from toolhaft.cli.output import notice
from toolhaft.errors import FormatError, UsageError

if TYPE_CHECKING:
    from toolhaft.agent.batch import Batch, BatchOptions

_GRACE = 3.5
"""Seconds that calls under way may take to finish after the first interrupt."""
_LAST = 1.2
"""Seconds more until the process ends whatever still holds it."""


_EMPTY: tuple[Any, ...] = (None, False, 0, [], {})
_DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "model": ("auto",),
    "planner": ("react",),
    "retriever": ("bm25",),
}
_LISTS = ("allow_hosts",)

File = Annotated[Path | None, typer.Argument(help="JSONL, JSON, YAML, or one instruction a line.")]
Tools = Annotated[list[str] | None, typer.Option(help="A catalog of tools; may be given several times.")]
ModelName = Annotated[str, typer.Option(help="openai:NAME, http://HOST/v1#NAME, heuristic, auto ...")]
Allow = Annotated[list[str] | None, typer.Option(help="Effect (write, irreversible) or tool that may run.")]
TaskBudget = Annotated[list[str] | None, typer.Option(help="A limit of each task: --budget model_calls=40.")]
BatchBudget = Annotated[
    list[str] | None, typer.Option(help="A limit of the whole batch: --batch-budget cost=5.")
]
PerHost = Annotated[int | None, typer.Option(help="Calls under way at once to one host.", min=1)]
DurabilityName = Annotated[
    str, typer.Option(help="full: survives the loss of power; normal: the death of the process.")
]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Folder of the batch.")]
Join = Annotated[
    Path | None, typer.Option(help="Work beside the process that runs the batch in this folder.")
]
ResumeChanged = Annotated[
    bool, typer.Option("--resume-changed", help="Go on with a changed file or other settings.")
]
Retry = Annotated[
    list[str] | None,
    typer.Option(
        help="Try tasks again that ended so: failed, loop, budget, gave_up, error ...; may be given several "
        "times."
    ),
]
Settle = Annotated[
    list[str] | None,
    typer.Option(help="What became of a task's uncertain writes: TASK=done or TASK=not-done."),
]
ApiKey = Annotated[str | None, typer.Option(help="The model's key, by reference: --api-key env:MY_KEY.")]


def batch(
    file: File = None,
    tools: Tools = None,
    model: ModelName = "auto",
    planner: Annotated[str, typer.Option(help="Name of the planner.")] = "react",
    retriever: Annotated[str, typer.Option(help="Name of the retriever.")] = "bm25",
    k: Chosen = None,
    find_tools: FindTools = False,
    allow: Allow = None,
    budget: TaskBudget = None,
    batch_budget: BatchBudget = None,
    private: Annotated[bool, typer.Option(help="The instructions hold private data.")] = False,
    seed: Annotated[int, typer.Option(help="For everything that draws lots.")] = 0,
    concurrency: Annotated[int, typer.Option(help="Tasks under way at once.", min=1)] = 8,
    executor: Annotated[str, typer.Option(help="local, process, or what plugins bring.")] = "local",
    workers: Annotated[int, typer.Option(help="Processes of --executor process.", min=1)] = 2,
    per_host: PerHost = None,
    durability: DurabilityName = "full",
    output: Output = None,
    join: Join = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out rows that are no tasks.")] = False,
    resume_changed: ResumeChanged = False,
    retry: Retry = None,
    settle: Settle = None,
    api_key: ApiKey = None,
    auth: Auth = None,
    allow_host: AllowHost = None,
    as_json: AsJSON = False,
) -> None:
    """Carry out a file of instructions, several at once, and write their record and a report.

    Started again with the same folder, it goes on where it stopped; what was finished is not done again.
    Where -o names the folder of a batch that was begun, the file and all settings may be left out. Exit
    codes: 0 all answered, 1 failed, 2 wrong usage, 3 some ended otherwise or wait, 4 a person is needed,
    130 or 143 stopped.
    """
    from toolhaft.agent.batch import BatchOptions

    progress = ProgressLine(quiet=as_json)
    options = BatchOptions(
        concurrency=concurrency,
        executor=executor,
        workers=workers,
        budget=_batch_budget(batch_budget or []),
        durability=durability,  # type: ignore[arg-type]  # checked there
        join=join is not None,
        resume_changed=resume_changed,
        retry=tuple(retry or ()),
        settle=_verdicts(settle or []),
    )
    folder, begun = _folder(file, join, output, tools)
    settings = {
        "tools": list(tools or []),
        "model": model if begun else _resolved(model, progress),
        "api_key": api_key,
        "planner": planner,
        "retriever": retriever,
        **{"k": k, "find_tools": find_tools, "budget": read_budget(budget or ())},
        "allow": list(allow or []),
        "private": private,
        "seed": seed,
        "per_host": per_host,
        "auth": pairs(auth or (), "--auth"),
        "allow_hosts": list(allow_host or []),
    }
    given = _given(settings, begun=begun)
    raise typer.Exit(_carry_out(folder, file, given, options, progress, skip_bad=skip_bad, as_json=as_json))


def _carry_out(
    folder: Path,
    file: Path | None,
    settings: dict[str, Any] | None,
    options: BatchOptions,
    progress: ProgressLine,
    *,
    skip_bad: bool,
    as_json: bool,
) -> int:
    """Work the batch off, or what is left of it, and return the exit code."""
    from toolhaft.agent.batch import Batch

    made = Batch(
        folder,
        file,
        settings=settings,
        options=options,
        skip=_noting() if skip_bad else None,
        watch=progress.show,
        warn=notice,
    )
    return _finish(made, asyncio.run(_run(made, progress)), as_json=as_json)


def _finish(made: Batch, stopped_by: int, *, as_json: bool) -> int:
    """Write the files of a batch, say how it went, and return the exit code."""
    result = made.result
    if result is None:
        return stopped_by or 1
    # While others work on it, its files are theirs to write.
    files = None if made.options.join and result.counts.get("leased") else made.export()
    tell_batch(made, result, files, as_json=as_json)
    return stopped_by or result.exit_code


async def _run(made: Batch, progress: ProgressLine) -> int:
    """Run the batch; return 130 or 143 if a signal stopped it, else 0."""
    loop = asyncio.get_running_loop()
    work = asyncio.create_task(made.run())
    received: list[int] = []

    def on_signal(number: int) -> None:
        received.append(number)
        if len(received) > 1:
            progress.close()
            os._exit(128 + number)
        progress.say("Stopping: calls under way may finish. Once more to end at once.")
        made.stop()
        loop.call_later(_GRACE, work.cancel)
        # A thread of a tool, or a server that does not let go, must not keep the process.
        loop.call_later(_GRACE + _LAST, os._exit, 128 + number)

    with suppress(NotImplementedError):  # where there are no such signals, Ctrl-C ends it at once
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal, number)
    try:
        await work
    except asyncio.CancelledError:
        if not received:
            raise
    finally:
        progress.close()
        with suppress(NotImplementedError):
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
    return 128 + received[0] if received else 0


def _folder(
    file: Path | None, join: Path | None, output: Path | None, tools: list[str] | None
) -> tuple[Path, bool]:
    """Return the batch's folder, and whether its tasks and settings are those that it was begun with."""
    if join is not None:
        if file is not None or output is not None or tools:
            raise UsageError(
                "--join names the folder of a batch that has its tasks and settings already",
                hint="Leave out the file, --tools and -o",
            )
        return join, True
    if file is None and output is not None and not tools:
        return output, True
    if file is None:
        raise UsageError(
            "no file of tasks is named",
            hint="toolhaft batch FILE --tools CATALOG; or -o FOLDER alone, to go on with the batch there",
        )
    if not tools:
        raise UsageError("no tools are named", hint="Name a catalog: --tools openapi:petstore.yaml")
    return output or Path("toolhaft-runs") / f"batch-{file.stem}", False


def _given(settings: dict[str, Any], *, begun: bool) -> dict[str, Any] | None:
    """Return the settings of a batch to begin; None for one that keeps its own, where none may be given."""
    if not begun:
        return settings
    given = [name for name, value in settings.items() if value not in _DEFAULTS.get(name, _EMPTY)]
    if given:  # else they would be passed over
        options = ", ".join(f"--{name.removesuffix('s') if name in _LISTS else name}" for name in given)
        raise UsageError(
            f"a batch that was begun keeps its settings, and others are given: {options.replace('_', '-')}",
            hint="Name the file and --tools too, with all settings, and --resume-changed to change some",
        )
    return None


def _verdicts(words: list[str]) -> dict[str, str]:
    """Read ``TASK=done`` and ``TASK=not-done``; the id of a task may hold an equals sign."""
    found: dict[str, str] = {}
    for word in words:
        task, equals, verdict = word.rpartition("=")
        if not equals or not task:
            raise UsageError(f"--settle wants TASK=done or TASK=not-done: {word!r}")
        if found.setdefault(task, verdict) != verdict:
            raise UsageError(f"--settle says two things of the task {task!r}")
    return found


def _resolved(model: str, progress: ProgressLine) -> str:
    """Return the model that a name stands for now, so that a resumed batch does not get another."""
    from toolhaft.agent import open_model

    return open_model(model, warn=progress.keep).name if model == "auto" else model


def _batch_budget(words: list[str]) -> dict[str, float]:
    try:
        return read_budget(words)
    except UsageError as error:
        error.what = error.what.replace("--budget", "--batch-budget")
        raise


def _noting() -> Callable[[FormatError], None]:
    """Return what notes the first rows that are left out."""
    told: list[FormatError] = []

    def note(error: FormatError) -> None:
        told.append(error)
        if len(told) <= 10:
            notice(f"Left out: {error}")
        elif len(told) == 11:
            notice("Left out: more such rows")

    return note
