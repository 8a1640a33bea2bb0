"""``toolhaft view``: the report of a stored run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Open the report of a stored run.", add_completion=False)


@app.command()
def view(
    path: Annotated[Path, typer.Argument(help="A run's folder, or a .jsonl file of trajectories.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write the report; else beside the run.")
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the web browser.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make the HTML report of a stored run, and print where it is."""
    from toolhaft.cli.output import notice, print_json, print_line

    report, number = write_report(path, output)
    if as_json:
        print_json({"html": str(report), "trajectories": number})
    else:
        print_line(str(report))
    if open_it:
        import webbrowser

        if not webbrowser.open(report.resolve().as_uri()):
            notice("No web browser could be opened.")


def write_report(path: Path, output: Path | None = None) -> tuple[Path, int]:
    """Write the report of a stored run and return its path and the number of trajectories.

    Raises:
        UsageError: There is no such run, or the report cannot be written.
        FormatError: The run is damaged.
    """
    from toolhaft.errors import UsageError
    from toolhaft.report.html import render_html
    from toolhaft.report.store import REPORT, load_heading, load_pictures, load_run, write_whole

    trajectories, scores = load_run(path)
    heading = load_heading(path)
    html = render_html(
        trajectories,
        scores=scores,
        title=heading.title,
        notes=heading.notes,
        artifacts=load_pictures(path),
    )
    report = output or (path / REPORT if path.is_dir() else path.with_suffix(".html"))
    try:
        write_whole(report, [html.encode()])
    except OSError as error:
        raise UsageError(
            f"cannot write the report: {error.strerror or error}",
            where=str(report),
            hint="Name another file with --output",
        ) from None
    return report, len(trajectories)
