"""What an answer is, by its content type where that can be believed."""

from __future__ import annotations

from typing import Literal

Kind = Literal["empty", "json", "lines", "events", "xml", "html", "form", "multipart", "text", "bytes"]

_JSON = frozenset({"application/x-json", "text/json", "text/x-json", "application/javascript+json"})
_LINES = frozenset(
    {
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "application/json-lines",
        "application/json-seq",
        "application/stream+json",
        "text/x-ndjson",
        "text/jsonl",
    }
)
_TEXT = frozenset(
    {
        "application/yaml",
        "application/x-yaml",
        "application/toml",
        "application/javascript",
        "application/ecmascript",
        "application/sql",
        "application/graphql",
        "application/x-sh",
        "application/x-pem-file",
        "application/rtf",
    }
)
_OPAQUE = ("image/", "audio/", "video/", "font/", "model/")


def kind_of_type(media_type: str) -> Kind:
    """Return what a media type in lower case, without parameters, stands for."""
    if media_type in _LINES or media_type.endswith("+json-seq"):
        return "lines"
    if media_type in _JSON or media_type.endswith(("/json", "+json")):
        return "json"
    if media_type == "text/event-stream":
        return "events"
    if media_type in ("text/html", "application/xhtml+xml"):
        return "html"
    if media_type.startswith(_OPAQUE):
        return "bytes"
    if media_type.endswith(("/xml", "+xml")) or media_type == "application/xml-dtd":
        return "xml"
    if media_type == "application/x-www-form-urlencoded":
        return "form"
    if media_type.startswith("multipart/"):
        return "multipart"
    if media_type.startswith("text/") or media_type.endswith("+yaml") or media_type in _TEXT:
        return "text"
    return "bytes"


def is_stream(media_type: str) -> bool:
    """Whether answers of a media type come piece by piece."""
    return kind_of_type(media_type.partition(";")[0].strip().lower()) in ("events", "lines")


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
