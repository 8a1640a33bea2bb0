"""What this distribution brings."""

from __future__ import annotations

from collections.abc import Mapping

from toolhaft.hooks import hookimpl


@hookimpl
def register_tool_sources() -> Mapping[str, str]:
    """Name the source of tools."""
    return {"hub": "toolhaft_hub.source:HubSource"}
