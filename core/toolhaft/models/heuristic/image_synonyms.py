"""Words of one meaning that are said of images."""

from __future__ import annotations

IMAGE_SYNONYMS = (
    ("crop", "cut", "trim", "clip", "snip"),
    (
        "resize",
        "scale",
        "shrink",
        "enlarge",
        "rescale",
        "downscale",
        "upscale",
        "thumbnail",
        "magnify",
        "augment",
        "downsize",
    ),
    ("gray", "grey", "grayscale", "greyscale", "monochrome", "desaturate"),
    ("edge", "outline", "contour"),
    ("circle", "disc", "disk"),
    ("flip", "mirror"),
    ("blur", "soften", "smooth"),
    ("color", "colour", "palette"),
)
