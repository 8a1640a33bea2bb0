"""Names of colours, and how different two look."""

from __future__ import annotations

import colorsys

from toolhaft_vision.picture import Pixels

NAMES = (
    "red",
    "orange",
    "yellow",
    "green",
    "cyan",
    "blue",
    "purple",
    "magenta",
    "pink",
    "brown",
    "black",
    "grey",
    "white",
)

_HUES = (
    (15, "red"),
    (42, "orange"),
    (70, "yellow"),
    (165, "green"),
    (195, "cyan"),
    (255, "blue"),
    (290, "purple"),
    (322, "magenta"),
    (345, "pink"),
    (360, "red"),
)
"""Where each name ends, in degrees of hue."""


def colour_name(red: float, green: float, blue: float) -> str:
    """Return the everyday name of a colour, one of `NAMES`.

    Args:
        red: 0 to 255.
        green: Likewise.
        blue: Likewise.
    """
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    if value < 0.16 or saturation * value < 0.1:
        return "black" if value < 0.22 else "white" if value > 0.88 else "grey"
    name = next(name for end, name in _HUES if hue * 360 <= end)
    light = saturation < 0.55 and value > 0.7
    if name in ("red", "magenta", "pink") and light:
        return "pink"
    if name == "magenta" and value < 0.7:
        return "purple"
    if name == "pink" and value < 0.5:
        return "purple"
    if name == "orange" and value < 0.68:
        return "brown"
    return name


def lab(rgb: Pixels) -> Pixels:
    """Return pixels as lightness (0 to 100) and two axes of colour: distances are what the eye sees.

    Args:
        rgb: Height x width x 3, 8 bits.
    """
    import cv2
    import numpy

    return cv2.cvtColor(rgb.astype(numpy.float32) / 255, cv2.COLOR_RGB2LAB)


def distance(pixels: Pixels, colour: Pixels) -> Pixels:
    """Return how far each pixel is from a colour, both as `lab` gives them: 2 is just visible."""
    import numpy

    return numpy.sqrt(((pixels - colour) ** 2).sum(axis=-1))
