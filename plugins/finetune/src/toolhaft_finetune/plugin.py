"""What this distribution brings."""

from __future__ import annotations

from collections.abc import Mapping

from toolhaft.hooks import hookimpl


@hookimpl
def register_commands() -> Mapping[str, str]:
    """Name the commands."""
    return {
        "train sft": "toolhaft_finetune.command:sft",
    }
