"""What happens in a rollout, as it happens. The last event carries the trajectory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolhaft.types.content import Observation
from toolhaft.types.task import Task
from toolhaft.types.tool import ToolCall
from toolhaft.types.trajectory import Step, Trajectory


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutStarted:
    """A rollout begins."""

    task: Task
    planner: str
    model: str
    type: Literal["rollout_started"] = "rollout_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolsRetrieved:
    """Tools were chosen for the task.

    Attributes:
        hits: ``(name, score)``, best first, of ``pool`` tools.
        mentioned: Tools that are offered because the description of a hit names them.
        opening: Tools that are offered to begin with, because there were fewer hits than may be offered.
    """

    hits: tuple[tuple[str, float], ...]
    retriever: str
    pool: int
    mentioned: tuple[str, ...] = ()
    opening: tuple[str, ...] = ()
    type: Literal["tools_retrieved"] = "tools_retrieved"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """The model wrote some more text of the step that is under way."""

    text: str
    type: Literal["text_delta"] = "text_delta"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted:
    """A call is about to be checked and made."""

    step: int
    call: ToolCall
    type: Literal["call_started"] = "call_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFinished:
    """A call was answered, or refused."""

    step: int
    call: ToolCall
    observation: Observation
    type: Literal["call_finished"] = "call_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """A step is complete."""

    step: Step
    type: Literal["step_finished"] = "step_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutFinished:
    """The rollout is over; nothing comes after this."""

    trajectory: Trajectory
    type: Literal["rollout_finished"] = "rollout_finished"


Event = (
    RolloutStarted | ToolsRetrieved | TextDelta | CallStarted | CallFinished | StepFinished | RolloutFinished
)
