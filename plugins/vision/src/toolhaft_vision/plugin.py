"""What this distribution brings."""

from __future__ import annotations

from collections.abc import Mapping

from toolhaft.hooks import hookimpl


@hookimpl
def register_tool_sources() -> Mapping[str, str]:
    """Name the source: ``vision:`` is all of its tools, ``vision:crop_image,read_text`` some of them."""
    return {"vision": "toolhaft_vision.source:VisionSource"}
