"""Catalogs named on the command line, and the options that go with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.inputs import pairs
from toolhaft.errors import ToolhaftError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from toolhaft.tools.catalog import Catalog

Location = Annotated[
    str, typer.Argument(help="openapi:FILE, a .catalog file, python:MODULE, or what plugins bring.")
]
Auth = Annotated[
    list[str] | None, typer.Option(help="Security scheme and secret: --auth api_key=env:PETSTORE_KEY.")
]
AllowHost = Annotated[
    list[str] | None, typer.Option(help="A loopback or private host that tools may speak to.")
]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def open_location(location: str, auth: Sequence[str] | None, allow_host: Sequence[str] | None) -> Catalog:
    """Open one catalog as the options say; an option that it does not take is an error."""
    return open_locations([location], auth, allow_host)[0]


def open_locations(
    locations: Sequence[str], auth: Sequence[str] | None, allow_host: Sequence[str] | None
) -> list[Catalog]:
    """Open catalogs; of several, each takes the options that fit it.

    Raises:
        UsageError: An option fits none of them.
    """
    unused: dict[str, ToolhaftError] = {}
    used: set[str] = set()
    catalogs = []
    for location in locations:
        options: dict[str, Any] = {
            f"auth {name}": value for name, value in pairs(auth or (), "--auth").items()
        }
        if allow_host:
            options["allow_hosts"] = tuple(allow_host)
        catalogs.append(_open(location, options, unused))
        used |= set(options)
    for name, error in unused.items():
        if name not in used:
            raise error
    return catalogs


def _open(location: str, options: dict[str, Any], unused: dict[str, ToolhaftError]) -> Catalog:
    """Open one catalog; options that it refuses are taken out of ``options`` and noted with the error."""
    from toolhaft.agent import open_catalog

    while True:
        auth = {name[5:]: value for name, value in options.items() if name.startswith("auth ")}
        try:
            return open_catalog(location, auth=auth or None, allow_hosts=options.get("allow_hosts", ()))
        except UsageError as error:
            refused = _refused(error, options)
            if not refused:
                raise
            for name in refused:
                del options[name]
                unused.setdefault(name, error)


def _refused(error: UsageError, options: dict[str, Any]) -> list[str]:
    """Return the options that an error is about."""
    if isinstance(error, UnknownNameError):
        name = f"auth {error.name}"
        return [name] if error.kind == "security scheme" and name in options else []
    accepted = error.details.get("accepted")
    if accepted is None or error.details.get("missing"):
        return []
    return [name for name in options if name.split()[0] not in accepted]
