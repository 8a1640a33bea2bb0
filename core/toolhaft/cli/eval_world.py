"""The demo world's tasks, carried out by several arms at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.cli.output import notice, print_json, print_line
from toolhaft.cli.progress import ProgressBar
from toolhaft.cli.run import prepare
from toolhaft.errors import UnknownNameError, UsageError
from toolhaft.evaluators.reading import FLOOR
from toolhaft.planners.tries import MOST_TRIES

if TYPE_CHECKING:
    from toolhaft.models.base import Model
    from toolhaft.runs.evaluate import Arm, EvaluationRun, Outcome
    from toolhaft.secrets import SecretStore
    from toolhaft.types import Budget, Comparison, Task, Trajectory


_FINDINGS = 3
_UNLIMITED: Mapping[str, None] = {"steps": None, "model_calls": None, "tool_calls": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What is evaluated, and how.

    Attributes:
        planners: Names.
        models: Names; each planner is tried with each model.
        trials: How often each task is tried.
        world: Folder of another world; None is the bundled one.
        tasks: A file or folder; None gives the tasks of the world.
        tags: Tasks that lack one are left out.
        limit: Only so many of the tasks that are left, spread over kinds and services.
        budget: Of a rollout.
        total_budget: Of all rollouts together.
        retriever: Its name.
        k: How many tools the retriever chooses.
        find_tools: Whether the models may search for more.
        concurrency: Rollouts under way at once.
        seed: Of the world, the agents and the bootstrap.
        evaluators: Names; the first decides.
    """

    planners: Sequence[str] = ("react",)
    models: Sequence[str] = ("heuristic",)
    trials: int = 1
    world: Path | None = None
    tasks: Path | None = None
    tags: Sequence[str] = ()
    limit: int | None = None
    budget: Mapping[str, float] = field(default_factory=dict)
    total_budget: Mapping[str, float] = field(default_factory=dict)
    retriever: str = "bm25"
    k: int = 8
    find_tools: bool = False
    concurrency: int = 8
    seed: int = 0
    evaluators: Sequence[str] = ("state",)

    def settings(self) -> dict[str, Any]:
        """Return them for the record."""
        said = {one.name: getattr(self, one.name) for one in fields(self)}
        said |= {name: str(said[name]) if said[name] else "bundled" for name in ("world", "tasks")}
        return {"benchmark": "world", **said, "allow": ["write"]}


class WorldEvaluation:
    """What ``toolhaft eval world`` does; everything is checked before anything is begun.

    Args:
        choices: What is evaluated, and how.
        output: Folder for records and reports.

    Raises:
        ToolhaftError: Something of this cannot be.
    """

    def __init__(self, choices: Choices, *, output: Path | None = None) -> None:
        from toolhaft.cli.shared_index import SharedIndex
        from toolhaft.hooks.registry import Registry
        from toolhaft.report.store import check_output
        from toolhaft.runs.evaluate import EvaluationRun
        from toolhaft.secrets import SecretStore
        from toolhaft.world.server import World

        self._choices = choices
        self._output = prepare(output)
        self._world = World(seed=choices.seed, folder=choices.world)
        self._secrets: SecretStore = SecretStore(self._world.secrets)
        self._tasks = choose_tasks(choices.tasks or self._world.folder / "tasks", choices.tags, choices.limit)
        check_names(self._tasks, choices.world)
        self._positions = {task.id: position for position, task in enumerate(self._tasks)}
        arms = make_arms(choices.planners, choices.models, k=choices.k, budget=read_limits(choices.budget))
        if output is not None:
            check_output(output, [*(arm.name for arm in arms), FLOOR])
        self._models = _open_models(choices.models, self._secrets)
        self._retriever = SharedIndex(Registry.default().retriever(choices.retriever))
        self._bar = ProgressBar()
        self._tried: dict[str, list[bool]] = {}
        self.run: EvaluationRun = EvaluationRun(
            arms,
            self._tasks,
            self._roll_out,
            evaluators=choices.evaluators,
            trials=choices.trials,
            concurrency=choices.concurrency,
            limit=read_limits({**_UNLIMITED, **choices.total_budget}),
            beginning=self._begin,
            progress=self._advance,
        )

    def show(self, *, as_json: bool) -> int:
        """Evaluate, print what was found, write records and reports, and return the exit code."""
        from toolhaft.cli.figures import print_comparison
        from toolhaft.tools.loop import run_sync
        from toolhaft.types import to_value

        ended = False
        try:
            with self._bar.showing(self._heading(), self.run.planned):
                run_sync(self._evaluate(), on_interrupt=self.run.cancel)
            ended = True
        finally:
            if not ended and self._has_begun():
                notice(f"What was done until then: {self._save(self._compare()).html}")
        if self.run.stopped == "interrupted" and not self._has_begun():
            # An earlier evaluation in the folder is worth more than this one.
            notice("Interrupted before anything was done: nothing is written.")
            return 130
        comparison = self._compare()
        files = self._save(comparison)
        if as_json:
            facts = {"stopped": self.run.stopped, "folder": str(files.json.parent), "report": str(files.html)}
            print_json({**to_value(comparison), **facts})
        else:
            print_comparison(comparison)
            print_line(f"\nReport: {files.html}")
        if self.run.stopped == "interrupted":
            return 130
        errors = any(outcome.kind == "error" for outcome in self.run.outcomes)
        return 3 if errors or self.run.stopped else 0

    def _has_begun(self) -> bool:
        return any(outcome.arm != FLOOR for outcome in self.run.outcomes)

    def _compare(self) -> Comparison:
        from toolhaft.report.cleaning import clean_json
        from toolhaft.types import Comparison, from_value, to_value

        found = self.run.compare(title=self._heading(), seed=self._choices.seed)
        # Notes tell what errors said; what is printed must hold no secret either.
        return from_value(Comparison, clean_json(to_value(found), self._secrets.redact))

    def _heading(self) -> str:
        trials = f", {self.run.trials} trials each" if self.run.trials > 1 else ""
        number = len(self._tasks)
        name = self._choices.world.name if self._choices.world is not None else "Demo world"
        return f"{name}: {number} {'task' if number == 1 else 'tasks'}{trials}"

    def _save(self, comparison: Comparison) -> Any:
        from datetime import UTC, datetime

        from toolhaft.report.store import save_evaluation

        folder = self._output or Path("toolhaft-runs") / f"eval-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        return save_evaluation(
            folder,
            comparison,
            self.run.records(),
            settings=self._choices.settings(),
            redact=self._secrets.redact,
        )

    async def _evaluate(self) -> None:
        try:
            async with self._world:
                await self.run.run()
        finally:
            for model in self._models.values():
                await model.close()
            await self._retriever.end()

    async def _begin(self, task: Task) -> dict[str, Any]:
        world, name = self._world, f"nothing-{self._positions[task.id]}"
        try:
            await world.prepare(name, task)
            return await world.state(name, task)
        finally:
            await world.reset(name)

    async def _roll_out(self, arm: Arm, task: Task, trial: int) -> Trajectory:
        from toolhaft.agent import Agent
        from toolhaft.world.approval import approver_of

        world = self._world
        name = f"{self.run.arms.index(arm)}-{self._positions[task.id]}-{trial}"
        await world.prepare(name, task)
        catalog = await world.catalog(name)
        agent = Agent(
            catalog,
            model=self._models[arm.model],
            planner=arm.planner,
            retriever=self._retriever,
            k=arm.k,
            find_tools=self._choices.find_tools,
            budget=arm.budget,
            allow="write",
            approver=approver_of(task),
            secrets=self._secrets,
            # The tries of ``NAME@n`` draw from the seeds that follow; no other trial may draw from them.
            seed=self._choices.seed + trial * MOST_TRIES,
        )
        try:
            done = await agent.run(task, final_state=lambda: world.state(name, task), shared=self.run.meter)
            return done.trajectory
        finally:
            await catalog.close()
            await world.reset(name)

    def _advance(self, outcome: Outcome, done: int, planned: int) -> None:
        if outcome.arm == FLOOR:
            self._bar.advance()
            return
        tried = self._tried.setdefault(outcome.arm, [])
        tried.append(outcome.kind == "passed")
        shown = (f"{arm} {sum(passed)}/{len(passed)}" for arm, passed in self._tried.items())
        self._bar.advance(f"passed: {', '.join(shown)}")


def choose_tasks(path: Path, tags: Sequence[str], limit: int | None) -> tuple[Task, ...]:
    """Return the tasks that have all the tags.

    Raises:
        UnknownNameError: No task has such a tag.
        UsageError: No task has them all.
        ToolhaftError: The tasks cannot be read.
    """
    from toolhaft.world.tasks import load_tasks, sample_tasks

    tasks = load_tasks(path)
    known = sorted({tag for task in tasks for tag in task.tags})
    for tag in tags:
        if tag not in known:
            raise UnknownNameError("tag", tag, known)
    chosen = tuple(task for task in tasks if set(tags) <= set(task.tags))
    if limit is not None:
        chosen = sample_tasks(chosen, limit)
    if not chosen:
        what = f"no task has the tags {' and '.join(tags)}" if tags else "there are no tasks"
        raise UsageError(what, where=str(path), hint="Leave a tag out, or name other tasks with --tasks")
    return chosen


def check_names(tasks: Sequence[Task], world: Path | None) -> None:
    """Raise if tasks name what their world does not have: no agent could do them, or could fail to.

    Raises:
        UsageError: They do; the first of them are said.
    """
    from toolhaft.world.lint import quick_findings

    findings = quick_findings(tasks, world)
    if findings:
        more = f"; {len(findings) - _FINDINGS} more" if len(findings) > _FINDINGS else ""
        folder = f" {world}" if world is not None else ""
        raise UsageError(
            f"the tasks do not fit the world: {'; '.join(map(str, findings[:_FINDINGS]))}{more}",
            hint=f"Mend them, or name their world with --world; `toolhaft world lint{folder}` checks a world",
        )


def make_arms(planners: Sequence[str], models: Sequence[str], *, k: int, budget: Budget) -> list[Arm]:
    """Return an arm for each planner with each model, named by what tells them apart.

    Raises:
        UsageError: A planner or model stands twice; else raises as `Registry.planner` does.
    """
    from toolhaft.hooks.registry import Registry
    from toolhaft.runs.evaluate import Arm

    for kind, names in (("planner", planners), ("model", models)):
        for position, name in enumerate(names):
            if name in names[:position]:
                raise UsageError(f"the {kind} {name!r} stands twice", hint=f"Name each {kind} once")
    for name in planners:
        Registry.default().planner(name)
    return [
        Arm(name=_arm_name(planner, model, models), planner=planner, model=model, k=k, budget=budget)
        for model in models
        for planner in planners
    ]


def _arm_name(planner: str, model: str, models: Sequence[str]) -> str:
    return planner if len(models) == 1 else f"{planner} {model}"


def read_limits(fields: Mapping[str, float | None]) -> Budget:
    """Return a budget from its fields.

    Raises:
        UsageError: A field is unknown or its value makes no sense.
    """
    from toolhaft.agent.parts import budget_of

    return budget_of(fields)


def _open_models(names: Sequence[str], secrets: SecretStore) -> dict[str, Model]:
    from toolhaft.agent import open_model

    return {name: open_model(name, secrets=secrets, warn=notice) for name in names}
