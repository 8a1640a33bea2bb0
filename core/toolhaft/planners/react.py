"""ReAct: think, call, read, until there is an answer. One path, no way back.

Source: Yao et al., "ReAct: Synergizing Reasoning and Acting in Language Models" (ICLR 2023), section 2.
Deviation: thoughts and calls come through the model's tool-calling interface instead of text that is
parsed, and independent calls of one step are made at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from toolhaft.errors import BudgetExceededError, ToolhaftError, UsageError
from toolhaft.models.base import Model
from toolhaft.planners.base import Planner
from toolhaft.planners.deltas import complete_in_time, complete_with_deltas
from toolhaft.planners.ending import read_ending, reason_of
from toolhaft.planners.prompts import prompt
from toolhaft.planners.record import Record
from toolhaft.planners.round import Round, result_message
from toolhaft.tools.context import RunContext
from toolhaft.tools.labels import USER
from toolhaft.tools.memory import canonical
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import (
    Completion,
    Event,
    Message,
    Observation,
    RolloutFinished,
    RolloutStarted,
    Status,
    StepFinished,
    Task,
    TextDelta,
    ToolCall,
)


class ReAct(Planner):
    """One path of thoughts, calls and observations.

    Args:
        system: Replaces the system prompt (``planners/prompts/react_system.txt``).
        repeats: A step whose calls and results equal the one before it this many times in a row ends the
            rollout with status ``loop``; one time earlier, if that is a repetition, the model is told so.

    Raises:
        UsageError: ``repeats`` is less than 2.
    """

    name = "react"

    def __init__(self, *, system: str | None = None, repeats: int = 3) -> None:
        if repeats < 2:
            raise UsageError("repeats must be at least 2", where="planner react")
        self.system = system if system is not None else prompt("react_system")
        self.repeats = repeats

    async def rollout(
        self, task: Task, tools: ToolSet, model: Model, context: RunContext
    ) -> AsyncIterator[Event]:
        """Carry out the task; see `Planner.rollout`."""
        task = context.receive(task)
        record = Record(task, context, planner=self.name, model=model.name)
        path = _Path(self, task, tools, model, context, record)
        yield RolloutStarted(task=task, planner=self.name, model=model.name)
        try:
            while path.result is None:
                async with aclosing(path.step()) as events:
                    async for event in events:
                        yield event
            yield path.result
        except BudgetExceededError as error:
            yield await record.finish("budget", answer=path.last_thought, error=error)
        except asyncio.CancelledError:
            if not context.absorb_cancellation():
                raise
            yield await record.finish("cancelled", answer=path.last_thought)
        except ToolhaftError as error:
            yield await record.finish("error", answer=path.last_thought, error=error)
            raise


class _Path:
    """The state of one rollout: the conversation and where it stands."""

    def __init__(
        self,
        planner: ReAct,
        task: Task,
        tools: ToolSet,
        model: Model,
        context: RunContext,
        record: Record,
    ) -> None:
        self.planner = planner
        self.tools = tools
        self.model = model
        self.context = context
        self.record = record
        self.messages: list[Message] = [
            Message(role="system", text=planner.system),
            Message(role="user", text=task.instruction, artifacts=task.artifacts),
        ]
        self.result: RolloutFinished | None = None
        self.last_thought = ""
        self._parent: int | None = None
        self._did: list[tuple[str, str, str]] = []
        self._repeated = 0
        self._silent = False
        context.labels.add(USER, task.instruction)

    async def step(self) -> AsyncGenerator[Event, None]:
        context, record = self.context, self.record
        context.check_cancelled()
        context.meter.reserve(steps=1, model_calls=1)
        record.offer(self.tools)
        started = context.meter.elapsed()
        if context.deltas:
            async with aclosing(
                complete_with_deltas(self.model, self.messages, self.tools.specs, context)
            ) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Completion):
                        completion = piece
                    else:
                        yield TextDelta(text=piece)
        else:
            completion = await complete_in_time(self.model, self.messages, self.tools.specs, context)
        context.meter.record(completion.usage)
        self.last_thought = completion.text or self.last_thought
        if not completion.calls:
            yield await self._end(completion, started)
            return
        made = Round(completion.calls)
        try:
            context.meter.reserve(tool_calls=len(completion.calls))
            async for event in made.make(len(record.steps), self.tools, context):
                yield event
        except (ToolhaftError, asyncio.CancelledError) as error:
            record.add_interrupted(
                completion,
                made.observations,
                error,
                parent=self._parent,
                started=started,
                under_way=made.under_way,
                failed=made.failed,
            )
            raise
        observations = made.answers
        step = record.add(completion, observations, parent=self._parent, status="continued", started=started)
        self._parent = step.id
        yield StepFinished(step=step)
        texts = [observation.text() for observation in observations]
        self._append(completion, observations, texts)
        await self._watch_for_loop(completion.calls, texts)

    async def _end(self, completion: Completion, started: float) -> StepFinished:
        """End with the answer; a message that is empty is answered once before giving up."""
        ending = read_ending(completion)
        status: Status = "gave_up" if ending == "silent" else ending
        empty = not completion.text.strip() and status == "gave_up"
        note = "the answer was cut at the model's length limit" if completion.finish == "length" else ""
        retry = ending == "silent" and not self._silent
        step = self.record.add(
            completion,
            (),
            parent=self._parent,
            status="continued" if retry else "answered" if status in ("answered", "asked") else "gave_up",
            started=started,
            note="empty message" if empty else note,
        )
        self._parent = step.id
        if retry:
            self._silent = True
            self.messages.append(Message(role="user", text=prompt("react_silent")))
        else:
            answer = reason_of(completion) if ending == "gave_up" else completion.text
            self.result = await self.record.finish(status, answer=answer, answer_step=step.id)
        return StepFinished(step=step)

    def _append(self, completion: Completion, observations: Sequence[Observation], texts: list[str]) -> None:
        self.messages.append(completion.message())
        for call, observation, text in zip(completion.calls, observations, texts, strict=True):
            self.messages.append(result_message(call, observation, text))

    async def _watch_for_loop(self, calls: Sequence[ToolCall], texts: list[str]) -> None:
        did = [
            (call.name, call.raw or canonical(call.arguments), text)
            for call, text in zip(calls, texts, strict=True)
        ]
        self._repeated = self._repeated + 1 if did == self._did else 1
        self._did = did
        if self._repeated >= self.planner.repeats:
            self.result = await self.record.finish("loop", answer=self.last_thought)
        elif 1 < self._repeated == self.planner.repeats - 1:
            self.messages.append(Message(role="user", text=prompt("react_repeat")))
