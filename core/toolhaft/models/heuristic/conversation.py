"""The conversation as the policy sees it: what is asked now, what was called, what came back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from toolhaft.models.heuristic.dates import find_today
from toolhaft.models.heuristic.ranking import Entry
from toolhaft.models.heuristic.readings import Reading, read
from toolhaft.types import Artifact, Message, ToolCall

READING_CAP = 60


@dataclass(frozen=True, slots=True)
class Made:
    """A call that was made, in which step (the first is 0), and what came back."""

    step: int
    reading: Reading


@dataclass(frozen=True, slots=True)
class Turn:
    """What is asked now, with what came before it.

    Attributes:
        text: The instruction; a question of ours and the user's reply to it are one instruction.
        today: The day that the conversation says it is.
        done: What was called since the instruction, in order, with what came back.
        earlier: Readings of the turns before.
        steps: Assistant messages with calls since the instruction.
        artifacts: Images and files that the user gave, in order.
    """

    text: str
    today: date | None
    done: tuple[Made, ...]
    earlier: tuple[Reading, ...]
    steps: int
    artifacts: tuple[Artifact, ...] = ()


def key_of(name: str, arguments: Mapping[str, Any]) -> str:
    """Return what makes two calls the same call."""
    return f"{name} {json.dumps(arguments, sort_keys=True, default=str)}"


def read_turn(messages: Sequence[Message], entries: Sequence[Entry], *, search: str = "") -> Turn:
    """Return the current turn of a conversation.

    Args:
        messages: Oldest first.
        entries: What is offered.
        search: Name of the tool that searches for tools: what it returned is no answer to anything.
    """
    by_name = {entry.spec.name: entry for entry in entries}
    texts: list[str] = []
    done: list[Made] = []
    earlier: list[Reading] = []
    calls: dict[str, ToolCall] = {}
    waiting: list[ToolCall] = []
    steps = 0
    closed = True
    asked = False
    given: dict[str, Artifact] = {}
    for message in messages:
        if message.role == "user":
            given.update((artifact.id, artifact) for artifact in message.artifacts)
            # a user message between a tool's result and the next move is a planner's nudge
            if not closed and texts:
                continue
            if asked and texts:
                texts.append(message.text)
            else:
                texts = [message.text]
                earlier.extend(made.reading for made in done)
                done, steps = [], 0
            closed, asked = False, False
        elif message.role == "assistant":
            if message.calls:
                steps += 1
                waiting = list(message.calls)
                calls.update({call.id: call for call in message.calls})
                closed = False
            elif message.text.strip():
                closed, asked = True, message.text.rstrip().endswith("?")
        elif message.role == "tool":
            call = calls.get(message.call_id) or (waiting.pop(0) if waiting else None)
            if call is not None and call.name != search:
                done.append(
                    Made(steps - 1, read(call, message.text, by_name.get(call.name), message.artifacts))
                )
    today = find_today([text for text in reversed(texts)] + [m.text for m in messages if m.role == "system"])
    return Turn(
        "\n".join(texts),
        today,
        tuple(done[-READING_CAP:]),
        tuple(earlier[-READING_CAP:]),
        steps,
        tuple(given.values()),
    )
