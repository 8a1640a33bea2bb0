"""A decoded picture, and one that a tool made."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from toolhaft.errors import InvalidArgumentsError

Pixels = Any
"""A numpy array; numpy is imported when the first picture is decoded."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A decoded picture, upright.

    Attributes:
        rgb: Height x width x 3, 8 bits; what is see-through stands on white.
        rgba: Height x width x 4, 8 bits, as in the file; None where all is opaque.
        format: Of the file, for example ``PNG``.
    """

    rgb: Pixels = field(compare=False, repr=False)
    rgba: Pixels | None = field(default=None, compare=False, repr=False)
    format: str = ""

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.rgb.shape[0])

    @property
    def pixels(self) -> Pixels:
        """The pixels to make another picture of: with the alpha channel where there is one."""
        return self.rgb if self.rgba is None else self.rgba

    @cached_property
    def grey(self) -> Pixels:
        """Brightness, height x width, 8 bits."""
        import cv2

        return cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY)

    def shrunk(self, longest: int) -> tuple[Picture, float]:
        """Return the picture with no side longer than ``longest``, and the factor it was scaled by."""
        factor = longest / max(self.width, self.height)
        if factor >= 1:
            return self, 1.0
        import cv2

        size = max(1, round(self.width * factor)), max(1, round(self.height * factor))
        return Picture(rgb=cv2.resize(self.rgb, size, interpolation=cv2.INTER_AREA)), factor


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPicture:
    """A picture that a tool made, as a PNG file; the runtime keeps it and gives it a handle.

    Attributes:
        data: The file.
        name: What a person calls it.
    """

    data: bytes = field(repr=False)
    width: int
    height: int
    name: str


def check_box(box: object, picture: Picture) -> tuple[int, int, int, int]:
    """Return a box if it lies within the picture.

    Args:
        box: Left, top, right and bottom edge; the last two exclusive.
        picture: What it must lie in.

    Raises:
        InvalidArgumentsError: It is empty or reaches beyond the picture; the size is told.
    """
    if (
        not isinstance(box, list | tuple)
        or len(box) != 4
        or not all(isinstance(edge, int) and not isinstance(edge, bool) for edge in box)
    ):
        raise InvalidArgumentsError(
            f"the box is {str(box)[:80]}",
            where="#/box",
            hint="Give four integers: [left, top, right, bottom]",
        )
    left, top, right, bottom = box
    if 0 <= left < right <= picture.width and 0 <= top < bottom <= picture.height:
        return left, top, right, bottom
    turned = right <= left or bottom <= top
    raise InvalidArgumentsError(
        f"the box {list(box)} " + ("is empty" if turned else "reaches beyond the image"),
        where="#/box",
        hint=f"The image is {picture.width} x {picture.height} pixels: give [left, top, right, bottom] with "
        f"0 <= left < right <= {picture.width} and 0 <= top < bottom <= {picture.height}",
        details={"pointer": "/box", "width": picture.width, "height": picture.height},
    )
