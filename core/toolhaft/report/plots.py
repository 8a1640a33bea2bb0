"""Small plots as inline SVG: a share with its interval, a difference about zero, parts of a whole."""

from __future__ import annotations

import math
from collections.abc import Sequence

from toolhaft.report.markup import Child, Html, clamp, tag

_SCALES = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
"""Ends of the axis of differences, as shares; one point is a hundredth."""
_ROOM_FOR_A_NUMBER = 0.05


def share_plot(value: float, low: float, high: float) -> Html:
    """Return a dot with its interval on an axis from 0 to 1; what the axis says stands beside it as text."""
    return _whisker(clamp(value), clamp(low), clamp(high), [0.0, 0.25, 0.5, 0.75, 1.0], "plot")


def difference_plot(value: float, low: float | None, high: float | None, end: float) -> Html:
    """Return a dot with its interval on an axis from ``-end`` to ``end``, with a line at zero."""

    def place(number: float) -> float:
        return clamp(0.5 + number / (2 * end))

    at = place(value)
    return _whisker(
        at,
        place(low) if low is not None else at,
        place(high) if high is not None else at,
        [0.0, 0.5, 1.0],
        "plot about-zero",
    )


def scale_of(values: Sequence[float | None]) -> float:
    """Return the end of an axis about zero on which every value has its place."""
    largest = max((abs(value) for value in values if value is not None and math.isfinite(value)), default=0)
    return next((end for end in _SCALES if largest <= end), 1.0)


def parts_plot(parts: Sequence[tuple[str, int]]) -> Html:
    """Return a bar of parts, each with its number where there is room for it.

    Args:
        parts: A class of the style sheet and a number for each; the text beside it names them.
    """
    whole = sum(number for _, number in parts) or 1
    pieces: list[Child] = []
    begins = 0.0
    for name, number in parts:
        share = number / whole
        pieces.append(tag("rect", x=percent(begins), width=percent(share), height="100%", class_=name))
        if share >= _ROOM_FOR_A_NUMBER:
            middle = percent(begins + share / 2)
            pieces.append(tag("text", f"{number:,}", x=middle, y="15", class_="number"))
        begins += share
    return tag("svg", *pieces, class_="parts", height="21", aria_hidden="true")


def percent(share: float) -> str:
    """Return a share as a length of SVG."""
    return f"{100 * clamp(share):.2f}%"


def _whisker(value: float, low: float, high: float, grid: Sequence[float], name: str) -> Html:
    lines = [
        tag(
            "line",
            x1=percent(at),
            x2=percent(at),
            y1="0",
            y2="100%",
            class_="zero" if "about-zero" in name and at == 0.5 else "grid",
        )
        for at in grid
    ]
    ends = [
        tag("line", x1=percent(at), x2=percent(at), y1="6", y2="16", class_="whisker") for at in (low, high)
    ]
    return tag(
        "svg",
        *lines,
        tag("line", x1=percent(low), x2=percent(high), y1="11", y2="11", class_="whisker"),
        *ends,
        tag("circle", cx=percent(value), cy="11", r="5", class_="dot"),
        class_=name,
        height="22",
        aria_hidden="true",
    )
