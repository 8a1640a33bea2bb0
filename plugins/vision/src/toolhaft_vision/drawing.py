"""Pictures of what was found, drawn over the image: an extra for people to look at."""

from __future__ import annotations

from collections.abc import Iterable

from toolhaft_vision.encoding import png
from toolhaft_vision.picture import NewPicture, Picture

_COLOUR = (255, 0, 200)


def draw(
    picture: Picture,
    *,
    boxes: Iterable[tuple[int, int, int, int]] = (),
    circles: Iterable[tuple[tuple[int, int], int]] = (),
    lines: Iterable[tuple[tuple[int, int], tuple[int, int]]] = (),
) -> NewPicture:
    """Draw what was found into a copy of the picture.

    Args:
        picture: What is drawn into.
        boxes: Left, top, right, bottom; the last two exclusive.
        circles: Centre and radius.
        lines: Two ends each.
    """
    import cv2

    made = picture.rgb.copy()
    thick = max(1, round(max(picture.width, picture.height) / 400))
    for left, top, right, bottom in boxes:
        cv2.rectangle(made, (left, top), (right - 1, bottom - 1), _COLOUR, thick)
    for centre, radius in circles:
        cv2.circle(made, centre, radius, _COLOUR, thick)
    for start, end in lines:
        cv2.line(made, start, end, _COLOUR, thick)
    return png(made, "overlay")
