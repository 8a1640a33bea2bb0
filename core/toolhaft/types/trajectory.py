"""The whole record of one rollout: a tree of steps with the answer path marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from toolhaft.errors import FormatError, UsageError
from toolhaft.types.content import Artifact, ErrorInfo, Observation
from toolhaft.types.message import Origin, Usage
from toolhaft.types.task import Budget, Task
from toolhaft.types.tool import ToolCall, ToolSpec

StepStatus = Literal["continued", "answered", "gave_up", "abandoned", "failed"]
Status = Literal["answered", "gave_up", "asked", "budget", "loop", "refused", "error", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One round: a thought, the calls made, what came back.

    A step knows its parent and nothing of its children, so branching copies nothing.

    Attributes:
        id: Position in ``Trajectory.steps``.
        parent: Step before it on its path; None for a root.
        thought: What the model said beside or instead of calls.
        calls: Calls asked for; ``observations`` answers them in the same order.
        status: How the step ended; ``abandoned`` steps lie on branches that were given up.
        offered: Names of the tools that the model was shown.
        usage: Spent in this step alone.
        started: Seconds since the rollout began.
        origin: Who produced the step.
        labels: Sources that stood in the model's context when it wrote the step.
    """

    id: int
    parent: int | None = None
    thought: str = ""
    calls: tuple[ToolCall, ...] = ()
    observations: tuple[Observation, ...] = ()
    status: StepStatus = "continued"
    offered: tuple[str, ...] = ()
    usage: Usage = Usage()
    started: float = 0.0
    origin: Origin = "model"
    model: str = ""
    labels: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """The record of one rollout.

    Attributes:
        id: Unique; the file names of a run begin with it.
        steps: All steps in the order they were made; the tree is in their ``parent``.
        answer: What the user is told.
        answer_step: The step that holds the answer, or where the rollout ended; None if no step was made.
        status: How it ended.
        error: Why, if ``status`` is ``error`` or ``budget``.
        tools: Specs of every tool that was offered.
        retrieved: Retrieval hits as ``(name, score)``, best first.
        usage: Spent in all.
        labels: Sources of everything that the model had read by the end.
        final_state: End state of the environment, if it has one; evaluators read it.
        settings: Planner, model and other choices, for the record; never a secret.
        started: Wall-clock time in ISO 8601, UTC.
    """

    id: str
    task: Task
    steps: tuple[Step, ...] = ()
    answer: str = ""
    answer_step: int | None = None
    status: Status = "answered"
    error: ErrorInfo | None = None
    tools: tuple[ToolSpec, ...] = ()
    retrieved: tuple[tuple[str, float], ...] = ()
    usage: Usage = Usage()
    budget: Budget = Budget()
    seed: int = 0
    planner: str = ""
    model: str = ""
    labels: tuple[str, ...] = ()
    final_state: dict[str, Any] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    started: str = ""
    format: int = 1

    def check(self) -> None:
        """Check that the steps make a tree, as those read from a file may not.

        Raises:
            FormatError: They do not.
        """
        count = len(self.steps)
        for position, step in enumerate(self.steps):
            if step.id != position or not (step.parent is None or 0 <= step.parent < position):
                raise FormatError(
                    f"step {position} has the id {step.id} and the parent {step.parent}",
                    where=f"#/steps/{position}",
                    hint="Steps are numbered in order, and each comes after its parent",
                )
        if self.answer_step is not None and not 0 <= self.answer_step < count:
            raise FormatError(f"there is no step {self.answer_step}", where="#/answer_step")

    def path(self) -> tuple[Step, ...]:
        """Return the steps from the root to the answer."""
        return self.path_to(self.answer_step)

    def path_to(self, step_id: int | None) -> tuple[Step, ...]:
        """Return the steps from the root to the given step, that one included.

        Raises:
            UsageError: There is no such step.
            FormatError: The parents lead in a circle.
        """
        path: list[Step] = []
        while step_id is not None:
            if not 0 <= step_id < len(self.steps):
                raise UsageError(f"there is no step {step_id}", where=self.id)
            if len(path) > len(self.steps):
                raise FormatError("the parents of the steps lead in a circle", where=self.id)
            path.append(self.steps[step_id])
            step_id = path[-1].parent
        return tuple(reversed(path))

    def children(self, step_id: int | None) -> tuple[Step, ...]:
        """Return the steps whose parent is the given one; None gives the roots."""
        return tuple(step for step in self.steps if step.parent == step_id)

    def observations(self) -> Iterator[Observation]:
        """Iterate over the observations of all steps, in the order they were made."""
        for step in self.steps:
            yield from step.observations

    def artifacts(self) -> tuple[Artifact, ...]:
        """Return the images and files of the task and of every observation, each once, in order."""
        found = {artifact.id: artifact for artifact in self.task.artifacts}
        for observation in self.observations():
            for artifact in observation.artifacts():
                found.setdefault(artifact.id, artifact)
        return tuple(found.values())

    def lineage(self, artifact: Artifact) -> tuple[Artifact, ...]:
        """Return an artifact and all that it was made of, back to what the user gave, nearest first."""
        known = {one.id: one for one in self.artifacts()}
        found: dict[str, Artifact] = {}
        waiting = [artifact]
        for one in waiting:
            if one.id not in found:
                found[one.id] = one
                parents = one.made_by.parents if one.made_by is not None else ()
                waiting.extend(known[id] for id in parents if id in known)
        return tuple(found.values())

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Who produced its steps, each once; anything but ``("model",)`` is no language model's work."""
        return tuple(dict.fromkeys(step.origin for step in self.steps))

    @property
    def provenances(self) -> tuple[str, ...]:
        """Where its observations came from, each once."""
        return tuple(dict.fromkeys(observation.provenance for observation in self.observations()))
