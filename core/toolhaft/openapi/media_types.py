"""Media types: what they stand for, and which one is meant.

Source: RFC 9110, section 8.3.1; RFC 6839, section 3.
"""

from __future__ import annotations

from typing import Literal

MediaKind = Literal[
    "json", "lines", "sequence", "events", "xml", "html", "form", "multipart", "text", "bytes"
]
"""``lines``: one JSON value a line; ``sequence``: RFC 7464; ``events``: server-sent events."""
FORM = "application/x-www-form-urlencoded"
_JSON = frozenset({"application/x-json", "text/x-json"})
_LINES = frozenset(
    {
        "application/jsonl",
        "application/x-jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "application/json-lines",
        "application/ndjson",
        "application/x-ndjson",
        "application/x-json-stream",
        "application/stream+json",
        "application/json-stream",
        "text/jsonl",
        "text/x-ndjson",
    }
)
_TEXTS = frozenset(
    {
        "application/yaml",
        "application/x-yaml",
        "application/javascript",
        "application/ecmascript",
        "application/graphql",
        "application/sql",
        "application/sparql-query",
        "application/sparql-update",
        "application/jsonpath",
        "application/jwt",
        "application/jose",
        "application/pem-certificate-chain",
        "application/x-pem-file",
        "application/toml",
        "application/rtf",
        "application/csv",
        "application/x-sh",
        "application/n-quads",
        "application/n-triples",
    }
)
_BINARY = frozenset({"image", "audio", "video", "font", "model"})


def plain(media_type: str) -> str:
    """Return a media type without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def media_kind(media_type: str) -> MediaKind | None:
    """Return what a media type stands for; None for one that is not known, or a range of all."""
    name = plain(media_type)
    if not name:
        return None
    if name in _LINES:
        return "lines"
    if name.endswith(("/json", "+json")) or name in _JSON:
        return "json"
    if name.endswith(("/json-seq", "+json-seq")):
        return "sequence"
    if name == "text/event-stream":
        return "events"
    if name in ("text/html", "application/xhtml+xml"):
        return "html"
    family = name.partition("/")[0]
    if family in _BINARY:
        return "bytes"
    if name.endswith(("/xml", "+xml")):
        return "xml"
    if name == FORM:
        return "form"
    if family == "multipart":
        return "multipart"
    if family == "text" or name in _TEXTS or name.endswith("+yaml"):
        return "text"
    return "bytes" if name == "application/octet-stream" else None


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON, or one that is written as JSON."""
    return media_kind(media_type) == "json"


def matches(media_type: str, wanted: str) -> bool:
    """Whether a media type is the one wanted, or within a wanted range; parameters are of no account."""
    name, pattern = plain(media_type), plain(wanted)
    if pattern in ("*/*", "*"):
        return True
    return name.startswith(pattern[:-1]) if pattern.endswith("/*") else name == pattern


def is_range(media_type: str) -> bool:
    """Whether it stands for several media types."""
    return "*" in media_type
