"""From pixels to a file: PNG without metadata, and a small JPEG beside a large picture."""

from __future__ import annotations

from io import BytesIO

from toolhaft_vision.limits import check_extent
from toolhaft_vision.picture import NewPicture, Pixels

PREVIEW_SIDE = 1024
"""Pixels; a picture with a longer side gets a preview of this length."""
_PREVIEW_SIZE = 200_000
_QUALITIES = (85, 70, 50, 30)


def png(pixels: Pixels, name: str) -> NewPicture:
    """Encode pixels.

    Args:
        pixels: Height x width, or height x width x 3 or 4, 8 bits.
        name: What a person calls it, without an ending.

    Raises:
        ToolError: It is beyond the limits.
    """
    from PIL import Image

    height, width = pixels.shape[:2]
    check_extent(width, height, "the result")
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return NewPicture(data=buffer.getvalue(), width=width, height=height, name=f"{name}.png")


def preview(picture: NewPicture) -> bytes | None:
    """Return a JPEG of at most 1,024 pixels a side and about 200 kB, or None where the picture is small."""
    if max(picture.width, picture.height) <= PREVIEW_SIDE:
        return None
    from PIL import Image

    from toolhaft_vision.decoding import read_picture

    image = Image.fromarray(read_picture(picture.data).rgb)
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    data = b""
    for quality in _QUALITIES:
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        data = buffer.getvalue()
        if len(data) <= _PREVIEW_SIZE:
            break
    return data
