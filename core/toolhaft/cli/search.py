"""``toolhaft search``: how well tools are found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from toolhaft.cli.catalogs import AsJSON, LockedOpening
from toolhaft.cli.option_groups import with_groups
from toolhaft.errors import UnknownNameError


class _Commands(typer.core.TyperGroup):
    """Commands that tell whoever wants to search what does."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that is asked for.

        Raises:
            UnknownNameError: There is none.
        """
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            hint = 'To find tools: toolhaft tools search CATALOG "what is wanted"'
            raise UnknownNameError("command", args[0][:80], self.list_commands(ctx), hint=hint)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Commands,
    help="Measure how well tools are found.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def search() -> None:
    """Measure how well tools are found."""


@app.command("eval")
@with_groups
def evaluate(
    location: Annotated[
        str,
        typer.Argument(
            metavar="CATALOG",
            help="A catalog (then name --queries), or a folder of queries that brings its own tools.",
        ),
    ],
    queries: Annotated[
        Path | None, typer.Option(help="JSON lines or CSV: what is asked, and the tools that it needs.")
    ] = None,
    retriever: Annotated[
        list[str] | None,
        typer.Option(
            help="A retriever, with settings behind it: 'bm25?parent_boost=0'; the first is compared with."
        ),
    ] = None,
    k: Annotated[str, typer.Option("-k", "--k", help="Depths of the figures, with commas.")] = "1,5,10",
    layout: Annotated[
        str, typer.Option(help="Of a folder: toolbench, apibench, metatool, or what it looks like.")
    ] = "auto",
    part: Annotated[
        str, typer.Option(help="Of a folder: train or test, a hub, single or multi, a subset.")
    ] = "",
    limit: Annotated[
        int | None, typer.Option(help="Only so many of the queries, drawn by the seed.", min=1)
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the bootstrap, and of what --limit draws.")] = 0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for the report and the rankings.")
    ] = None,
    *,
    opening: LockedOpening,
    as_json: AsJSON = False,
) -> None:
    """Ask retrievers what is known to need certain tools, and compare how well they find them.

    Recall, NDCG and all-gold at each k and the reciprocal rank, each with a 95 % interval; every retriever
    is compared with the first, query by query. Exit codes: 0 measured, 1 a retriever or a file is broken,
    2 wrong usage.
    """
    from toolhaft.cli.search_eval import SearchChoices, SearchEvaluation

    choices = SearchChoices(
        location=location,
        queries=queries,
        retrievers=retriever or ("bm25",),
        depths=k,
        layout=layout,
        part=part,
        limit=limit,
        seed=seed,
        opening=opening,
    )
    SearchEvaluation(choices, output=output).show(as_json=as_json)
