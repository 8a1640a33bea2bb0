"""An agent: tools, a model and a planner put together; and catalogs opened by name."""

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
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from toolhaft.errors import ToolhaftError, UsageError

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from toolhaft.hooks.registry import Registry
    from toolhaft.models.base import Model
    from toolhaft.planners.base import Planner
    from toolhaft.retrievers.base import Retriever
    from toolhaft.secrets import SecretStore
    from toolhaft.tools.artifacts import ArtifactStore
    from toolhaft.tools.base import Tool
    from toolhaft.tools.catalog import Catalog
    from toolhaft.tools.context import RunContext
    from toolhaft.tools.policy import Approver, Policy
    from toolhaft.tools.toolset import ToolSet
    from toolhaft.types import Budget, Event, Task, Trajectory

T = TypeVar("T")
FinalState = Callable[[], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What an agent did.

    Attributes:
        trajectory: The whole record.
        artifacts: Where the images and files in it are kept.
        secrets: The redaction filter that stands before what `save` writes.
    """

    trajectory: Trajectory
    artifacts: ArtifactStore
    secrets: SecretStore

    @property
    def answer(self) -> str:
        """What the user is told."""
        return self.trajectory.answer

    def save(self, path: Path | str) -> None:
        """Write the HTML report to a path that ends in ``.html``, and the record beside it as ``.jsonl``."""
        from pathlib import Path

        from toolhaft.report.store import save_report

        target = Path(path)
        if target.suffix != ".html":
            raise UsageError(
                f"{str(path)!r} does not end in .html", hint="Name the report: run.save('run.html')"
            )
        save_report(target, [self.trajectory], redact=self.secrets.redact, artifacts=self.artifacts)


class Agent:
    """Carries out instructions with tools.

    Args:
        tools: Catalogs and tools.
        model: A model, or its name; ``auto`` is what the environment names, else ``heuristic``.
        planner: A planner, or its name; likewise ``retriever``.
        k: How many tools the model is offered; all of them if there are no more than that.
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
        k: int = 8,
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
        if k < 1:
            raise UsageError(f"k is {k}", hint="Offer the model at least 1 tool")
        self.catalog = _catalog_of(tools)
        self.seed = seed
        self.k = k
        self.budget = _budget_of(budget)
        self._model = model
        self._planner = planner
        self._retriever = retriever
        self._policy = policy if policy is not None else _policy_of(allow, self.catalog)
        self._approver = approver
        self._private = private
        self._secrets = secrets
        self._artifacts = artifacts
        self._registry = registry
        self._warn = warn
        self._indexed: asyncio.Task[Retriever] | None = None
        self._active: dict[str, _Active] = {}

    async def run(
        self,
        instruction: str | Task,
        *,
        artifacts: Sequence[Path | str] = (),
        final_state: FinalState | None = None,
    ) -> Run:
        """Carry out an instruction.

        Args:
            instruction: What to do, or a task.
            artifacts: Images and files that come with it.
            final_state: Asked at the end for the environment's state, for evaluators.

        Raises:
            ToolhaftError: The model failed or a tool has a bug; the error's ``trajectory`` attribute holds
                what was done before. Failing tool calls and spent budgets are no errors: see
                ``trajectory.status``.
        """
        trajectory: Trajectory | None = None
        try:
            async with aclosing(self._events(instruction, artifacts, final_state, deltas=False)) as events:
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

    async def close(self) -> None:
        """Let go of the model's and the retriever's connections and files; catalogs stay open."""
        if not isinstance(self._model, str):
            await self._model.close()
        if self._indexed is not None:
            await (await self.retriever()).close()

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
        """Return the retriever, with the catalog indexed; the first caller does the work."""
        import asyncio

        indexed = self._indexed
        if indexed is None:
            indexed = self._indexed = asyncio.create_task(self._index())
        if indexed.get_loop() is not asyncio.get_running_loop() and not indexed.done():
            # Somebody else's event loop is at work; wait for it there.
            waiting = asyncio.run_coroutine_threadsafe(_result(indexed), indexed.get_loop())
            return await asyncio.wrap_future(waiting)
        try:
            return await asyncio.shield(indexed)
        finally:
            if self._indexed is indexed and indexed.done() and (indexed.cancelled() or indexed.exception()):
                self._indexed = None  # the next caller tries again

    async def _index(self) -> Retriever:
        retriever = self._retriever
        if isinstance(retriever, str):
            retriever = self.registry.retriever(retriever)
        await retriever.index(self.catalog.specs())
        return retriever

    async def _events(
        self,
        instruction: str | Task,
        artifacts: Sequence[Path | str],
        final_state: FinalState | None,
        *,
        deltas: bool,
    ) -> AsyncGenerator[Event, None]:
        from toolhaft.planners.record import Record

        task = self._task(instruction, artifacts)
        context = self._context(final_state, deltas=deltas)
        active = self._active[context.id] = _Active(context)
        try:
            planner, model = self.planner, self.model
            context.settings = {"k": self.k, "pool": len(self.catalog), "retriever": self._retriever_name()}
            offered = await active.wait(self._offer(task, context))
            if offered is None:
                yield await Record(task, context, planner=planner.name, model=model.name).finish("cancelled")
                return
            tools, retrieved = offered
            events = planner.rollout(task, tools, model, context)
            try:
                while (event := await active.wait(_next(events))) is not None:
                    yield event
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

        from toolhaft.tools.toolset import ToolSet
        from toolhaft.types import ToolsRetrieved

        if len(self.catalog) <= self.k:
            return ToolSet(self.catalog), None
        try:
            hits = await (await self.retriever()).retrieve(task.instruction, self.k)
        except asyncio.CancelledError:
            if context.absorb_cancellation():
                return None
            raise
        context.retrieved = tuple((hit.item.name, hit.score) for hit in hits)
        event = ToolsRetrieved(
            hits=context.retrieved, retriever=self._retriever_name(), pool=len(self.catalog)
        )
        return ToolSet(self.catalog, [hit.item.name for hit in hits]), event

    def _retriever_name(self) -> str:
        return self._retriever if isinstance(self._retriever, str) else self._retriever.name

    def _task(self, instruction: str | Task, artifacts: Sequence[Path | str]) -> Task:
        from pathlib import Path

        from toolhaft.types import Task

        kept = tuple(self.artifacts.put_file(Path(path)) for path in artifacts)
        task = instruction if isinstance(instruction, Task) else Task(id="task", instruction=instruction)
        if not task.instruction.strip():
            raise UsageError("the instruction is empty", hint="Say what to do")
        return replace(task, artifacts=(*task.artifacts, *kept)) if kept else task

    def _context(self, final_state: FinalState | None, *, deltas: bool) -> RunContext:
        from toolhaft.tools.budget import BudgetMeter
        from toolhaft.tools.context import RunContext

        return RunContext(
            id=_new_id(),
            seed=self.seed,
            meter=BudgetMeter(self.budget),
            policy=self._policy,
            approver=self._approver,
            secrets=self.secrets,
            artifacts=self.artifacts,
            private=self._private,
            final_state=final_state,
            deltas=deltas,
        )


class _Active:
    """A rollout under way: it can be interrupted while it waits for something, and only then."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._waiting: asyncio.Task[Any] | None = None

    async def wait(self, awaitable: Awaitable[T]) -> T:
        import asyncio

        self._waiting = asyncio.current_task()
        try:
            return await awaitable
        finally:
            self._waiting = None

    def cancel(self) -> None:
        self._context.cancel(self._waiting)


async def _next(events: AsyncIterator[Event]) -> Event | None:
    try:
        return await anext(events)
    except StopAsyncIteration:
        return None


async def _result(task: asyncio.Task[T]) -> T:
    import asyncio

    return await asyncio.shield(task)


def open_catalog(
    location: Any,
    *,
    auth: Mapping[str, str] | None = None,
    allow_hosts: Sequence[str] = (),
    registry: Registry | None = None,
    **settings: Any,
) -> Catalog:
    """Do what `load_catalog` does from code that is not async, notebooks included."""
    from toolhaft.tools.loop import run_sync

    return run_sync(load_catalog(location, auth=auth, allow_hosts=allow_hosts, registry=registry, **settings))


async def load_catalog(
    location: Any,
    *,
    auth: Mapping[str, str] | None = None,
    allow_hosts: Sequence[str] = (),
    registry: Registry | None = None,
    **settings: Any,
) -> Catalog:
    """Open a catalog of tools.

    Args:
        location: ``scheme:rest`` as in ``openapi:petstore.yaml``; a path that ends in ``.catalog``,
            ``.json`` or ``.yaml``; an ``https`` URL of an OpenAPI document; or a parsed document.
        auth: Security scheme -> secret reference, for example ``{"api_key": "env:PETSTORE_KEY"}``.
        allow_hosts: Loopback and private hosts that the tools may speak to.
        registry: Where the scheme is looked up.
        **settings: More settings of the source.

    Raises:
        UnknownNameError: No plugin brings this scheme.
        SpecError: The document cannot be read.
        UsageError: There is nothing at the location.
    """
    from toolhaft.hooks.registry import Registry

    registry = registry or Registry.default()
    scheme, rest = split_location(location)
    if auth:
        settings["auth"] = dict(auth)
    if allow_hosts:
        settings["allow_hosts"] = tuple(allow_hosts)
    if scheme == "catalog":
        found = registry
        source = registry.source("catalog", source=lambda kind: found.source(kind, **settings))
    else:
        source = registry.source(scheme, **settings)
    return await source.load(rest)


def open_model(
    reference: str,
    *,
    registry: Registry | None = None,
    secrets: SecretStore | None = None,
    warn: Callable[[str], None] | None = None,
) -> Model:
    """Find a model by its name, as ``Agent(model=...)`` and ``--model`` do.

    Args:
        reference: Its name.
        registry: Where names are looked up.
        secrets: Resolves its key, and keeps it out of what is shown.
        warn: Takes the one-line notice that no language model is configured.

    Raises:
        UnknownNameError: No plugin brings it.
        ConfigError: Its key is not set.
    """
    from toolhaft.hooks.registry import Registry
    from toolhaft.models.resolve import resolve
    from toolhaft.settings import load_settings

    registry = registry or Registry.default()
    model = resolve(reference, registry.model, load_settings(), warn or _to_stderr)
    model.attach(secrets=secrets)
    return model


def split_location(location: Any) -> tuple[str, Any]:
    """Return the scheme and what stands behind it; a bare path or URL is told by its ending.

    Raises:
        UsageError: Nothing says what it is.
    """
    if isinstance(location, Mapping):
        return "openapi", location
    text = str(location)
    scheme, colon, rest = text.partition(":")
    if colon and scheme.replace("-", "").isalnum() and scheme not in ("http", "https") and len(scheme) > 1:
        return scheme, rest
    if text.endswith(".catalog"):
        return "catalog", text
    if text.endswith((".json", ".yaml", ".yml")) or scheme in ("http", "https"):
        return "openapi", text
    raise UsageError(
        f"{text[:200]!r} does not say what kind of tools it holds",
        hint="Write the scheme before it, as in openapi:petstore.yaml, or name a .catalog file",
    )


def _catalog_of(tools: Iterable[Catalog | Tool] | Catalog | Tool) -> Catalog:
    from toolhaft.tools.base import Tool
    from toolhaft.tools.catalog import Catalog

    if isinstance(tools, Catalog):
        return tools
    if isinstance(tools, str):
        raise UsageError(f"{tools[:80]!r} is not a catalog", hint="Open it: Agent([open_catalog(...)])")
    catalogs: list[Catalog] = []
    loose: list[Tool] = []
    for entry in [tools] if isinstance(tools, Tool) else tools:
        if isinstance(entry, Catalog):
            catalogs.append(entry)
        else:
            loose.append(entry)
    if loose:
        catalogs.append(Catalog(loose, name="tools"))
    return catalogs[0] if len(catalogs) == 1 else Catalog.merge(*catalogs)


def _policy_of(allow: str | Sequence[str], catalog: Catalog) -> Policy:
    """Return the policy that ``allow`` makes; a name that nothing answers to is a typing error."""
    from typing import get_args

    from toolhaft.errors import UnknownNameError
    from toolhaft.tools.policy import policy
    from toolhaft.types import Effect

    made = policy(allow)
    for name in made.allow:
        if name not in get_args(Effect) and not set(name) & set("*?[") and name not in catalog:
            raise UnknownNameError("effect or tool", name, [*get_args(Effect), *catalog.names], where="allow")
    return made


def _budget_of(budget: Budget | Mapping[str, Any] | None) -> Budget:
    from dataclasses import fields

    from toolhaft.errors import UnknownNameError
    from toolhaft.types import Budget

    if budget is None:
        return Budget()
    if isinstance(budget, Budget):
        return budget
    known = [field.name for field in fields(Budget)]
    for name, value in budget.items():
        if name not in known:
            raise UnknownNameError("budget", name, known)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0
        ):
            raise UsageError(f"the budget {name} is {value!r}", hint="Give a number of at least 0, or None")
    return Budget(**budget)


def _new_id() -> str:
    import secrets
    from datetime import UTC, datetime

    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def _to_stderr(line: str) -> None:
    import sys

    sys.stderr.write(f"{line}\n")
