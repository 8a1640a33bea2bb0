"""Queries whose tools are known, as the command line names them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolhaft.cli.catalogs import LockedOpening
from toolhaft.errors import UsageError

if TYPE_CHECKING:
    from toolhaft.runs.search_sets.base import SearchSet
    from toolhaft.types import ToolSpec

Asking = Annotated[
    str,
    typer.Argument(
        metavar="CATALOG",
        help="A catalog (then name --queries), or a folder of queries that brings its own tools.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which queries are asked."""

    queries: Annotated[
        Path | None, typer.Option(help="JSON lines or CSV: what is asked, and the tools that it needs.")
    ] = None
    layout: Annotated[
        str, typer.Option(help="Of a folder: toolbench, apibench, metatool, or what it looks like.")
    ] = "auto"
    part: Annotated[
        str, typer.Option(help="Of a folder: train or test, a hub, single or multi, a subset.")
    ] = ""
    limit: Annotated[
        int | None, typer.Option(help="Only so many of the queries, drawn by the seed.", min=1)
    ] = None
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0

    def read(
        self, location: str, opening: LockedOpening, stack: ExitStack
    ) -> tuple[SearchSet, Sequence[ToolSpec]]:
        """Return the queries, and the tools that they are asked of.

        Args:
            location: A catalog, or a folder of queries that brings its own tools.
            opening: How the catalog is opened.
            stack: Closes the catalog.

        Raises:
            UsageError: There are no queries, or an option fits nothing of this.
            ToolhaftError: A file cannot be read.
        """
        from toolhaft.runs.search_sets.opening import layout_of, open_search_set
        from toolhaft.runs.search_sets.own import read_own

        if self.queries is not None:
            if self.part or self.layout != "auto":
                raise UsageError(
                    "--part and --layout are of a folder of queries", hint="Leave them out beside --queries"
                )
            asked = read_own(self.queries)
            catalog = stack.enter_context(opening.open(location))
            return self._limited(asked), catalog.specs()
        if opening != LockedOpening():
            raise UsageError(
                "--curate, --lock, --auth and --allow-host are of a catalog",
                hint="Name a file of queries for it: --queries queries.jsonl",
            )
        folder = Path(location)
        if not layout_of(folder) and not (folder.is_dir() and self.layout != "auto"):
            raise UsageError(
                "there are no queries",
                where=location,
                hint="Name a file of queries for this catalog: --queries queries.jsonl",
            )
        found = open_search_set(folder, layout=self.layout, part=self.part)
        return self._limited(found), found.specs

    def _limited(self, found: SearchSet) -> SearchSet:
        if self.limit is None or self.limit >= len(found.queries):
            return found
        drawn = sorted(random.Random(self.seed).sample(range(len(found.queries)), self.limit))
        note = f"{self.limit:,} of {len(found.queries):,} queries, drawn by seed {self.seed}"
        queries = tuple(found.queries[position] for position in drawn)
        return replace(found, queries=queries, notes=(*found.notes, note))
