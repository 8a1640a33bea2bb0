"""Catalogs named on the command line, and the options that go with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from toolhaft.cli.inputs import pairs

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
    from toolhaft.agent.locations import load_catalogs
    from toolhaft.tools.loop import run_sync

    return run_sync(load_catalogs(locations, pairs(auth or (), "--auth"), tuple(allow_host or ())))
