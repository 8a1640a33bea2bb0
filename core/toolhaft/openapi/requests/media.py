"""Media types: what they stand for, and which one is meant.

Source: RFC 9110, section 8.3.1; RFC 6839, section 3.
"""

from __future__ import annotations

import re

from toolhaft.errors import InvalidArgumentsError
from toolhaft.openapi.requests.wire import BodyForm

_LINES = frozenset(
    {
        "application/jsonl",
        "application/jsonlines",
        "application/json-lines",
        "application/x-jsonlines",
        "application/ndjson",
        "application/x-ndjson",
        "application/x-json-stream",
        "application/stream+json",
        "application/json-stream",
    }
)
_TEXTS = frozenset(
    {
        "application/yaml",
        "application/x-yaml",
        "application/javascript",
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
_CHARSET = re.compile(r"""charset=["']?([\w.:-]+)""", re.IGNORECASE)
_CHARSETS = re.compile(
    r"us-ascii|ascii|latin-?1|iso-8859-\d+|windows-125\d|cp125\d|utf-?16([bl]e)?|utf-?32([bl]e)?"
)
_BINARY = frozenset({"image", "audio", "video", "font", "model"})


def plain(media_type: str) -> str:
    """Return a media type without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON, or one that is written as JSON."""
    kind = plain(media_type)
    return kind.endswith(("/json", "+json")) and kind not in _LINES


def encode_text(text: str, media_type: str) -> bytes:
    """Return a text in the charset that its media type names, else in UTF-8.

    Raises:
        InvalidArgumentsError: The charset has no such characters.
    """
    found = _CHARSET.search(media_type) if ";" in media_type else None
    if found is None or not _CHARSETS.fullmatch(found[1].lower()):
        return text.encode()
    try:
        return text.encode(found[1])
    except (UnicodeEncodeError, LookupError):
        raise InvalidArgumentsError(f"an argument holds characters that {found[1]} has not") from None


def form_of(media_type: str) -> BodyForm | None:
    """Return what a media type stands for; None for one that is not known, or a range of all."""
    kind = plain(media_type)
    family = kind.partition("/")[0]
    if kind in _LINES:
        return "lines"
    if is_json(kind):
        return "json"
    if kind.endswith(("/json-seq", "+json-seq")):
        return "sequence"
    if kind == "text/event-stream":
        return "events"
    if kind.endswith(("/xml", "+xml")) and family != "image":
        return "xml"
    if kind == "application/x-www-form-urlencoded":
        return "form"
    if family == "multipart":
        return "multipart"
    if family == "text" or kind in _TEXTS or kind.endswith("+yaml"):
        return "text"
    return "bytes" if family in _BINARY or kind == "application/octet-stream" else None


def matches(media_type: str, wanted: str) -> bool:
    """Whether a media type is the one wanted, or within a wanted range; parameters are of no account."""
    kind, pattern = plain(media_type), plain(wanted)
    if pattern in ("*/*", "*"):
        return True
    return kind.startswith(pattern[:-1]) if pattern.endswith("/*") else kind == pattern


def is_range(media_type: str) -> bool:
    """Whether it stands for several media types."""
    return "*" in media_type
