"""Cutting a rectangle out of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolhaft_vision.picture import Picture, check_box
from toolhaft_vision.results import Box, Limitations, Method, PictureOut
from toolhaft_vision.tool import BOX_SCHEMA, image_tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cropped:
    """A rectangle of an image."""

    image: PictureOut
    width: int
    height: int
    box: Box
    method: Method
    limits: Limitations


TOOL = image_tool(
    "crop_image",
    "Cut a rectangle out of an image and return it as a new image. The rectangle is given in pixels and must "
    "lie within the image. Boxes that other image tools return can be given as they are.",
    result=Cropped,
    function="toolhaft_vision.crop:crop_image",
    parameters={
        "box": BOX_SCHEMA
        | {
            "description": "The rectangle to keep: left, top, right and bottom edge in pixels from the top "
            "left corner; right and bottom are exclusive."
        }
    },
    required=("box",),
    tags=(
        "crop",
        "cut",
        "trim",
        "region",
        "rectangle",
        "area",
        "part",
        "half",
        "quarter",
        "left",
        "right",
        "upper",
        "lower",
    ),
    examples=({"image": "img-1", "box": [10, 20, 110, 220]},),
)


def crop_image(picture: Picture, *, box: Sequence[int]) -> Cropped:
    """Cut a rectangle out of a picture, pixel for pixel.

    Args:
        picture: What to cut from.
        box: Left, top, right, bottom in pixels, the last two exclusive.

    Raises:
        InvalidArgumentsError: The box does not lie within the picture.
    """
    import numpy

    from toolhaft_vision.encoding import png

    left, top, right, bottom = check_box(box, picture)
    made = png(numpy.ascontiguousarray(picture.pixels[top:bottom, left:right]), "crop")
    return Cropped(
        image=made,
        width=made.width,
        height=made.height,
        box=(left, top, right, bottom),
        method="the pixels of the box, unchanged",
        limits="rectangles with upright sides only",
    )
