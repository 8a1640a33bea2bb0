"""``toolhaft eval``: how well planners and models do on tasks; plugins add benchmarks of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from toolhaft.errors import UnknownNameError

_GROUP = "eval"


class EvalGroup(TyperGroup):
    """The core's own evaluations, and those that plugins bring as ``eval NAME``."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names, the core's first."""
        from toolhaft.cli.plugin_commands import PluginGroup

        own = list(self.commands)
        brought = PluginGroup(_registry(), _GROUP).list_commands(ctx)
        return [*own, *(name for name in brought if name not in own)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return an evaluation, or None if nobody brings it."""
        from toolhaft.cli.plugin_commands import find_plugin_command

        return self.commands.get(cmd_name) or find_plugin_command(_registry(), f"{_GROUP} {cmd_name}")

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the evaluation that the words name.

        Raises:
            UnknownNameError: There is none; the nearest are given.
        """
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            hint = _registry().remedy("command", f"{_GROUP} {args[0]}")
            raise UnknownNameError("evaluation", args[0], self.list_commands(ctx), where=_GROUP, hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of evaluations without importing those of plugins."""
        from toolhaft.cli.plugin_commands import origin_of

        rows = [(name, command.get_short_help_str()) for name, command in self.commands.items()]
        brought = [name for name in self.list_commands(ctx) if name not in self.commands]
        rows += [(name, origin_of(_registry(), f"{_GROUP} {name}")) for name in brought]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


app = typer.Typer(
    cls=EvalGroup,
    help="Measure how well tasks are done.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def evaluate() -> None:
    """Measure how well planners and models do on tasks, and compare them."""


@app.command("world")
def evaluate_world(
    planner: Annotated[list[str] | None, typer.Option(help="A planner; may be given several times.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="A model; may be given several times.")] = None,
    trials: Annotated[int, typer.Option(help="How often each task is tried.", min=1)] = 1,
    world: Annotated[
        Path | None, typer.Option("--world", help="Folder of another world than the bundled one.")
    ] = None,
    tasks: Annotated[
        Path | None, typer.Option(help="A file or folder of tasks instead of the world's own.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Only tasks with this tag; several must all stand.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Only so many tasks, spread over kinds and services.", min=1)
    ] = None,
    budget: Annotated[list[str] | None, typer.Option(help="Of a rollout: --budget model_calls=40.")] = None,
    total_budget: Annotated[
        list[str] | None, typer.Option(help="Of all rollouts together: --total-budget cost=5.")
    ] = None,
    retriever: Annotated[str, typer.Option(help="Name of the retriever.")] = "bm25",
    k: Annotated[int, typer.Option("-k", help="How many tools the retriever chooses.", min=1)] = 8,
    find_tools: Annotated[
        bool, typer.Option("--find-tools", help="Give the models a tool that searches for more tools.")
    ] = False,
    concurrency: Annotated[int, typer.Option(help="Rollouts under way at once.", min=1)] = 8,
    seed: Annotated[int, typer.Option(help="Of the world, the agents and the bootstrap.")] = 0,
    evaluator: Annotated[
        list[str] | None, typer.Option(help="An evaluator; the first decides what has passed.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for records and reports.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Have planners and models carry out the demo world's tasks, and compare them with paired statistics.

    Every planner is tried with every model, each with the same budget; an arm that does nothing is the
    floor. Exit codes: 0 evaluated, 1 an arm cannot work, 2 wrong usage, 3 some rollouts ended in an error
    or a total budget was used up, 130 interrupted.
    """
    from toolhaft.cli.eval_world import Choices, WorldEvaluation
    from toolhaft.cli.inputs import budget as read_budget

    choices = Choices(
        planners=planner or ("react",),
        models=model or ("heuristic",),
        trials=trials,
        world=world,
        tasks=tasks,
        tags=tag or (),
        limit=limit,
        budget=read_budget(budget or ()),
        total_budget=read_budget(total_budget or ()),
        retriever=retriever,
        k=k,
        find_tools=find_tools,
        concurrency=concurrency,
        seed=seed,
        evaluators=evaluator or ("state",),
    )
    raise typer.Exit(WorldEvaluation(choices, output=output).show(as_json=as_json))


def _registry() -> Any:
    from toolhaft.hooks.registry import Registry

    return Registry.default()
