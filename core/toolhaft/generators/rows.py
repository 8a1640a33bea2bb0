"""Training rows: conversations and tools as chat templates take them, with labels of where they come from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError
from toolhaft.models.rendering import chat_messages, chat_tools
from toolhaft.planners.conversation import conversation, system_of
from toolhaft.report.files import read_lines, read_object, write_whole, writing
from toolhaft.types import Message, Task, ToolSpec, Trajectory

ROLES = ("system", "user", "assistant", "tool")
LABELS = ("heuristic", "replay", "scripted", "simulated", "replayed", "failed")
"""What a row may be labelled with, and what is left out of exports unless it is asked for."""
_HINT = "Name a .jsonl file of rows, as `toolhaft generate` and `toolhaft data export` write them"


def labels_of(trajectory: Trajectory) -> tuple[str, ...]:
    """Return what says that a trajectory is no language model's work on the real thing."""
    origins = [origin for origin in trajectory.origins if origin != "model"]
    provenances = [each for each in trajectory.provenances if each in ("simulated", "replayed")]
    failed = ["failed"] if trajectory.status != "answered" else []
    return tuple(dict.fromkeys((*origins, *provenances, *failed)))


def left_out(labels: Sequence[str], include: Collection[str]) -> str:
    """Return the first label that keeps a row out of an export, or nothing."""
    return next((label for label in labels if label not in include), "")


def check_include(include: Iterable[str]) -> frozenset[str]:
    """Return the labels to include.

    Raises:
        UnknownNameError: There is no such label.
    """
    from toolhaft.errors import UnknownNameError

    found = frozenset(include)
    for name in sorted(found):
        if name not in LABELS:
            raise UnknownNameError("label", name, LABELS)
    return found


def row_of(trajectory: Trajectory, *, system: str | None = None, **metadata: Any) -> dict[str, Any]:
    """Return the row of a trajectory's answer path.

    Args:
        trajectory: One that ended with an answer.
        system: The system prompt where the planner had one of its own.
        metadata: More of it, for example the split.
    """
    task = trajectory.task
    offered = {name for step in trajectory.path() for name in step.offered}
    # What was offered on the way to the answer; the record names it in the order of its first offer.
    tools = [spec for spec in trajectory.tools if spec.name in offered]
    return {
        "messages": chat_messages(conversation(trajectory, system=system)),
        "tools": chat_tools(tools),
        "metadata": {
            **_about(task),
            "trajectory": trajectory.id,
            "planner": trajectory.planner,
            "model": trajectory.model,
            "origins": list(trajectory.origins),
            "provenances": list(trajectory.provenances),
            "labels": list(labels_of(trajectory)),
            **metadata,
        },
    }


def call_row(task: Task, tools: Sequence[ToolSpec], **metadata: Any) -> dict[str, Any] | None:
    """Return the row of a task whose calls were never made: it ends with the calls, all at once.

    None if the task has no gold calls, or one of them needs what another returns.
    """
    if task.gold is None or not task.gold.calls or task.metadata.get("generator") == "chain":
        return None
    messages = [
        Message(role="system", text=system_of("react")),
        Message(role="user", text=task.instruction),
        Message(role="assistant", calls=task.gold.calls),
    ]
    return {
        "messages": chat_messages(messages),
        "tools": chat_tools(tools),
        "metadata": {**_about(task), "origins": ["scripted"], "labels": ["scripted"], **metadata},
    }


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Write rows as JSON Lines, the whole file or none of it, and return how many.

    Raises:
        UsageError: The file cannot be written.
    """
    from toolhaft.models.wire import dumps

    count = 0

    def encoded() -> Iterator[bytes]:
        nonlocal count
        for row in rows:
            count += 1
            yield dumps(row, "a row") + b"\n"

    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, encoded())
    return count


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Iterate over the rows of a file.

    Raises:
        UsageError: There is no such file.
        FormatError: A line is no row; the message has file and line.
    """
    for line, where in read_lines(path, _HINT):
        row = read_object(line, where)
        check_row(row, where)
        yield row


def check_row(row: dict[str, Any], where: str) -> None:
    """Raise unless an object is a row.

    Raises:
        FormatError: It is not; the message says where.
    """
    messages, tools = row.get("messages"), row.get("tools", [])
    if not isinstance(messages, list) or not messages:
        raise FormatError("a row without messages", where=f"{where}#/messages", hint=_HINT)
    for position, message in enumerate(messages):
        _check_message(message, f"{where}#/messages/{position}")
    if not isinstance(tools, list):
        raise FormatError("the tools are no list", where=f"{where}#/tools")
    for position, entry in enumerate(tools):
        function = entry.get("function") if isinstance(entry, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise FormatError("a tool without a name", where=f"{where}#/tools/{position}")
    if not isinstance(row.get("metadata", {}), dict):
        raise FormatError("the metadata are no object", where=f"{where}#/metadata")


def _check_message(message: Any, where: str) -> None:
    if not isinstance(message, dict) or message.get("role") not in ROLES:
        raise FormatError("not a message", where=where, hint=f"Its role is one of {', '.join(ROLES)}")
    if not isinstance(message.get("content", ""), str):
        raise FormatError("the content is no text", where=f"{where}/content")
    calls = message.get("tool_calls", [])
    if not isinstance(calls, list):
        raise FormatError("the calls are no list", where=f"{where}/tool_calls")
    for position, call in enumerate(calls):
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise FormatError("a call without a name", where=f"{where}/tool_calls/{position}")
        if not isinstance(function.get("arguments"), dict):
            raise FormatError(
                "the arguments of a call are no object",
                where=f"{where}/tool_calls/{position}/function/arguments",
            )


def _about(task: Task) -> dict[str, Any]:
    known: dict[str, Any] = {
        name: task.metadata[name]
        for name in ("generator", "instruction_by", "teacher", "executed")
        if name in task.metadata
    }
    gold = list(task.gold.tools) if task.gold is not None else []
    return {"task": task.id, "tags": list(task.tags), "gold_tools": gold, **known}
