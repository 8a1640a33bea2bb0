"""``toolhaft tools``: import, change, look at, compare, lock and judge tools."""

from __future__ import annotations

import typer

from toolhaft.cli.tools_change import add, remove
from toolhaft.cli.tools_diff import diff
from toolhaft.cli.tools_import import import_
from toolhaft.cli.tools_lint import lint
from toolhaft.cli.tools_list import list_, search
from toolhaft.cli.tools_lock import lock
from toolhaft.cli.tools_show import show

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False
)


@app.callback()
def group() -> None:
    """Import, add, remove, list, show, search, compare, lock and judge tools."""


app.command("import")(import_)
app.command()(add)
app.command()(remove)
app.command("list")(list_)
app.command()(show)
app.command()(search)
app.command()(diff)
app.command()(lock)
app.command()(lint)
