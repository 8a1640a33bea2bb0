"""Reading what a model wrote: strict JSON first, then at most one repair, and never a guess.

A text that breaks off is not completed: what is missing might be the most important part of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

DEEPEST = 256
"""Levels of nesting that are read."""
LONGEST = 1_000_000
"""Characters of the arguments of one call that are read."""
LONGEST_RAW = 20_000
"""Characters of malformed arguments that are kept."""

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_MANY_DIGITS = re.compile(r"[0-9]{17}")
# Possessive, and with a last quote that may be missing, so that no text is read twice.
_FENCE = re.compile(r"```[a-zA-Z0-9_-]*+[ \t]*+\n?+(.*?)```", re.DOTALL)
_LITERAL = re.compile(
    r'"(?:[^"\\]++|\\.)*+"?'
    r"|(?P<single>'(?P<inner>(?:[^'\\]++|\\.)*+)(?P<end>'?))"
    r"|(?P<word>\b(?:True|False|None)\b)",
    re.DOTALL,
)
_COMMA = re.compile(r'("(?:[^"\\]++|\\.)*+"?)|,(?=\s*[}\]])', re.DOTALL)
_WORDS = {"True": "true", "False": "false", "None": "null"}


class NotJSONError(ValueError):
    """A text is not the JSON it should be; the message says why, for a model to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedArguments:
    """The arguments of a call as far as they could be read.

    Attributes:
        arguments: Empty if ``problem`` is set.
        problem: Why they could not be read, or empty.
        raw: As the model wrote them, where there is a problem or a repair was made; cut when very long.
        repaired: The text was mended before it parsed.
    """

    arguments: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    raw: str = ""
    repaired: bool = False


def read_json(text: str | bytes) -> Any:
    """Read one JSON document strictly: no NaN, no lone surrogates, at most `DEEPEST` levels.

    Integers keep all their digits.

    Raises:
        NotJSONError: It is not JSON, nested too deeply, or holds a number beyond every range.
    """
    import orjson

    written = text if isinstance(text, str) else text.decode("utf-8", "replace")
    check_depth(written)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotJSONError(f"not JSON: {error}") from None
    if _MANY_DIGITS.search(written):
        # orjson reads integers beyond 64 bits as floats; it has vouched for the syntax, so json may read it.
        import json

        return json.loads(text)
    return value


def check_depth(text: str, deepest: int = DEEPEST) -> None:
    """Raise `NotJSONError` if brackets outside of strings are nested too deeply; linear in the text."""
    if text.count("[") + text.count("{") <= deepest:
        return
    depth = 0
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark in ("[", "{"):
            depth += 1
            if depth > deepest:
                raise NotJSONError(f"nested more than {deepest} levels deep")
        elif mark in ("]", "}"):
            depth -= 1


def parse_arguments(text: str) -> ParsedArguments:
    """Read the arguments of a call.

    An empty text and ``null`` stand for no arguments. What is not strictly a JSON object may be mended in
    one of these ways, never in two at once, and is then marked as repaired:

    - the object is taken out of a fenced block;
    - the object is taken out of the prose around it, or out of a JSON string that holds it;
    - commas before a closing bracket are dropped;
    - Python's quotes and its True, False and None are written as JSON's.

    Text that breaks off, and two objects in a row, are left malformed.
    """
    stripped = text.strip()
    if stripped in ("", "null"):
        return ParsedArguments()
    if len(text) > LONGEST:
        return _malformed(text, f"the arguments are {len(text)} characters long, more than {LONGEST}")
    try:
        value = read_json(stripped)
    except NotJSONError as error:
        problem = f"the arguments are {error}"
    else:
        if isinstance(value, dict):
            return ParsedArguments(arguments=value)
        problem = f"the arguments are a JSON {json_type(value)}, not an object"
        if not isinstance(value, str):
            return _malformed(text, problem)
    for candidate in _repairs(stripped):
        try:
            value = read_json(candidate)
        except NotJSONError:
            continue
        if isinstance(value, dict):
            return ParsedArguments(arguments=value, raw=_cut(text), repaired=True)
    return _malformed(text, problem)


def read_arguments(value: Any) -> ParsedArguments:
    """Read arguments as an endpoint delivered them: text, or the object itself as some servers do."""
    if isinstance(value, str):
        return parse_arguments(value)
    if value is None:
        return ParsedArguments()
    if isinstance(value, dict):
        return ParsedArguments(arguments=value)
    return _malformed(repr(value)[:200], f"the arguments are a JSON {json_type(value)}, not an object")


def json_type(value: Any) -> str:
    """Return JSON's name for the type of a value."""
    names: dict[type, str] = {
        dict: "object",
        list: "array",
        str: "string",
        bool: "boolean",
        int: "number",
        float: "number",
        type(None): "null",
    }
    return names.get(type(value), type(value).__name__)


def _repairs(text: str) -> Iterator[str]:
    repairs: tuple[Callable[[str], str | None], ...] = (
        _unfenced,
        _unquoted,
        _without_prose,
        _without_trailing_commas,
        _from_python,
    )
    for repair in repairs:
        candidate = repair(text)
        if candidate is not None and candidate != text:
            yield candidate


def _unfenced(text: str) -> str | None:
    fence = _FENCE.fullmatch(text)
    return fence.group(1).strip() if fence else None


def _unquoted(text: str) -> str | None:
    if not text.startswith('"'):
        return None
    try:
        value = read_json(text)
    except NotJSONError:
        return None
    return value if isinstance(value, str) else None


def _without_prose(text: str) -> str | None:
    start, end = text.find("{"), text.rfind("}")
    if not 0 <= start < end:
        return None
    before, after = text[:start], text[end + 1 :].lstrip()
    # Anything that looks like more JSON is no prose: the object would be a part of something.
    if set(before + after) & set('{}[]"') or after.startswith((",", ":")):
        return None
    return text[start : end + 1]


def _without_trailing_commas(text: str) -> str | None:
    return _COMMA.sub(lambda match: match.group(1) or "", text)


def _from_python(text: str) -> str | None:
    def rewrite(match: re.Match[str]) -> str:
        if match["word"]:
            return _WORDS[match["word"]]
        if not match["end"]:
            return match.group()
        inner = match["inner"].replace("\\'", "'")
        return '"' + re.sub(r'\\.|"', _quote_bare, inner, flags=re.DOTALL) + '"'

    return _LITERAL.sub(rewrite, text)


def _quote_bare(match: re.Match[str]) -> str:
    return '\\"' if match.group() == '"' else match.group()


def _malformed(text: str, problem: str) -> ParsedArguments:
    return ParsedArguments(problem=problem, raw=_cut(text))


def _cut(text: str) -> str:
    from toolhaft.text import shorten

    return shorten(text, LONGEST_RAW)
