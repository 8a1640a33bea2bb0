"""``toolhaft tools show``: one tool whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.catalogs import AsJSON, Location, LockedOpening
from toolhaft.cli.option_groups import with_groups
from toolhaft.cli.output import notice, print_json
from toolhaft.tools.report import Report

if TYPE_CHECKING:
    from toolhaft.tools.profiles import Profiled


@with_groups
def show(
    location: Location,
    name: Annotated[str, typer.Argument(help="Name of the tool.")],
    profile: Annotated[
        str | None,
        typer.Option(help="Print the schema as openai, openai-strict, anthropic or gemini gets it."),
    ] = None,
    *,
    opening: LockedOpening,
    as_json: AsJSON = False,
) -> None:
    """Show one tool whole: arguments and where each goes, effect, hosts, security, a call to copy."""
    from toolhaft.cli.tool_page import call_line, places_of, print_page, profiled, wire_of
    from toolhaft.types import to_value

    catalog = opening.open(location)
    tool = catalog[name]
    if profile:
        _print_profiled(profiled(tool.spec, profile), as_json=as_json)
        return
    report = catalog.report
    entry = report.of_tool(name) if isinstance(report, Report) else None
    if not as_json:
        print_page(tool, location, entry)
        return
    wire = wire_of(tool)
    shown: dict[str, Any] = to_value(tool.spec)
    if wire:
        shown["places"] = places_of(wire)
        shown["wire"] = wire
    shown["call"] = call_line(tool.spec, location)
    if entry is not None:
        shown["outcome"] = entry.outcome
        shown["problems"] = [str(problem) for problem in entry.problems]
    print_json(shown)


def _print_profiled(made: Profiled, *, as_json: bool) -> None:
    """Print a schema as a provider gets it; what was given up for that goes to stderr, or into the JSON."""
    if as_json:
        print_json({"parameters": made.parameters, "notes": made.notes, "renamed": dict(made.renamed)})
        return
    print_json(made.parameters)
    for note in made.notes:
        notice(f"given up: {note}")
    for sent, own in made.renamed.items():
        notice(f"renamed: {own} is sent as {sent}")
