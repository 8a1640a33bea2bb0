"""Reading an answer the way its tokenizer declares it: ``response_template``, where there is one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from re import _parser  # type: ignore[attr-defined]  # the only reader of patterns that Python has
from typing import Any

from toolhaft.models.parsing import read_arguments
from toolhaft.text import clean
from toolhaft_local.calls import UNREADABLE, Answer, WrittenCall

_LONGEST_PATTERN = 2_000


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


def is_bounded(template: Any) -> bool:
    """Whether no pattern of a ``response_template`` repeats without end what repeats without end.

    Such patterns can take longer than the age of the world for a short text, and cannot be interrupted.
    """
    waiting, texts = [template], []
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += [*part, *part.values()]
        elif isinstance(part, list):
            waiting += part
        elif isinstance(part, str):
            texts.append(part)
    return not any(_repeats_repeats(text) for text in texts)


def _repeats_repeats(pattern: str) -> bool:
    if len(pattern) > _LONGEST_PATTERN:
        return True
    try:
        return _is_nested(_parser.parse(pattern), inside=False)
    except (re.error, OverflowError):
        return False  # what is no pattern of Python's is a plain text, or one that transformers refuses
    except RecursionError:
        return True


def _is_nested(parts: Any, *, inside: bool) -> bool:
    for kind, given in parts:
        endless = str(kind) in ("MAX_REPEAT", "MIN_REPEAT") and given[1] == _parser.MAXREPEAT
        if endless and inside:
            return True
        inner = (
            [part for part in given if isinstance(part, _parser.SubPattern)]
            if isinstance(given, tuple)
            else []
        )
        if str(kind) == "BRANCH":
            inner = list(given[1])
        if any(_is_nested(part, inside=inside or endless) for part in inner):
            return True
    return False


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
