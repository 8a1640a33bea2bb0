"""What this distribution brings."""

from __future__ import annotations

from collections.abc import Mapping

from toolhaft.hooks import hookimpl


@hookimpl
def register_tool_sources() -> Mapping[str, str]:
    """Name the sources of tools."""
    return {"rapidapi": "toolhaft_rapidapi.source:RapidAPISource"}


@hookimpl
def register_commands() -> Mapping[str, str]:
    """Name the commands."""
    return {
        "rapidapi serve": "toolhaft_rapidapi.commands:serve",
        "rapidapi import-cache": "toolhaft_rapidapi.commands:import_cache",
        "eval toolbench": "toolhaft_rapidapi.toolbench.command:evaluate_toolbench",
    }


@hookimpl
def register_evaluators() -> Mapping[str, str]:
    """Name the evaluators."""
    return {"valid-finish": "toolhaft_rapidapi.toolbench.finish:ValidFinish"}
