"""How round something is: a circle fitted to the edge around a centre that was guessed."""

from __future__ import annotations

from toolhaft_vision.picture import Pixels

_RAYS = 72
_STEPS = 49
_REACH = 0.3
"""Part of the radius to both sides of the guess where the edge is looked for."""
_WEAKEST = 4.0
"""Change of brightness that is an edge, of 255."""


def fit_circle(grey: Pixels, x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    """Move a guessed circle onto the edge around it.

    Args:
        grey: Height x width, 8 bits.
        x: Of the centre guessed, pixels.
        y: Likewise.
        radius: Guessed, pixels.

    Returns:
        Centre, radius, and the part of the directions, 0 to 1, in which there is an edge on the circle.
    """
    support = 0.0
    for _ in range(2):
        points, clear = _edge(grey, x, y, radius)
        fitted, kept = _fitted(points[clear])
        if fitted is None:
            return x, y, radius, 0.0
        x, y, radius = fitted
        support = kept / _RAYS
    return x, y, radius, support


def _edge(grey: Pixels, x: float, y: float, radius: float) -> tuple[Pixels, Pixels]:
    """Return the steepest point on each ray from the centre, rays x 2, and whether it is an edge."""
    import cv2
    import numpy

    angles = numpy.arange(_RAYS) * (2 * numpy.pi / _RAYS)
    share = numpy.linspace(1 - _REACH, 1 + _REACH, _STEPS)
    distances = share * radius
    across = (x + numpy.outer(numpy.cos(angles), distances)).astype(numpy.float32)
    down = (y + numpy.outer(numpy.sin(angles), distances)).astype(numpy.float32)
    profile = cv2.remap(grey, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    profile = cv2.GaussianBlur(profile.astype(numpy.float32), (7, 1), 1.5)
    change = numpy.abs(profile[:, 2:] - profile[:, :-2])
    # Near the guess first: a neighbour's edge may be the steeper one.
    best = (change * numpy.exp(-((share[1:-1] - 1) ** 2) / 0.03)).argmax(axis=1)
    rays = numpy.arange(_RAYS)
    points = numpy.stack([across[rays, best + 1], down[rays, best + 1]], axis=1).astype(numpy.float64)
    return points, change[rays, best] >= _WEAKEST


def _fitted(points: Pixels) -> tuple[tuple[float, float, float] | None, int]:
    """Return the circle through most of the points, and through how many.

    Source: Kasa, "A circle fitting procedure and its error analysis", 1976; the farthest are left out once.
    """
    import numpy

    near: Pixels = numpy.ones(len(points), bool)
    circle = None
    for _ in range(3):
        if near.sum() < 8:
            return None, 0
        chosen = points[near]
        middle = chosen.mean(axis=0)
        offset = chosen - middle
        system = numpy.column_stack([2 * offset, numpy.ones(len(offset))])
        (a, b, c), *_ = numpy.linalg.lstsq(system, (offset**2).sum(axis=1), rcond=None)
        radius = float(numpy.sqrt(max(0.0, c + a * a + b * b)))
        circle = float(a + middle[0]), float(b + middle[1]), radius
        away = numpy.abs(numpy.hypot(points[:, 0] - circle[0], points[:, 1] - circle[1]) - radius)
        near = away <= 1 + 0.02 * radius
    return circle, int(near.sum())
