"""``toolhaft tools import``: a document becomes tools, with a report of every operation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.catalogs import (
    AsJSON,
    Location,
    Opening,
    Prefix,
    Selection,
    earlier_names,
    is_document,
)
from toolhaft.cli.import_report import print_report
from toolhaft.cli.option_groups import with_groups
from toolhaft.cli.output import notice, print_json, print_line
from toolhaft.cli.progress import ProgressBar, waiting
from toolhaft.cli.tools_change import told_in_words, told_update
from toolhaft.errors import UsageError
from toolhaft.tools.report import Report

if TYPE_CHECKING:
    from toolhaft.tools.catalog import Catalog
    from toolhaft.tools.catalog_update import CatalogUpdate

_MOST_REFUSED = 10
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Catalog file to write.")]
Strict = Annotated[
    bool, typer.Option(help="A degraded or skipped operation is an error; nothing is written.")
]
Validate = Annotated[
    bool, typer.Option(help="Show what openapi-spec-validator says, as warnings; never a gate.")
]
Seconds = Annotated[float, typer.Option(help="How long it may take.", min=1)]
Profile = Annotated[
    str | None, typer.Option(help="Show the tools' sizes for openai, openai-strict, anthropic or gemini.")
]
Overlays = Annotated[
    list[Path] | None, typer.Option(help="OpenAPI Overlay document to apply first; may be repeated.")
]
Server = Annotated[str | None, typer.Option(help="Base URL in place of the document's servers.")]


@with_groups
def import_(
    location: Location,
    output: Output = None,
    prefix: Prefix = "",
    *,
    selection: Selection,
    strict: Strict = False,
    validate: Validate = False,
    validate_seconds: Seconds = 60,
    profile: Profile = None,
    overlay: Overlays = None,
    server: Server = None,
    opening: Opening,
    as_json: AsJSON = False,
) -> None:
    """Import tools, print what became of each operation, and keep them in a catalog file.

    Into a file that is there already, what differs is written, and what is not imported any more removed.

    Exit codes: 0 everything became a tool, 3 something was skipped, 1 nothing can be read, or --strict
    found something, 2 wrong usage.
    """
    if output is not None and output.suffix != ".catalog":
        raise UsageError(f"{str(output)!r} does not end in .catalog", hint="Name it, say, pets.catalog")
    document = is_document(location)
    settings = {
        "include": selection.words() if document else None,
        "overlays": overlay,
        "server": server,
        "names": earlier_names(output, prefix) if output is not None and document else None,
    }
    with waiting(f"Reading {location}"):
        # What was approved before is no matter to an import; it is asked for when the tools are opened.
        catalog = opening.open(location, **settings)
    if not document:
        catalog = selection.included(catalog)
    if prefix:
        catalog = catalog.prefix(prefix)
    _build(catalog)
    findings = _validate(location, opening.allow_host, validate_seconds) if validate else None
    sizes = _sizes(catalog, profile)
    report = catalog.report
    failed = bool(strict and isinstance(report, Report) and report.losses)
    written = None if failed else output
    update = _write(catalog, written) if written is not None else None
    if as_json:
        print_json(_as_json(catalog, sizes, findings, written, update))
    else:
        _print(catalog, sizes, findings)
    if update is not None and not as_json:
        _print_written(written, update, len(catalog), given=bool(opening.auth))
    if failed:
        notice(f"Error: --strict takes no losses; {'nothing is written' if output else 'see above'}.")
        raise typer.Exit(1)
    if getattr(report, "skipped", 0):
        raise typer.Exit(3)


def _write(catalog: Catalog, path: Path) -> CatalogUpdate:
    from toolhaft.tools.catalog_update import replace_catalog

    return replace_catalog(catalog, path)


def _as_json(
    catalog: Catalog,
    sizes: dict[str, Any],
    findings: list[str] | None,
    written: Path | None,
    update: CatalogUpdate | None,
) -> dict[str, Any]:
    report = catalog.report
    return {
        "name": catalog.name,
        "tools": len(catalog),
        "hash": catalog.hash() if written else None,
        "report": report.to_dict() if hasattr(report, "to_dict") else report,
        "sizes": sizes,
        "validation": findings,
        "output": str(written) if written else None,
        "update": told_update(update) if update else None,
    }


def _print(catalog: Catalog, sizes: dict[str, Any], findings: list[str] | None) -> None:
    print_line(f"{catalog.name}: {len(catalog)} tool{'' if len(catalog) == 1 else 's'}")
    print_report(catalog.report)
    _print_sizes(sizes)
    for finding in findings or ():
        print_line(f"  openapi-spec-validator: {finding}")
    if findings == []:
        print_line("openapi-spec-validator finds nothing wrong.")


def _print_written(written: Path | None, update: CatalogUpdate, count: int, *, given: bool) -> None:
    """Print what was written; ``given`` is whether secrets were."""
    told = "" if len(update.added) == count else f": {told_in_words(update)}"
    print_line(f"Written to {written}{told}")
    if given:
        notice("Secrets are not kept in it: give --auth again with call and run.")


def _build(catalog: Catalog) -> None:
    """Build every tool: what is lost on the way is told by the report only then."""
    bar = ProgressBar()
    with bar.showing("Building tools", len(catalog)):
        for name in catalog:
            _ = catalog[name]
            bar.advance()


def _validate(location: str, allow_host: list[str] | None, seconds: float) -> list[str]:
    from toolhaft.agent.opening import split_location
    from toolhaft.openapi.validating import validate_location
    from toolhaft.tools.loop import run_sync

    scheme, rest = split_location(location)
    if scheme != "openapi":
        raise UsageError(
            "only an OpenAPI document can be validated", where=location, hint="Leave out --validate"
        )
    with waiting("openapi-spec-validator is reading"):
        return run_sync(validate_location(rest, seconds=seconds, allow_hosts=tuple(allow_host or ())))


def _sizes(catalog: Catalog, profile: str | None) -> dict[str, Any]:
    """Return how large the tools are as JSON, in bytes, and how many a provider takes."""
    import json

    from toolhaft.cli.tool_page import profiled
    from toolhaft.tools.profiles import PROFILES, accepts

    sizes: dict[str, int] = {}
    refused: dict[str, str] = {}
    name_of_profile = next((each for each in PROFILES if each == profile), PROFILES[0])
    for name in catalog:
        spec = catalog.spec(name)
        parameters = profiled(spec, profile).parameters
        shown = {"name": spec.name, "description": spec.description, "parameters": parameters}
        text = json.dumps(shown, separators=(",", ":"), ensure_ascii=False)
        sizes[name] = len(text.encode("utf-8", "replace"))
        if problems := accepts(parameters, name_of_profile) if profile else []:
            refused[name] = problems[0]
    largest = max(sizes, key=lambda name: sizes[name], default="")
    return {
        "profile": profile or PROFILES[0],
        "mean": round(sum(sizes.values()) / len(sizes)) if sizes else 0,
        "largest": sizes.get(largest, 0),
        "largest_tool": largest,
        "refused": refused,
    }


def _print_sizes(sizes: dict[str, Any]) -> None:
    mean, largest = sizes["mean"] / 1000, sizes["largest"] / 1000
    shown = "" if sizes["profile"] == "plain" else f" for {sizes['profile']}"
    print_line(f"Size{shown}: {mean:.1f} kB a tool, the largest {largest:.1f} kB ({sizes['largest_tool']})")
    for name, problem in list(sizes["refused"].items())[:_MOST_REFUSED]:
        print_line(f"  {sizes['profile']} would refuse {name}: {problem}")
    if len(sizes["refused"]) > _MOST_REFUSED:
        print_line(f"  ... and {len(sizes['refused']) - _MOST_REFUSED} more")
