"""Counting round things."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from toolhaft.errors import InvalidArgumentsError
from toolhaft_vision.picture import Picture, Pixels
from toolhaft_vision.results import Box, Limitations, Method, Overlay, Point
from toolhaft_vision.tool import OVERLAY, image_tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """A round thing."""

    center: Point
    radius: Annotated[int, "Pixels."]
    box: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class CirclesCounted:
    """The round things in an image, by rows from the top left."""

    count: int
    circles: Annotated[tuple[Circle, ...], "The first 100."]
    minimum_radius: Annotated[int, "Smallest radius that was looked for, pixels."]
    maximum_radius: Annotated[int, "Largest radius that was looked for, pixels."]
    overlay: Overlay
    method: Method
    limits: Limitations


TOOL = image_tool(
    "count_circles",
    "Count the circles and round things in an image, such as coins, balls, buttons or dots: how many there "
    "are, where each is and how large.",
    result=CirclesCounted,
    function="toolhaft_vision.circles:count_circles",
    parameters={
        "minimum_radius": {
            "type": "integer",
            "minimum": 3,
            "maximum": 10_000,
            "description": "Leave out what is smaller, in pixels. Default: 1 % of the shorter side.",
        },
        "maximum_radius": {
            "type": "integer",
            "minimum": 3,
            "maximum": 10_000,
            "description": "Leave out what is larger, in pixels. Default: half of the shorter side.",
        },
        "overlay": OVERLAY,
    },
    tags=("count", "circle", "round", "coin", "ball", "dot", "how many"),
    examples=({"image": "img-1"}, {"image": "img-1", "minimum_radius": 10, "maximum_radius": 60}),
)

_SMALLEST, _LARGEST = 10, 30
"""Radii in pixels that one level of the pyramid looks for: there, edges are sharp and votes are many."""
_PERFECTNESS = 0.85
_EDGE = 200
_SUPPORT = 0.6
"""Part of the directions in which a circle must have an edge."""
_WORKING = 8_000_000
"""Pixels of the largest level."""
_MOST = 100


def count_circles(
    picture: Picture,
    *,
    minimum_radius: int | None = None,
    maximum_radius: int | None = None,
    overlay: bool = False,
) -> CirclesCounted:
    """Find circles with a Hough transform at several sizes of the picture.

    One transform over all radii misses large circles with ragged edges and small ones; so the picture is
    scaled until each range of radii becomes 10 to 30 pixels.

    Args:
        picture: What to look at.
        minimum_radius: Pixels; None is 1 % of the shorter side, at least 4.
        maximum_radius: Pixels; None is half of the shorter side.
        overlay: Also draw what was found.

    Raises:
        InvalidArgumentsError: The least radius is above the greatest.

    Source: Yuen and others, "Comparative study of Hough transform methods for circle finding", 1990, as
    OpenCV's gradient-alt variant; the pyramid is ours.
    """
    shorter = min(picture.width, picture.height)
    least = minimum_radius or max(4, round(shorter / 100))
    most = maximum_radius or max(least, math.ceil(shorter / 2))
    if least > most:
        raise InvalidArgumentsError(
            f"the minimum_radius {least} is above the maximum_radius {most}",
            where="count_circles#/minimum_radius",
            hint="Exchange them, or leave one out",
        )
    finest = min(2.0, _SMALLEST / least, math.sqrt(_WORKING / (picture.width * picture.height)))
    least = max(least, math.floor(0.8 * _SMALLEST / finest) if finest < _SMALLEST / least else least)
    found = [each for each in _round(picture.grey, finest, most) if least - 1 <= each[2] <= most + 1]
    circles = tuple(_told(each, picture) for each in _by_rows(_apart(found)))
    return CirclesCounted(
        count=len(circles),
        circles=circles[:_MOST],
        minimum_radius=least,
        maximum_radius=most,
        overlay=_overlay(picture, circles) if overlay else None,
        method="Hough transform for circles on a pyramid of the image's brightness, each fitted to its edge",
        limits="circles seen from the front; those hidden by more than about a quarter, cut off by the "
        "border, or without contrast to what surrounds them are missed; rings within one another count "
        "once; round letters, polygons of seven or more corners and now and then a hexagon count too",
    )


def _round(grey: Pixels, scale: float, most: int) -> list[tuple[float, float, float]]:
    """Return centre and radius of what really has an edge all around."""
    import cv2

    from toolhaft_vision.roundness import fit_circle

    smooth = cv2.medianBlur(grey, 3)
    fitted = [fit_circle(smooth, *each) for each in _candidates(grey, scale, most)]
    return [(x, y, radius) for x, y, radius, support in fitted if support >= _SUPPORT]


def _candidates(grey: Pixels, scale: float, most: int) -> Iterator[tuple[float, float, float]]:
    """Yield centre and radius of circles, from the finest level on until the greatest radius is reached."""
    import cv2

    height, width = grey.shape
    while True:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        greatest = min(round(1.25 * _LARGEST), math.ceil(most * scale))
        if greatest >= 3 and min(size) >= 8:
            way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
            level = cv2.GaussianBlur(cv2.medianBlur(cv2.resize(grey, size, interpolation=way), 3), (0, 0), 1)
            for x, y, radius in _transform(level, min(round(0.8 * _SMALLEST), greatest), greatest):
                yield x / scale, y / scale, radius / scale
        if most * scale <= _LARGEST:
            return
        scale *= _SMALLEST / _LARGEST


def _transform(level: Pixels, least: int, most: int) -> list[list[float]]:
    import cv2

    found = cv2.HoughCircles(
        level,
        cv2.HOUGH_GRADIENT_ALT,
        1.5,
        least,
        param1=_EDGE,
        param2=_PERFECTNESS,
        minRadius=least,
        maxRadius=most,
    )
    if found is None:
        return []
    rows: list[list[float]] = found.reshape(-1, found.shape[-1])[:, :3].tolist()
    return rows


def _apart(found: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Keep of circles that share most of their area the largest."""
    kept: list[tuple[float, float, float]] = []
    for x, y, radius in sorted(found, key=lambda each: -each[2]):
        if all(math.hypot(x - a, y - b) >= 0.9 * other for a, b, other in kept):
            kept.append((x, y, radius))
    return kept


def _by_rows(found: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    if not found:
        return found
    row = 2 * sorted(each[2] for each in found)[len(found) // 2]
    return sorted(found, key=lambda each: (each[1] // row, each[0], each[1]))


def _told(found: tuple[float, float, float], picture: Picture) -> Circle:
    x, y, radius = found
    return Circle(
        center=(round(x), round(y)),
        radius=round(radius),
        box=(
            max(0, round(x - radius)),
            max(0, round(y - radius)),
            min(picture.width, round(x + radius)),
            min(picture.height, round(y + radius)),
        ),
    )


def _overlay(picture: Picture, circles: tuple[Circle, ...]) -> Overlay:
    from toolhaft_vision.drawing import draw

    return draw(picture, circles=[(each.center, each.radius) for each in circles])
