"""The job of an evaluation on ToolBench's queries: an agent for each query, with the query's own tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakSet

from toolhaft.agent import Agent, open_model
from toolhaft.agent.work import AgentWork
from toolhaft.errors import UsageError
from toolhaft.hooks.registry import Registry
from toolhaft.secrets import SecretStore
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.types import Task
from toolhaft_rapidapi.naming import Naming
from toolhaft_rapidapi.toolbench.candidates import simulated_catalog
from toolhaft_rapidapi.toolbench.queries import Queries, read_queries

TARGET = "toolhaft_rapidapi.toolbench.work:open_query_work"
"""This job, by its name."""
ALLOWED = ("write", "irreversible")
"""Nothing that is simulated changes anything outside."""


class QueryWork(AgentWork):
    """Carries out queries, each with exactly the APIs that it is given.

    Args:
        agent: Has the model, the planner and the rest; its own tools are not used.
        queries: With their candidates.
        naming: Of the tools.
        budget: Of one rollout.
    """

    def __init__(
        self,
        agent: Agent,
        queries: Queries,
        *,
        naming: Naming,
        budget: Mapping[str, Any] | None,
    ) -> None:
        super().__init__(agent)
        self._queries = queries
        self._naming: Naming = naming
        self._budget = budget
        self._agents: WeakSet[Agent] = WeakSet()

    def agent_for(self, task: Task) -> Agent:
        """Return an agent with the tools of the task's query.

        Raises:
            UsageError: The files do not have the query any more.
        """
        records = self._queries.candidates.get(task.id)
        if not records:
            raise UsageError(
                "the query files have no such query with an api_list",
                where=f"task {task.id}",
                hint="Name the files that the evaluation was begun with",
            )
        seed = self.agent.seed
        catalog = simulated_catalog(records, naming=self._naming, seed=seed)
        agent = Agent(
            catalog,
            model=self.agent.model,
            planner=self.agent.planner,
            k=max(1, len(catalog)),
            budget=self._budget,
            allow=ALLOWED,
            secrets=self.agent.secrets,
            artifacts=self.agent.artifacts,
            seed=seed,
            warn=_ignore,
        )
        self._agents.add(agent)
        return agent

    def stop(self) -> None:
        """End every rollout before its next call."""
        super().stop()
        for agent in list(self._agents):
            agent.stop()


async def open_query_work(
    *,
    queries: Sequence[str],
    naming: Naming = "readable",
    model: str = "auto",
    planner: str = "react",
    budget: Mapping[str, Any] | None = None,
    seed: int = 0,
    per_host: int | None = None,  # noqa: ARG001  # every job is given it
    artifacts: str | None = None,
) -> QueryWork:
    """Open the job from names, in the process where it is to work.

    Args:
        queries: Query files.
        naming: Of the tools.
        model: Its name.
        planner: Its name.
        budget: Of one rollout.
        seed: For everything that draws lots.
        per_host: As every job takes it; nothing here speaks to a host.
        artifacts: Folder for images and files.

    Raises:
        ToolhaftError: Something cannot be opened.
    """
    secrets = SecretStore()
    found = read_queries([Path(path) for path in queries], naming=naming)
    agent = Agent(
        (),
        model=open_model(model, secrets=secrets, warn=_ignore),
        planner=Registry.default().planner(planner),
        secrets=secrets,
        artifacts=ArtifactStore(Path(artifacts)) if artifacts else None,
        seed=seed,
        warn=_ignore,
    )
    return QueryWork(agent, found, naming=naming, budget=budget)


def _ignore(_: str) -> None:
    """Take a notice that whoever started the evaluation gives once for all workers."""
