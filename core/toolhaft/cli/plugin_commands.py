"""Commands that plugins bring: listed by name, imported when they are used."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from toolhaft.errors import PluginError, UnknownNameError
from toolhaft.hooks.record import one_line
from toolhaft.hooks.registry import Registry


def plugin_command_names(registry: Registry) -> tuple[str, ...]:
    """Return the first words of the commands that plugins bring, sorted."""
    return _next_words(registry, "")


def find_plugin_command(registry: Registry, name: str) -> Any:
    """Return a plugin's command as typer runs it, or None if no plugin brings it.

    Words that only begin longer names, such as ``train`` of ``train sft``, are a group whose commands
    are imported one by one, so a broken one does not hide the others.

    Args:
        registry: Where commands are looked up.
        name: One word, or several with single spaces.

    Raises:
        PluginError: The command cannot be imported, or is nothing that typer can run.
    """
    if _next_words(registry, f"{name} "):
        return PluginGroup(registry, name)
    return _build(registry, name) if name in registry.names("command") else None


class PluginGroup(TyperGroup):
    """The commands of plugins whose names begin with the same words."""

    def __init__(self, registry: Registry, prefix: str) -> None:
        super().__init__(name=prefix.split()[-1], rich_markup_mode=None, no_args_is_help=True)
        self._registry = registry
        self._prefix = prefix

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the next words."""
        return list(_next_words(self._registry, f"{self._prefix} "))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of a next word, or None."""
        return find_plugin_command(self._registry, f"{self._prefix} {cmd_name}")

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that the words name.

        Raises:
            UnknownNameError: There is none; the nearest are given.
        """
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            hint = self._registry.remedy("command", f"{self._prefix} {args[0]}")
            raise UnknownNameError("command", args[0], self.list_commands(ctx), where=self._prefix, hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands without importing them."""
        rows = [
            (word, origin_of(self._registry, f"{self._prefix} {word}")) for word in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def origin_of(registry: Registry, name: str) -> str:
    """Return whom a command comes from, as its line of help; the command is not imported.

    Args:
        registry: Where commands are looked up.
        name: Of a command, or the first words of several.
    """
    owners = {
        each.plugin: None
        for each in registry.registrations("command")
        if each.name == name or each.name.startswith(f"{name} ")
    }
    return f"From the plugin{'s' if len(owners) > 1 else ''} {' and '.join(owners)}."


def _next_words(registry: Registry, prefix: str) -> tuple[str, ...]:
    names = (name for name in registry.names("command") if name.startswith(prefix))
    return tuple(sorted({name[len(prefix) :].split()[0] for name in names}))


def _build(registry: Registry, name: str) -> Any:
    found = registry.command(name)
    command = found
    if not isinstance(found, typer.Typer):
        command = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    try:
        if command is not found:
            command.command(name.split()[-1])(found)
        return typer.main.get_command(command)
    except (AssertionError, AttributeError, NameError, RuntimeError, TypeError, ValueError) as error:
        (owner,) = (each.plugin for each in registry.registrations("command") if each.name == name)
        raise PluginError(
            f"the command {name!r} of the plugin {owner!r} cannot be run: {one_line(error, 200)}",
            hint="It must be a typer application, or a function whose parameters typer understands",
        ) from error
