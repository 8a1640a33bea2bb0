"""``toolhaft search``: how well tools are found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from toolhaft.cli.catalogs import AsJSON, LockedOpening
from toolhaft.cli.option_groups import with_groups
from toolhaft.cli.search_asked import Asked, Asking
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
    help="Measure how well tools are found, and learn weights.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def search() -> None:
    """Measure how well tools are found, and learn how retrievers are weighed."""


@app.command("eval")
@with_groups
def evaluate(
    location: Asking,
    retriever: Annotated[
        list[str] | None,
        typer.Option(
            help="A retriever, with settings behind it: 'bm25?parent_boost=0'; the first is compared with."
        ),
    ] = None,
    k: Annotated[str, typer.Option("-k", "--k", help="Depths of the figures, with commas.")] = "1,5,10",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for the report and the rankings.")
    ] = None,
    *,
    asked: Asked,
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
        location=location, asked=asked, retrievers=retriever or ("bm25",), depths=k, opening=opening
    )
    SearchEvaluation(choices, output=output).show(as_json=as_json)


@app.command()
@with_groups
def learn(
    location: Asking,
    output: Annotated[Path, typer.Option("-o", "--output", help="File for what is learned.")],
    retriever: Annotated[
        str, typer.Option(help="What is weighed: 'hybrid?retrievers=bm25,dense?model=FOLDER'.")
    ] = "hybrid",
    *,
    asked: Asked,
    opening: LockedOpening,
    as_json: AsJSON = False,
) -> None:
    """Learn how hybrid weighs its retrievers from queries whose tools are known.

    The weights with the best NDCG@5 are written; how good they are on queries that they were not learned
    from stands beside them. Exit codes: 0 learned, 1 a retriever or a file is broken, 2 wrong usage.
    """
    from toolhaft.cli.search_learn import learn_weights

    learn_weights(location, asked, opening, retriever=retriever, output=output, as_json=as_json)
