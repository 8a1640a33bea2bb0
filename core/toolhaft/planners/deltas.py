"""A model's answer piece by piece, for planners, whose events are pulled while deltas are pushed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from toolhaft.models.base import Model
from toolhaft.tools.context import RunContext
from toolhaft.types import Completion, Message, ToolCall, ToolSpec


async def complete_with_deltas(
    model: Model,
    messages: Sequence[Message],
    specs: Sequence[ToolSpec],
    context: RunContext,
    avoid: Sequence[ToolCall] = (),
) -> AsyncIterator[str | Completion]:
    """Yield pieces of text as the model writes them, then the completion.

    Pieces come only if ``context.deltas`` asks for them; otherwise this costs no more than the call.
    """
    if not context.deltas:
        yield await model.complete(messages, specs, avoid=avoid, seed=context.seed)
        return
    pieces: asyncio.Queue[str | None] = asyncio.Queue()

    async def ask() -> Completion:
        try:
            return await model.complete(
                messages, specs, avoid=avoid, on_delta=pieces.put_nowait, seed=context.seed
            )
        finally:
            pieces.put_nowait(None)

    task = asyncio.create_task(ask())
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
        yield await task
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
