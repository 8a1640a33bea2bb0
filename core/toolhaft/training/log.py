"""The log of a training run: one JSON line a step or measurement."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolhaft.report.files import read_lines, read_object, write_whole
from toolhaft.training.folders import told_clearly

LOG = "log.jsonl"


class TrainingLog:
    """Appends to ``log.jsonl``; of a resumed run, what was written after its checkpoint is dropped.

    Args:
        output: Folder of the run.
        step: Where the run is taken up; 0 begins a new log.

    Raises:
        UsageError: It cannot be written; so do all that write.
    """

    def __init__(self, output: Path, step: int) -> None:
        self._path = output / LOG
        kept = [line for line in read_log(self._path) if line["step"] <= step] if step else []
        with told_clearly(self._path):
            output.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, (json.dumps(line).encode() + b"\n" for line in kept))

    def write_step(self, step: int, *, loss: float, rate: float, tokens: int, seconds: float) -> None:
        """Write down a step; ``tokens`` and ``seconds`` are those since the beginning."""
        said = {"step": step, "loss": round(loss, 6), "lr": rate, "tokens": tokens}
        self._append({**said, "seconds": round(seconds, 3)})

    def write_figure(self, step: int, name: str, value: float) -> None:
        """Write down what was measured after a step on what is held out."""
        self._append({"step": step, name: round(value, 6)})

    def to_disk(self) -> None:
        """Make sure that what was written stays, whatever happens to the machine."""
        with self._path.open("rb") as file:
            os.fsync(file.fileno())

    def _append(self, line: Mapping[str, Any]) -> None:
        with told_clearly(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a log; a last line that a killed process left unfinished is dropped.

    Raises:
        FormatError: Another line is damaged.
    """
    if not path.exists():
        return []
    lines = [line for line in read_lines(path, "Train anew") if line[0].endswith(b"\n")]
    return [read_object(line, where) for line, where in lines]
