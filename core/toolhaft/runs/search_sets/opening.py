"""Any of the layouts, known by what lies in the folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from toolhaft.errors import UnknownNameError, UsageError
from toolhaft.runs.search_sets.apibench import is_apibench, read_apibench
from toolhaft.runs.search_sets.base import SearchSet
from toolhaft.runs.search_sets.metatool import is_metatool, read_metatool
from toolhaft.runs.search_sets.toolbench import is_toolbench, read_toolbench

AUTO = "auto"
LAYOUTS: Mapping[str, tuple[Callable[[Path], bool], Callable[[Path, str], SearchSet]]] = {
    "toolbench": (is_toolbench, read_toolbench),
    "apibench": (is_apibench, read_apibench),
    "metatool": (is_metatool, read_metatool),
}
"""Name of a layout -> whether a folder has it, and what reads it."""


def layout_of(folder: Path) -> str:
    """Return the name of the layout that a folder has, or empty."""
    if not folder.is_dir():
        return ""
    return next((name for name, (fits, _) in LAYOUTS.items() if fits(folder)), "")


def open_search_set(folder: Path, *, layout: str = AUTO, part: str = "") -> SearchSet:
    """Read a folder of queries with the tools that they are asked of.

    Args:
        folder: In one of the layouts.
        layout: ``toolbench``, ``apibench``, ``metatool``, or ``auto``: what the folder looks like.
        part: Which part of it: ``train`` or ``test``, a hub, ``single`` or ``multi``; empty is the usual one.

    Raises:
        UsageError: There is no such folder, layout or part, or the folder has none of the layouts.
        FormatError: A file is not what it should be; ``where`` has the line.
    """
    if layout != AUTO and layout not in LAYOUTS:
        raise UnknownNameError("layout", layout, (AUTO, *LAYOUTS), where="--layout")
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=str(folder), hint="Check the path")
    name = layout_of(folder) if layout == AUTO else layout
    if not name:
        raise UsageError(
            "the folder has none of the layouts",
            where=str(folder),
            hint="ToolBench has corpus.tsv, APIBench api/ and questions/, MetaTool single_tool_queries.csv",
        )
    return LAYOUTS[name][1](folder, part)
