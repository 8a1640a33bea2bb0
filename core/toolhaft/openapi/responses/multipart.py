"""Answers in several parts: each one's headers and bytes.

Source: RFC 2046, section 5.1; RFC 7578 for ``form-data``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MOST_PARTS = 200
_LONGEST_HEAD = 16_384
_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]{1,200})"|([^;\s]{1,200}))', re.IGNORECASE)
_NAME = re.compile(r';\s*name\s*=\s*(?:"([^"]{0,200})"|([^;\s]{1,200}))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BodyPart:
    """One part.

    Attributes:
        name: Of a form's field, or of the part's ``Content-ID``; empty where there is none.
        content_type: With its parameters; ``text/plain`` where the part says none.
        disposition: The ``Content-Disposition`` header.
    """

    name: str
    content_type: str
    disposition: str
    body: bytes


def split_parts(body: bytes, content_type: str) -> list[BodyPart]:
    """Return the parts of a body, at most 200.

    Raises:
        ValueError: The content type names no boundary, or the body has no part.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise ValueError("the content type names no boundary")
    mark = b"--" + (found[1] or found[2]).encode("latin-1", "replace")
    start = body.find(mark)
    if start < 0:
        raise ValueError("the body has no part")
    parts: list[BodyPart] = []
    while start >= 0 and len(parts) < _MOST_PARTS:
        begin = start + len(mark)
        if body[begin : begin + 2] == b"--":
            break
        start = body.find(b"\n" + mark, begin)
        end = len(body) if start < 0 else start
        parts.append(_part(body[begin:end].removesuffix(b"\r")))
        start = start + 1 if start >= 0 else -1
    if not parts:
        raise ValueError("the body has no part")
    return parts


def _part(data: bytes) -> BodyPart:
    data = data.lstrip(b" \t").removeprefix(b"\r").removeprefix(b"\n")
    headers: dict[str, str] = {}
    place = 0
    while place < min(len(data), _LONGEST_HEAD):
        end = data.find(b"\n", place)
        end = len(data) if end < 0 else end
        line = data[place:end].rstrip(b"\r").decode("utf-8", "replace")
        place = end + 1
        if not line:
            break
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip())
    disposition = headers.get("content-disposition", "")
    named = _NAME.search(disposition)
    name = (named[1] if named[1] is not None else named[2]) if named else ""
    return BodyPart(
        name=name or headers.get("content-id", "").strip("<>")[:200],
        content_type=headers.get("content-type", "text/plain"),
        disposition=disposition,
        body=data[place:],
    )
