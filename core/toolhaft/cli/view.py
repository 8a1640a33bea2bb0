"""``toolhaft view``: the report of a stored run or evaluation, or what a folder holds of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from toolhaft.types import Score, Trajectory

_LISTED = 1_000

app = typer.Typer(help="Open the report of a stored run or evaluation.", add_completion=False)


@app.command()
def view(
    path: Annotated[
        Path, typer.Argument(help="Folder of a run or an evaluation, or a .jsonl file of trajectories.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write the report; else beside the run.")
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the web browser.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make the HTML report of a stored run or evaluation, and print where it is.

    An evaluation's report links to those of its arms, which are made again too. Of a folder that holds
    several runs, these are listed, the newest first.
    """
    from toolhaft.cli.output import notice, print_json, print_line

    if output is None and not open_it and (runs := list_runs(path)):
        _print_runs(runs, as_json)
        return
    report, number = write_report(path, output)
    if as_json:
        print_json({"html": str(report), "trajectories": number})
    else:
        print_line(str(report))
    if open_it:
        import webbrowser

        if not webbrowser.open(report.resolve().as_uri()):
            notice("No web browser could be opened.")


def list_runs(folder: Path) -> list[tuple[Path, str, float]]:
    """Return the runs and evaluations in a folder that is none itself, the newest first.

    Returns:
        Of each its folder, ``run`` or ``evaluation``, and when it was written, in seconds since 1970; none
        if the folder cannot be read.
    """
    if _written(folder):
        return []
    try:
        places = list(folder.iterdir())
    except OSError:
        return []
    found = [(place, *written) for place in places if (written := _written(place))]
    return sorted(found, key=lambda run: (-run[2], run[0].name))


def _written(place: Path) -> tuple[str, float] | None:
    """Return what a folder holds, and when it was written; None if it holds neither, or cannot be read."""
    from toolhaft.report.store import EVALUATION, TRAJECTORIES

    for name, kind in ((EVALUATION, "evaluation"), (TRAJECTORIES, "run")):
        try:
            return kind, (place / name).stat().st_mtime
        except OSError:
            continue
    return None


def _print_runs(runs: Sequence[tuple[Path, str, float]], as_json: bool) -> None:
    from datetime import UTC, datetime

    from toolhaft.cli.output import notice, print_json, print_table

    rows = [
        {
            "folder": str(place),
            "kind": kind,
            "written": f"{datetime.fromtimestamp(written, UTC):%Y-%m-%d %H:%M} UTC",
        }
        for place, kind, written in runs[:_LISTED]
    ]
    if as_json:
        print_json({"runs": rows, "not_shown": len(runs) - len(rows)})
        return
    print_table(["KIND", "WRITTEN", "FOLDER"], [[row["kind"], row["written"], row["folder"]] for row in rows])
    left_out = f" {len(runs) - len(rows):,} older ones are not shown." if len(runs) > len(rows) else ""
    notice(f"Name one of them to have its report made again.{left_out}")


def write_report(path: Path, output: Path | None = None) -> tuple[Path, int]:
    """Write the report of a stored run or evaluation; return its path and the number of trajectories.

    Raises:
        UsageError: There is no such run, or the report cannot be written.
        FormatError: The run is damaged.
    """
    from toolhaft.report.store import REPORT, is_evaluation, load_run

    if is_evaluation(path):
        return _write_evaluation(path, output)
    trajectories, scores = load_run(path)
    report = output or (path / REPORT if path.is_dir() else path.with_suffix(".html"))
    _write(report, _run_html(path, trajectories, scores))
    return report, len(trajectories)


def _write_evaluation(folder: Path, output: Path | None) -> tuple[Path, int]:
    """Write the reports of the arms, then the one that links to them."""
    import os
    from dataclasses import replace

    from toolhaft.report.store import REPORT, evaluation_html, load_evaluation

    evaluation = load_evaluation(folder)
    for name, (trajectories, scores) in evaluation.arms.items():
        place = folder / evaluation.folders[name]
        _write(place / REPORT, _run_html(place, trajectories, scores))
    report = output or folder / REPORT
    if output is not None:
        beside = {
            name: os.path.relpath(folder / place, output.parent).replace(os.sep, "/")
            for name, place in evaluation.folders.items()
        }
        evaluation = replace(evaluation, folders=beside)
    _write(report, evaluation_html(evaluation))
    return report, sum(len(trajectories) for trajectories, _ in evaluation.arms.values())


def _run_html(path: Path, trajectories: Sequence[Trajectory], scores: Mapping[str, Sequence[Score]]) -> bytes:
    from toolhaft.report.html import render_html
    from toolhaft.report.store import load_heading, load_pictures

    heading = load_heading(path)
    html = render_html(
        trajectories,
        scores=scores,
        title=heading.title,
        notes=heading.notes,
        artifacts=load_pictures(path),
    )
    return html.encode()


def _write(report: Path, html: bytes) -> None:
    from toolhaft.errors import UsageError
    from toolhaft.report.files import write_whole

    try:
        write_whole(report, [html])
    except OSError as error:
        raise UsageError(
            f"cannot write the report: {error.strerror or error}",
            where=str(report),
            hint="Name another file with --output",
        ) from None
