"""Text from documents: made safe to show, and cut to length; nothing in it is ever expanded."""

from __future__ import annotations

import re
from typing import Any

from toolhaft.text import clean, shorten

LONGEST_DESCRIPTION = 1024
"""Characters of a tool's description that every provider takes."""

_BLANKS = re.compile(r"[ \t]+")
_LINES = re.compile(r"\s*\n\s*\n\s*")


def clean_text(text: Any, longest: int = LONGEST_DESCRIPTION) -> str:
    """Return a description without invisible characters, in at most ``longest`` characters."""
    if not isinstance(text, str):
        return ""
    readable = clean(text[: longest * 8], longest * 8)
    if "\n" in readable:
        readable = _LINES.sub("\n\n", readable)
    if "  " in readable or "\t" in readable:
        readable = _BLANKS.sub(" ", readable)
    return shorten(readable.strip(), longest)


def clean_string(text: str) -> str:
    """Return a name or value with lone surrogates, which no UTF-8 text can hold, replaced."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def clean_value(value: Any, depth: int = 32) -> Any:
    """Return a JSON value with clean strings and without numbers that JSON has not; deep parts are null."""
    if isinstance(value, str):
        return clean_string(value)
    if isinstance(value, float):
        return float(value) if value == value and abs(value) != float("inf") else None
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    if depth == 0:
        return None
    if isinstance(value, dict):
        return {clean_string(str(key)): clean_value(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [clean_value(item, depth - 1) for item in value]
    return str(value)
