"""What this distribution brings."""

from __future__ import annotations

from collections.abc import Mapping

from toolhaft.hooks import hookimpl


@hookimpl
def register_models() -> Mapping[str, str]:
    """Name the models."""
    return {"hf": "toolhaft_local.model:LocalModel"}
