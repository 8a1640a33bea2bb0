"""What an answer file says that a trajectory has no field for, kept in ``settings["toolbench"]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from toolhaft.types import Step, Trajectory
from toolhaft_rapidapi.toolbench.prompts import prompt

KEY = "toolbench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The rest of an answer file; every field may be missing, and an own rollout has none of them.

    Attributes:
        layout: ``tree`` or ``chains``.
        method: As in the file's name, for example ``DFS_woFilter_w2``.
        forward_args: The settings of the search, as the file has them.
        system: System prompt of its messages.
        finish: Its function ``Finish``.
        null_content: Whether its messages say that a call came without a thought, or leave that out.
        steps: By step number: ``thought`` beside a Finish (or an empty one), ``finish`` (its arguments as
            text), ``said`` (what it returned), ``position`` of a Finish among other calls, ``prompts`` shown
            before the step, ``blank`` (calls whose arguments are an empty text), ``pruned`` and ``number``
            where they are not what the tree says.
        answer: Fields of ``answer_generation`` that are not what the trajectory says.
    """

    layout: str = ""
    method: str = ""
    forward_args: Mapping[str, Any] = field(default_factory=dict)
    system: str = ""
    finish: Mapping[str, Any] = field(default_factory=dict)
    null_content: bool = True
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, trajectory: Trajectory) -> Kept:
        """Return what a trajectory keeps; values of another type than expected count as missing."""
        found = trajectory.settings.get(KEY)
        default = cls()
        if not isinstance(found, Mapping):
            return default
        chosen = {
            name: found[name]
            for name in cls.__dataclass_fields__
            if isinstance(found.get(name), type(getattr(default, name)))
        }
        return cls(**chosen)

    def of_step(self, step: Step) -> Mapping[str, Any]:
        """Return what is kept of one step."""
        found = self.steps.get(str(step.id), {})
        return found if isinstance(found, Mapping) else {}

    def functions(self, trajectory: Trajectory) -> list[dict[str, Any]]:
        """Return the function list: the offered tools, and Finish."""
        own = [
            {"name": spec.name, "description": spec.description, "parameters": spec.parameters}
            for spec in trajectory.tools
        ]
        return [*own, dict(self.finish) if self.finish else finish_function()]


def finish_function() -> dict[str, Any]:
    """Return the function ``Finish`` as ToolBench's readers expect it, in our words."""
    return {
        "name": "Finish",
        "description": prompt("finish"),
        "parameters": {
            "type": "object",
            "properties": {
                "return_type": {"type": "string", "enum": ["give_answer", "give_up_and_restart"]},
                "final_answer": {"type": "string", "description": prompt("final_answer")},
            },
            "required": ["return_type"],
        },
    }
