"""The calls of one step: reads are made at once; where one of them writes, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from toolhaft.errors import ToolhaftError
from toolhaft.tools.context import RunContext
from toolhaft.tools.execute import execute, note_call
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import ArtifactPart, CallFinished, CallStarted, Event, Message, Observation, ToolCall


class Round:
    """Makes the calls and knows at any time how far it came.

    Args:
        calls: What the model asked for.
        reuse_reads: Let an earlier answer to the same read stand, if nothing was written since.

    Attributes:
        observations: What came back so far; None where nothing did.
        under_way: Positions of the calls that are being made.
        failed: Position of the call whose tool crashed, if one did.
    """

    def __init__(self, calls: Sequence[ToolCall], *, reuse_reads: bool = False) -> None:
        self.calls = calls
        self.reuse_reads = reuse_reads
        self.observations: list[Observation | None] = [None] * len(calls)
        self.under_way: set[int] = set()
        self.failed: int | None = None

    async def make(self, step: int, tools: ToolSet, context: RunContext) -> AsyncGenerator[Event, None]:
        """Make the calls and yield their events.

        Args:
            step: Number of the step, for the events.
            tools: What is offered.
            context: What the calls run in; they must have been reserved in its budget.

        Raises:
            ToolhaftError: Something for the programmer; see `toolhaft.tools.execute.execute`.
        """
        if len(self.calls) > 1 and all(_reads(call, tools) for call in self.calls):
            for call in self.calls:
                yield CallStarted(step=step, call=call)
            await self._make_at_once(tools, context)
            for call, observation in zip(self.calls, self.answers, strict=True):
                yield CallFinished(step=step, call=call, observation=observation)
            return
        for position, call in enumerate(self.calls):
            yield CallStarted(step=step, call=call)
            observation = await self._make(position, tools, context)
            yield CallFinished(step=step, call=call, observation=observation)

    @property
    def answers(self) -> list[Observation]:
        """What came back, in the order of the calls."""
        return [observation for observation in self.observations if observation is not None]

    async def _make(
        self, position: int, tools: ToolSet, context: RunContext, *, note: bool = True
    ) -> Observation:
        self.under_way.add(position)
        try:
            observation = await execute(
                self.calls[position], tools, context, reuse_reads=self.reuse_reads, note=note
            )
        except ToolhaftError:
            self.failed = position if self.failed is None else self.failed
            raise
        self.observations[position] = observation
        self.under_way.discard(position)
        return observation

    async def _make_at_once(self, tools: ToolSet, context: RunContext) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for position in range(len(self.calls)):
                    group.create_task(self._make(position, tools, context, note=False))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            for position, (call, observation) in enumerate(zip(self.calls, self.observations, strict=True)):
                if observation is not None:
                    self.observations[position] = note_call(call, observation, tools, context)
        if len(self.answers) < len(self.calls):  # a group does not tell when one of its tasks was cancelled
            raise asyncio.CancelledError


def result_message(call: ToolCall, observation: Observation, text: str | None = None) -> Message:
    """Return the message that tells a model what a call returned.

    Args:
        call: What it asked for.
        observation: What came back.
        text: The observation as text, if that is at hand.
    """
    return Message(
        role="tool",
        text=observation.text() if text is None else text,
        call_id=call.id,
        name=call.name,
        artifacts=tuple(part.artifact for part in observation.parts if isinstance(part, ArtifactPart)),
    )


def _reads(call: ToolCall, tools: ToolSet) -> bool:
    tool = tools.get(call.name)
    return tool is None or tool.spec.effect == "read"
