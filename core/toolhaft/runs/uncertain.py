"""Writes of a batch of which nobody knows whether they were carried out: for a person to look at."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError
from toolhaft.runs.file import NAME, read_file
from toolhaft.runs.reopening import UNCERTAIN
from toolhaft.runs.writer import journal_error

_LOST: dict[str, Any] = {
    "code": "E-UNCERTAIN",
    "what": "the process ended while this call was under way",
    "effect": "uncertain",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertainCall:
    """A write that may or may not have been carried out.

    Attributes:
        task: Id of the task.
        tool: Name of the tool.
        arguments: Redacted; text that was cut if they are long, None if they are not on record.
        key: The idempotency key that went with it, by which a service may find it.
        error: As JSON values; see `toolhaft.errors.ToolhaftError.to_dict`.
    """

    task: str
    tool: str
    arguments: Any
    key: str
    error: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "task": self.task,
            "tool": self.tool,
            "arguments": self.arguments,
            "key": self.key,
            "error": self.error,
        }


def read_uncertain(folder: Path) -> Iterator[UncertainCall]:
    """Iterate over the uncertain writes of the jobs that ended as ``uncertain``, in their order.

    Args:
        folder: Of the journal.

    Raises:
        JournalError: There is no journal, or it is damaged.
        FormatError: A row is damaged.
    """
    path = folder / NAME
    with closing(read_file(path)) as connection:
        try:
            rows = connection.execute(
                "SELECT jobs.id, found.name, found.key, found.request, found.result FROM jobs JOIN "
                f"(SELECT * FROM entries WHERE {UNCERTAIN}) AS found ON found.job = jobs.position "
                "WHERE jobs.status = 'uncertain' ORDER BY jobs.position, found.sequence"
            )
            for task, tool, key, request, result in rows:
                yield _read(folder, task, tool, key, request, result)
        except sqlite3.Error as error:
            raise journal_error(error, path) from None


def _read(
    folder: Path, task: str, tool: str, key: str, request: str | None, result: str | None
) -> UncertainCall:
    try:
        error = json.loads(result).get("error") if result else None
    except (ValueError, AttributeError):
        raise FormatError("a damaged result", where=f"{folder}: call {key}") from None
    return UncertainCall(
        task=task,
        tool=tool,
        key=key,
        arguments=_arguments(request),
        error={name: value for name, value in (error or _LOST).items() if value},
    )


def _arguments(request: str | None) -> Any:
    if request is None:
        return None
    try:
        return json.loads(request)
    except ValueError:  # they were long, and are cut
        return request
