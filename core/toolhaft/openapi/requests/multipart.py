"""Bodies of several parts: forms with files, and lists of documents.

Source: RFC 7578; RFC 2046, section 5.1; RFC 2387; the multipart encoding of the WHATWG's HTML standard,
section 4.10.22.8; OpenAPI 3.2.0, sections "Encoding Usage and Restrictions" and "Encoding multipart Media
Types".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolhaft.errors import InvalidArgumentsError
from toolhaft.openapi.requests import delimited, styles
from toolhaft.openapi.requests.encoding import as_is
from toolhaft.openapi.requests.files import FileContent, is_file
from toolhaft.openapi.requests.forms import content_text
from toolhaft.openapi.requests.media import form_of, is_range, matches, plain
from toolhaft.openapi.requests.wire import DeepLists, WireBody, WireField

Boundary = Callable[[bytes], str]
"""Makes the boundary from all that stands between boundaries."""
_UNNAMED = WireField(key="", name="")
_UNKNOWN = "application/octet-stream"
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its headers without the lines' ends, and its content."""

    headers: list[str]
    data: bytes


@dataclass(frozen=True, slots=True)
class MultipartWriter:
    """Writes values as multipart bodies.

    Args:
        read: Returns the file that a value stands for; takes the value and the argument's name.
        boundary: Makes the boundary; the default depends on the content alone, so that the same arguments
            give the same bytes and no content can hold it.
        deep_lists: How lists inside a ``deepObject`` are written.
    """

    read: Callable[[Any, str], FileContent]
    boundary: Boundary = field(default=lambda content: boundary_of(content))
    deep_lists: DeepLists = "indices"

    def write(
        self,
        body: WireBody,
        value: Any,
        fields: Mapping[str, WireField],
        headers: Mapping[str, Any] | None = None,
    ) -> tuple[str, bytes]:
        """Return the content type and the body.

        Args:
            body: What is known of it.
            value: An object with a part for each property, or a list with a part for each entry.
            fields: By property name.
            headers: Argument name -> values for the headers of a part.

        Raises:
            InvalidArgumentsError: A value cannot be sent.
        """
        parts: list[Part] = []
        if isinstance(value, dict):
            for name, item in value.items():
                if item is not None:
                    known = fields.get(name, _UNNAMED)
                    given = headers.get(known.headers_key) if headers and known.headers_key else None
                    self._named(name, item, known, given, parts)
        else:
            listed = value if isinstance(value, list) else [value]
            parts = self._positional(listed, body.parts, body.rest)
        return self._whole(body.media_type, parts)

    def _whole(self, media_type: str, parts: list[Part]) -> tuple[str, bytes]:
        if not parts:
            raise InvalidArgumentsError(
                "a multipart body needs one part at least", hint="Give one of its arguments"
            )
        heads = ["\r\n".join(part.headers).encode() for part in parts]
        boundary = self.boundary(
            b"".join(piece for head, part in zip(heads, parts, strict=True) for piece in (head, part.data))
        )
        mark = f"--{boundary}".encode()
        pieces: list[bytes] = []
        for head, part in zip(heads, parts, strict=True):
            pieces += (mark, b"\r\n", head, b"\r\n" if head else b"", b"\r\n", part.data, b"\r\n")
        pieces += (mark, b"--\r\n")
        extra = ""
        if plain(media_type) == "multipart/related" and "type=" not in media_type.lower():
            extra = f'; type="{_type_of(parts[0])}"'
        return f"{_without_boundary(media_type)}; boundary={boundary}{extra}", b"".join(pieces)

    def _named(self, name: str, value: Any, known: WireField, headers: Any, parts: list[Part]) -> None:
        if not is_file(value) and (known.style is not None or known.delimiters):
            parts.extend(
                Part([f'Content-Disposition: form-data; name="{_quoted(key)}"'], text.encode())
                for key, text in self._styled(name, value, known)
            )
            return
        each = value if isinstance(value, list) and known.each and not known.parts else [value]
        for item in each:
            if item is None:
                continue
            media, data, file_name = self._content(item, known, name, 0)
            head = f'Content-Disposition: form-data; name="{_quoted(name)}"'
            if file_name is not None:
                head = f'{head}; filename="{_quoted(file_name or name)}"'
            made = [head, f"Content-Type: {media}"] if media else [head]
            parts.append(Part([*made, *_header_lines(known, headers)], data))

    def _styled(self, name: str, value: Any, known: WireField) -> styles.Pairs:
        if known.delimiters and isinstance(value, list):
            return [(name, text) for text in delimited.entries(value, known.delimiters, str)]
        style = known.style or "form"
        return styles.pairs(name, value, style, known.explode, as_is, deep_lists=self.deep_lists)

    def _positional(
        self, values: list[Any], first: tuple[WireField, ...], rest: WireField | None, depth: int = 0
    ) -> list[Part]:
        parts: list[Part] = []
        for index, item in enumerate(values):
            known = first[index] if index < len(first) else rest or _UNNAMED
            media, data, file_name = self._content(item, known, f"item {index + 1}", depth)
            made = [f"Content-Type: {media or 'text/plain; charset=utf-8'}"]
            if file_name:
                made.append(f'Content-Disposition: attachment; filename="{_quoted(file_name)}"')
            parts.append(Part([*made, *_header_lines(known, None)], data))
        return parts

    def _content(self, value: Any, known: WireField, name: str, depth: int) -> tuple[str, bytes, str | None]:
        """Return the type of a part (empty is text by default), its bytes, and a file's name or None."""
        if (known.parts or known.rest is not None) and isinstance(value, list) and depth < _DEEPEST:
            parts = self._positional(value, known.parts, known.rest, depth + 1)
            media = known.media_types[0] if known.media_types else "multipart/mixed"
            return (*self._whole(media, parts), None)
        if is_file(value):
            file = self.read(value, known.key or name)
            return _file_type(file, known.media_types), file.data, file.name
        if known.file and not isinstance(value, dict | list):
            raise InvalidArgumentsError(
                f"{name!r} is to be a file, not {value!r:.80}",
                hint='Give the handle of a file, or {"text": ...} or {"base64": ...}',
                details={"pointer": f"/{known.key}"},
            )
        media = next((media for media in known.media_types if not is_range(media)), "")
        if isinstance(value, dict | list) and form_of(media or "application/json") != "json":
            media = media if form_of(media) == "text" else "application/json"
        elif isinstance(value, dict | list):
            media = media or "application/json"
        return media, content_text(value, media).encode(), None


def boundary_of(content: bytes) -> str:
    """Return a boundary that depends on the content alone."""
    return f"toolhaft-{hashlib.blake2b(content, digest_size=16).hexdigest()}"


def _file_type(file: FileContent, wanted: tuple[str, ...]) -> str:
    if not wanted:
        return file.media_type or _UNKNOWN
    if file.media_type and any(matches(file.media_type, media) for media in wanted):
        return next(
            (media for media in wanted if not is_range(media) and matches(file.media_type, media)),
            file.media_type,
        )
    return next((media for media in wanted if not is_range(media)), file.media_type or _UNKNOWN)


def _header_lines(known: WireField, given: Any) -> list[str]:
    lines: list[str] = []
    for header in known.headers:
        value = given.get(header.name) if isinstance(given, dict) else None
        text = header.value if value is None else styles.simple(value, header.explode, as_is)
        if not text:
            continue
        if not text.isascii() or not text.isprintable():
            raise InvalidArgumentsError(
                f"the header {header.name!r} of a part holds one line of ASCII text",
                details={"pointer": f"/{known.headers_key}"},
            )
        lines.append(f"{header.name}: {text}")
    return lines


def _quoted(name: str) -> str:
    """Return a name for a quoted parameter: what would end it is percent-encoded, as browsers do."""
    if name.isalnum():
        return name
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").replace("\0", "%00")


def _type_of(part: Part) -> str:
    for line in part.headers:
        name, _, value = line.partition(": ")
        if name == "Content-Type":
            return plain(value)
    return "text/plain"


def _without_boundary(media_type: str) -> str:
    pieces = [piece.strip() for piece in media_type.split(";")]
    return "; ".join(piece for piece in pieces if not piece.lower().startswith("boundary="))
