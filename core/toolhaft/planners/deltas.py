"""A model's answer piece by piece, for planners, whose events are pulled while deltas are pushed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

from toolhaft.models.base import Model
from toolhaft.tools.context import RunContext
from toolhaft.tools.journal import ModelQuestion
from toolhaft.tools.memory import storable
from toolhaft.types import Completion, Message, ToolCall, ToolSpec


async def complete_with_deltas(
    model: Model,
    messages: Sequence[Message],
    specs: Sequence[ToolSpec],
    context: RunContext,
    avoid: Sequence[ToolCall] = (),
) -> AsyncGenerator[str | Completion, None]:
    """Yield pieces of text as the model writes them, then the completion.

    Pieces come only if ``context.deltas`` asks for them; otherwise this costs no more than the call.

    Raises:
        BudgetExceededError: The budget of seconds was used up before the model was done.
    """
    if not context.deltas:
        yield await complete_in_time(model, messages, specs, context, avoid)
        return
    pieces: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def on_delta(text: str) -> None:
        loop.call_soon_threadsafe(pieces.put_nowait, text)  # local models write from a thread

    async def ask() -> Completion:
        try:
            return await complete_in_time(model, messages, specs, context, avoid, on_delta)
        finally:
            loop.call_soon_threadsafe(pieces.put_nowait, None)

    task = asyncio.create_task(ask())
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
        yield await task
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def complete_in_time(
    model: Model,
    messages: Sequence[Message],
    specs: Sequence[ToolSpec],
    context: RunContext,
    avoid: Sequence[ToolCall] = (),
    on_delta: Callable[[str], None] | None = None,
) -> Completion:
    """Ask the model, for no longer than the budget of seconds allows.

    With a journal, a question that was answered before an earlier process ended is not asked again.

    Raises:
        BudgetExceededError: The budget of seconds was used up before the model was done.
    """
    journal = context.journal
    if journal is None:
        return await _complete(model, messages, specs, context, avoid, on_delta)
    found = await journal.begin_completion(
        ModelQuestion(model=model.name, messages=messages, tools=specs, avoid=avoid, seed=context.seed)
    )
    if isinstance(found, Completion):
        if on_delta is not None and found.text:
            on_delta(found.text)
        return found
    completion = await _complete(model, messages, specs, context, avoid, on_delta)
    return await journal.end_completion(found, completion)


async def _complete(
    model: Model,
    messages: Sequence[Message],
    specs: Sequence[ToolSpec],
    context: RunContext,
    avoid: Sequence[ToolCall],
    on_delta: Callable[[str], None] | None,
) -> Completion:
    try:
        async with asyncio.timeout(context.meter.remaining_seconds()) as scope:
            completion = await model.complete(
                messages, specs, avoid=avoid, on_delta=on_delta, seed=context.seed
            )
    except TimeoutError:
        if not scope.expired():
            raise
        raise context.meter.out_of_time() from None
    if any(not storable(call.arguments) for call in completion.calls):
        return replace(completion, calls=tuple(_readable(call) for call in completion.calls))
    return completion


def _readable(call: ToolCall) -> ToolCall:
    """Return a call without arguments that no record could hold; models of plugins are not trusted."""
    if storable(call.arguments):
        return call
    return replace(call, arguments={}, problem="they are nested too deeply, or hold what JSON has not")
