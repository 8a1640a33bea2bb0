"""Commands of plugins: functions and typer applications, nested, and a broken one among them."""

import sys

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from toolhaft.cli.plugin_commands import find_plugin_command, plugin_command_names
from toolhaft.errors import PluginError, UnknownNameError
from toolhaft.hooks import Registry, hookimpl

application = typer.Typer()


@application.command()
def greet(name: str) -> None:
    print(f"hello {name}")


def count(n: int = 1) -> None:
    """Count."""
    print(f"count {n}")


def unfit(thing: int | str) -> None:
    print(thing)


class Pack:
    """Commands of every shape."""

    @hookimpl
    def register_commands(self):
        return {
            "greet": application,
            "count": count,
            "unfit": unfit,
            "train sft": count,
            "train gone": "acme_gone:run",
            "train deep one": count,
        }


@pytest.fixture
def registry():
    registry = Registry()
    registry.add(Pack(), name="pack")
    return registry


def run(registry, *words):
    """Run words as the command line does, through a group that asks for each command."""

    class Root(TyperGroup):
        def get_command(self, ctx, cmd_name):
            return find_plugin_command(registry, cmd_name)

        def list_commands(self, ctx):
            return list(plugin_command_names(registry))

    app = typer.Typer(cls=Root, rich_markup_mode=None)
    app.callback()(lambda: None)
    result = CliRunner().invoke(app, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["greet", "Ada"], "hello Ada\n"),
        (["count", "--n", "3"], "count 3\n"),
        (["train", "sft", "--n", "2"], "count 2\n"),
        (["train", "deep", "one"], "count 1\n"),
    ],
)
def test_commands_run(registry, words, printed):
    assert run(registry, *words) == printed


def test_a_group_lists_its_commands_without_importing_them(registry):
    assert plugin_command_names(registry) == ("count", "greet", "train", "unfit")
    text = run(registry, "train", "--help")
    for word in ("sft", "gone", "deep"):
        assert f"  {word} " in text
    assert "From the plugin pack." in text
    assert "acme_gone" not in sys.modules


def test_a_broken_command_is_named_and_hides_no_other(registry):
    with pytest.raises(PluginError, match="'train gone' of the plugin 'pack' cannot be made"):
        run(registry, "train", "gone")
    with pytest.raises(PluginError, match="'unfit' of the plugin 'pack' cannot be run"):
        run(registry, "unfit")
    with pytest.raises(UnknownNameError, match="Did you mean 'sft'"):
        run(registry, "train", "sftt")
    assert find_plugin_command(registry, "nothing") is None
