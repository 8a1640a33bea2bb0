"""Reading the calls in what a model wrote: the usual spellings, and never a guess.

========================  =============================================================================
``<tool_call>``           ``<tool_call>{"name": ..., "arguments": {...}}</tool_call>``, any number of them
``[TOOL_CALLS]``          followed by a list of calls, or by ``name{...}`` or ``name[ARGS]{...}``
``<|python_tag|>``        followed by ``{"name": ..., "parameters": {...}}``, several parted by ``;``
fenced JSON               a fence that holds a call or a list of calls, and nothing else
bare JSON                 a call or a list of calls from the beginning of a line to the end of the text
========================  =============================================================================

The last two carry no mark that says "call", so they count only where tools are offered and the JSON has the
fields of a call and no others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from toolhaft.errors import ModelError
from toolhaft.models.answer import MOST_CALLS
from toolhaft.models.parsing import (
    LONGEST,
    NotJSONError,
    ParsedArguments,
    parse_arguments,
    read_arguments,
    read_json,
)
from toolhaft.text import clean, shorten

HERMES, MISTRAL, LLAMA = "<tool_call>", "[TOOL_CALLS]", "<|python_tag|>"
HERMES_END, MISTRAL_ARGUMENTS = "</tool_call>", "[ARGS]"
MARKERS = (HERMES, HERMES_END, MISTRAL, MISTRAL_ARGUMENTS, LLAMA)
UNREADABLE = "unreadable_call"
"""Name of a call whose name cannot be read."""

_OPENINGS = (HERMES, MISTRAL, LLAMA)
_LONGEST_RAW = 20_000
_NAME = re.compile(r'"name"\s*:\s*"([^"\\]{1,200})"')
_PLAIN_NAME = re.compile(r"\s*([A-Za-z0-9_.-]{1,200})\s*(?=\{|\[ARGS\])")
_CALL_ID = re.compile(r"\[CALL_ID\]\s*[\w-]{1,64}\s*")
_FENCE = re.compile(r"^[ \t]*```([a-zA-Z_]*+)[ \t]*$\n?", re.MULTILINE)
_LINE_OF_JSON = re.compile(r"^[ \t]*[\[{]", re.MULTILINE)
_LINE_OF_UNMARKED = re.compile(r"^[ \t]*[\[{`]", re.MULTILINE)
_FIELDS = {"name", "arguments", "parameters", "id", "type", "function"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenCall:
    """A call as it was written.

    Attributes:
        name: `UNREADABLE` where it cannot be read.
        parsed: The arguments, or why they cannot be read.
    """

    name: str
    parsed: ParsedArguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model wrote: the text around its calls, and the calls."""

    text: str
    calls: tuple[WrittenCall, ...] = ()


def read_answer(text: str, *, offered: bool) -> Answer:
    """Return text and calls.

    Args:
        text: What the model wrote.
        offered: Whether it was offered tools; if not, everything is text.

    Raises:
        ModelError: It asks for more calls than are ever made.
    """
    if not offered:
        return Answer(text=text.strip())
    opening = min((mark for mark in _OPENINGS if mark in text), key=text.index, default="")
    if opening == HERMES:
        answer = _read_hermes(text)
    elif opening == MISTRAL:
        answer = _read_mistral(text)
    elif opening == LLAMA:
        answer = _read_llama(text)
    else:
        answer = _read_unmarked(text)
    if len(answer.calls) > MOST_CALLS:
        raise ModelError(
            f"the model asks for {len(answer.calls)} calls at once",
            hint=f"At most {MOST_CALLS} are read; the model may be caught in a loop",
        )
    return answer


def visible_length(text: str) -> int:
    """Return how much of an unfinished text is certain to stay text: what follows may become a call."""
    certain = len(text)
    for mark in _OPENINGS:
        found = text.find(mark)
        if found >= 0:
            certain = min(certain, found)
        else:
            overlap = next((n for n in range(len(mark) - 1, 0, -1) if text.endswith(mark[:n])), 0)
            certain = min(certain, len(text) - overlap)
    unmarked = _LINE_OF_UNMARKED.search(text)
    if unmarked is not None:
        certain = min(certain, unmarked.start())
    return certain


def _read_hermes(text: str) -> Answer:
    around: list[str] = []
    calls: list[WrittenCall] = []
    while len(calls) <= MOST_CALLS:
        before, mark, text = text.partition(HERMES)
        around.append(before)
        if not mark:
            break
        body, text = _marked_body(text)
        calls += _read_calls(body)
    return Answer(text=_joined(around), calls=tuple(calls))


def _marked_body(text: str) -> tuple[str, str]:
    """Return what stands up to the closing mark, and the rest; marks within strings of JSON are none."""
    if text.lstrip().startswith(("{", "[")):
        body, after = _first_value(text)
        rest = after.lstrip()
        if rest.startswith(HERMES_END):
            return body, rest.removeprefix(HERMES_END)
        if not rest or rest.startswith(HERMES):
            return body, rest
    end = min((text.index(mark) for mark in (HERMES, HERMES_END) if mark in text), default=len(text))
    return text[:end], text[end:].removeprefix(HERMES_END)


def _read_mistral(text: str) -> Answer:
    before, *blocks = text.split(MISTRAL)
    around, calls = [before], []
    for block in blocks:
        named = _PLAIN_NAME.match(_CALL_ID.sub("", block))
        if named is not None:
            body = _CALL_ID.sub("", block)[named.end() :].strip().removeprefix(MISTRAL_ARGUMENTS)
            calls.append(WrittenCall(name=named.group(1), parsed=parse_arguments(body)))
            continue
        body, after = _first_value(block)
        calls += _read_calls(body)
        around.append(after)
    return Answer(text=_joined(around), calls=tuple(calls))


def _read_llama(text: str) -> Answer:
    before, *blocks = text.split(LLAMA)
    calls = [call for block in blocks for body in _parted(block) for call in _read_calls(body)]
    return Answer(text=before.strip(), calls=tuple(calls))


def _read_unmarked(text: str) -> Answer:
    around, fenced = _split_fences(text)
    if fenced:
        found = [_calls_if_any(body) for body in fenced]
        if all(found):
            return Answer(text=_joined(around), calls=tuple(call for calls in found for call in calls))
        return Answer(text=text.strip())
    start = _LINE_OF_JSON.search(text)
    if start is not None:
        found = [_calls_if_any(body) for body in _parted(text[start.start() :])]
        if found and all(found):
            calls = tuple(call for calls in found for call in calls)
            return Answer(text=text[: start.start()].strip(), calls=calls)
        broken = text[start.start() :]
        if not _is_json(broken.strip()) and _looks_cut(broken):
            return Answer(text=text[: start.start()].strip(), calls=tuple(_read_calls(broken)))
    return Answer(text=text.strip())


def _split_fences(text: str) -> tuple[list[str], list[str]]:
    """Return the texts around closed fences, and what stands in these."""
    around: list[str] = []
    fenced: list[str] = []
    opening: re.Match[str] | None = None
    read = 0
    for line in _FENCE.finditer(text):
        if opening is None:
            opening = line
        elif not line.group(1):
            around.append(text[read : opening.start()])
            fenced.append(text[opening.end() : line.start()])
            opening, read = None, line.end()
    return [*around, text[read:]], fenced


def _calls_if_any(body: str) -> list[WrittenCall]:
    """Return the calls of an unmarked text, none if it is not strictly calls and nothing else."""
    if len(body) > LONGEST:
        return []
    try:
        value = read_json(body.strip())
    except NotJSONError:
        return []
    listed = value if isinstance(value, list) else [value]
    return [_from_value(entry) for entry in listed] if listed and all(map(_is_call, listed)) else []


def _is_call(value: Any) -> bool:
    if not isinstance(value, dict) or not set(value) <= _FIELDS:
        return False
    inner = value.get("function")
    fields = inner if isinstance(inner, dict) else value
    given = [fields[key] for key in ("arguments", "parameters") if key in fields]
    return isinstance(fields.get("name"), str) and len(given) == 1 and isinstance(given[0], dict | str)


def _looks_cut(text: str) -> bool:
    return (
        bool(re.match(r'\s*\[?\s*\{\s*"(?:name|type|function|id)"', text)) and _NAME.search(text) is not None
    )


def _is_json(text: str) -> bool:
    try:
        read_json(text)
    except NotJSONError:
        return False
    return True


def _read_calls(body: str) -> list[WrittenCall]:
    """Return what a marked text asks for: one call or a list; malformed ones with their problem."""
    stripped = body.strip()
    if stripped.startswith("[") and len(stripped) <= LONGEST:
        try:
            listed = read_json(stripped)
        except NotJSONError as error:
            return [_malformed(stripped, f"the list of calls is {error}")]
        if isinstance(listed, list) and listed:
            return [_from_value(entry) for entry in listed]
    parsed = parse_arguments(stripped)
    if not stripped:
        return [_malformed(stripped, "the call is empty")]
    if parsed.problem:
        return [_malformed(stripped, parsed.problem.replace("the arguments are", "the call is", 1))]
    call = _from_value(parsed.arguments)
    if not parsed.repaired:
        return [call]
    mended = ParsedArguments(
        arguments=call.parsed.arguments, problem=call.parsed.problem, raw=parsed.raw, repaired=True
    )
    return [WrittenCall(name=call.name, parsed=mended)]


def _from_value(value: Any) -> WrittenCall:
    inner = value.get("function") if isinstance(value, dict) else None
    fields = inner if isinstance(inner, dict) else value
    if not isinstance(fields, dict) or not isinstance(fields.get("name"), str) or not fields["name"].strip():
        return _malformed(repr(value), 'the call has no "name"')
    arguments = fields["arguments"] if "arguments" in fields else fields.get("parameters")
    return WrittenCall(name=clean(fields["name"].strip(), 200), parsed=read_arguments(arguments))


def _malformed(text: str, problem: str) -> WrittenCall:
    named = _NAME.search(text[:LONGEST])
    return WrittenCall(
        name=clean(named.group(1).strip(), 200) or UNREADABLE if named else UNREADABLE,
        parsed=ParsedArguments(problem=problem, raw=shorten(text, _LONGEST_RAW)),
    )


def _first_value(text: str) -> tuple[str, str]:
    """Return the JSON value that a text begins with, and what stands behind it."""
    for end in _ends_of_values(text):
        return text[:end], text[end:]
    return text, ""


def _parted(text: str) -> Iterator[str]:
    """Yield values that stand one after the other, parted by semicolons, commas or white space."""
    while text.strip(" \t\r\n;"):
        text = text.lstrip(" \t\r\n;")
        body, text = _first_value(text)
        yield body


_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


def _ends_of_values(text: str) -> Iterator[int]:
    depth = 0
    for token in _BRACKET.finditer(text):
        mark = token.group()
        if mark in ("[", "{"):
            depth += 1
        elif mark in ("]", "}"):
            depth -= 1
            if depth <= 0:
                yield token.end()


def _joined(pieces: Sequence[str]) -> str:
    return "\n".join(piece.strip() for piece in pieces if piece.strip())
