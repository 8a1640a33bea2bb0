"""What this distribution brings."""

from __future__ import annotations

from collections.abc import Mapping

from toolhaft.hooks import hookimpl


@hookimpl
def register_tool_sources() -> Mapping[str, str]:
    """Name the sources of tools."""
    return {"rapidapi": "toolhaft_rapidapi.source:RapidAPISource"}
