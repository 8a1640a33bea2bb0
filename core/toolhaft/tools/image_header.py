"""What the first bytes of a PNG, JPEG, GIF or WebP file say: its kind, width and height."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""The media types that are known by their first bytes."""
_MOST_SEGMENTS = 500
"""Segments of a JPEG that are looked through; cameras write a few dozen before the size."""
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers whose segment has the size: the frame headers."""
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers without a length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader:
    """The kind and size of an image.

    Attributes:
        media_type: One of `KINDS`.
        width: Pixels; 0 where the header is cut off or damaged, likewise ``height``.
    """

    media_type: str
    width: int = 0
    height: int = 0


def read_image_header(data: bytes) -> ImageHeader | None:
    """Return what a file's first bytes say of it, or None if it is none of `KINDS`.

    Nothing is decoded; a damaged file costs no more than a sound one.

    Source: PNG (W3C, section 11.2.1), JPEG (ITU-T T.81, annex B), GIF89a (section 18), WebP (RFC 9649).
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        sound = data[12:16] == b"IHDR" and len(data) >= 24
        return _header("image/png", _big(data[16:20]), _big(data[20:24])) if sound else _header("image/png")
    if data.startswith(b"\xff\xd8\xff"):
        return _header("image/jpeg", *_jpeg_size(data))
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _header("image/gif", _little(data[6:8]), _little(data[8:10]))
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _header("image/webp", *_webp_size(data))
    return None


def _header(media_type: str, width: int = 0, height: int = 0) -> ImageHeader:
    return ImageHeader(media_type=media_type, width=width if height else 0, height=height if width else 0)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    place = 2
    for _ in range(_MOST_SEGMENTS):
        if len(data) < place + 9 or data[place] != 0xFF:
            return 0, 0
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker in _SIZES:
            return _big(data[place + 7 : place + 9]), _big(data[place + 5 : place + 7])
        place += 2 if marker in _BARE else 2 + max(2, _big(data[place + 2 : place + 4]))
    return 0, 0


def _webp_size(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if len(data) < 30:
        return 0, 0
    if kind == b"VP8X":
        return _little(data[24:27]) + 1, _little(data[27:30]) + 1
    if kind == b"VP8L" and data[20] == 0x2F:
        packed = _little(data[21:25])
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
    return 0, 0


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
