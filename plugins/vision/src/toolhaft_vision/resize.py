"""Making an image larger or smaller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolhaft.errors import InvalidArgumentsError
from toolhaft_vision.limits import LIMITS, check_extent
from toolhaft_vision.picture import Picture
from toolhaft_vision.results import Limitations, Method, PictureOut
from toolhaft_vision.tool import image_tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Resized:
    """An image of another size."""

    image: PictureOut
    width: int
    height: int
    original_width: int
    original_height: int
    method: Method
    limits: Limitations


_SIDE = {"type": "integer", "minimum": 1, "maximum": LIMITS.side}

TOOL = image_tool(
    "resize_image",
    "Make an image larger or smaller: scale it to a width, a height, or by a factor. With only a width or "
    "only a height the proportions are kept.",
    result=Resized,
    function="toolhaft_vision.resize:resize_image",
    parameters={
        "width": _SIDE | {"description": "New width in pixels."},
        "height": _SIDE | {"description": "New height in pixels."},
        "scale": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 100,
            "description": "Factor for both sides instead of a width and a height: 0.5 is half the size.",
        },
        "fit": {
            "type": "string",
            "enum": ["exact", "inside"],
            "default": "exact",
            "description": "With both a width and a height: exact stretches the image to them, inside keeps "
            "its proportions and makes it as large as fits into them.",
        },
    },
    tags=("resize", "scale", "shrink", "enlarge", "thumbnail", "size", "bigger", "wide", "double", "half"),
    examples=({"image": "img-1", "width": 320}, {"image": "img-1", "scale": 0.5}),
)


def resize_image(
    picture: Picture,
    *,
    width: int | None = None,
    height: int | None = None,
    scale: float | None = None,
    fit: Literal["exact", "inside"] = "exact",
) -> Resized:
    """Scale a picture.

    Args:
        picture: What to scale.
        width: Pixels.
        height: Pixels.
        scale: Factor, instead of the two.
        fit: What to do where width and height do not have the picture's proportions.

    Raises:
        InvalidArgumentsError: Neither a side nor a factor is given, or both are.
        ToolError: The result would be beyond the limits.
    """
    import numpy
    from PIL import Image

    from toolhaft_vision.encoding import png

    size = _size(picture, width, height, scale, fit)
    check_extent(*size, "the result")
    scaled = Image.fromarray(picture.pixels).resize(size, Image.Resampling.LANCZOS)
    made = png(numpy.asarray(scaled), "resized")
    return Resized(
        image=made,
        width=made.width,
        height=made.height,
        original_width=picture.width,
        original_height=picture.height,
        method="Lanczos resampling",
        limits="enlarging adds pixels, not detail",
    )


def _size(
    picture: Picture, width: int | None, height: int | None, scale: float | None, fit: str
) -> tuple[int, int]:
    if (scale is None) == (width is None and height is None):
        raise InvalidArgumentsError(
            "no size is given" if scale is None else "both a scale and a width or height are given",
            where="resize_image",
            hint="Give a width, a height or both, or a scale alone",
        )
    if scale is not None:
        # A product beyond what floats hold would not round to an integer.
        factors = min(picture.width * scale, 1e9), min(picture.height * scale, 1e9)
        return max(1, round(factors[0])), max(1, round(factors[1]))
    across = width / picture.width if width is not None else None
    down = height / picture.height if height is not None else None
    if width is not None and height is not None and fit == "exact":
        return width, height
    factor = min(each for each in (across, down) if each is not None)
    return (
        width if factor == across and width is not None else max(1, round(picture.width * factor)),
        height if factor == down and height is not None else max(1, round(picture.height * factor)),
    )
