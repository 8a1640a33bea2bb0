"""What a rollout runs in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from toolhaft.secrets import SecretStore
from toolhaft.tools.budget import BudgetMeter
from toolhaft.tools.handles import Handles
from toolhaft.tools.labels import USER, Labels
from toolhaft.tools.memory import CallMemory
from toolhaft.tools.policy import Approver, Policy
from toolhaft.types import Budget, Task

if TYPE_CHECKING:
    import asyncio

    from toolhaft.tools.artifacts import ArtifactStore
    from toolhaft.tools.journal import CallJournal


@dataclass(slots=True, kw_only=True)
class RunContext:
    """The state of one rollout that planner, tools and policy share; it dies with the rollout.

    Attributes:
        id: Of the rollout; idempotency keys begin with it.
        seed: For everything that draws lots.
        meter: What is left of the budget.
        policy: What may be called.
        approver: Who is asked when the policy says ``ask``; None refuses.
        secrets: Its filter redacts every observation.
        labels: What the model has read.
        memory: Calls made, so that none is repeated after backtracking.
        artifacts: Images and files, their bytes.
        handles: How the model calls them.
        private: The run holds private data: the user said so, or a private tool was read.
        tool_timeout: Seconds a call may take if the tool does not say.
        result_cap: Characters of one observation that the model is shown.
        final_state: Asked at the end for the environment's state; None if there is none.
        retrieved: Retrieval hits for the record.
        settings: Choices for the record.
        deltas: Whether somebody wants the model's text piece by piece.
        journal: Asked before and told after every tool call and every completion; None keeps no journal.
        cancelled: Set by `cancel`: the rollout ends, and what was done so far is kept.
    """

    id: str
    seed: int = 0
    meter: BudgetMeter = field(default_factory=lambda: BudgetMeter(Budget()))
    policy: Policy = Policy()
    approver: Approver | None = None
    secrets: SecretStore = field(default_factory=SecretStore)
    labels: Labels = field(default_factory=Labels)
    memory: CallMemory = field(default_factory=CallMemory)
    artifacts: ArtifactStore | None = None
    handles: Handles = field(default_factory=Handles)
    private: bool = False
    private_labels: set[str] = field(default_factory=set)
    untrusted: bool = False
    tool_timeout: float = 30.0
    result_cap: int = 20_000
    final_state: Callable[[], Awaitable[dict[str, Any]]] | None = None
    retrieved: tuple[tuple[str, float], ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    deltas: bool = False
    journal: CallJournal | None = None
    cancelled: bool = False
    _woken: tuple[asyncio.Task[Any], int] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.private:
            self.private_labels.add(USER)
        if self.journal is not None:
            self.meter.clock = self.journal.clock

    def receive(self, task: Task) -> Task:
        """Return a task whose images and files have handles, and note that they are the user's.

        A second call changes nothing.
        """
        if not task.artifacts:
            return task
        named = self.handles.name_all(task.artifacts)
        if named != task.artifacts or not all(map(self.labels.knows_artifact, named)):
            for artifact in named:
                self.labels.add_artifact(artifact, USER)
            # A file's name may be a stranger's words: who gives a file has not said them.
            self.labels.add(USER, "\n".join(replace(artifact, name="").line() for artifact in named))
        return replace(task, artifacts=named)

    def cancel(self, waiting: asyncio.Task[Any] | None = None) -> None:
        """Have the rollout end; a second call changes nothing.

        Args:
            waiting: The task that waits for something within the rollout; it is woken.
        """
        if self.cancelled:
            return
        self.cancelled = True
        import asyncio

        if waiting is not None and waiting is not asyncio.current_task():
            self._woken = waiting, waiting.cancelling()
            waiting.cancel()

    def check_cancelled(self) -> None:
        """Raise `asyncio.CancelledError` if the rollout was asked to end."""
        if self.cancelled:
            import asyncio

            raise asyncio.CancelledError

    def absorb_cancellation(self) -> bool:
        """Return whether a `asyncio.CancelledError` just caught was meant for this rollout alone.

        If so, the task is as if nobody had cancelled it. If not, the error must be raised again: somebody
        ends the code around the rollout too.
        """
        if not self.cancelled:
            return False
        if self._woken is not None:
            (task, before), self._woken = self._woken, None
            return task.uncancel() <= before
        import asyncio

        current = asyncio.current_task()
        return current is None or current.cancelling() == 0
