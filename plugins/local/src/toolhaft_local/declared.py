"""Reading an answer the way its tokenizer declares it: ``response_template``, where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolhaft.models.parsing import read_arguments
from toolhaft.text import clean
from toolhaft_local.calls import UNREADABLE, Answer, WrittenCall


def read_declared(
    tokenizer: Any, text: str, prompt: Sequence[int], tools: list[dict[str, Any]]
) -> Answer | None:
    """Return text and calls as ``tokenizer.parse_response`` finds them, or None where it cannot.

    Args:
        tokenizer: One with a ``response_template``.
        text: What the model wrote, control tokens included.
        prompt: What it was shown.
        tools: As chat templates take them; arguments are cast to their types.
    """
    try:
        found = tokenizer.parse_response(text, prefix=list(prompt), tools=tools)
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError, RecursionError):
        return None  # an answer that breaks off, or a template that is none: the usual spellings are tried
    if not isinstance(found, dict):
        return None
    listed = found.get("tool_calls") or []
    if not isinstance(listed, list):
        return None
    return Answer(
        text=_text(found.get("content")) or (_text(found.get("thinking")) if listed else ""),
        calls=tuple(_call(entry) for entry in listed),
    )


def _call(entry: Any) -> WrittenCall:
    inner = entry.get("function", entry) if isinstance(entry, dict) else {}
    name = inner.get("name") if isinstance(inner, dict) else None
    arguments = inner.get("arguments") if isinstance(inner, dict) else None
    readable = isinstance(name, str) and name.strip()
    return WrittenCall(
        name=clean(str(name).strip(), 200) if readable else UNREADABLE, parsed=read_arguments(arguments)
    )


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
