"""How a model's chat template speaks of tools, found out by rendering a small conversation with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from toolhaft.errors import ModelError
from toolhaft.text import clean
from toolhaft_local.bounds import UnboundedError, bounded, check_source
from toolhaft_local.calls import HERMES, LLAMA, MISTRAL, MISTRAL_ARGUMENTS
from toolhaft_local.declared import is_bounded
from toolhaft_local.prompts import plain_template

Spelling = Literal["hermes", "llama", "mistral", "mistral-named", "other"]
LARGEST_TEMPLATE = 1_000_000
"""Characters of a template that is used."""

_HINT = "Replace chat_template.jinja, or chat_template in tokenizer_config.json, by the model's own"
_TOOL = "probe_tool"
_ASKED, _ANSWER = "probe question", "probe answer"
_CONVERSATION: list[dict[str, Any]] = [
    {"role": "user", "content": _ASKED},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {
                "type": "function",
                "id": "probe0001",
                "function": {"name": _TOOL, "arguments": {"probe_name": "probe value"}},
            }
        ],
    },
    {"role": "tool", "name": _TOOL, "tool_call_id": "probe0001", "content": "probe result"},
]
_TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": _TOOL,
            "description": "A probe.",
            "parameters": {"type": "object", "properties": {"probe_name": {"type": "string"}}},
        },
    }
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What is known of a chat template.

    Attributes:
        template: For conversations without tools; None is the tokenizer's own.
        tool_template: For those with tools, likewise.
        spelling: How it writes calls.
        short_ids: It wants ids of calls of nine letters and digits.
        answers: The tokenizer declares how an answer is to be read.
    notes: What the reader of the results should know.
    """

    template: str | None = None
    tool_template: str | None = None
    spelling: Spelling = "hermes"
    short_ids: bool = False
    answers: bool = False
    notes: tuple[str, ...] = ()


def find_layout(tokenizer: Any) -> Layout:
    """Return how the template of a tokenizer is used.

    A tokenizer without a template gets the built-in one, in which calls are written as ``<tool_call>``; one
    whose template does not show tools, or refuses their results, gets it where tools are offered.

    Raises:
        ModelError: The template is no template.
    """
    if not getattr(tokenizer, "chat_template", None):
        note = "the tokenizer has no chat template; a plain one stands in, which the model was not trained on"
        return Layout(template=plain_template(), tool_template=plain_template(), notes=(note,))
    _check_template(tokenizer)
    try:
        shown = _render(tokenizer, _CONVERSATION[:1])
        called = _render(tokenizer, _CONVERSATION)
    except ModelError as error:
        return _without_tools(f"refuses tools ({error.what})")
    if _TOOL not in shown:
        return _without_tools("does not show tools")
    _, _, turn = called.rpartition(_ASKED)
    spelling = _spelling_of(turn)
    if spelling == "other" and (_TOOL not in turn or "probe result" not in turn):
        return _without_tools("leaves out calls or their results")
    notes: tuple[str, ...] = ()
    if spelling == "other":
        notes = ("the template writes calls in a way that is not held to schemas",)
    declared = getattr(tokenizer, "response_template", None)
    if declared and not is_bounded(declared):
        declared = None
        notes += ("the tokenizer's response_template has patterns that may never end, and is not used",)
    return Layout(
        spelling=spelling,
        short_ids=spelling.startswith("mistral"),
        answers=bool(declared),
        notes=notes,
    )


def find_turn_end(tokenizer: Any) -> frozenset[int]:
    """Return the token with which a template ends what the model says, if it has one.

    A model that was trained on a template ends its turns with this token, whatever its configuration calls
    the end of a text.

    Raises:
        ModelError: The template is no text, or takes too long.
    """
    if not getattr(tokenizer, "chat_template", None):
        return frozenset()
    _check_source(tokenizer)
    said = [_CONVERSATION[0], {"role": "assistant", "content": _ANSWER}]
    try:
        with bounded():
            rendered: str = tokenizer.apply_chat_template(said, tokenize=False)
    except UnboundedError as error:
        raise _unbounded(tokenizer, error) from None
    except template_failures():
        return frozenset()
    _, found, tail = rendered.rpartition(_ANSWER)
    tail = tail.lstrip()
    ends = [
        (len(str(token.content)), number)
        for number, token in tokenizer.added_tokens_decoder.items()
        if found and str(token.content).strip() and tail.startswith(str(token.content))
    ]
    return frozenset([max(ends)[1]]) if ends else frozenset()


def template_failures() -> tuple[type[Exception], ...]:
    """Return what rendering a template of strangers may raise."""
    from jinja2 import TemplateError

    return (
        TemplateError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    )


def _spelling_of(turn: str) -> Spelling:
    if HERMES in turn and '"arguments"' in turn:
        return "hermes"
    if MISTRAL in turn:
        return "mistral-named" if MISTRAL_ARGUMENTS in turn else "mistral"
    if (LLAMA in turn or "{" in turn) and '"parameters"' in turn:
        return "llama"
    return "other"


def _without_tools(why: str) -> Layout:
    note = f"the model's chat template {why}; a plain one stands in where tools are offered"
    return Layout(tool_template=plain_template(), notes=(note,))


def _check_source(tokenizer: Any) -> None:
    templates = tokenizer.chat_template
    for text in templates.values() if isinstance(templates, dict) else [templates]:
        if not isinstance(text, str) or len(text) > LARGEST_TEMPLATE:
            where = str(getattr(tokenizer, "name_or_path", ""))
            raise ModelError("the model's chat template is no text, or too long", where=where, hint=_HINT)
        try:
            check_source(text)
        except UnboundedError as error:
            raise _unbounded(tokenizer, error) from None


def _unbounded(tokenizer: Any, error: UnboundedError) -> ModelError:
    return ModelError(
        f"the model's chat template is not used: {error}",
        where=str(getattr(tokenizer, "name_or_path", "")),
        hint=_HINT,
    )


def _check_template(tokenizer: Any) -> None:
    """Raise `ModelError` for what is no template at all, before it is taken for one without tools."""
    _check_source(tokenizer)
    try:
        with bounded():
            tokenizer.apply_chat_template([{"role": "user", "content": "hello"}], tokenize=False)
    except template_failures() as error:
        raise ModelError(
            f"the model's chat template cannot say hello: {clean(' '.join(str(error).split()), 200)}",
            where=str(getattr(tokenizer, "name_or_path", "")),
            hint=_HINT,
        ) from None


def _render(tokenizer: Any, messages: list[dict[str, Any]]) -> str:
    try:
        with bounded():
            rendered: str = tokenizer.apply_chat_template(
                messages, tools=_TOOLS, tokenize=False, add_generation_prompt=True
            )
    except UnboundedError as error:
        raise _unbounded(tokenizer, error) from None
    except template_failures() as error:
        raise ModelError(clean(" ".join(str(error).split()), 200)) from None
    return rendered
