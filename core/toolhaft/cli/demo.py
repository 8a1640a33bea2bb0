"""``toolhaft demo``: the main job, for real, offline, in a few seconds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.output import notice, print_json, print_line
from toolhaft.cli.run import prepare
from toolhaft.errors import ToolhaftError

if TYPE_CHECKING:
    from toolhaft.agent import Agent
    from toolhaft.types import Score, Task, Trajectory


SAMPLE = 24
"""Tasks that are carried out unless somebody says otherwise."""


def demo(
    model: Annotated[
        str, typer.Option(help="Use this model instead of the built-in heuristic.")
    ] = "heuristic",
    planner: Annotated[str, typer.Option(help="Name of the planner.")] = "react",
    k: Annotated[int, typer.Option("-k", help="How many tools the retriever chooses.", min=1)] = 8,
    seed: Annotated[int, typer.Option(help="Of the world and the agent.")] = 0,
    tasks: Annotated[int, typer.Option(help="How many tasks, of every kind some.", min=1)] = SAMPLE,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for record and report.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Start the demo world, import its APIs, and have an agent carry out tasks over HTTP.

    Nothing is downloaded and no key is needed: the model is a built-in heuristic, not a language model.
    """
    from toolhaft.tools.loop import run_sync

    prepare(output)
    show = _Demo(model=model, planner=planner, k=k, seed=seed, limit=tasks, quiet=as_json)
    error: ToolhaftError | None = None
    try:
        run_sync(show.go(), on_interrupt=show.cancel)
    except ToolhaftError as failure:
        if not show.trajectories:
            raise
        error = failure
    files = show.save(output)
    passed = sum(1 for score in show.scores.values() if score.value >= 1.0)
    if as_json:
        print_json(
            {
                "tasks": len(show.scores),
                "passed": passed,
                "interrupted": show.cancelled,
                "known_tasks": show.known,
                "model": model,
                "report": str(files.html),
                "record": str(files.jsonl),
            }
        )
    else:
        interrupted = "Interrupted: " if show.cancelled else ""
        print_line(f"\n{interrupted}{passed} of {len(show.scores)} tasks passed their check.")
        if model == "heuristic":
            print_line("The built-in heuristic is no language model; try yours: toolhaft demo --model NAME")
        print_line(f"Report: {files.html}")
    if error is not None:
        raise error
    if show.cancelled:
        raise typer.Exit(130)


class _Demo:
    """The demo's state: what was done so far can be saved whenever it stops."""

    def __init__(self, *, model: str, planner: str, k: int, seed: int, limit: int, quiet: bool) -> None:
        self.model = model
        self.planner = planner
        self.k = k
        self.seed = seed
        self.limit = limit
        self.quiet = quiet
        self.trajectories: list[Trajectory] = []
        self.scores: dict[str, Score] = {}
        self.notes: dict[str, str] = {}
        self.cancelled = False
        self.known = 0
        self._agent: Agent | None = None
        self._shown: set[str] = set()
        self._secrets: Any = None

    def cancel(self) -> None:
        self.cancelled = True
        if self._agent is not None:
            self._agent.cancel()

    async def go(self) -> None:
        from toolhaft.agent import open_model
        from toolhaft.secrets import SecretStore
        from toolhaft.world.server import World
        from toolhaft.world.tasks import load_tasks, sample_tasks

        asked = open_model(self.model, warn=notice)
        async with World(seed=self.seed) as world:
            self._secrets = SecretStore(world.secrets)
            await self._import(world)
            tasks = load_tasks()
            self.known = len(tasks)
            chosen = sample_tasks(tasks, self.limit)
            self._tell_sample(len(chosen))
            for task in chosen:
                if self.cancelled:
                    break
                await self._carry_out(task, world, asked)
        await asked.close()

    async def _import(self, world: Any) -> None:
        catalog = await world.catalog("import")
        if not self.quiet:
            print_line(f"The demo world runs at {world.base_url}: {len(catalog)} tools imported.")
        for part in catalog.parts:
            self.notes[part.name] = str(part.report)
            if not self.quiet:
                print_line(f"  {part.name}: {part.report}")
        await catalog.close()

    def _tell_sample(self, count: int) -> None:
        if not self.quiet:
            more = "" if count == self.known else "; all of them: toolhaft eval world"
            print_line(f"{count} of {self.known} tasks{more}")

    async def _carry_out(self, task: Task, world: Any, model: Any) -> None:
        """Run one task in a world of its own; the first of each kind is shown step by step."""
        from toolhaft.agent import Agent
        from toolhaft.report.terminal import LiveTree
        from toolhaft.world.approval import approver_of
        from toolhaft.world.tasks import kind_of

        await world.prepare(task.id, task)
        catalog = await world.catalog(task.id)
        agent = self._agent = Agent(
            catalog,
            model=model,
            planner=self.planner,
            k=self.k,
            allow="write",
            approver=approver_of(task),
            secrets=self._secrets,
            seed=self.seed,
        )
        kind = kind_of(task)
        detail = kind not in self._shown and not self.quiet
        self._shown.add(kind)
        try:
            with LiveTree(quiet=not detail) as tree:
                async for event in agent.stream(task, final_state=lambda: world.state(task.id, task)):
                    tree.feed(event)
                    if event.type == "rollout_finished":
                        self._score(task, event.trajectory)
        finally:
            await catalog.close()

    def _score(self, task: Task, trajectory: Trajectory) -> None:
        from toolhaft.evaluators.state_check import check

        self.trajectories.append(trajectory)
        if trajectory.status == "cancelled":
            return
        score = check(task, trajectory.answer, trajectory.final_state or {}, status=trajectory.status)
        self.scores[trajectory.id] = score
        if not self.quiet:
            mark = "passed" if score.value >= 1.0 else "failed"
            print_line(f"{mark}  {task.id}: {score.reason}")

    def save(self, output: Path | None) -> Any:
        from datetime import UTC, datetime

        from toolhaft.report.store import save_run

        folder = output or Path("toolhaft-runs") / f"demo-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        return save_run(
            folder,
            self.trajectories,
            scores={key: [score] for key, score in self.scores.items()},
            title="Toolhaft demo",
            notes=self.notes,
            redact=self._secrets.redact if self._secrets is not None else None,
        )
