"""``toolhaft plugins``: what is installed, what is wrong with it, and how to write one.

Plugins are loaded in a process of their own, so that these commands work whatever a plugin does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from toolhaft.hooks.distributions import Candidate
    from toolhaft.hooks.record import PluginRecord
    from toolhaft.testing.finding import Finding

app = typer.Typer(
    help="List, check, switch off and write plugins.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command("list")
def list_plugins(as_json: AsJSON = False) -> None:
    """List the installed plugins and what they provide."""
    records = _load_records()
    if as_json:
        print_json({"plugins": [_as_json(record) for record in records]})
        return
    _print_records(records)
    failed = sum(record.status == "FAILED" for record in records)
    if failed:
        print_line(f"{failed} FAILED; everything else works. Reasons: toolhaft plugins doctor")


@app.command()
def doctor(as_json: AsJSON = False) -> None:
    """Say what is wrong with the plugins that failed.

    The exit code is 1 if one did.
    """
    records = _load_records()
    failed = [record for record in records if record.status == "FAILED"]
    if as_json:
        print_json({"healthy": not failed, "plugins": [_as_json(record) for record in records]})
    else:
        for record in failed:
            source = f" ({record.distribution} {record.version})" if record.distribution else ""
            print_line(f"FAILED {record.name}{source}")
            print_line(f"  {record.reason}")
            print_line(f"  Switch it off: toolhaft plugins disable {record.name}")
        disabled = sum(record.status == "disabled" for record in records)
        working = sum(record.status == "ok" for record in records)
        print_line(f"{working} ok, {len(failed)} FAILED, {disabled} disabled")
    if failed:
        raise typer.Exit(1)


@app.command()
def disable(
    names: Annotated[list[str], typer.Argument(help="Plugins or distributions.")], as_json: AsJSON = False
) -> None:
    """Leave plugins out, without importing them."""
    from toolhaft.errors import UsageError
    from toolhaft.settings import load_settings, store_disabled_plugins, stored_disabled_plugins

    folder = load_settings().data_dir
    chosen = [_find(name) for name in names]
    for candidate in chosen:
        if candidate.name == "builtin" and candidate.distribution == "toolhaft":
            raise UsageError("the core's own plugin cannot be disabled")
    stored = (*stored_disabled_plugins(folder), *(candidate.name for candidate in chosen))
    store_disabled_plugins(stored, folder)
    _tell_disabled(as_json)


@app.command()
def enable(
    names: Annotated[list[str], typer.Argument(help="Plugins that were disabled.")], as_json: AsJSON = False
) -> None:
    """Take plugins in again."""
    from toolhaft.errors import UnknownNameError, UsageError
    from toolhaft.settings import load_settings, store_disabled_plugins, stored_disabled_plugins

    settings = load_settings()
    stored = stored_disabled_plugins(settings.data_dir)
    for name in names:
        if name in stored:
            continue
        if name in settings.disabled_plugins:
            raise UsageError(
                f"the environment disables {name!r}",
                where="TOOLHAFT_DISABLE_PLUGINS",
                hint="Take it out of the variable",
            )
        if not any(name in (each.name, each.distribution) for each in _candidates()):
            raise UnknownNameError("plugin", name, stored)
    store_disabled_plugins(tuple(name for name in stored if name not in names), settings.data_dir)
    _tell_disabled(as_json)


@app.command()
def check(
    names: Annotated[list[str], typer.Argument(help="Plugins or distributions.")],
    as_json: AsJSON = False,
    timeout: Annotated[float, typer.Option(help="Seconds each may take.", min=0.1)] = 10.0,
) -> None:
    """Try plugins in a process of their own.

    What breaks the rules is reported; the exit code is 1 if something does.
    """
    findings = {name: _check_one(_find(name), timeout) for name in names}
    broken = any(finding.severity == "error" for each in findings.values() for finding in each)
    if as_json:
        from toolhaft.types import to_value

        shown = {name: [to_value(finding) for finding in each] for name, each in findings.items()}
        print_json({"healthy": not broken, "findings": shown})
    else:
        for name, each in findings.items():
            print_line(f"{name}: {'nothing to complain of' if not each else ''}".rstrip())
            for finding in each:
                print_line(f"  {finding}")
    if broken:
        raise typer.Exit(1)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="One word, lower case.")],
    kind: Annotated[
        str,
        typer.Option(help="command, evaluator, generator, model, planner, reranker, retriever or source."),
    ] = "retriever",
    into: Annotated[Path, typer.Option(help="Folder to put it in.")] = Path(),
    as_json: AsJSON = False,
) -> None:
    """Write a new plugin that works as it is.

    It has one module, its metadata and its test.
    """
    from toolhaft.hooks.scaffold import scaffold_plugin

    files = scaffold_plugin(name, into, kind=kind)
    if as_json:
        print_json({"files": [str(path) for path in files]})
        return
    for path in files:
        print_line(f"wrote {path}")
    print_line(f"Next: pip install -e {files[0].parent} && toolhaft plugins check {name}")


def _load_records() -> tuple[PluginRecord, ...]:
    """Load the plugins; one that takes the process with it is found, remembered and left out."""
    from toolhaft.testing.isolation import ChildDiedError, load_in_child

    try:
        return load_in_child()
    except ChildDiedError:
        from toolhaft.settings import load_settings

        disabled = load_settings().disabled_plugins
        for candidate in _candidates():
            if candidate.distribution != "toolhaft" and candidate.name not in disabled:
                _check_one(candidate, 10.0)
        return load_in_child()


def _check_one(candidate: Candidate, timeout: float) -> list[Finding]:
    from toolhaft.hooks.verdicts import store_verdict
    from toolhaft.settings import load_settings
    from toolhaft.testing.isolation import check_in_child

    findings = check_in_child(candidate.name, timeout=timeout)
    fatal = next((finding.what for finding in findings if finding.check == "import"), "")
    store_verdict(load_settings().data_dir, candidate, fatal)
    return findings


def _candidates() -> list[Candidate]:
    from toolhaft.hooks.distributions import find_candidates

    return find_candidates("toolhaft", sys.path)


def _find(name: str) -> Candidate:
    from toolhaft.testing.conformance import find_candidate

    return find_candidate(name, sys.path)


def _tell_disabled(as_json: bool) -> None:
    from toolhaft.settings import load_settings

    names = load_settings().disabled_plugins
    if as_json:
        print_json({"disabled": list(names)})
    else:
        print_line(f"disabled: {', '.join(names) or 'none'}")


def _print_records(records: Sequence[PluginRecord]) -> None:
    rows = [
        (
            record.name,
            f"{record.distribution} {record.version}",
            record.status,
            "; ".join(f"{kind} {', '.join(names)}" for kind, names in record.provides.items()),
        )
        for record in records
    ]
    print_table(("plugin", "distribution", "status", "provides"), rows)


def _as_json(record: PluginRecord) -> Any:
    from toolhaft.types import to_value

    return to_value(record)
