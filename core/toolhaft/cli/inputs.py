"""What people write on the command line, turned into values, with errors that name the word."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolhaft.errors import UsageError
from toolhaft.types import ToolSpec


def pairs(words: Sequence[str], option: str) -> dict[str, str]:
    """Read ``key=value`` words.

    Raises:
        UsageError: A word has no ``=``, or a key stands twice.
    """
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            # An --auth word may be a secret that was typed by mistake.
            shown = f": {word!r}" if option != "--auth" else ""
            raise UsageError(f"{option} wants key=value{shown}")
        if key in found:
            hint = f"Write a list as JSON: '{key}=[...]'" if option == "an argument" else ""
            raise UsageError(f"{option} names {key!r} twice", hint=hint)
        found[key] = value
    return found


def budget(words: Sequence[str]) -> dict[str, float]:
    """Read ``--budget`` words such as ``model_calls=40``.

    Raises:
        UsageError: A value is not a number.
    """
    found: dict[str, float] = {}
    for key, value in pairs(words, "--budget").items():
        try:
            found[key] = int(value) if value.lstrip("-").isdigit() else float(value)
        except ValueError:
            raise UsageError(f"--budget {key} is {value!r}, which is no number") from None
    return found


def arguments(spec: ToolSpec, words: Sequence[str], body: str | None) -> dict[str, Any]:
    """Read a call's arguments: ``key=value`` words by the tool's schema, and a JSON object.

    A value is taken as text where the schema asks for a string, else as JSON if it is JSON.

    Args:
        spec: The tool.
        words: ``key=value``.
        body: JSON text, or ``@file``; its members are arguments too.

    Raises:
        UsageError: The body is not a JSON object, or cannot be read.
    """
    found: dict[str, Any] = _body(body) if body is not None else {}
    for key, value in pairs(words, "an argument").items():
        found[key] = _value(spec.properties.get(key), value)
    return found


def _value(schema: Any, text: str) -> Any:
    kinds = schema.get("type") if isinstance(schema, dict) else None
    if isinstance(kinds, list) and "null" in kinds and text == "null":
        return None
    if kinds == "string" or (isinstance(kinds, list) and "string" in kinds):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _body(body: str) -> dict[str, Any]:
    text, where = body, "--body"
    if body.startswith("@"):
        where = body[1:]
        try:
            text = Path(where).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read it: {error}", where=where) from None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}", where=where) from None
    if not isinstance(value, dict):
        raise UsageError("the body is not a JSON object", where=where, hint="Write {...}")
    return value
