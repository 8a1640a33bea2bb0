"""An agent as the job of a batch: opened from names, wherever the batch is worked off."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from math import isfinite
from pathlib import Path
from typing import Any

from toolhaft.agent.agent import Agent
from toolhaft.agent.locations import load_catalogs
from toolhaft.agent.opening import open_model
from toolhaft.auth.entries import Entries
from toolhaft.errors import (
    InvalidArgumentsError,
    JournalError,
    ModelError,
    RefusedError,
    ToolhaftError,
    UnknownToolError,
    UnreachableError,
)
from toolhaft.report.cleaning import clean_record
from toolhaft.report.outcomes import is_uncertain
from toolhaft.runs.batch import judged
from toolhaft.runs.executor import Home, Work
from toolhaft.runs.rollout import Fingerprints, RolloutJournal
from toolhaft.secrets import SecretStore
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.tools.base import Tool
from toolhaft.tools.wrappers import ToolWrapper
from toolhaft.types import Task, Trajectory, from_json, to_json

_NEVER_MADE = (UnknownToolError.code, InvalidArgumentsError.code, RefusedError.code)
TARGET = "toolhaft.agent.work:open_work"
"""The job of a batch, by its name."""


class AgentWork(Work):
    """Carries out tasks with an agent; every rollout is journaled.

    Args:
        agent: Who carries them out.
        close_catalogs: Whether the catalogs are closed with it.
    """

    def __init__(self, agent: Agent, *, close_catalogs: bool = False) -> None:
        self.agent = agent
        self._tools = Fingerprints(agent.secrets)
        self._close_catalogs = close_catalogs
        self._stopping = False
        self._journals: set[RolloutJournal] = set()

    async def run(self, item: Any, home: Home) -> dict[str, Any]:
        """Carry out a task; see `toolhaft.runs.batch.BatchRunner` for the item and the result."""
        journal = RolloutJournal(
            home,
            job=int(item["job"]),
            id=str(item["rollout"]),
            started=str(item["started"]),
            entries=item["entries"],
            secrets=self.agent.secrets,
            tools=self._tools,
            counted=bool(item["counted"]),
        )
        if self._stopping:
            return {"verdict": "stopped"}
        self._journals.add(journal)
        try:
            return await judged(self._carry_out(str(item["task"]), journal))
        finally:
            self._journals.discard(journal)

    def stop(self) -> None:
        """End every rollout before its next call."""
        self._stopping = True
        for journal in self._journals:
            journal.stopping = True
        self.agent.stop()

    async def close(self) -> None:
        """Close the agent, and its catalogs if they came with it."""
        await self.agent.close()
        if self._close_catalogs:
            await self.agent.catalog.close()

    def agent_for(self, task: Task) -> Agent:
        """Return who carries a task out; a subclass may give each task tools of its own.

        The agent must share `agent`'s secrets and artifacts, and it is up to the subclass to stop it.
        """
        return self.agent

    async def _carry_out(self, payload: str, journal: RolloutJournal) -> dict[str, Any]:
        task = from_json(Task, payload, where=journal.id)
        try:
            trajectory = (await self.agent_for(task).run(task, journal=journal)).trajectory
        except JournalError:
            raise
        except ToolhaftError as error:
            if error.trajectory is None:
                raise
            again = error.retryable and isinstance(error, ModelError)
            verdict = "again" if again else "failed"
            shown = self.agent.secrets.redact_value(error.to_dict())
            return self._result(error.trajectory, journal, verdict) | {"error": shown}
        if trajectory.status == "cancelled":
            return {"verdict": "stopped"}
        if trajectory.error is not None and trajectory.error.code == "E-BUDGET-BATCH":
            return {"verdict": "held"}
        return self._result(trajectory, journal, "done")

    def _result(self, trajectory: Trajectory, journal: RolloutJournal, verdict: str) -> dict[str, Any]:
        if verdict != "again" and (journal.uncertain or is_uncertain(trajectory)):
            verdict = "uncertain"
        clean = trajectory
        # Observations were cleaned when they were made; a model of a plugin may report nonsense, though.
        if self.agent.secrets.knows_any or not all(isfinite(step.usage.cost) for step in trajectory.steps):
            clean = clean_record(trajectory, self.agent.secrets.redact)
        unreached, reached = reach_of(trajectory)
        return {
            "verdict": verdict,
            "outcome": trajectory.status,
            "trajectory": to_json(clean).decode(),
            "unreached": "" if reached else self.agent.secrets.redact(unreached),
            "reached": reached,
        }


def reach_of(trajectory: Trajectory) -> tuple[str, bool]:
    """Return the last error of a call that reached no host, and whether any call that was made did better."""
    unreached, reached = "", False
    for observation in trajectory.observations():
        error = observation.error
        if error is not None and error.code == UnreachableError.code:
            unreached = str(error)
        elif error is None or error.code not in _NEVER_MADE:
            reached = True
    return unreached, reached


async def open_work(
    *,
    tools: Sequence[str],
    auth: Mapping[str, str] | None = None,
    allow_hosts: Sequence[str] = (),
    model: str = "auto",
    api_key: str | None = None,
    planner: str = "react",
    retriever: str = "bm25",
    k: int | None = None,
    find_tools: bool = False,
    budget: Mapping[str, Any] | None = None,
    allow: Sequence[str] = (),
    private: bool = False,
    seed: int = 0,
    per_host: int | None = None,
    artifacts: str | None = None,
) -> AgentWork:
    """Open an agent from names, in the process where it is to work.

    Args:
        tools: Locations of catalogs.
        auth: Security scheme -> secret reference.
        allow_hosts: Loopback and private hosts that the tools may speak to.
        model: Its name.
        api_key: Its key, by reference.
        planner: Its name.
        retriever: Its name.
        k: How many tools are offered; None as for an `Agent`.
        find_tools: Whether the model may search for more.
        budget: Of one rollout.
        allow: Effects and tools that may run unasked.
        private: The instructions hold private data.
        seed: For everything that draws lots.
        per_host: Calls that may be under way at once to one host; None is no limit.
        artifacts: Folder for images and files.

    Raises:
        ToolhaftError: Something cannot be opened.
    """
    secrets = SecretStore()
    catalogs = await load_catalogs(tools, auth or {}, allow_hosts)
    learn_keys(secrets, auth or {})
    if per_host is not None:
        gates = HostGates(per_host)
        catalogs = [catalog.wrap(gates.wrap, keeps_specs=True) for catalog in catalogs]
    fields: dict[str, Any] = {"api_key": api_key} if api_key else {}
    agent = Agent(
        catalogs,
        model=open_model(model, secrets=secrets, warn=_ignore, **fields),
        planner=planner,
        retriever=retriever,
        k=k,
        find_tools=find_tools,
        budget=budget,
        allow=tuple(allow),
        private=private,
        secrets=secrets,
        artifacts=ArtifactStore(Path(artifacts)) if artifacts else None,
        seed=seed,
        warn=_ignore,
    )
    return AgentWork(agent, close_catalogs=True)


def learn_keys(secrets: SecretStore, auth: Mapping[str, Any]) -> None:
    """Have the filter know the tools' keys: a model or another tool may repeat them."""
    for reference in Entries(auth).all_secrets():
        secrets.is_set(reference)


class HostGates:
    """Lets so many calls through to each host at once.

    Args:
        limit: Calls under way to one host.
    """

    def __init__(self, limit: int) -> None:
        self._gates: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(limit))

    def wrap(self, tool: Tool) -> Tool:
        """Return the tool with its calls let through one of the gates; one without hosts as it is."""
        return GatedTool(tool, self) if tool.spec.hosts else tool

    @asynccontextmanager
    async def passing(
        self, hosts: Sequence[str], inner: AbstractAsyncContextManager[Any]
    ) -> AsyncIterator[None]:
        """Hold a place at each host, and the inner one."""
        async with AsyncExitStack() as places:
            for host in sorted(set(hosts)):  # in one order: two tools must not wait for each other
                await places.enter_async_context(self._gates[host])
            await places.enter_async_context(inner)
            yield


class GatedTool(ToolWrapper):
    """A tool whose calls wait for a place at their host."""

    def __init__(self, inner: Tool, gates: HostGates) -> None:
        super().__init__(inner)
        self._gates = gates

    def place(self) -> AbstractAsyncContextManager[Any]:
        """Return a place at the tool's hosts and one of its own."""
        return self._gates.passing(self.spec.hosts, self.inner.place())


def _ignore(_: str) -> None:
    """Take a notice that whoever started the batch gives once for all workers."""
