"""``toolhaft tools lint``: what a model would struggle with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolhaft.cli.catalogs import AsJSON, Location, Opening, Selection
from toolhaft.cli.option_groups import with_groups
from toolhaft.cli.output import print_json, print_line
from toolhaft.cli.progress import ProgressBar

_SHOWN = 4
"""Findings of one tool that are printed."""


@with_groups
def lint(
    location: Location,
    worst: Annotated[int, typer.Option(help="How many tools are printed, the worst first.", min=1)] = 10,
    fail_under: Annotated[
        float | None, typer.Option("--fail-under", help="Exit with 1 where the catalog scores less.", max=100)
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option(help="Instructions and the tools they need (.jsonl, .csv): which are not found?"),
    ] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="Only findings of this rule, * allowed: 'search-*'.")
    ] = None,
    *,
    selection: Selection,
    opening: Opening,
    as_json: AsJSON = False,
) -> None:
    """Judge tools by how well a model can choose and call them: findings, scores, and what to do.

    Exit codes: 0 done, 1 the score is below --fail-under, 2 wrong usage.
    """
    from toolhaft.lint.linting import lint as judge
    from toolhaft.runs.search_sets.own import read_own

    asked = read_own(queries).queries if queries is not None else ()
    catalog = opening.open(location)
    bar = ProgressBar()
    with bar.showing("Reading tools", len(catalog)):
        listed = [spec for spec in catalog.specs() if selection.includes(spec)]
        found = judge(listed, asked, progress=bar.reach)
    if rule:
        found = found.only(rule)
    if as_json:
        print_json(found.to_dict())
    else:
        for tool in [tool for tool in found.tools if tool.findings][:worst]:
            print_line(f"{tool.score:3}  {tool.name}")
            for finding in tool.findings[:_SHOWN]:
                mend = f" [{finding.mend}]" if finding.mend else ""
                print_line(f"       -{finding.cost:<3} {finding}{mend}")
            if len(tool.findings) > _SHOWN:
                print_line(f"       ... and {len(tool.findings) - _SHOWN} more")
        counted = ", ".join(f"{rule} ({count})" for rule, count in list(found.counts().items())[:8])
        print_line(f"Findings: {counted or 'none'}")
        if 0 < found.searched < len(found.tools):
            print_line(f"Searched for {found.searched:,} of the tools by their own words.")
        print_line(f"Score: {found.score:g} of 100 over {len(found.tools)} tools")
    if fail_under is not None and found.score < fail_under:
        raise typer.Exit(1)
