"""``toolhaft tools add`` and ``remove``: single tools of a catalog file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.catalogs import AsJSON, Location, Opening, Prefix, Selection
from toolhaft.cli.option_groups import with_groups
from toolhaft.cli.output import print_json, print_line
from toolhaft.errors import UsageError

if TYPE_CHECKING:
    from toolhaft.tools.catalog_update import CatalogUpdate

File = Annotated[Path, typer.Argument(help="The catalog file to change.")]
_MOST_SHOWN = 5


@with_groups
def add(
    file: File,
    location: Location,
    prefix: Prefix = "",
    replace: Annotated[bool, typer.Option(help="Replace tools of the same names.")] = False,
    *,
    selection: Selection,
    opening: Opening,
    as_json: AsJSON = False,
) -> None:
    """Add tools to a catalog file; the others in it are not touched."""
    from toolhaft.tools.catalog_update import differing_tools, update_catalog

    with opening.open(location) as opened:
        catalog = selection.included(opened)
        catalog = catalog.prefix(prefix) if prefix else catalog
        if not catalog:
            raise UsageError("there is no such tool to add", where=location, hint="toolhaft tools list")
        _, taken = differing_tools(catalog, file)
        if taken and not replace:
            shown = ", ".join(taken[:_MOST_SHOWN]) + (", ..." if len(taken) > _MOST_SHOWN else "")
            raise UsageError(
                f"it has other tools of these names: {shown}",
                where=str(file),
                hint="Give --replace, or tell the new ones apart by --prefix",
            )
        _tell(update_catalog(file, catalog), as_json=as_json)


def remove(
    file: File,
    names: Annotated[list[str], typer.Argument(help="Names of tools.")],
    as_json: AsJSON = False,
) -> None:
    """Remove tools from a catalog file; the others in it are not touched."""
    from toolhaft.tools.catalog_update import update_catalog

    _tell(update_catalog(file, remove=names), as_json=as_json)


def told_update(update: CatalogUpdate) -> dict[str, Any]:
    """Return what became of a file as JSON values."""
    return {
        "added": list(update.added),
        "changed": list(update.changed),
        "removed": list(update.removed),
    }


def told_in_words(update: CatalogUpdate) -> str:
    """Return what became of a file in a few words."""
    counts = {part: len(names) for part, names in told_update(update).items()}
    return ", ".join(f"{count} {part}" for part, count in counts.items() if count) or "nothing changed"


def _tell(update: CatalogUpdate, *, as_json: bool) -> None:
    if as_json:
        print_json(told_update(update))
    else:
        print_line(f"{told_in_words(update)}.")
