"""Conversation and tools into tokens, through the tokenizer's own chat template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ModelError, UsageError
from toolhaft.models.rendering import chat_messages, chat_tools
from toolhaft.models.wire import render_avoid
from toolhaft.text import clean
from toolhaft.types import Message, ToolCall, ToolSpec
from toolhaft_local.settings import Constrained

if TYPE_CHECKING:
    from toolhaft_local.generation import Constraint
    from toolhaft_local.loading import Loaded


class Prompter:
    """Writes the prompts of one model.

    Text of messages and tools is encoded as text: what looks like a control token of the model in it (the
    end of a turn, the beginning of a call) is not one.

    Args:
        loaded: The model.

    Attributes:
        notes: What the reader of the results should know.
    """

    def __init__(self, loaded: Loaded) -> None:
        self._tokenizer: Any = loaded.tokenizer
        self.notes: tuple[str, ...] = ()

    def prompt(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], avoid: Sequence[ToolCall]
    ) -> list[int]:
        """Return the tokens of a prompt.

        Raises:
            UsageError: There are no messages.
            ModelError: The template refuses the conversation.
        """
        if not messages:
            raise UsageError("a model cannot be asked without a message")
        asked = [*messages, Message(role="user", text=render_avoid(avoid))] if avoid else messages
        return self._encode(chat_messages(asked), chat_tools(tools) or None)

    def constraint(self, tools: Sequence[ToolSpec], mode: Constrained) -> Constraint | None:
        """Return what holds the answer to the tools' schemas, or None."""
        return None

    def _encode(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None) -> list[int]:
        from jinja2 import TemplateError

        try:
            tokens: list[int] = self._tokenizer.apply_chat_template(
                messages,
                tools=tools,
                add_generation_prompt=True,
                sanitize_control_tokens=True,
                return_dict=False,
            )
        except (TemplateError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise ModelError(
                f"the model's chat template refuses the conversation: {clean(str(error), 300)}",
                hint="Its chat_template may be damaged, or not made for tools",
            ) from None
        return tokens
