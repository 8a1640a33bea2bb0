"""``toolhaft tools lock``: approve tools as they are, and see what changed since."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.catalogs import AsJSON, Location, Opening
from toolhaft.cli.option_groups import with_groups
from toolhaft.cli.output import print_json, print_line
from toolhaft.errors import UsageError
from toolhaft.tools.patterns import fits_glob

if TYPE_CHECKING:
    from toolhaft.tools.catalog import Catalog
    from toolhaft.tools.catalog_lock import Lock


@with_groups
def lock(
    location: Location,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Lock file; else NAME.lock.json beside the catalog.")
    ] = None,
    approve: Annotated[
        list[str] | None, typer.Option(help="Approve this tool as it is now, * allowed; may be repeated.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Approve every tool as it is now.")] = False,
    *,
    opening: Opening,
    as_json: AsJSON = False,
) -> None:
    """Write down what you approve of each tool, or show what is something else now.

    Without a lock file, one is written that approves every tool. With one, the changes since are shown;
    --approve NAME and --all show them and then approve them. A tool that changed is refused until then.

    Exit codes: 0 everything is approved, 1 some tools are not, 2 wrong usage.
    """
    from toolhaft.tools.catalog_lock import lock_catalog, read_lock, write_lock

    target = output if output is not None else _beside(location)
    catalog = opening.open(location)
    if not target.exists():
        if approve:
            raise UsageError(
                "there is no lock yet", where=str(target), hint="Write one first: leave out --approve"
            )
        made = lock_catalog(catalog)
        write_lock(made, target)
        _print(as_json, f"{len(made.tools)} tools approved in {target}", [], target, len(made.tools))
        return
    kept = read_lock(target)
    changed = _changed(catalog, kept)
    names = [entry["name"] for entry in changed] if everything else _named(approve or (), changed)
    if names:
        kept = kept.approve(catalog, names)
        write_lock(kept, target)
    left = _changed(catalog, kept)
    said = f"{len(left)} of {len(catalog)} tools are not approved" if left else "Every tool is approved"
    done = f"{len(names)} approved now. " if names and left else ""
    _print(as_json, f"{done}{said} in {target}", changed, target, len(kept.tools))
    if left:
        raise typer.Exit(1)


def _named(patterns: Sequence[str], changed: list[dict[str, Any]]) -> list[str]:
    """Return the tools to approve: names as they are, and the changed tools that a pattern with ``*`` fits.

    Raises:
        UsageError: A pattern fits no tool that changed.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        fitting = [pattern]
        if "*" in pattern:
            fitting = [entry["name"] for entry in changed if fits_glob(pattern, entry["name"])]
        if not fitting:
            raise UsageError(
                f"--approve {pattern!r:.80} fits no tool that changed", hint="Leave out --approve to see them"
            )
        found.update(dict.fromkeys(fitting))
    return list(found)


def _beside(location: str) -> Path:
    from toolhaft.agent.opening import split_location
    from toolhaft.tools.catalog_lock import lock_beside

    _, rest = split_location(location)
    beside = lock_beside(rest) if isinstance(rest, str) and "://" not in rest else None
    if beside is None:
        raise UsageError("a lock needs a place", where=location, hint="Say where: -o NAME.lock.json")
    return beside


def _changed(catalog: Catalog, kept: Lock) -> list[dict[str, Any]]:
    """Return the tools that are not what was approved, with what changed of each."""
    found = []
    for name in catalog:
        if reason := kept.drift(catalog[name]):
            changes = [
                {"kind": change.kind, "pointer": change.pointer, "what": change.what}
                for change in kept.changes(catalog[name])
            ]
            found.append({"name": name, "reason": reason, "changes": changes})
    for name in kept.tools:
        if name not in catalog:
            found.append({"name": name, "reason": "it is gone", "changes": []})
    return found


def _print(as_json: bool, said: str, changed: list[dict[str, Any]], target: Path, approved: int) -> None:
    if as_json:
        print_json({"lock": str(target), "approved": approved, "changed": changed})
        return
    for entry in changed:
        print_line(f"{entry['name']}: {entry['reason']}")
        for change in entry["changes"]:
            place = f"{change['pointer']}: " if change["pointer"] else ""
            print_line(f"  {place}{change['what']}")
    print_line(said)
