"""Training rows: conversations with their tools as JSON lines, read with an eye on what made them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.generators.rows import LABELS, check_include
from toolhaft.report.files import hash_file, read_lines

_ROLES = frozenset({"system", "user", "assistant", "tool"})
_MOST_MESSAGES = 1_000
_LONGEST_ROW = 4_000_000
_HINT = "Write {messages: [...], tools: [...], metadata: {...}} in one line, as `toolhaft data export` does"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One conversation.

    Attributes:
        messages: As a chat template takes them, oldest first; likewise ``tools``.
        metadata: What the row's maker says of it.
        where: File and line.
    """

    messages: tuple[dict[str, Any], ...]
    tools: tuple[dict[str, Any], ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""

    @property
    def made_by(self) -> tuple[str, ...]:
        """Who wrote the assistant's turns and where results came from, each once."""
        found: list[str] = []
        for key in ("origins", "provenances", "labels"):
            said = self.metadata.get(key, ())
            found += [said] if isinstance(said, str) else [str(one) for one in said or ()]
        return tuple(dict.fromkeys(found)) or ("unknown",)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSet:
    """The rows of some files.

    Attributes:
        rows: Those that are trained on.
        left_out: How many were left out, by what made them.
        hashes: SHA-256 of each file by its name.
    """

    rows: tuple[Row, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """Return how many rows there are by what made them."""
        return dict(Counter(" + ".join(row.made_by) for row in self.rows).most_common())


def read_rows(files: Sequence[Path], *, include: Collection[str] = ()) -> RowSet:
    """Read training rows.

    Args:
        files: JSON lines.
        include: Which of `toolhaft.generators.rows.LABELS` are wanted; rows with any other are left out.

    Raises:
        UsageError: A file cannot be read, or no row is left.
        UnknownNameError: ``include`` names nothing there is.
        FormatError: A line is no row; its number is said.
    """
    refused = set(LABELS) - check_include(include)
    kept: list[Row] = []
    left_out: Counter[str] = Counter()
    for row in (row for file in files for row in _read_file(file)):
        if unwanted := refused & set(row.made_by):
            left_out[", ".join(sorted(unwanted))] += 1
        else:
            kept.append(row)
    where = ", ".join(str(file) for file in files)
    if not kept and left_out:
        said = "; ".join(f"{number} made by {name}" for name, number in sorted(left_out.items()))
        names = sorted({name for names in left_out for name in names.split(", ")})
        hint = f"Train on them with {' '.join(f'--include {name}' for name in names)}"
        raise UsageError(f"no row is left: {said}", where=where, hint=hint)
    if not kept:
        raise UsageError("there are no rows", where=where, hint=_HINT)
    return RowSet(rows=tuple(kept), left_out=dict(left_out), hashes={f.name: hash_file(f) for f in files})


def _read_file(file: Path) -> Iterator[Row]:
    for line, where in read_lines(file, "Name a file of JSON lines"):
        if len(line) > _LONGEST_ROW:
            raise FormatError(f"a row of more than {_LONGEST_ROW:,} bytes", where=where, hint="Leave it out")
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise FormatError(f"not JSON: {error}", where=where, hint=_HINT) from None
        yield parse_row(value, where)


def parse_row(value: Any, where: str) -> Row:
    """Return a row from its JSON value.

    Args:
        value: What stands in a line.
        where: For messages.

    Raises:
        FormatError: It is none.
    """
    if not isinstance(value, dict) or not isinstance(value.get("messages"), list):
        raise FormatError("no row: there is no list `messages`", where=where, hint=_HINT)
    messages, tools = value["messages"], value.get("tools") or []
    metadata = value.get("metadata") or {}
    if not messages or len(messages) > _MOST_MESSAGES:
        raise FormatError(f"{len(messages)} messages", where=where, hint=f"Give 1 to {_MOST_MESSAGES}")
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise FormatError("`tools` is no list of objects", where=where, hint=_HINT)
    if not isinstance(metadata, dict):
        raise FormatError("`metadata` is no object", where=where, hint=_HINT)
    for position, message in enumerate(messages):
        _check_message(message, f"{where}#/messages/{position}")
    if not any(message["role"] == "assistant" for message in messages):
        raise FormatError(
            "no message of the assistant: nothing to learn", where=where, hint="Leave the row out"
        )
    return Row(messages=tuple(messages), tools=tuple(tools), metadata=metadata, where=where)


def _check_message(message: Any, where: str) -> None:
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise FormatError("no message: role must be system, user, assistant or tool", where=where, hint=_HINT)
    content = message.get("content")
    if content is not None and not isinstance(content, str | list):
        raise FormatError("content is no text", where=where, hint=_HINT)
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list) or not all(_is_call(call) for call in calls):
        hint = 'Write {"type": "function", "function": {"name": ..., "arguments": {...}}}'
        raise FormatError("a tool call that is none", where=where, hint=hint)
    if message["role"] == "assistant" and not content and not calls:
        raise FormatError("the assistant says and calls nothing", where=where, hint="Leave the row out")


def _is_call(call: Any) -> bool:
    function = call.get("function") if isinstance(call, dict) else None
    return (
        isinstance(function, dict)
        and isinstance(function.get("name"), str)
        and isinstance(function.get("arguments"), dict)
    )
