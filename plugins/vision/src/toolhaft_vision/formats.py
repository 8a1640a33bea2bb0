"""Which format an image file has, by its first bytes; its name and its declared type say nothing."""

from __future__ import annotations

from dataclasses import dataclass

from toolhaft.errors import ToolError

ACCEPTED = "PNG, JPEG, WebP, GIF, BMP and TIFF"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format that is read.

    Attributes:
        name: As a person calls it.
        module: Module of Pillow that reads it.
        reader: Class in that module; it is called itself, as what chooses by content would also try formats
            that are not accepted.
        starts: What its files begin with.
    """

    name: str
    module: str
    reader: str
    starts: tuple[bytes, ...]


FORMATS = (
    Format(name="PNG", module="PngImagePlugin", reader="PngImageFile", starts=(b"\x89PNG\r\n\x1a\n",)),
    Format(name="JPEG", module="JpegImagePlugin", reader="JpegImageFile", starts=(b"\xff\xd8\xff",)),
    Format(name="GIF", module="GifImagePlugin", reader="GifImageFile", starts=(b"GIF87a", b"GIF89a")),
    Format(name="WebP", module="WebPImagePlugin", reader="WebPImageFile", starts=(b"RIFF",)),
    Format(name="BMP", module="BmpImagePlugin", reader="BmpImageFile", starts=(b"BM",)),
    Format(name="TIFF", module="TiffImagePlugin", reader="TiffImageFile", starts=(b"II*\0", b"MM\0*")),
)

_OTHERS = (
    ("a PDF document", (b"%PDF",)),
    ("an SVG drawing or another XML document", (b"<svg", b"<?xml", b"<!DOCTYPE")),
    ("an HTML page", (b"<html", b"<!doctype html")),
    ("an archive", (b"PK\x03\x04", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")),
    ("a PostScript file", (b"%!PS",)),
    ("an icon", (b"\0\0\1\0",)),
    ("a HEIF or AVIF picture", (b"\0\0\0\x1cftyp", b"\0\0\0 ftyp", b"\0\0\0\x18ftyp")),
)


def recognise(data: bytes, where: str) -> Format:
    """Return the format of an image file.

    Args:
        data: The whole file, or its first 16 bytes at least.
        where: What an error names.

    Raises:
        ToolError: It is empty, or of a format that is not accepted.
    """
    for found in FORMATS:
        if data.startswith(found.starts) and (found.name != "WebP" or data[8:12] == b"WEBP"):
            return found
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    seen = next((name for name, starts in _OTHERS if start.startswith(starts)), "not an image that is read")
    raise ToolError(
        "the file is empty" if not data else f"the file is {seen}",
        where=where,
        hint=f"Give {ACCEPTED}",
        code="E-IMAGE-FORMAT",
    )


def webp_extent(data: bytes) -> tuple[int, int]:
    """Return width and height from a WebP header: its reader makes room for the picture when it opens it.

    Returns:
        ``(0, 0)`` where the header is none that is known.

    Source: RFC 9649, sections 2.5 to 2.7.
    """
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        return 0, 0
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8 ":
        sides = body[6:8], body[8:10]
        width, height = (int.from_bytes(side, "little") & 0x3FFF for side in sides)
        return width, height
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return 0, 0
