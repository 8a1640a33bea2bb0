"""Which shape an outline has."""

from __future__ import annotations

import math
from typing import Literal, get_args

from toolhaft_vision.picture import Pixels

Shape = Literal[
    "circle",
    "ellipse",
    "triangle",
    "square",
    "rectangle",
    "quadrilateral",
    "pentagon",
    "hexagon",
    "heptagon",
    "octagon",
    "star",
    "cross",
    "line",
    "irregular",
]
SHAPES: tuple[Shape, ...] = get_args(Shape)
_BY_CORNERS: dict[int, Shape] = {
    3: "triangle",
    4: "quadrilateral",
    5: "pentagon",
    6: "hexagon",
    7: "heptagon",
    8: "octagon",
}


def shape_of(contour: Pixels) -> Shape:
    """Name the shape of a closed outline.

    Args:
        contour: Points x 1 x 2, as OpenCV's ``findContours`` gives them without approximation.
    """
    import cv2

    area = cv2.contourArea(contour)
    long, short = sorted(cv2.minAreaRect(contour)[1], reverse=True)
    # A contour runs through the outer pixels' middles: their other halves belong to the shape too.
    filled = (area + cv2.arcLength(contour, True) / 2 + 1) / ((long + 1) * (short + 1))
    if long + 1 > 8 * (short + 1):
        return "line"
    if len(contour) < 8 or area < 12:
        return "irregular"
    hull = cv2.convexHull(contour)
    solid = area / max(1.0, cv2.contourArea(hull))
    if solid < 0.88:
        return _concave(contour, solid)
    corners = corners_of(hull if solid > 0.93 else contour)
    if filled > 0.92 and len(corners) != 3:
        return "square" if short + 1 > 0.92 * (long + 1) else "rectangle"
    if len(corners) > 4 and _round(hull) <= _straight(hull, corners):
        axes = sorted(cv2.fitEllipse(hull)[1]) if len(hull) >= 5 else [short, long]
        return "circle" if axes[0] + 1 > 0.9 * (axes[1] + 1) else "ellipse"
    return _BY_CORNERS.get(len(corners), "irregular")


def corners_of(contour: Pixels) -> Pixels:
    """Return the corners of an outline, points x 2: what is left when it is drawn with fewest points."""
    import cv2

    length = cv2.arcLength(contour, True)
    return cv2.approxPolyDP(contour, max(1.5, 0.022 * length), True).reshape(-1, 2)


def _round(hull: Pixels) -> float:
    """Return how far an outline is from the ellipse that fits it best, in pixels, on average."""
    import cv2
    import numpy

    if len(hull) < 5:
        return math.inf
    (x, y), (width, height), turned = cv2.fitEllipse(hull)
    size = float(width + height) / 4
    if min(width, height) <= 0:
        return math.inf
    angle = math.radians(turned)
    points = _along(hull.reshape(-1, 2)) - (x, y)
    across = points @ (math.cos(angle), math.sin(angle)) / (width / 2)
    down = points @ (-math.sin(angle), math.cos(angle)) / (height / 2)
    return float(numpy.abs(numpy.hypot(across, down) - 1).mean()) * size


def _straight(hull: Pixels, corners: Pixels) -> float:
    """Return how far an outline is from the polygon of its corners, in pixels, on average."""
    import cv2
    import numpy

    polygon = corners.reshape(-1, 1, 2).astype(numpy.float32)
    points = _along(hull.reshape(-1, 2))
    return sum(abs(cv2.pointPolygonTest(polygon, (float(x), float(y)), True)) for x, y in points) / len(
        points
    )


def _along(corners: Pixels) -> Pixels:
    """Return points along a closed outline, about 120 of them, evenly spaced."""
    import numpy

    ends = numpy.roll(corners, -1, axis=0)
    lengths = numpy.hypot(*(ends - corners).T)
    counts = numpy.maximum(1, numpy.round(120 * lengths / max(lengths.sum(), 1e-9))).astype(int)
    pieces = [
        start + (end - start) * (numpy.arange(count) / count)[:, None]
        for start, end, count in zip(corners.astype(float), ends.astype(float), counts, strict=True)
    ]
    return numpy.concatenate(pieces)


def _concave(contour: Pixels, solid: float) -> Shape:
    """Name a shape with notches: a star's corners point out and in by turns, a cross has twelve."""
    import cv2
    import numpy

    points = cv2.approxPolyDP(contour, max(1.5, 0.016 * cv2.arcLength(contour, True)), True).reshape(-1, 2)
    before, after = points - numpy.roll(points, 1, axis=0), numpy.roll(points, -1, axis=0) - points
    bends = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    outward = numpy.sign(bends) == numpy.sign(bends.sum())
    if len(points) == 12 and int(outward.sum()) == 8:
        return "cross"
    alternate = bool((outward != numpy.roll(outward, 1)).all())
    return "star" if alternate and len(points) >= 6 and solid < 0.85 else "irregular"
