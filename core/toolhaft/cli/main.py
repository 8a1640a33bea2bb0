"""The command ``toolhaft``: finds the subcommand, and turns errors into one message and an exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from typer.core import TyperGroup

from toolhaft.errors import ToolhaftError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from toolhaft.hooks.registry import Registry

COMMANDS = {
    "demo": ("toolhaft.cli.demo:demo", "See the whole main job, offline, in a few seconds."),
    "run": ("toolhaft.cli.run:run", "Carry out an instruction with tools."),
    "batch": (
        "toolhaft.cli.batch:batch",
        "Carry out a file of instructions, and resume it where it stopped.",
    ),
    "call": ("toolhaft.cli.call:call", "Call one tool."),
    "tools": ("toolhaft.cli.tools:app", "Import, list, show and search tools."),
    "search": ("toolhaft.cli.search:app", "Measure how well tools are found, and learn weights."),
    "auth": ("toolhaft.cli.auth:app", "Check what a catalog's security wants, and log in."),
    "eval": ("toolhaft.cli.eval:app", "Measure how well tasks are done, and compare."),
    "compare": ("toolhaft.cli.compare:compare", "Compare stored runs of the same tasks."),
    "generate": ("toolhaft.cli.generate:generate", "Make training data from tools."),
    "data": ("toolhaft.cli.data:app", "Look into training data, and export it from stored runs."),
    "models": ("toolhaft.cli.models:app", "List the models, and detect local servers."),
    "plugins": ("toolhaft.cli.plugins:app", "List, check, write and switch plugins."),
    "serve": ("toolhaft.cli.serve:app", "Serve the demo world on this machine."),
    "world": ("toolhaft.cli.world:app", "Check worlds, and list their tasks."),
    "view": ("toolhaft.cli.view:view", "Open the report of a stored run."),
}
"""Subcommand -> where it is, and its line of help; nothing is imported to show the list."""


class LazyGroup(TyperGroup):
    """Imports a subcommand when it is used; commands of plugins come after the core's own."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names, the core's first."""
        from toolhaft.cli.plugin_commands import plugin_command_names

        return [*COMMANDS, *(name for name in plugin_command_names(_registry()) if name not in COMMANDS)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a subcommand, or None if nobody brings it."""
        if cmd_name in COMMANDS:
            return _load(cmd_name, COMMANDS[cmd_name][0])
        from toolhaft.cli.plugin_commands import find_plugin_command

        return find_plugin_command(_registry(), cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the subcommand that the words name.

        Raises:
            UnknownNameError: There is none; the nearest are given.
        """
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise UnknownNameError(
                "command", args[0], self.list_commands(ctx), hint=_registry().remedy("command", args[0])
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands for ``--help``."""
        from toolhaft.cli.plugin_commands import origin_of

        rows = [(name, text) for name, (_, text) in COMMANDS.items()]
        rows += [
            (name, origin_of(_registry(), name)) for name in self.list_commands(ctx) if name not in COMMANDS
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


app = typer.Typer(
    cls=LazyGroup,
    name="toolhaft",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _end_with(error: ToolhaftError) -> NoReturn:
    if "--debug" in sys.argv:
        raise error
    from toolhaft.cli.output import print_error

    print_error(error, as_json="--json" in sys.argv)
    sys.exit(error.exit_code)


def _show_version(wanted: bool) -> None:
    if wanted:
        from toolhaft import __version__

        typer.echo(f"toolhaft {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", help="Print the version and exit.", callback=_show_version, is_eager=True
    ),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
) -> None:
    """Toolhaft fits tools to language models: import APIs, find the right tools, plan and call them."""


def main() -> None:
    """Run the command line; the entry point of the console script."""
    try:
        app()
    except ToolhaftError as error:
        _end_with(error)
    except OSError as error:  # a file or pipe of the caller's that cannot be read or written
        _end_with(UsageError(f"{error.strerror or error}", where=str(error.filename or "")))


def _load(name: str, target: str) -> Any:
    from importlib import import_module

    module, _, attribute = target.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        found.info.name = name
        return typer.main.get_command(found)
    return _single(name, found)


def _single(name: str, function: Any) -> Any:
    single = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    single.command(name)(function)
    return typer.main.get_command(single)


def _registry() -> Registry:
    from toolhaft.hooks.registry import Registry

    return Registry.default()
