"""The agent: tools, a model and a planner put together."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from toolhaft.agent.active import Active, next_event
from toolhaft.agent.catalog_index import CatalogIndex
from toolhaft.agent.offering import Offering
from toolhaft.agent.opening import open_model
from toolhaft.agent.parts import budget_of, catalog_of, new_id, policy_of
from toolhaft.agent.run import Run
from toolhaft.errors import ToolhaftError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from toolhaft.hooks.registry import Registry
    from toolhaft.models.base import Model
    from toolhaft.planners.base import Planner
    from toolhaft.retrievers.base import Retriever
    from toolhaft.secrets import SecretStore
    from toolhaft.tools.artifacts import ArtifactStore
    from toolhaft.tools.base import Tool
    from toolhaft.tools.budget import BudgetMeter
    from toolhaft.tools.catalog import Catalog
    from toolhaft.tools.context import RunContext
    from toolhaft.tools.journal import CallJournal
    from toolhaft.tools.policy import Approver, Policy
    from toolhaft.tools.toolset import ToolSet
    from toolhaft.types import Budget, Event, Task, Trajectory

FinalState = Callable[[], Awaitable[dict[str, Any]]]


class Agent:
    """Carries out instructions with tools.

    Args:
        tools: Catalogs and tools.
        model: A model, or its name; ``auto`` is what the environment names, else ``heuristic``.
        planner: A planner, or its name; likewise ``retriever``.
        k: How many tools the retriever chooses for the model; all of them are offered if there are no more
            than that. Tools that the chosen ones' descriptions name are offered too, at most ``k`` more; if
            fewer are found, tools that read fill the places (see `opening_tools`). By default 8, and all of
            up to 16 tools whose descriptions and schemas are no longer than 16,000 characters together.
        find_tools: Whether the model gets a tool that searches the others (`toolhaft.agent.FindTools`),
            where not all are offered; what it finds can be called from the next step on.
        budget: Limits of one rollout: a `Budget`, or its fields as a mapping.
        allow: Effects (``write``, ``irreversible``) or tool names that may run without asking.
        policy: Replaces the policy that ``allow`` makes.
        approver: Asked when the policy is not sure; without one the answer is no.
        private: The instructions hold private data.
        secrets: The store whose values are kept out of everything that is shown or written.
        artifacts: Where images and files go; in memory if not given.
        seed: For everything that draws lots.
        registry: Where names are looked up; the default finds every installed plugin.
        warn: Takes one-line notices; the default writes them to stderr.

    Raises:
        UsageError: Two tools have one name, or a setting makes no sense.
        UnknownNameError: ``allow`` names what is neither an effect nor a tool.
    """

    def __init__(
        self,
        tools: Iterable[Catalog | Tool] | Catalog | Tool,
        *,
        model: str | Model = "auto",
        planner: str | Planner = "react",
        retriever: str | Retriever = "bm25",
        k: int | None = None,
        find_tools: bool = False,
        budget: Budget | Mapping[str, Any] | None = None,
        allow: str | Sequence[str] = (),
        policy: Policy | None = None,
        approver: Approver | None = None,
        private: bool = False,
        secrets: SecretStore | None = None,
        artifacts: ArtifactStore | None = None,
        seed: int = 0,
        registry: Registry | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        if k is not None and (not isinstance(k, int) or k < 1):
            raise UsageError(f"k is {k!r}", hint="Give a whole number of at least 1")
        self.catalog = catalog_of(tools)
        self.seed = seed
        self.offering = Offering(
            catalog=self.catalog,
            retriever=self.retriever,
            retriever_name=self._retriever_name,
            k=k,
            find_tools=find_tools,
        )
        self.budget = budget_of(budget)
        self._model = model
        self._planner = planner
        self._retriever = retriever
        self._policy = policy if policy is not None else policy_of(allow, self.catalog)
        self.approver = approver
        self._private = private
        self._secrets = secrets
        self._artifacts = artifacts
        self._registry = registry
        self._warn = warn
        self._index = CatalogIndex(self.catalog, self._make_retriever)
        self._active: dict[str, Active] = {}

    async def run(
        self,
        instruction: str | Task,
        *,
        artifacts: Sequence[Path | str] = (),
        final_state: FinalState | None = None,
        journal: CallJournal | None = None,
        shared: BudgetMeter | None = None,
    ) -> Run:
        """Carry out an instruction.

        Args:
            instruction: What to do, or a task.
            artifacts: Images and files that come with it.
            final_state: Asked at the end for the environment's state, for evaluators.
            journal: Records what leaves the process, and has the rollout's id; what it knows already is
                not done a second time.
            shared: What several rollouts may spend together; this one spends from it too. If it is used up
                here, the trajectory's settings say of what, under ``cut_short``.

        Raises:
            ToolhaftError: The model failed or a tool has a bug; the error's ``trajectory`` attribute holds
                what was done before. Failing tool calls and spent budgets are no errors: see
                ``trajectory.status``.
        """
        trajectory: Trajectory | None = None
        try:
            events = self._events(
                instruction, artifacts, final_state, deltas=False, journal=journal, shared=shared
            )
            async with aclosing(events):
                async for event in events:
                    if event.type == "rollout_finished":
                        trajectory = event.trajectory
        except ToolhaftError as error:
            error.trajectory = trajectory
            raise
        if trajectory is None:
            raise UsageError(f"the planner {self._planner!r} ended without a trajectory")
        return Run(trajectory=trajectory, artifacts=self.artifacts, secrets=self.secrets)

    def run_sync(
        self,
        instruction: str | Task,
        *,
        artifacts: Sequence[Path | str] = (),
        final_state: FinalState | None = None,
    ) -> Run:
        """Do what `run` does from code that is not async, notebooks included.

        Ctrl-C ends the rollout with status ``cancelled`` and returns what was done.
        """
        from toolhaft.tools.loop import run_sync

        return run_sync(
            self.run(instruction, artifacts=artifacts, final_state=final_state), on_interrupt=self.cancel
        )

    async def stream(
        self,
        instruction: str | Task,
        *,
        artifacts: Sequence[Path | str] = (),
        final_state: FinalState | None = None,
    ) -> AsyncIterator[Event]:
        """Yield what happens, text as the model writes it; the last event carries the trajectory."""
        async with aclosing(self._events(instruction, artifacts, final_state, deltas=True)) as events:
            async for event in events:
                yield event

    def cancel(self) -> None:
        """End every rollout of this agent; each finishes with status ``cancelled`` and keeps its steps.

        Call it on the event loop that the rollouts run on.
        """
        for active in [*self._active.values()]:
            active.cancel()

    def stop(self) -> None:
        """End every rollout of this agent before its next call; calls under way are waited for."""
        for active in [*self._active.values()]:
            active.stop()

    async def close(self) -> None:
        """Let go of the model's and the retriever's connections and files; catalogs stay open."""
        if not isinstance(self._model, str):
            await self._model.close()
        await self._index.close()

    @property
    def k(self) -> int:
        """How many tools the retriever chooses."""
        return self.offering.chosen

    @property
    def secrets(self) -> SecretStore:
        """The store whose values are kept out of everything that is shown or written."""
        if self._secrets is None:
            from toolhaft.secrets import SecretStore

            self._secrets = SecretStore()
        return self._secrets

    @property
    def artifacts(self) -> ArtifactStore:
        """Where images and files are kept."""
        if self._artifacts is None:
            from toolhaft.tools.artifacts import ArtifactStore

            self._artifacts = ArtifactStore()
        return self._artifacts

    @property
    def registry(self) -> Registry:
        """Where names are looked up."""
        if self._registry is None:
            from toolhaft.hooks.registry import Registry

            self._registry = Registry.default()
        return self._registry

    @property
    def model(self) -> Model:
        """The model, found by its name when first asked for."""
        if isinstance(self._model, str):
            self._model = open_model(
                self._model, registry=self.registry, secrets=self.secrets, warn=self._warn
            )
            self._model.attach(artifacts=self.artifacts)
        return self._model

    @property
    def planner(self) -> Planner:
        """The planner."""
        planner = self._planner
        if isinstance(planner, str):
            planner = self._planner = self.registry.planner(planner)
        return planner

    async def retriever(self) -> Retriever:
        """Return the retriever, with the catalog indexed as it is now; the first caller does the work."""
        return await self._index.retriever()

    def _make_retriever(self) -> Retriever:
        retriever = self._retriever
        return self.registry.retriever(retriever) if isinstance(retriever, str) else retriever

    async def _events(
        self,
        instruction: str | Task,
        artifacts: Sequence[Path | str],
        final_state: FinalState | None,
        *,
        deltas: bool,
        journal: CallJournal | None = None,
        shared: BudgetMeter | None = None,
    ) -> AsyncGenerator[Event, None]:
        from toolhaft.planners.record import Record

        task = self._task(instruction, artifacts)
        context = self._context(final_state, journal, shared, deltas=deltas)
        task = context.receive(task)
        active = self._active[context.id] = Active(context)
        try:
            planner, model = self.planner, self.model
            context.settings = {
                "k": self.offering.chosen,
                "pool": len(self.catalog),
                "retriever": self._retriever_name(),
            }
            offered = await active.wait(self._offer(task, context))
            if offered is None:
                yield await Record(task, context, planner=planner.name, model=model.name).finish("cancelled")
                return
            tools, retrieved = offered
            events = planner.rollout(task, tools, model, context)
            try:
                while (event := await active.wait(next_event(events))) is not None:
                    yield _marked(event, context.meter.cut_short)
                    if event.type == "rollout_started" and retrieved is not None:
                        yield retrieved
            finally:
                if isinstance(events, AsyncGenerator):
                    await events.aclose()
        finally:
            context.absorb_cancellation()
            del self._active[context.id]

    async def _offer(self, task: Task, context: RunContext) -> tuple[ToolSet, Event | None] | None:
        """Choose the tools to offer, all of them where there are few; None if the rollout was cancelled."""
        import asyncio

        try:
            tools, event = await self.offering.choose(task.instruction)
        except asyncio.CancelledError:
            if context.absorb_cancellation():
                return None
            raise
        if event is not None:
            context.retrieved = event.hits
            if self.offering.find_tools:
                context.settings = {**context.settings, "find_tools": True}
        return tools, event

    def _retriever_name(self) -> str:
        name = self._retriever
        if not isinstance(name, str):
            return name.name
        if name not in self.registry.names("retriever"):  # else it is missed as long as tools are few
            self.registry.retriever(name)
        return name

    def _task(self, instruction: str | Task, artifacts: Sequence[Path | str]) -> Task:
        from pathlib import Path

        from toolhaft.types import Task

        kept = tuple(self.artifacts.put_file(Path(path)) for path in artifacts)
        if not isinstance(instruction, str | Task):
            raise UsageError(
                f"the instruction is a {type(instruction).__name__}", hint="Give text, or a toolhaft.Task"
            )
        task = instruction if isinstance(instruction, Task) else Task(id="task", instruction=instruction)
        if not task.instruction.strip():
            raise UsageError("the instruction is empty", hint="Say what to do")
        return replace(task, artifacts=(*task.artifacts, *kept)) if kept else task

    def _context(
        self,
        final_state: FinalState | None,
        journal: CallJournal | None,
        shared: BudgetMeter | None,
        *,
        deltas: bool,
    ) -> RunContext:
        from toolhaft.tools.budget import BudgetMeter
        from toolhaft.tools.context import RunContext

        return RunContext(
            id=journal.id if journal is not None else new_id(),
            seed=self.seed,
            meter=BudgetMeter(self.budget, shared=shared),
            policy=self._policy,
            approver=self.approver,
            secrets=self.secrets,
            artifacts=self.artifacts,
            private=self._private,
            final_state=final_state,
            deltas=deltas,
            journal=journal,
        )


def _marked(event: Event, cut_short: str) -> Event:
    """Return the last event of a rollout that a shared budget cut short with a trajectory that says so."""
    if not cut_short or event.type != "rollout_finished":
        return event
    settings = {**event.trajectory.settings, "cut_short": cut_short}
    return replace(event, trajectory=replace(event.trajectory, settings=settings))
