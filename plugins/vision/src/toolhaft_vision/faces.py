"""Finding faces, not whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from toolhaft_vision.picture import Picture, Pixels
from toolhaft_vision.results import Box, Limitations, Method, Overlay
from toolhaft_vision.tool import OVERLAY, image_tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """Where a face is: from the fringe to the chin, about."""

    box: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class FacesFound:
    """The faces in an image, the largest first."""

    count: int
    faces: tuple[Face, ...]
    minimum_size: Annotated[int, "Smallest side of a face that was looked for, pixels."]
    overlay: Overlay
    method: Method
    limits: Limitations


TOOL = image_tool(
    "find_faces",
    "Find the faces of people in an image: how many there are and where. Does not tell who they are.",
    result=FacesFound,
    function="toolhaft_vision.faces:find_faces",
    parameters={
        "minimum_size": {
            "type": "integer",
            "minimum": 10,
            "maximum": 10_000,
            "description": "Leave out smaller faces, side in pixels. Default: 6 % of the shorter side, at "
            "least 24.",
        },
        "overlay": OVERLAY,
    },
    tags=("face", "person", "people", "portrait", "count"),
    examples=({"image": "img-1"},),
    timeout=60,
)

_WORKING = 800
_SMALLEST = 24
"""Side of the window that the cascade was trained on."""
_HITS = 9
"""Windows of a close-up that must hold a face."""
_MOST = 100
FloatBox = tuple[float, float, float, float]


def find_faces(picture: Picture, *, minimum_size: int | None = None, overlay: bool = False) -> FacesFound:
    """Find frontal faces with a cascade of local binary patterns, and keep those seen in the mirror too.

    Args:
        picture: What to look at.
        minimum_size: Side in pixels; None is 6 % of the shorter side, at least 24.
        overlay: Also draw where they are.

    Source: Liao and others, "Learning multi-scale block local binary patterns for face recognition", 2007;
    the trained cascade is the one that scikit-image brings. The mirror is ours: what only looks like a face
    from one side rarely does from the other, nor at another size.
    """
    small, factor = picture.shrunk(_WORKING)
    least = minimum_size or max(_SMALLEST, round(0.06 * min(picture.width, picture.height)))
    found = _faces(small.rgb, max(_SMALLEST, round(least * factor)))
    boxes = [_upright(box, factor, picture) for box in found]
    faces = tuple(Face(box=box) for box in sorted(boxes, key=lambda box: box[0] - box[2])[:_MOST])
    return FacesFound(
        count=len(faces),
        faces=faces,
        minimum_size=max(least, round(_SMALLEST / factor)),
        overlay=_overlay(picture, faces) if overlay else None,
        method="cascade of local binary patterns for frontal faces, on the image, its mirror and close-ups"
        + ("" if factor == 1 else f", scaled by {factor:.2f}"),
        limits="faces seen from the front and upright; profiles, tilted, covered, very dark or small faces "
        "are missed; drawn faces count too, and now and then a pattern or an animal's face; boxes are rough",
    )


def _faces(rgb: Pixels, least: int) -> list[FloatBox]:
    """Return the mean box of each face that is found both ways, and once more from close by."""
    import numpy

    if min(rgb.shape[:2]) <= _SMALLEST:
        return []
    width = rgb.shape[1]
    plain = _detect(rgb, least)
    mirrored = [
        (width - box[2], box[1], width - box[0], box[3])
        for box in (_detect(numpy.ascontiguousarray(rgb[:, ::-1]), least) if plain else ())
    ]
    found: list[FloatBox] = []
    for box in plain:
        other = max(mirrored, key=lambda each: overlap(box, each), default=None)
        if other is not None and overlap(box, other) > 0.4:
            mean = [(one + two) / 2 for one, two in zip(box, other, strict=True)]
            found.append((mean[0], mean[1], mean[2], mean[3]))
    return [box for box in _apart(found) if _stands_up(rgb, box)]


def _apart(boxes: list[FloatBox]) -> list[FloatBox]:
    """Keep of boxes around the same face the first."""
    kept: list[FloatBox] = []
    for box in boxes:
        if all(overlap(box, other) < 0.3 for other in kept):
            kept.append(box)
    return kept


def _stands_up(rgb: Pixels, box: FloatBox) -> bool:
    """Whether a face is found again in a close-up of 160 pixels, with more hits and finer steps."""
    import cv2
    import numpy

    left, top, right, bottom = box
    rim = 0.4 * (right - left)
    x, y = max(0, round(left - rim)), max(0, round(top - rim))
    part = rgb[y : round(bottom + rim), x : round(right + rim)]
    factor = 160 / max(part.shape[:2])
    size = max(1, round(part.shape[1] * factor)), max(1, round(part.shape[0] * factor))
    close = numpy.ascontiguousarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA))
    least = round(0.6 * (right - left) * factor)
    if min(size) <= least:
        return False
    wanted = [(edge - (x, y)[number % 2]) * factor for number, edge in enumerate(box)]
    again = _detect(close, least, step=1.1, hits=_HITS)
    return any(overlap(each, wanted) > 0.4 for each in again)


def _detect(rgb: Pixels, least: int, *, step: float = 1.2, hits: int = 4) -> list[FloatBox]:
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    side = min(rgb.shape[:2])
    found = Cascade(lbp_frontal_face_cascade_filename()).detect_multi_scale(
        img=rgb,
        scale_factor=step,
        step_ratio=1,
        min_size=(least, least),
        max_size=(side, side),
        min_neighbor_number=hits,
    )
    return [(each["c"], each["r"], each["c"] + each["width"], each["r"] + each["height"]) for each in found]


def overlap(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the intersection of two boxes over their union, 0 to 1.

    Args:
        first: Left, top, right, bottom.
        second: Likewise.
    """
    across = min(first[2], second[2]) - max(first[0], second[0])
    down = min(first[3], second[3]) - max(first[1], second[1])
    if across <= 0 or down <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return across * down / (areas - across * down)


def _upright(box: FloatBox, factor: float, picture: Picture) -> tuple[int, int, int, int]:
    """Return a box of the whole picture: the cascade's square is wide and short, a face is not."""
    left, top, right, bottom = (edge / factor for edge in box)
    side = right - left
    return (
        max(0, round(left + 0.02 * side)),
        max(0, round(top - 0.05 * side)),
        min(picture.width, round(right - 0.02 * side)),
        min(picture.height, round(bottom + 0.18 * side)),
    )


def _overlay(picture: Picture, faces: tuple[Face, ...]) -> Overlay:
    from toolhaft_vision.drawing import draw

    return draw(picture, boxes=[face.box for face in faces])
