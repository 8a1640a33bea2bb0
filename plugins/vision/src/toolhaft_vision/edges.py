"""Finding edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from toolhaft_vision.picture import Picture
from toolhaft_vision.results import Limitations, Method, PictureOut
from toolhaft_vision.tool import image_tool

Detail = Literal["low", "normal", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgesFound:
    """The edges of an image, as a picture of its size."""

    image: PictureOut
    width: int
    height: int
    edge_pixels: int
    edge_share: Annotated[float, "Part of all pixels that lies on an edge, 0 to 1."]
    thresholds: Annotated[tuple[int, int], "Weak and strong change of brightness."]
    method: Method
    limits: Limitations


TOOL = image_tool(
    "find_edges",
    "Find the edges in an image: draws the outlines of everything in white on black, as a new image of the "
    "same size, and tells how much of the image lies on an edge.",
    result=EdgesFound,
    function="toolhaft_vision.edges:find_edges",
    parameters={
        "detail": {
            "type": "string",
            "enum": ["low", "normal", "high"],
            "default": "normal",
            "description": "low draws only strong outlines, high fine and faint ones too.",
        }
    },
    tags=("edge", "outline", "contour", "border", "canny", "sketch"),
    examples=({"image": "img-1"}, {"image": "img-1", "detail": "high"}),
)

_THRESHOLDS: dict[str, tuple[int, int]] = {"low": (150, 300), "normal": (100, 200), "high": (30, 90)}


def find_edges(picture: Picture, *, detail: Detail = "normal") -> EdgesFound:
    """Draw the edges of a picture, one pixel wide.

    Args:
        picture: What to look at.
        detail: How faint an edge may be.

    Source: Canny, "A computational approach to edge detection", 1986, as in OpenCV; of the three channels
    the one that changes most counts, so that colours of one brightness have an edge between them.
    """
    import cv2

    from toolhaft_vision.encoding import png

    weak, strong = _THRESHOLDS[detail]
    edges = cv2.Canny(picture.rgb, weak, strong, L2gradient=True)
    made = png(edges, "edges")
    count = int((edges > 0).sum())
    return EdgesFound(
        image=made,
        width=made.width,
        height=made.height,
        edge_pixels=count,
        edge_share=round(count / edges.size, 6),
        thresholds=(weak, strong),
        method="Canny edge detector on the colour channels",
        limits="edges are changes of colour, not outlines of things: texture, shadows and noise have edges "
        "too, and blurred outlines have none",
    )
