"""Messages and tools as the JSON that chat templates take: one renderer for training and inference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolhaft.models.wire import joined
from toolhaft.types import Message, ToolSpec


def chat_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return a conversation as a chat template takes it.

    The shape is that of chat completions, but the arguments of a call are an object, as templates want
    them, and the text of a message with calls is empty instead of null. User messages in a row are made
    one: they break the templates of some models. Images and files are shown by a line of text.

    Args:
        messages: Oldest first.

    Returns:
        New dictionaries; the arguments in them are shared with the calls, not copied.
    """
    return [_chat_message(message) for message in joined(messages)]


def chat_tools(tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """Return what a chat template takes as ``tools``; the schemas are shared with the specs, not copied."""
    return [
        {
            "type": "function",
            "function": {
                "name": spec.name,
                "description": spec.description,
                "parameters": spec.parameters,
            },
        }
        for spec in tools
    ]


def _chat_message(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        return {
            "role": "tool",
            "name": message.name,
            "tool_call_id": message.call_id,
            "content": message.text,
        }
    if message.role == "assistant" and message.calls:
        calls = [
            {
                "type": "function",
                "id": call.id,
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.calls
        ]
        return {"role": "assistant", "content": message.text, "tool_calls": calls}
    lines = [message.text, *(artifact.line() for artifact in message.artifacts)]
    return {"role": message.role, "content": "\n".join(lines)}
