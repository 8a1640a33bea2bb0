"""What a planner showed the model on the way to its answer, put together again from the record."""

from __future__ import annotations

from collections.abc import Sequence

from toolhaft.planners.prompts import prompt
from toolhaft.planners.round import result_message
from toolhaft.planners.telling import tell_writes, untold_between
from toolhaft.tools.memory import canonical
from toolhaft.types import Message, Step, Trajectory

_REPEATS = 3
"""The default of ``ReAct(repeats=)``."""


def conversation(
    trajectory: Trajectory, *, system: str | None = None, repeats: int = _REPEATS
) -> tuple[Message, ...]:
    """Return the messages that the model was shown along the answer path, and its answer as the last.

    This is what was there when the model answered, and nothing else: what a search says in a single request
    only, to have a point decided otherwise, is gone by the next and left out here. A rollout without an
    answer ends with the results of its last calls.

    Args:
        trajectory: Of a planner of the core, or one that speaks as ``react`` does.
        system: The system prompt where the planner was given one of its own; by default the planner's.
        repeats: What ``react`` was given as ``repeats``.

    Raises:
        FormatError: The steps of the trajectory do not make a tree.
    """
    task = trajectory.task
    messages = [
        Message(role="system", text=system if system is not None else system_of(trajectory.planner)),
        Message(role="user", text=task.instruction, artifacts=task.artifacts),
    ]
    watch = _Repetitions(repeats) if not _searches(trajectory.planner) else None
    tells = bool(trajectory.settings.get("search", {}).get("past_writes"))
    path = trajectory.path()
    told: frozenset[tuple[int, int]] = frozenset()
    for position, step in enumerate(path):
        if tells:
            known = {above.id for above in path[:position]}
            new = untold_between(trajectory.steps[: step.id], known, told)
            messages += tell_writes(new, trajectory.steps)
            told |= new
        if step.calls:
            messages += _round(step)
            if watch is not None and watch.tells(step):
                messages.append(Message(role="user", text=prompt("react_repeat")))
        elif step is not path[-1]:
            messages.append(Message(role="user", text=prompt("react_silent")))
        elif step.thought.strip():
            messages.append(Message(role="assistant", text=step.thought))
    return tuple(messages)


def system_of(planner: str) -> str:
    """Return a planner's system prompt by its name in the record; of an unknown one, that of ``react``."""
    return prompt("dfsdt_system" if _searches(planner) else "react_system")


def _searches(planner: str) -> bool:
    return planner.partition("@")[0].startswith("dfsdt")


def _round(step: Step) -> Sequence[Message]:
    asked = Message(role="assistant", text=step.thought, calls=step.calls)
    pairs = zip(step.calls, step.observations, strict=False)
    return [asked, *(result_message(call, observation) for call, observation in pairs)]


class _Repetitions:
    """Knows where ``react`` told the model that it repeats itself."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._did: list[tuple[str, str, str]] = []
        self._count = 0

    def tells(self, step: Step) -> bool:
        did = [
            (call.name, call.raw or canonical(call.arguments), observation.text())
            for call, observation in zip(step.calls, step.observations, strict=False)
        ]
        self._count = self._count + 1 if did == self._did else 1
        self._did = did
        return 1 < self._count == self._limit - 1
