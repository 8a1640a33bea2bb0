"""Conversation and tools into tokens, through the tokenizer's own chat template."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ModelError, UsageError
from toolhaft.models.rendering import chat_messages, chat_tools
from toolhaft.models.wire import render_avoid
from toolhaft.text import clean
from toolhaft.types import Message, ToolCall, ToolSpec
from toolhaft_local.bounds import bounded
from toolhaft_local.calls import Answer, read_answer
from toolhaft_local.declared import read_declared
from toolhaft_local.layout import Layout, find_layout, template_failures
from toolhaft_local.settings import Constrained

if TYPE_CHECKING:
    from toolhaft_local.constraint import GrammarConstraint
    from toolhaft_local.loading import Loaded

_log = logging.getLogger(__name__)


class Prompter:
    """Writes the prompts of one model, and reads its answers.

    Text of messages and tools is encoded as text: what looks like a control token of the model in it (the
    end of a turn, the beginning of a call) is not one.

    Args:
        loaded: The model.

    Raises:
        ModelError: Its chat template is damaged.
    """

    def __init__(self, loaded: Loaded) -> None:
        from toolhaft_local.constraint import Constraints

        self._tokenizer: Any = loaded.tokenizer
        self._layout: Layout = find_layout(loaded.tokenizer)
        self._constraints = Constraints(loaded, self._layout.spelling)
        self._notes: dict[str, None] = {}
        self._note(self._layout.notes, logging.WARNING)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of the results should know; each was logged once, those on prompts as warnings."""
        return tuple(self._notes)

    @property
    def declared(self) -> bool:
        """Whether the tokenizer itself says how answers are read."""
        return self._layout.answers

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
        written, offered = chat_messages(asked), chat_tools(tools) or None
        template = self._layout.tool_template if tools or _has_calls(asked) else self._layout.template
        if self._layout.short_ids:
            _shorten_ids(written)
        # The roles of the plain template are spelled in letters, which no tokenizer tells from text.
        escape = _readable if template is None else _without_headings
        return self._encode(_rewritten(written, escape), _rewritten(offered, escape), template)

    def constraint(self, tools: Sequence[ToolSpec], mode: Constrained) -> GrammarConstraint | None:
        """Return what holds the answer to the tools' schemas, or None where nothing does.

        Raises:
            ModelError: The tools make no grammar.
            ConfigError: llguidance is not installed.
        """
        if mode == "off" or not tools or self._layout.spelling == "other":
            return None
        constraint, grammar = self._constraints.begin(tools, must_call=mode == "calls")
        # The calls are checked by the whole schema before they are made, so this costs a try at most.
        self._note(grammar.notes, logging.INFO)
        return constraint

    def read(self, text: str, prompt: Sequence[int], tools: Sequence[ToolSpec]) -> Answer:
        """Return the text and the calls in what the model wrote.

        Raises:
            ModelError: It asks for more calls than are ever made.
        """
        if self._layout.answers and tools:
            answer = read_declared(self._tokenizer, text, prompt, chat_tools(tools))
            if answer is not None:
                return answer
        return read_answer(text, offered=bool(tools))

    def _note(self, notes: Iterable[str], level: int) -> None:
        for note in notes:
            if note not in self._notes:
                self._notes[note] = None
                _log.log(level, "%s", note)

    def _encode(
        self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None, template: str | None
    ) -> list[int]:
        try:
            with bounded():
                tokens: list[int] = self._tokenizer.apply_chat_template(
                    messages,
                    tools=tools,
                    chat_template=template,
                    add_generation_prompt=True,
                    sanitize_control_tokens=True,
                    return_dict=False,
                )
        except template_failures() as error:
            raise ModelError(
                f"the model's chat template refuses the conversation: {clean(str(error), 300)}",
                where=str(getattr(self._tokenizer, "name_or_path", "")),
                hint="It may be damaged, or want the messages in another order",
            ) from None
        if not tokens:
            raise ModelError("the model's chat template writes nothing for the conversation")
        return tokens


def _has_calls(messages: Sequence[Message]) -> bool:
    return any(message.calls or message.role == "tool" for message in messages)


def _shorten_ids(messages: list[dict[str, Any]]) -> None:
    """Give calls ids of nine digits, the only ones that some templates take."""
    known: dict[str, str] = {}
    for message in messages:
        for call in message.get("tool_calls", ()):
            call["id"] = known.setdefault(call["id"], f"{len(known):09d}")
        if "tool_call_id" in message:
            message["tool_call_id"] = known.setdefault(message["tool_call_id"], f"{len(known):09d}")


def _readable(text: str) -> str:
    """Return text that can be encoded: lone surrogates become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _without_headings(text: str) -> str:
    return _readable(text).replace("<|", "< |")


def _rewritten(value: Any, escape: Callable[[str], str]) -> Any:
    """Return a copy of a JSON value with every string in it escaped."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, dict):
        return {_rewritten(key, escape): _rewritten(inner, escape) for key, inner in value.items()}
    return [_rewritten(inner, escape) for inner in value] if isinstance(value, list | tuple) else value
