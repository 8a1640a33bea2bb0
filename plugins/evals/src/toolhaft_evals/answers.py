"""What models said to the questions of a benchmark, read from files or written for a floor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError
from toolhaft.types import Prediction, Task, ToolCall, from_value
from toolhaft_evals.files import read_objects

_LONGEST_NAME = 120


def load_predictions(
    files: Iterable[Path], read: Callable[[dict[str, Any], int, str], Prediction]
) -> tuple[Prediction, ...]:
    """Read predictions, each for another task.

    Args:
        files: In their order.
        read: Makes a prediction of a row, given its number in the file, from 1, and its place. Rows with
            a ``task_id`` are `Prediction` records, and never get there.

    Raises:
        UsageError: A file cannot be read.
        FormatError: A row is no prediction, or a question is answered twice.
    """
    found: dict[str, Prediction] = {}
    for file in files:
        for number, (row, where) in enumerate(read_objects(file), start=1):
            said = _record(row, where) if "task_id" in row else read(row, number, where)
            if said.task_id in found:
                raise FormatError(f"{said.task_id!r:.80} is answered twice", where=where)
            found[said.task_id] = replace(said, model=said.model[:_LONGEST_NAME])
    return tuple(found.values())


def scripted(task: Task, text: str = "", calls: Iterable[ToolCall] = (), **metadata: Any) -> Prediction:
    """Return what a floor or a ceiling says."""
    return Prediction(task_id=task.id, text=text, calls=tuple(calls), metadata=metadata, origin="scripted")


def _record(row: dict[str, Any], where: str) -> Prediction:
    # Whatever a file says of itself: nobody was asked now.
    return replace(from_value(Prediction, row, where=where), origin="replay")
