"""``toolhaft tools diff``: what changed from one document or catalog to another."""

from __future__ import annotations

from typing import Annotated

import typer

from toolhaft.cli.catalogs import AsJSON, Opening, earlier_names, is_document
from toolhaft.cli.option_groups import with_groups
from toolhaft.cli.output import print_json, print_line
from toolhaft.errors import UnknownNameError

_SHOWN = 12
"""Changes of one tool that are printed."""


@with_groups
def diff(
    old: Annotated[str, typer.Argument(help="The document or catalog as it was.")],
    new: Annotated[str, typer.Argument(help="The document or catalog as it is.")],
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on", help="Exit with 1 on breaking, additive or textual changes; may be repeated."
        ),
    ] = None,
    *,
    opening: Opening,
    as_json: AsJSON = False,
) -> None:
    """Compare two documents or catalogs, tool by tool, with a JSON pointer for each change.

    Breaking: a tool or argument is gone, an argument is required now, a type, enum or limit got narrower,
    effect, host, security or request changed, or no rule covers the change. Additive: more is accepted.
    Textual: descriptions, tags, examples.

    Exit codes: 0 done, 1 a change that --fail-on names, 2 wrong usage.
    """
    from toolhaft.tools.catalog_diff import KINDS, compare_catalogs

    for kind in fail_on or ():
        if kind not in KINDS:
            raise UnknownNameError("kind of change", kind, KINDS, where="--fail-on")
    # What was approved is no matter here: the tools are compared as they are.
    before = opening.open(old)
    names = earlier_names(old.removeprefix("catalog:")) if is_document(new) else None
    after = opening.open(new, names=names)
    found = compare_catalogs(before, after)
    if as_json:
        print_json(found.to_dict())
    else:
        for tool in found.tools:
            print_line(f"{tool.kind}: {tool.name}")
            for change in tool.changes[:_SHOWN]:
                place = f"{change.pointer}: " if change.pointer else ""
                print_line(f"  {change.kind:8}  {place}{change.what}")
            if len(tool.changes) > _SHOWN:
                print_line(f"  ... and {len(tool.changes) - _SHOWN} more; --json shows them all")
        print_line(str(found))
    if found.has(*(fail_on or ())):
        raise typer.Exit(1)
