"""Toolhaft itself, by the same measure."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from toolhaft.openapi.source import OpenAPISource
from toolhaft.tools.loop import run_sync


def read(path: Path) -> list[dict[str, Any]]:
    """Return the tools of a document."""
    catalog = run_sync(OpenAPISource().load(path))
    return [
        {"name": s.name, "description": s.description, "parameters": s.parameters} for s in catalog.specs()
    ]


async def call(document: dict[str, Any], places: dict[str, Any]) -> None:
    """Send the request of the one operation of a document."""
    sys.path.append(str(Path(__file__).parents[2]))
    from openapi_wire import arguments_of

    async with await OpenAPISource(allow_hosts=["127.0.0.1"]).load(document) as catalog:
        name = catalog.names[0]
        await catalog.call(name, **arguments_of(places, catalog[name].wire))
