"""The loss curve of a training run, drawn from its log."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

_WIDTH, _HEIGHT, _EDGE = 640, 240, 44
_POINTS = 300
_COLOURS = {"loss": "#3b6fb6", "eval_loss": "#c2571a"}
_TITLES = {"loss": "training loss", "eval_loss": "loss on held-out rows"}


def draw_curve(log: Sequence[Mapping[str, Any]], title: str = "Loss") -> str:
    """Return the losses of a log by step as an SVG picture; the training loss is smoothed.

    Args:
        log: Lines as `toolhaft.training.log.read_log` returns them.
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
