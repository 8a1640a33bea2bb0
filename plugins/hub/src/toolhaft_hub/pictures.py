"""Images for models: of few formats, and of bounded size before they are decoded."""

from __future__ import annotations

import io
import warnings
from typing import Any

from toolhaft.errors import InvalidArgumentsError, ToolError

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
_MOST_PIXELS = 40_000_000
_MOST_BYTES = 50_000_000


def read_picture(data: bytes, name: str = "") -> Any:
    """Return an image as PIL has it, in RGB, turned as its camera says.

    Raises:
        InvalidArgumentsError: It is none, or too large.
        ToolError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise ToolError("reading images needs Pillow", hint="pip install 'toolhaft-hub[torch]'") from None
    if len(data) > _MOST_BYTES:
        raise InvalidArgumentsError(
            f"the image {name!r} has {len(data)} bytes", hint=f"At most {_MOST_BYTES}"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                width, height = image.size
                if width * height > _MOST_PIXELS:
                    raise InvalidArgumentsError(
                        f"the image {name!r} has {width}x{height} pixels",
                        hint=f"At most {_MOST_PIXELS} in all",
                    )
                return ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidArgumentsError(
            f"the image {name!r} cannot be read: {str(error)[:200]}", hint=f"Use {', '.join(_FORMATS)}"
        ) from None
