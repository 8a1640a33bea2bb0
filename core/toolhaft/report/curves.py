"""A plot of curves with interval bands as inline SVG, one line a retriever."""

from __future__ import annotations

from collections.abc import Sequence

from toolhaft.evaluators.ranking_comparison import Figure
from toolhaft.report.markup import Child, Html, clamp, tag
from toolhaft.report.visible import make_line

COLOURS = 6
"""Colours of the style sheet for curves; what comes after them begins anew, with other dashes."""
_WIDTH, _HEIGHT = 720, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 16, 12, 36
_MOST_LABELS = 10


def curves_plot(curves: Sequence[tuple[str, Sequence[Figure]]], *, title: str, below: str) -> Html:
    """Return curves over 1, 2, 3 ..., each with a band for its 95 % interval.

    Args:
        curves: A name and a figure at each place; all of one length, at least 1.
        title: What is drawn, for those who cannot see it.
        below: What the axis below counts.
    """
    length = max((len(figures) for _, figures in curves), default=0)
    if not length:
        return tag("svg", class_="curves")
    bands = [
        tag("path", d=_band(figures, length), class_=f"band {_class(i)}")
        for i, (_, figures) in enumerate(curves)
    ]
    lines: list[Child] = []
    for index, (name, figures) in enumerate(curves):
        lines.append(tag("path", d=_line(figures, length), class_=f"curve {_class(index)}"))
        for place, figure in enumerate(figures, 1):
            told = f"{make_line(name, 60)}, k = {place}: {_said(figure)}"
            lines.append(
                tag(
                    "circle",
                    tag("title", told),
                    cx=_number(_x(place, length)),
                    cy=_number(_y(figure.mean)),
                    r="3.5",
                    class_=f"point {_class(index)}",
                )
            )
    return tag(
        "svg",
        tag("title", title),
        *_grid(length, below),
        *bands,
        *lines,
        class_="curves",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=title,
    )


def curve_class(index: int) -> str:
    """Return the class of the style sheet that a curve has, for its legend."""
    return _class(index)


def _class(index: int) -> str:
    return f"curve-{index % COLOURS + 1}{' dashed' if index >= COLOURS else ''}"


def _grid(length: int, below: str) -> list[Child]:
    pieces: list[Child] = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _number(_y(share))
        pieces.append(tag("line", x1=str(_LEFT), x2=str(_WIDTH - _RIGHT), y1=y, y2=y, class_="grid"))
        pieces.append(
            tag("text", f"{100 * share:.0f} %", x=str(_LEFT - 8), y=_number(_y(share) + 4), class_="end")
        )
    step = -(-length // _MOST_LABELS)
    for place in sorted({1, *range(step, length + 1, step)}):
        x = _number(_x(place, length))
        pieces.append(tag("text", f"{place}", x=x, y=str(_HEIGHT - _BOTTOM + 18), class_="middle"))
    pieces.append(tag("text", below, x=str(_WIDTH - _RIGHT), y=str(_HEIGHT - 2), class_="end"))
    return pieces


def _band(figures: Sequence[Figure], length: int) -> str:
    upper = [(_x(place, length), _y(figure.high)) for place, figure in enumerate(figures, 1)]
    lower = [(_x(place, length), _y(figure.low)) for place, figure in enumerate(figures, 1)]
    return f"{_path([*upper, *reversed(lower)])}Z"


def _line(figures: Sequence[Figure], length: int) -> str:
    return _path([(_x(place, length), _y(figure.mean)) for place, figure in enumerate(figures, 1)])


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if i else 'M'}{_number(x)} {_number(y)}" for i, (x, y) in enumerate(points))


def _x(place: int, length: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * ((place - 1) / (length - 1) if length > 1 else 0.5)


def _y(share: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - clamp(share))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _said(figure: Figure) -> str:
    return f"{100 * figure.mean:.1f} % ({100 * figure.low:.1f} to {100 * figure.high:.1f})"
