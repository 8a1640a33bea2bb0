"""``toolhaft tools show``: one tool whole."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from toolhaft.cli.catalogs import AllowHost, AsJSON, Auth, Curated, Location, LockFile, open_location
from toolhaft.cli.output import print_json
from toolhaft.tools.report import Report


def show(
    location: Location,
    name: Annotated[str, typer.Argument(help="Name of the tool.")],
    profile: Annotated[
        str | None, typer.Option(help="Print the tool's schema as openai, anthropic or gemini gets it.")
    ] = None,
    curate: Curated = None,
    lock: LockFile = None,
    auth: Auth = None,
    allow_host: AllowHost = None,
    as_json: AsJSON = False,
) -> None:
    """Show one tool whole: arguments and where each goes, effect, hosts, security, a call to copy."""
    from toolhaft.cli.tool_page import call_line, places_of, print_page, schema_for, wire_of
    from toolhaft.types import to_value

    catalog = open_location(location, auth, allow_host, curation=curate, lock=lock)
    tool = catalog[name]
    if profile:
        print_json(schema_for(tool.spec, profile))
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
