"""How large a picture may be, looked at before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from toolhaft.errors import ToolError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is accepted, and made.

    Attributes:
        file_size: Bytes of an image file.
        pixels: Width times height, of a picture read or made.
        side: Pixels along one side, of a picture read or made.
    """

    file_size: int = 50_000_000
    pixels: int = 40_000_000
    side: int = 20_000


LIMITS = Limits()
"""What every tool keeps to: a picture of 40 million pixels takes 120 MB once decoded."""


def check_extent(width: int, height: int, what: str) -> None:
    """Raise unless a picture of this size may be decoded or made.

    Args:
        width: Pixels.
        height: Pixels.
        what: Begins the sentence, for example ``the image``.

    Raises:
        ToolError: It is empty, or beyond `LIMITS`.
    """
    if width < 1 or height < 1:
        raise ToolError(f"{what} has no pixels: {width} x {height}", code="E-IMAGE-SIZE")
    if width > LIMITS.side or height > LIMITS.side or width * height > LIMITS.pixels:
        raise ToolError(
            f"{what} would have {width} x {height} pixels",
            hint=f"At most {LIMITS.side:,} along a side and {LIMITS.pixels:,} in all are accepted",
            code="E-IMAGE-SIZE",
            details={"width": width, "height": height},
        )
