"""What is said to a language model, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolhaft.types.content import Artifact
from toolhaft.types.tool import ToolCall

Role = Literal["system", "user", "assistant", "tool"]
Finish = Literal["stop", "tool_calls", "length", "refusal", "gave_up"]
Origin = Literal["model", "heuristic", "replay", "scripted"]
"""Who produced an assistant message. Only ``model`` is a language model that was asked now."""


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Message:
    """One message of a conversation.

    Attributes:
        role: Who speaks.
        text: What is said; for ``tool``, the observation as text.
        calls: Tool calls, of an assistant message.
        call_id: The call that a ``tool`` message answers; likewise ``name``.
        artifacts: Images and files that a user or tool message carries.
    """

    role: Role
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    name: str = ""
    artifacts: tuple[Artifact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was spent. Tokens are those that the model reported; 0 if it reported none.

    Attributes:
        cost: In the currency of the model's price list, as configured; 0 if unknown.
        seconds: Wall-clock time.
    """

    model_calls: int = 0
    tool_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        """Return the sum, field by field."""
        return Usage(
            model_calls=self.model_calls + other.model_calls,
            tool_calls=self.tool_calls + other.tool_calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost=self.cost + other.cost,
            seconds=self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One assistant message with how it came about.

    Attributes:
        text: The thought, or the answer if there are no calls.
        calls: Calls to make; several may run at once.
        finish: Why the model stopped. ``length``: it was cut; ``refusal``: it declined;
            ``gave_up``: it says that this path leads nowhere, and ``text`` says why.
        model: Name of the model as the endpoint reports it.
        origin: Who produced it.
    """

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish: Finish = "stop"
    usage: Usage = Usage()
    model: str = ""
    origin: Origin = "model"

    def message(self) -> Message:
        """Return the message to append to the conversation."""
        return Message(role="assistant", text=self.text, calls=self.calls)
