"""``toolhaft world``: worlds are checked, and their tasks are listed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from toolhaft.world.finding import Finding, Inspection

app = typer.Typer(
    help="Check worlds, and list their tasks.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Folder = Annotated[Path | None, typer.Argument(help="Folder of the world; the bundled one by default.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def world() -> None:
    """Check worlds, and list their tasks."""


@app.command()
def lint(folder: Folder = None, as_json: AsJson = False) -> None:
    """Check that every task can be done, is not done by doing nothing, and is checked by what can fail.

    The documents, records and rules of the services are checked, too.

    Ends with exit code 1 if something is wrong.
    """
    from toolhaft.cli.output import print_json, print_line
    from toolhaft.world.lint import inspect_world

    seen = inspect_world(folder)
    if as_json:
        counts = {"services": seen.services, "operations": seen.operations, "tasks": seen.tasks}
        rows = [_row(finding) for finding in seen.findings]
        print_json({"problems": len(seen.findings), "checked": counts, "findings": rows})
    else:
        for finding in seen.findings:
            print_line(str(finding))
        print_line(_summary(seen))
    if seen.findings:
        raise typer.Exit(1)


@app.command()
def tasks(
    folder: Folder = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only tasks with this tag; repeat for more.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the tasks of a world with their tags."""
    from toolhaft.cli.output import print_json, print_line, print_table
    from toolhaft.errors import UnknownNameError
    from toolhaft.world.documents import world_folder
    from toolhaft.world.tasks import load_tasks

    found = load_tasks(world_folder(folder) / "tasks")
    known = sorted({name for task in found for name in task.tags})
    for name in tag or ():
        if name not in known:
            raise UnknownNameError("tag", name, known)
    chosen = [task for task in found if set(tag or ()) <= set(task.tags)]
    if as_json:
        print_json(
            [
                {"id": task.id, "tags": list(task.tags), "instruction": task.instruction, "seed": seed}
                for task in chosen
                for seed in [task.metadata["seed"]]
            ]
        )
        return
    print_table(
        ("TASK", "TAGS", "INSTRUCTION"),
        [(task.id, " ".join(task.tags), task.instruction) for task in chosen],
    )
    print_line(f"\n{len(chosen)} of {len(found)} tasks.")


def _row(finding: Finding) -> dict[str, str]:
    from toolhaft.types import to_value

    found: dict[str, str] = to_value(finding)
    return found


def _summary(seen: Inspection) -> str:
    from collections import Counter

    checked = ", ".join(
        f"{count} {noun if count == 1 else f'{noun}s'}"
        for count, noun in ((seen.services, "service"), (seen.operations, "operation"), (seen.tasks, "task"))
    )
    if not seen.findings:
        return f"No problems; checked: {checked}."
    kinds = Counter(finding.code for finding in seen.findings).most_common()
    counts = ", ".join(f"{count} {code}" for code, count in kinds)
    total = len(seen.findings)
    return f"\n{total} {'problem' if total == 1 else 'problems'}: {counts}; checked: {checked}."
