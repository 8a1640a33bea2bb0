"""What an answer is, by its content type where that can be believed."""

from __future__ import annotations

from typing import Literal

from toolhaft.openapi.media_types import media_kind

Kind = Literal["empty", "json", "lines", "events", "xml", "html", "form", "multipart", "text", "bytes"]


def kind_of_type(media_type: str) -> Kind:
    """Return what an answer of a media type is read as; bytes where the type is not known."""
    kind = media_kind(media_type)
    return "lines" if kind == "sequence" else kind or "bytes"


def is_stream(media_type: str) -> bool:
    """Whether answers of a media type come piece by piece."""
    return kind_of_type(media_type) in ("events", "lines")


def looks_like_json(body: bytes) -> bool:
    """Whether a body begins as a JSON object or list."""
    return body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def looks_like_text(body: bytes) -> bool:
    """Whether the beginning of a body is readable UTF-8."""
    start = body[:4096]
    if b"\0" in start:
        return False
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(start) - 4 and len(body) > len(start)
    return True
