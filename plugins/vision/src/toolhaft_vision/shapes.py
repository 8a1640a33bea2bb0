"""Finding drawn shapes and their colours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from toolhaft_vision.colours import NAMES
from toolhaft_vision.outlines import SHAPES, Shape
from toolhaft_vision.picture import Picture, Pixels
from toolhaft_vision.results import Box, Limitations, Method, Overlay, Point
from toolhaft_vision.tool import OVERLAY, image_tool

Colour = Literal[
    "red", "orange", "yellow", "green", "cyan", "blue", "purple", "magenta", "pink", "brown", "black", "grey",
    "white",
]  # fmt: skip
Channel = Annotated[int, "0 to 255."]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeFound:
    """One object of one colour."""

    color: Colour
    rgb: tuple[Channel, Channel, Channel]
    shape: Shape
    box: Box
    center: Point
    area: Annotated[int, "Pixels that it covers, holes left out."]
    filled: Annotated[bool, "False for an outline, or where there are large holes."]
    touches_border: Annotated[bool, "It may be cut off; its shape is what can be seen of it."]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapesFound:
    """The objects on a plain ground, by rows from the top left."""

    count: int
    by_color: Annotated[dict[str, int], "How many there are of each colour."]
    by_shape: Annotated[dict[str, int], "How many there are of each shape."]
    shapes: Annotated[tuple[ShapeFound, ...], "The first 100."]
    background: Annotated[Colour, "Colour of what surrounds them."]
    plain_background: Annotated[bool, "False: this is no drawing on a plain ground; do not rely on it."]
    overlay: Overlay
    method: Method
    limits: Limitations


TOOL = image_tool(
    "find_shapes",
    "Find the coloured shapes and objects in a drawing, icon sheet or diagram on a plain background: how "
    "many there are, and the colour, shape, size and place of each, with counts by colour and by shape.",
    result=ShapesFound,
    function="toolhaft_vision.shapes:find_shapes",
    parameters={
        "color": {
            "type": "string",
            "enum": list(NAMES),
            "description": "Only objects of this colour. Default: all.",
        },
        "shape": {
            "type": "string",
            "enum": list(SHAPES),
            "description": "Only objects of this shape; squares are not counted as rectangles. Default: all.",
        },
        "minimum_area": {
            "type": "integer",
            "minimum": 1,
            "maximum": 40_000_000,
            "description": "Leave out smaller objects, in pixels. Default: 0.02 % of the image, at least 16.",
        },
        "overlay": OVERLAY,
    },
    tags=("shape", "colour", "color", "object", "count", "triangle", "square", "circle", "star"),
    examples=({"image": "img-1"}, {"image": "img-1", "color": "red", "shape": "circle"}),
)

_WORKING = 2_000
_MOST = 100


def find_shapes(
    picture: Picture,
    *,
    color: str | None = None,
    shape: str | None = None,
    minimum_area: int | None = None,
    overlay: bool = False,
) -> ShapesFound:
    """Tell objects from the ground by colour and name their colours and shapes.

    Args:
        picture: What to look at.
        color: One of `toolhaft_vision.colours.NAMES`.
        shape: One of `toolhaft_vision.outlines.SHAPES`.
        minimum_area: Pixels; None is 0.02 % of the picture, at least 16.
        overlay: Also draw what was found.
    """
    from toolhaft_vision.regions import calm, split

    small, factor = picture.shrunk(_WORKING)
    smallest = (minimum_area or max(16, round(picture.width * picture.height / 5000))) * factor**2
    labels, ground = split(calm(small.rgb), max(1, round(smallest)))
    found = [
        each
        for each in _objects(small, labels, max(1.0, smallest), factor, picture)
        if color in (None, each.color) and shape in (None, each.shape)
    ]
    shapes = tuple(sorted(found, key=lambda each: (each.box[1] // 40, each.box[0]))[:_MOST])
    return ShapesFound(
        count=len(found),
        by_color=dict(Counter(each.color for each in found).most_common()),
        by_shape=dict(Counter(each.shape for each in found).most_common()),
        shapes=shapes,
        background=_ground_name(ground.colour),
        plain_background=ground.plain,
        overlay=_overlay(picture, shapes) if overlay else None,
        method="difference in colour from the border's commonest colour, split where colours change steeply; "
        "shapes by their corners or the ellipse that fits best"
        + ("" if factor == 1 else f", on the image scaled by {factor:.2f}"),
        limits="objects on a plain ground only, not things in photographs; objects of one colour that touch "
        "or overlap count as one; strong JPEG compression adds small pieces along outlines; "
        "a covered object has the shape of what can be seen of it; names of colours "
        "and shapes are these lists' nearest",
    )


def _objects(
    small: Picture, labels: Pixels, smallest: float, factor: float, picture: Picture
) -> Iterator[ShapeFound]:
    import cv2
    import numpy

    from toolhaft_vision.regions import places

    for rows, columns in places(labels).values():
        if len(rows) < smallest:
            continue
        place = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
        mask = numpy.zeros((place[0].stop - place[0].start, place[1].stop - place[1].start), numpy.uint8)
        mask[rows - place[0].start, columns - place[1].start] = 1
        contours, _ = cv2.findContours(numpy.pad(mask, 1), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        yield _told(small.rgb[place], mask, max(contours, key=cv2.contourArea), place, factor, picture)


def _told(
    rgb: Pixels, mask: Pixels, contour: Pixels, place: tuple[slice, slice], factor: float, picture: Picture
) -> ShapeFound:
    import cv2
    import numpy

    from toolhaft_vision.colours import colour_name
    from toolhaft_vision.outlines import shape_of

    inner = cv2.erode(mask, numpy.ones((3, 3), numpy.uint8), borderValue=0)
    red, green, blue = (
        round(float(value)) for value in numpy.median(rgb[(inner if inner.any() else mask) > 0], axis=0)
    )
    rows, columns = numpy.nonzero(mask)
    down, across = place[0].start, place[1].start
    covered = cv2.drawContours(numpy.zeros(numpy.add(mask.shape, 2), numpy.uint8), [contour], -1, 1, -1).sum()
    left, top = round(across / factor), round(down / factor)
    right = min(picture.width, round(place[1].stop / factor))
    bottom = min(picture.height, round(place[0].stop / factor))
    return ShapeFound(
        color=colour_name(red, green, blue),  # type: ignore[arg-type]
        rgb=(red, green, blue),
        shape=shape_of(contour),
        box=(left, top, right, bottom),
        center=(round((across + columns.mean()) / factor), round((down + rows.mean()) / factor)),
        area=round(int(mask.sum()) / factor**2),
        filled=bool(mask.sum() > 0.85 * covered),
        touches_border=left == 0 or top == 0 or right == picture.width or bottom == picture.height,
    )


def _ground_name(colour: Pixels) -> Colour:
    import cv2
    import numpy

    from toolhaft_vision.colours import colour_name

    rgb = cv2.cvtColor(numpy.asarray(colour, numpy.float32).reshape(1, 1, 3), cv2.COLOR_LAB2RGB) * 255
    return colour_name(*rgb.reshape(3).tolist())  # type: ignore[return-value]


def _overlay(picture: Picture, shapes: tuple[ShapeFound, ...]) -> Overlay:
    from toolhaft_vision.drawing import draw

    return draw(picture, boxes=[each.box for each in shapes])
