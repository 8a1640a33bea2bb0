"""Ask a model the questions of a benchmark, and keep what it says as predictions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolhaft.errors import ToolhaftError
from toolhaft.models.base import Model
from toolhaft.types import Completion, Message, Prediction, Task, ToolSpec, Usage

_NO_TOOLS: Mapping[str, Sequence[ToolSpec]] = {}
_NO_FACTS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking.

    Attributes:
        predictions: In the order of the tasks; a task whose request failed has none.
        errors: How often each error ended a request.
    """

    predictions: tuple[Prediction, ...]
    errors: Mapping[str, int]


async def ask_model(
    model: Model,
    tasks: Sequence[Task],
    *,
    tools: Mapping[str, Sequence[ToolSpec]] = _NO_TOOLS,
    system: str = "",
    metadata: Mapping[str, Any] = _NO_FACTS,
    concurrency: int = 8,
    seed: int = 0,
    progress: Callable[[], None] | None = None,
) -> Asked:
    """Ask a model each question once.

    Args:
        model: It is closed by whoever opened it.
        tasks: Their instructions are the questions.
        tools: What each task offers, by its id.
        system: What stands before each question.
        metadata: For every prediction.
        concurrency: Requests under way at once; at least 1.
        seed: For models that can be made deterministic.
        progress: Called after each request.

    Raises:
        ToolhaftError: Every request failed; the first error of all.
    """
    found: dict[str, Prediction] = {}
    failures: list[ToolhaftError] = []
    slots = asyncio.Semaphore(concurrency)

    async def ask(task: Task) -> None:
        messages = [Message(role="system", text=system)] if system else []
        messages.append(Message(role="user", text=task.instruction))
        async with slots:
            try:
                said = await model.complete(messages, tuple(tools.get(task.id, ())), seed=seed)
                found[task.id] = _prediction(task, said, model, metadata)
            except ToolhaftError as error:
                failures.append(error)
        if progress is not None:
            progress()

    async with asyncio.TaskGroup() as group:
        for task in tasks:
            group.create_task(ask(task))
    if failures and not found:
        raise failures[0]
    errors: dict[str, int] = {}
    for error in failures:
        errors[str(error)] = errors.get(str(error), 0) + 1
    return Asked(predictions=tuple(found[task.id] for task in tasks if task.id in found), errors=errors)


def _prediction(task: Task, said: Completion, model: Model, metadata: Mapping[str, Any]) -> Prediction:
    usage = Usage(
        model_calls=1,
        input_tokens=said.usage.input_tokens,
        output_tokens=said.usage.output_tokens,
        cost=said.usage.cost,
        seconds=said.usage.seconds,
    )
    return Prediction(
        task_id=task.id,
        text=said.text,
        calls=said.calls,
        model=said.model or model.name,
        metadata=dict(metadata),
        usage=usage,
        origin=said.origin,
    )
