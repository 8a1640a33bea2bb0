"""Finding straight lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from toolhaft_vision.picture import Picture, Pixels
from toolhaft_vision.results import Limitations, Method, Overlay, Point
from toolhaft_vision.segments import Segment, join, pair, segment
from toolhaft_vision.tool import OVERLAY, image_tool

Orientation = Literal["horizontal", "vertical", "diagonal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A straight line, from its left end to its right one; a vertical one from its upper end."""

    start: Point
    end: Point
    length: Annotated[float, "Pixels."]
    angle: Annotated[float, "Degrees from horizontal, above -90 to 90; positive falls to the right."]
    orientation: Orientation
    kind: Annotated[Literal["stroke", "boundary"], "A thin line with two sides, or where two areas meet."]
    thickness: Annotated[float, "Pixels between the two sides of a stroke; 0 for a boundary."]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientations:
    """How many lines run which way."""

    horizontal: int
    vertical: int
    diagonal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesFound:
    """The straight lines of an image, the longest first."""

    count: int
    counts: Orientations
    lines: Annotated[tuple[Line, ...], "The first 100."]
    minimum_length: Annotated[int, "Shortest line that was looked for, pixels."]
    overlay: Overlay
    method: Method
    limits: Limitations


TOOL = image_tool(
    "find_lines",
    "Find the straight lines in an image: how many there are, where each begins and ends, its length, angle "
    "and thickness, and whether it is horizontal, vertical or diagonal.",
    result=LinesFound,
    function="toolhaft_vision.lines:find_lines",
    parameters={
        "minimum_length": {
            "type": "integer",
            "minimum": 5,
            "maximum": 20_000,
            "description": "Leave out shorter lines, in pixels. Default: 5 % of the diagonal, at least 15.",
        },
        "orientation": {
            "type": "string",
            "enum": ["any", "horizontal", "vertical", "diagonal"],
            "default": "any",
            "description": "Only lines that run this way.",
        },
        "overlay": OVERLAY,
    },
    tags=("line", "straight", "segment", "angle", "horizontal", "vertical", "diagonal", "count"),
    examples=({"image": "img-1"}, {"image": "img-1", "orientation": "horizontal", "minimum_length": 100}),
)

_WORKING = 2_000
"""Pixels of the longer side that is looked at."""
_UPRIGHT = 5.0
"""Degrees that a horizontal or vertical line may be off."""
_MOST_PIECES = 1_500
_MOST = 100


def find_lines(
    picture: Picture,
    *,
    minimum_length: int | None = None,
    orientation: Literal["any", "horizontal", "vertical", "diagonal"] = "any",
    overlay: bool = False,
) -> LinesFound:
    """Find line segments and join what belongs together.

    Args:
        picture: What to look at.
        minimum_length: Pixels; None is 5 % of the diagonal, at least 15.
        orientation: Which ones.
        overlay: Also draw what was found.

    Source: von Gioi and others, "LSD: a Line Segment Detector", IPOL 2012, as in OpenCV. Joining pieces
    across gaps, and pairing the two sides of a stroke by their opposite directions, is ours.
    """
    small, factor = picture.shrunk(_WORKING)
    diagonal = math.hypot(picture.width, picture.height)
    least = minimum_length or max(15, round(0.05 * diagonal))
    pieces = _pieces(small.grey)
    joined = join(pieces, gap=max(10.0, 0.015 * diagonal * factor))
    paired = pair([each for each in joined if each.length >= 0.5 * least * factor], _thickest(small))
    lines = [_told(each, factor) for each in paired if each.length >= least * factor]
    chosen = tuple(line for line in lines if orientation in ("any", line.orientation))
    ways = [line.orientation for line in chosen]
    return LinesFound(
        count=len(chosen),
        counts=Orientations(
            horizontal=ways.count("horizontal"),
            vertical=ways.count("vertical"),
            diagonal=ways.count("diagonal"),
        ),
        lines=chosen[:_MOST],
        minimum_length=least,
        overlay=_overlay(picture, chosen) if overlay else None,
        method="line segment detector (LSD), pieces joined across gaps, two sides of a stroke paired"
        + ("" if factor == 1 else f", on the image scaled by {factor:.2f}"),
        limits="straight lines only; two lines closer than about 2 % of the shorter side may be taken for "
        "one, a bar thicker than that for two boundaries; ends are good to about 3 pixels, or the line's "
        "thickness; a short end beyond another line may be missed; each side of a filled shape is a line, "
        "and a round outline is several short ones",
    )


def _pieces(grey: Pixels) -> list[Segment]:
    """Return the detector's segments, the longest ones where there are very many."""
    import cv2

    if min(grey.shape) < 8:
        return []
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    if found is None:
        return []
    # OpenCV 4 returns one more dimension than 5.
    pieces = [segment(*row) for row in found.reshape(-1, 4).tolist()]
    return sorted((each for each in pieces if each.length >= 3), key=lambda each: -each.length)[:_MOST_PIECES]


def _thickest(picture: Picture) -> float:
    return max(6.0, 0.02 * min(picture.width, picture.height))


def _told(found: Segment, factor: float) -> Line:
    ends = sorted([(found.x, found.y), found.end])
    angle = round(math.degrees(math.atan2(ends[1][1] - ends[0][1], ends[1][0] - ends[0][0])), 2) + 0.0
    angle = 90.0 if angle == -90 else angle
    way: Orientation = "diagonal"
    if abs(angle) <= _UPRIGHT:
        way = "horizontal"
    elif abs(angle) >= 90 - _UPRIGHT:
        way = "vertical"
        ends.sort(key=lambda end: end[1])
    points = [(round(x / factor), round(y / factor)) for x, y in ends]
    return Line(
        start=points[0],
        end=points[1],
        length=round(found.length / factor, 1),
        angle=angle,
        orientation=way,
        kind="stroke" if found.thickness else "boundary",
        thickness=round(found.thickness / factor, 1),
    )


def _overlay(picture: Picture, lines: tuple[Line, ...]) -> Overlay:
    from toolhaft_vision.drawing import draw

    return draw(picture, lines=[(line.start, line.end) for line in lines])
