"""Stand-ins for models, tools and records. Each says what it is: nothing here passes for the real thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolhaft.errors import ToolhaftError, UsageError
from toolhaft.models.base import Model
from toolhaft.tools.base import CallContext, Tool
from toolhaft.types import (
    Completion,
    ErrorInfo,
    JSONPart,
    Message,
    Observation,
    Origin,
    Step,
    Task,
    TextPart,
    ToolCall,
    ToolSpec,
    Trajectory,
)

Turn = (
    Completion | str | ToolCall | Sequence[ToolCall] | BaseException | Callable[["ModelRequest"], Completion]
)
"""What a scripted model does when asked: answers with text, makes calls, raises, or computes its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """What a model was asked, the arguments of `toolhaft.models.base.Model.complete`."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    avoid: tuple[ToolCall, ...] = ()
    seed: int | None = None
    max_tokens: int | None = None


class ScriptedModel(Model):
    """Says what it was told to say, in order.

    ::

        model = ScriptedModel(ToolCall(id="1", name="weather", arguments={"city": "Oslo"}), "It rains.")

    Args:
        turns: What it does, one for each time that it is asked. See `Turn`.
        name: As the record shows it.

    Attributes:
        requests: What it was asked so far.
    """

    origin: Origin = "scripted"

    def __init__(self, *turns: Turn, name: str = "scripted") -> None:
        self.name = name
        self.requests: list[ModelRequest] = []
        self._turns = turns

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        avoid: Sequence[ToolCall] = (),
        on_delta: Callable[[str], None] | None = None,
        seed: int | None = None,
        max_tokens: int | None = None,
    ) -> Completion:
        """Return the next completion of the script.

        Raises:
            UsageError: The script is over: the code under test asked more often than the test expects.
        """
        request = ModelRequest(
            messages=tuple(messages),
            tools=tuple(tools),
            avoid=tuple(avoid),
            seed=seed,
            max_tokens=max_tokens,
        )
        position = len(self.requests)
        self.requests.append(request)
        if position >= len(self._turns):
            raise UsageError(f"the script has {len(self._turns)} turns, and one more was asked for")
        turn = self._turns[position]
        if isinstance(turn, BaseException):
            raise turn
        completion = turn(request) if callable(turn) else self._completion(turn)
        if on_delta is not None and completion.text:
            on_delta(completion.text)
        return completion

    def _completion(self, turn: Completion | str | ToolCall | Sequence[ToolCall]) -> Completion:
        if isinstance(turn, Completion):
            return turn
        if isinstance(turn, str):
            return Completion(text=turn, model=self.name, origin=self.origin)
        calls = (turn,) if isinstance(turn, ToolCall) else tuple(turn)
        return Completion(calls=calls, finish="tool_calls", model=self.name, origin=self.origin)


class CannedTool(Tool):
    """A tool that answers with what it was given.

    Args:
        spec: See `tool_spec`.
        results: One for each call, the last for all that follow; an exception is raised.

    Attributes:
        calls: The arguments of each call so far.
    """

    def __init__(self, spec: ToolSpec, *results: Any) -> None:
        self.spec = spec
        self.calls: list[dict[str, Any]] = []
        self._results = results or (None,)

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Return or raise the next result."""
        result = self._results[min(len(self.calls), len(self._results) - 1)]
        self.calls.append(dict(arguments))
        if isinstance(result, BaseException):
            raise result
        return result


def tool_spec(name: str = "weather", **fields: Any) -> ToolSpec:
    """Return the spec of a plausible tool: it reads, and takes one string, ``city``.

    Args:
        name: Of the tool.
        fields: Fields of `toolhaft.types.ToolSpec` that shall be otherwise.
    """
    defaults: dict[str, Any] = {
        "description": "Weather forecast for a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Name of the city."}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "effect": "read",
        "source": f"test:{name}",
    }
    return ToolSpec(name=name, **(defaults | fields))


def record_trajectory(
    task: Task | str,
    *rounds: tuple[ToolCall, Any],
    answer: str = "",
    tools: Sequence[ToolSpec] = (),
    **fields: Any,
) -> Trajectory:
    """Return the record of a straight rollout, as evaluators and reports read it.

    Args:
        task: The task, or its instruction.
        rounds: One call with its result each; an error as the result is a failed call.
        answer: If there is one, a last step holds it.
        tools: What was offered in every step; by default, a spec for each tool called.
        fields: Fields of `toolhaft.types.Trajectory` that shall be otherwise.
    """
    given = Task(id="task", instruction=task) if isinstance(task, str) else task
    specs = tuple(tools) or tuple(
        tool_spec(name, parameters={"type": "object"})
        for name in dict.fromkeys(call.name for call, _ in rounds)
    )
    offered = tuple(spec.name for spec in specs)
    steps = [
        Step(
            id=position,
            parent=position - 1 if position else None,
            calls=(call,),
            observations=(_observation(call, result),),
            offered=offered,
            origin="scripted",
        )
        for position, (call, result) in enumerate(rounds)
    ]
    if answer:
        parent = len(steps) - 1 if steps else None
        steps.append(
            Step(
                id=len(steps),
                parent=parent,
                thought=answer,
                status="answered",
                offered=offered,
                origin="scripted",
            )
        )
    defaults: dict[str, Any] = {
        "id": "trajectory",
        "task": given,
        "steps": tuple(steps),
        "answer": answer,
        "tools": specs,
        "status": "answered" if answer else "gave_up",
        "answer_step": len(steps) - 1 if steps else None,
    }
    return Trajectory(**(defaults | fields))


def _observation(call: ToolCall, result: Any) -> Observation:
    labels = (f"tool:{call.name}",)
    if isinstance(result, ToolhaftError):
        error = ErrorInfo(code=result.code, what=result.what, where=result.where, hint=result.hint)
        return Observation(
            call_id=call.id, tool=call.name, error=error, provenance="simulated", labels=labels
        )
    part = TextPart(result) if isinstance(result, str) else JSONPart(result)
    return Observation(call_id=call.id, tool=call.name, parts=(part,), provenance="simulated", labels=labels)
