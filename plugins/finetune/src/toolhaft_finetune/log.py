"""The log of a training run: one JSON line a step, and the loss curve drawn from it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolhaft.report.files import read_lines, read_object, write_whole

LOG = "log.jsonl"
_WIDTH, _HEIGHT, _EDGE = 640, 240, 44
_POINTS = 300
_COLOURS = {"loss": "#3b6fb6", "eval_loss": "#c2571a"}
_TITLES = {"loss": "training loss", "eval_loss": "loss on held-out rows"}


class TrainingLog:
    """Appends to ``log.jsonl``; of a resumed run, what was written after its checkpoint is dropped.

    Args:
        output: Folder of the run.
        step: Where the run is taken up; 0 begins a new log.
    """

    def __init__(self, output: Path, step: int) -> None:
        output.mkdir(parents=True, exist_ok=True)
        self._path = output / LOG
        kept = [line for line in read_log(self._path) if line["step"] <= step] if step else []
        write_whole(self._path, (json.dumps(line).encode() + b"\n" for line in kept))

    def write_step(self, step: int, *, loss: float, rate: float, tokens: int, seconds: float) -> None:
        """Write down a step; ``tokens`` and ``seconds`` are those since the beginning."""
        said = {"step": step, "loss": round(loss, 6), "lr": rate, "tokens": tokens}
        self._append({**said, "seconds": round(seconds, 3)})

    def write_evaluation(self, step: int, *, loss: float) -> None:
        """Write down the loss on held-out rows after a step."""
        self._append({"step": step, "eval_loss": round(loss, 6)})

    def to_disk(self) -> None:
        """Make sure that what was written stays, whatever happens to the machine."""
        with self._path.open("rb") as file:
            os.fsync(file.fileno())

    def _append(self, line: Mapping[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
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


def draw_curve(log: Sequence[Mapping[str, Any]], title: str = "Loss") -> str:
    """Return the losses of a log by step as an SVG picture; the training loss is smoothed.

    Args:
        log: Lines as `read_log` returns them.
        title: What the picture says to those who cannot see it.
    """
    curves = {name: [(line["step"], line[name]) for line in log if name in line] for name in _COLOURS}
    curves["loss"] = _thin(_smooth(curves["loss"]))
    points = [point for curve in curves.values() for point in curve]
    last = max((step for step, _ in points), default=1) or 1
    top = max((loss for _, loss in points), default=1.0) or 1.0
    grid = _nice(top)
    pieces = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{_escape(title)}" font-family="sans-serif" font-size="11" fill="currentColor">'
    ]
    for value in grid:
        y = _y(value, top)
        pieces.append(
            f'<line x1="{_EDGE}" x2="{_WIDTH - 8}" y1="{y:.1f}" y2="{y:.1f}" stroke="#8886"/>'
            f'<text x="{_EDGE - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
        )
    for name, curve in curves.items():
        where = " ".join(f"{_x(step, last):.1f},{_y(loss, top):.1f}" for step, loss in curve)
        if where:
            pieces.append(
                f'<polyline points="{where}" fill="none" stroke="{_COLOURS[name]}" stroke-width="2"/>'
            )
    shown = [name for name, curve in curves.items() if curve]
    for number, name in enumerate(shown):
        pieces.append(
            f'<text x="{_EDGE + 150 * number}" y="12" fill="{_COLOURS[name]}">{_TITLES[name]}</text>'
        )
    pieces.append(f'<text x="{_WIDTH - 8}" y="{_HEIGHT - 6}" text-anchor="end">step {last:,}</text></svg>')
    return "".join(pieces)


def _x(step: float, last: float) -> float:
    return _EDGE + (_WIDTH - 8 - _EDGE) * step / last


def _y(loss: float, top: float) -> float:
    return 20 + (_HEIGHT - 44) * (1 - loss / top)


def _smooth(curve: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    found: list[tuple[int, float]] = []
    mean = 0.0
    for number, (step, loss) in enumerate(curve):
        mean = loss if not number else 0.9 * mean + 0.1 * loss
        found.append((step, mean))
    return found


def _thin(curve: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    stride = max(1, len(curve) // _POINTS)
    return [*curve[::stride], *curve[-1:]]


def _nice(top: float) -> list[float]:
    unit = 10.0 ** math.floor(math.log10(top))
    stride = next(part * unit for part in (0.2, 0.5, 1, 2) if top / (part * unit) <= 6)
    return [round(stride * number, 10) for number in range(int(top / stride) + 1)]


def _escape(said: str) -> str:
    return said.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
