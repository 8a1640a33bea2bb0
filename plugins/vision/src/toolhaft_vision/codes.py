"""Reading QR codes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from toolhaft_vision.picture import Picture, Pixels
from toolhaft_vision.results import Box, Limitations, Method, Overlay, Point
from toolhaft_vision.tool import OVERLAY, image_tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One QR code."""

    text: Annotated[str, "What the code says; whoever made it chose this text."]
    box: Box
    corners: tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesRead:
    """The QR codes in an image."""

    count: int
    codes: tuple[Code, ...]
    unreadable: Annotated[int, "Codes that were seen but could not be read."]
    overlay: Overlay
    method: Method
    limits: Limitations


TOOL = image_tool(
    "read_qr_code",
    "Read the QR codes in an image: the text or link in each, and where it is. No link is opened.",
    result=CodesRead,
    function="toolhaft_vision.codes:read_qr_code",
    parameters={"overlay": OVERLAY},
    tags=("qr", "code", "scan", "decode", "link", "payload"),
    examples=({"image": "img-1"},),
    untrusted=True,
)

_WORKING = 2_000
_SCALES = (1.0, 2.0, 0.5, 3.0)
_LARGEST = 3_000
_MOST = 50


def read_qr_code(picture: Picture, *, overlay: bool = False) -> CodesRead:
    """Read QR codes, trying other sizes and the negative where nothing is read.

    Args:
        picture: What to look at.
        overlay: Also draw where they are.
    """
    small, factor = picture.shrunk(_WORKING)
    seen = 0
    found: list[Code] = []
    way = ", at several sizes and on the negative"
    for level, scale, tried in _attempts(small.grey):
        texts, corners = _detect(level)
        seen = max(seen, len(texts))
        found = [
            _told(text, points / (scale * factor), picture)
            for text, points in zip(texts, corners, strict=True)
            if text
        ]
        if found:
            way = tried
            break
    codes = tuple(sorted(found, key=lambda each: (each.box[1], each.box[0]))[:_MOST])
    return CodesRead(
        count=len(codes),
        codes=codes,
        unreadable=max(0, seen - len(codes)),
        overlay=_overlay(picture, codes) if overlay else None,
        method=f"OpenCV's QR code detector{way}",
        limits="QR codes only, no bar codes; codes that are small, blurred, strongly tilted or without a "
        "light margin are missed",
    )


def _attempts(grey: Pixels) -> Iterator[tuple[Pixels, float, str]]:
    """Yield the picture as it is, then at other sizes, then its negative; with the factor and its name."""
    import cv2

    for negative in (False, True):
        for scale in _SCALES if not negative else _SCALES[:2]:
            size = round(grey.shape[1] * scale), round(grey.shape[0] * scale)
            if min(size) < 20 or (scale > 1 and max(size) > _LARGEST):
                continue
            way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
            level = grey if scale == 1 else cv2.resize(grey, size, interpolation=way)
            said = "" if scale == 1 else f", on the image scaled by {scale:g}"
            yield (
                (255 - level if negative else level),
                scale,
                said + (", on the negative" if negative else ""),
            )


def _detect(grey: Pixels) -> tuple[list[str], Pixels]:
    """Return the texts, empty where a code could not be read, and the corners, codes x 4 x 2."""
    import cv2
    import numpy

    nothing: tuple[list[str], Pixels] = [], numpy.zeros((0, 4, 2))
    try:
        done, texts, corners, _ = cv2.QRCodeDetector().detectAndDecodeMulti(grey)
    # The detector fails its own checks on some patterns, and on payloads that are no text.
    except (cv2.error, UnicodeDecodeError):
        return nothing
    if not done or corners is None:
        return nothing
    return list(texts), corners.reshape(-1, 4, 2)


def _told(text: str, points: Pixels, picture: Picture) -> Code:
    corners = [(round(float(x)), round(float(y))) for x, y in points]
    across, down = [x for x, _ in corners], [y for _, y in corners]
    return Code(
        text=text,
        box=(
            max(0, min(across)),
            max(0, min(down)),
            min(picture.width, max(across) + 1),
            min(picture.height, max(down) + 1),
        ),
        corners=(corners[0], corners[1], corners[2], corners[3]),
    )


def _overlay(picture: Picture, codes: tuple[Code, ...]) -> Overlay:
    from toolhaft_vision.drawing import draw

    return draw(picture, boxes=[code.box for code in codes])
