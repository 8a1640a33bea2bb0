"""Cutting the main object out of its background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from toolhaft.errors import ToolError
from toolhaft_vision.picture import Picture, Pixels, check_box
from toolhaft_vision.results import Box, Limitations, Method, PictureOut
from toolhaft_vision.tool import BOX_SCHEMA, image_tool


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOut:
    """An object on a see-through background."""

    image: PictureOut
    mask: Annotated[PictureOut, "White where the object is, black elsewhere, as large as the image."]
    width: int
    height: int
    object_box: Box
    object_share: Annotated[float, "Part of the image that the object covers, 0 to 1."]
    method: Method
    limits: Limitations


TOOL = image_tool(
    "remove_background",
    "Cut an object or person out of the background: makes the background of an image transparent and keeps "
    "the object. Give a box around the object where the image shows several things.",
    result=CutOut,
    function="toolhaft_vision.cutout:remove_background",
    parameters={
        "box": BOX_SCHEMA
        | {
            "description": "Rectangle around the object to keep: left, top, right and bottom edge in "
            "pixels. Default: everything on a plain background, or the person whose face is seen."
        }
    },
    tags=("background", "cut out", "transparent", "mask", "segment", "foreground", "portrait"),
    examples=({"image": "img-1"}, {"image": "img-1", "box": [40, 30, 300, 400]}),
    timeout=60,
)

_WORKING = 400
_ROUNDS = 3
_PLAIN = 0.9


def remove_background(picture: Picture, *, box: Sequence[int] | None = None) -> CutOut:
    """Tell the object from the background.

    Args:
        picture: What to cut from.
        box: Left, top, right, bottom around the object, the last two exclusive; None finds the ground by
            its plain colour, or else a person by the face.

    Raises:
        InvalidArgumentsError: The box does not lie within the picture.
        ToolError: There is no object to be told from the background.

    Source: Rother and others, "GrabCut", 2004, as in OpenCV, on a picture of at most 400 pixels.
    """
    import numpy

    from toolhaft_vision.encoding import png

    if box is not None:
        mask, method = _by_box(picture, check_box(box, picture)), "GrabCut from the box"
    else:
        mask, method = _unguided(picture)
    rows, columns = numpy.nonzero(mask.any(axis=1))[0], numpy.nonzero(mask.any(axis=0))[0]
    if not len(rows):
        raise ToolError(
            "nothing stands out from the background",
            where="remove_background",
            hint="Give a box that lies closely around the object, with some background within",
        )
    alpha = mask if picture.rgba is None else numpy.minimum(mask, picture.rgba[..., 3])
    made = png(numpy.dstack([picture.pixels[..., :3], alpha]), "cutout")
    return CutOut(
        image=made,
        mask=png(mask, "mask"),
        width=made.width,
        height=made.height,
        object_box=(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1),
        object_share=round(float((mask > 127).mean()), 6),
        method=method,
        limits="told by colour alone: parts coloured like the background are lost, and background coloured "
        "like the object is kept; fine hair, glass and shadows are cut roughly",
    )


def _unguided(picture: Picture) -> tuple[Pixels, str]:
    """Return the mask and the method, where nobody said what to keep."""
    import numpy

    from toolhaft_vision.colours import distance, lab
    from toolhaft_vision.faces import find_faces
    from toolhaft_vision.regions import calm, find_ground

    pixels = lab(calm(picture.rgb))
    ground = find_ground(pixels)
    if ground.share >= _PLAIN and ground.tolerance < 20:
        mask = (distance(pixels, ground.colour) > ground.tolerance).astype(numpy.uint8) * 255
        return _without_specks(mask), "difference in colour from the plain background"
    faces = find_faces(picture).faces
    if not faces:
        raise ToolError(
            "the background is not plain, and no face is seen",
            where="remove_background",
            hint="Give a box around the object to keep",
        )
    return _by_face(picture, faces[0].box), "GrabCut from the largest face"


def _by_box(picture: Picture, box: tuple[int, int, int, int]) -> Pixels:
    """Return the mask of what is in a box: outside is background, inside is to be decided."""
    import cv2
    import numpy

    seeds: Pixels = numpy.full((picture.height, picture.width), cv2.GC_BGD, numpy.uint8)
    left, top, right, bottom = box
    seeds[top:bottom, left:right] = cv2.GC_PR_FGD
    return _grabcut(picture, seeds)


def _by_face(picture: Picture, face: tuple[int, int, int, int]) -> Pixels:
    """Return the mask of a person: the face is, shoulders below may be, the upper corners are not."""
    import cv2
    import numpy

    left, top, right, bottom = face
    width, height = right - left, bottom - top
    seeds: Pixels = numpy.full((picture.height, picture.width), cv2.GC_PR_BGD, numpy.uint8)
    seeds[
        max(0, top - height // 2) : bottom + height // 3, max(0, left - width // 2) : right + width // 2
    ] = cv2.GC_PR_FGD
    seeds[bottom + height // 3 :, max(0, left - width) : right + width] = cv2.GC_PR_FGD
    seeds[top + height // 5 : bottom - height // 5, left + width // 5 : right - width // 5] = cv2.GC_FGD
    centre = (left + right) // 2
    seeds[bottom + height // 2 :, max(0, centre - width // 3) : centre + width // 3] = cv2.GC_FGD
    rim = max(2, min(seeds.shape) // 50)
    for side in (seeds[:rim], seeds[: picture.height // 2, :rim], seeds[: picture.height // 2, -rim:]):
        side[side == cv2.GC_PR_BGD] = cv2.GC_BGD
    return _grabcut(picture, seeds)


def _grabcut(picture: Picture, seeds: Pixels) -> Pixels:
    """Decide the uncertain pixels on a small picture and bring the mask to the picture's size."""
    import cv2
    import numpy

    small, factor = picture.shrunk(_WORKING)
    size = small.width, small.height
    marks = cv2.resize(seeds, size, interpolation=cv2.INTER_NEAREST)
    known = {kind: bool((marks == kind).any()) for kind in (cv2.GC_BGD, cv2.GC_PR_FGD, cv2.GC_FGD)}
    if not known[cv2.GC_BGD] or not (known[cv2.GC_PR_FGD] or known[cv2.GC_FGD]):
        raise ToolError(
            "the box leaves no background around the object"
            if not known[cv2.GC_BGD]
            else "the box is too small to tell an object from its background",
            where="remove_background",
            hint="Give a box around the object that leaves some of the image outside",
        )
    models = numpy.zeros((1, 65)), numpy.zeros((1, 65))
    # Its clustering draws random numbers: without a seed, calls before this one would change the mask.
    cv2.setRNGSeed(0)
    cv2.grabCut(small.rgb, marks, None, *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    mask = numpy.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(numpy.uint8) * 255
    mask = _without_specks(mask)
    if factor == 1:
        return mask
    large = cv2.resize(mask, (picture.width, picture.height), interpolation=cv2.INTER_LINEAR)
    return numpy.where(large > 127, 255, 0).astype(numpy.uint8)


def _without_specks(mask: Pixels) -> Pixels:
    """Leave out pieces of less than a hundredth of the largest one, and fill as small holes."""
    import cv2
    import numpy

    for value in (255, 0):
        _, labels, figures, _ = cv2.connectedComponentsWithStats((mask == value).astype(numpy.uint8))
        sizes = figures[1:, cv2.CC_STAT_AREA]
        if len(sizes):
            small: Pixels = numpy.flatnonzero(sizes < 0.01 * sizes.max()) + 1
            mask = numpy.where(numpy.isin(labels, small), 255 - value, mask).astype(numpy.uint8)
    return mask
