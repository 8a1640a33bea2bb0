"""What this distribution brings."""

from __future__ import annotations

from collections.abc import Mapping

from toolhaft.hooks import hookimpl


@hookimpl
def register_commands() -> Mapping[str, str]:
    """Name the commands."""
    return {
        "loop": "toolhaft_finetune.loop.command:loop",
        "train sft": "toolhaft_finetune.command:sft",
    }


@hookimpl
def register_evaluators() -> Mapping[str, str]:
    """Name the evaluators."""
    return {"first-call": "toolhaft_finetune.first_call:FirstCall"}
