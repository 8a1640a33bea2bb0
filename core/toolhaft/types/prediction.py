"""What a model said to a task, without a rollout."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from toolhaft.types.message import Origin, Usage
from toolhaft.types.tool import ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One answer of a model to a task: text, calls that nobody carried out, or both.

    Attributes:
        task_id: The task it answers.
        text: As the model wrote it.
        calls: Calls that it asked for, where they were kept apart from the text.
        model: Its name.
        metadata: More facts as JSON values, for the record.
        usage: What it cost, if that is known.
        origin: Who produced it: ``model`` only if a language model was asked now, ``replay`` if the answer
            was read from a file, ``scripted`` if it is a floor or a ceiling that was made up.
    """

    task_id: str
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    model: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    usage: Usage = Usage()
    origin: Origin = "replay"
    format: int = 1
