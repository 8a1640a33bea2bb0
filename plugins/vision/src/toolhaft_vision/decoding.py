"""From an image file to pixels: checked by its header first, decoded then."""

from __future__ import annotations

import struct
from importlib import import_module
from io import BytesIO
from typing import Any

from toolhaft.errors import ToolError
from toolhaft_vision.formats import Format, recognise, webp_extent
from toolhaft_vision.limits import LIMITS, check_extent
from toolhaft_vision.picture import Picture, Pixels

_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    MemoryError,
    RecursionError,
    NotImplementedError,
    struct.error,
    Warning,
)
"""What Pillow's readers raise for files that are damaged or made to do harm."""


def read_picture(data: bytes, where: str = "the image") -> Picture:
    """Decode an image file: the first frame, upright by its EXIF data, in 8 bits a channel.

    Args:
        data: The file; its format is told by its content.
        where: What an error names: a handle, not a file name that strangers chose.

    Raises:
        ToolError: It is too large, of another format, damaged, or broken off.
    """
    if len(data) > LIMITS.file_size:
        raise ToolError(
            f"the file has {len(data):,} bytes",
            where=where,
            hint=f"At most {LIMITS.file_size:,} are read",
            code="E-IMAGE-SIZE",
        )
    found = recognise(data, where)
    if found.name == "WebP":
        width, height = webp_extent(data)
        check_extent(width, height, "the image")
    image = _open(data, found, where)
    check_extent(image.width, image.height, "the image")
    try:
        image.load()
        rgb, rgba = _channels(_upright(image))
    except _broken() as error:
        raise _damaged(found, error, where) from None
    return Picture(rgb=rgb, rgba=rgba, format=found.name)


def _open(data: bytes, found: Format, where: str) -> Any:
    reader = getattr(import_module(f"PIL.{found.module}"), found.reader)
    try:
        return reader(BytesIO(data))
    except _broken() as error:
        raise _damaged(found, error, where) from None


def _broken() -> tuple[type[BaseException], ...]:
    """Return what readers raise for damaged files, Pillow's own guard for frames within a file among it."""
    from PIL import Image

    return (*_BROKEN, Image.DecompressionBombError)


def _damaged(found: Format, error: BaseException, where: str) -> ToolError:
    said = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
    return ToolError(
        f"the {found.name} file is damaged or broken off: {said}",
        where=where,
        hint="Give the whole file",
        code="E-IMAGE-DAMAGED",
    )


def _upright(image: Any) -> Any:
    """Turn a picture as its EXIF data say; damaged data turn nothing."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except _broken():
        return image


def _channels(image: Any) -> tuple[Pixels, Pixels | None]:
    """Return red, green and blue on white, and the four channels where there is an alpha channel."""
    import numpy

    if image.mode.startswith("I") or image.mode == "F":
        grey = _eight_bits(numpy.asarray(image), image.mode)
        return numpy.ascontiguousarray(numpy.stack([grey] * 3, axis=-1)), None
    if not (image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info):
        return numpy.array(image.convert("RGB")), None
    whole = numpy.array(image.convert("RGBA"))
    if whole[..., 3].min() == 255:
        return numpy.ascontiguousarray(whole[..., :3]), None
    share = whole[..., 3:].astype(numpy.float32) / 255
    on_white = whole[..., :3] * share + 255 * (1 - share)
    return numpy.round(on_white).astype(numpy.uint8), whole


def _eight_bits(values: Pixels, mode: str) -> Pixels:
    """Return grey values of 16 or 32 bits in 8, the whole range kept."""
    import numpy

    if mode.startswith("I;16") or (mode == "I" and 255 < values.max() <= 65_535):
        return (numpy.clip(values, 0, 65_535) >> 8).astype(numpy.uint8)
    if mode == "I":
        return numpy.clip(values, 0, 255).astype(numpy.uint8)
    values = numpy.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0).astype(numpy.float64)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    spread = high - low
    return numpy.round((values - low) / spread * 255 if spread else values * 0).astype(numpy.uint8)
