"""Bodies of several parts: forms with files, and lists of documents.

Source: RFC 7578; RFC 2046, section 5.1; RFC 2387; the multipart encoding of the WHATWG's HTML standard,
section 4.10.22.8; OpenAPI 3.2.0, sections "Encoding Usage and Restrictions" and "Encoding multipart Media
Types".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from toolhaft.errors import InvalidArgumentsError
from toolhaft.openapi.media_types import is_range, matches, plain
from toolhaft.openapi.requests import delimited, styles
from toolhaft.openapi.requests.encoding import as_is
from toolhaft.openapi.requests.files import FileContent, is_file, shown
from toolhaft.openapi.requests.forms import content_text
from toolhaft.openapi.requests.media import encode_text, form_of
from toolhaft.openapi.requests.wire import DeepLists, WireBody, WireField

Boundary = Callable[[bytes], str]
"""Makes the boundary from all that stands between boundaries."""
Read = Callable[[Any, str], FileContent]
"""Returns the file that a value stands for; takes the value and the argument's name."""
Part = tuple[bytes, bytes]
"""The lines of a part's headers, without the end of the last, and its content."""
_UNNAMED = WireField(key="", name="")
_UNKNOWN = "application/octet-stream"
_FORM = "multipart/form-data"
_USUAL = "toolhaft-7d1f3c0a9be2465482f6c1d0"
_SCALARS = frozenset({str, int, float, bool})
_DEEPEST = 4


class MultipartWriter:
    """Writes one kind of multipart body.

    Args:
        body: What is known of it.
        boundary: Makes the boundaries; None is one that no content holds and that depends on the content
            alone, so that the same arguments give the same bytes.
        deep_lists: How lists inside a ``deepObject`` are written.
    """

    def __init__(
        self, body: WireBody, boundary: Boundary | None = None, deep_lists: DeepLists = "indices"
    ) -> None:
        self._body = body
        self._boundary = boundary
        self._deep_lists: DeepLists = deep_lists
        self._fields = {known.name: known for known in body.fields}
        self._heads = {known.name: _head(known.name) for known in body.fields if _is_plain(known)}
        self._media_type = _without_boundary(body.media_type)

    def write(self, value: Any, arguments: Mapping[str, Any], read: Read) -> tuple[str, bytes]:
        """Return the content type and the body.

        Args:
            value: An object with a part for each property, or a list with a part for each entry.
            arguments: Of the call; values for the headers of parts are among them.
            read: Reads files.

        Raises:
            InvalidArgumentsError: A value cannot be sent.
        """
        if isinstance(value, list) and plain(self._media_type) == _FORM:
            pairs = [pair for item in value if isinstance(item, dict) for pair in item.items()]
        elif isinstance(value, dict):
            pairs = [*value.items()]
        else:
            listed = value if isinstance(value, list) else [value]
            return self._whole(self._media_type, self._positional(listed, self._body, read))
        parts: list[Part] = []
        for name, item in pairs:
            head = self._heads.get(name)
            if head is not None and type(item) in _SCALARS:
                parts.append((head, styles.scalar_text(item).encode()))
            elif head is not None and type(item) is list and _are_texts(item):
                parts += [(head, text.encode()) for text in item]
            elif item is not None:
                known = self._fields.get(name, _UNNAMED)
                given = arguments.get(known.headers_key) if known.headers_key else None
                self._named(name, item, known, given, parts, read)
        return self._whole(self._media_type, parts)

    def _whole(self, media_type: str, parts: list[Part]) -> tuple[str, bytes]:
        if not parts:
            raise InvalidArgumentsError(
                "a multipart body needs one part at least", hint="Give one of its arguments"
            )
        contents = [data for _, data in parts]
        boundary = self._boundary(b"".join(contents)) if self._boundary else boundary_of(contents)
        mark = f"\r\n--{boundary}\r\n".encode()
        pieces: list[bytes] = []
        for head, data in parts:
            pieces += (mark, head, b"\r\n\r\n", data)
        pieces[0] = mark[2:]
        pieces.append(f"\r\n--{boundary}--\r\n".encode())
        extra = ""
        if media_type.lower().startswith("multipart/related") and "type=" not in media_type.lower():
            extra = f'; type="{_type_of(parts[0])}"'
        return f"{media_type}; boundary={boundary}{extra}", b"".join(pieces)

    def _named(
        self, name: str, value: Any, known: WireField, headers: Any, parts: list[Part], read: Read
    ) -> None:
        if not is_file(value) and (known.style is not None or known.delimiters):
            parts.extend((_head(key), text.encode()) for key, text in self._styled(name, value, known))
            return
        each = value if isinstance(value, list) and known.each and not known.parts else [value]
        for item in each:
            if item is None:
                continue
            media, data, file_name = self._content(item, known, name, 0, read)
            head = self._heads.get(name) or _head(name)
            if file_name is not None:
                head += f'; filename="{_quoted(file_name or name)}"'.encode()
            if media:
                head += f"\r\nContent-Type: {media}".encode()
            parts.append((head + _header_lines(known, headers) if known.headers else head, data))

    def _styled(self, name: str, value: Any, known: WireField) -> styles.Pairs:
        if known.delimiters and isinstance(value, list):
            return [(name, text) for text in delimited.entries(value, known.delimiters, str)]
        style = known.style or "form"
        return styles.pairs(name, value, style, known.explode, as_is, deep_lists=self._deep_lists)

    def _positional(
        self, values: list[Any], known: WireBody | WireField, read: Read, depth: int = 0
    ) -> list[Part]:
        parts: list[Part] = []
        for index, item in enumerate(values):
            one = known.parts[index] if index < len(known.parts) else known.rest or _UNNAMED
            media, data, file_name = self._content(item, one, f"item {index + 1}", depth, read)
            head = f"Content-Type: {media or 'text/plain; charset=utf-8'}"
            if file_name:
                head = f'{head}\r\nContent-Disposition: attachment; filename="{_quoted(file_name)}"'
            parts.append((head.encode() + _header_lines(one, None), data))
        return parts

    def _content(
        self, value: Any, known: WireField, name: str, depth: int, read: Read
    ) -> tuple[str, bytes, str | None]:
        """Return the type of a part (empty is text by default), its bytes, and a file's name or None."""
        if (known.parts or known.rest is not None) and isinstance(value, list) and depth < _DEEPEST:
            parts = self._positional(value, known, read, depth + 1)
            media = known.media_types[0] if known.media_types else "multipart/mixed"
            return (*self._whole(media, parts), None)
        if is_file(value):
            file = read(value, known.key or name)
            return _file_type(file, known.media_types), file.data, file.name
        if known.file:
            raise InvalidArgumentsError(
                f"{name[:80]!r} is to be a file, not {shown(value)}",
                hint='Give the handle of a file, or {"text": ...} or {"base64": ...}',
                details={"pointer": f"/{known.key}"},
            )
        media = next((media for media in known.media_types if not is_range(media)), "")
        if isinstance(value, dict | list) and not known.xml and form_of(media) not in ("json", "text"):
            media = "application/json"
        return media, encode_text(content_text(value, media, known.xml), media), None


def boundary_of(contents: list[bytes]) -> str:
    """Return a boundary that no content holds and that depends on the contents alone."""
    boundary = _USUAL
    while any(boundary.encode() in content for content in contents):
        digest = hashlib.blake2b(boundary.encode(), digest_size=16)  # the usual one is no secret
        for content in contents:
            digest.update(content)
        boundary = f"toolhaft-{digest.hexdigest()}"
    return boundary


def _is_plain(known: WireField) -> bool:
    """Whether a text is sent as it is, without further headers."""
    odd = known.style or known.delimiters or known.media_types or known.headers or known.file
    return not odd and known.each and not known.parts and known.rest is None


def _are_texts(items: list[Any]) -> bool:
    return all(type(item) is str for item in items)


def _head(name: str) -> bytes:
    return f'Content-Disposition: form-data; name="{_quoted(name)}"'.encode()


def _file_type(file: FileContent, wanted: tuple[str, ...]) -> str:
    if not wanted:
        return file.media_type or _UNKNOWN
    if file.media_type and any(matches(file.media_type, media) for media in wanted):
        return next(
            (media for media in wanted if not is_range(media) and matches(file.media_type, media)),
            file.media_type,
        )
    return next((media for media in wanted if not is_range(media)), file.media_type or _UNKNOWN)


def _header_lines(known: WireField, given: Any) -> bytes:
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
        lines.append(f"\r\n{header.name}: {text}")
    return "".join(lines).encode()


def _quoted(name: str) -> str:
    """Return a name for a quoted parameter: what would end it is percent-encoded, as browsers do."""
    if name.isalnum():
        return name
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").replace("\0", "%00")


def _type_of(part: Part) -> str:
    for line in part[0].decode().split("\r\n"):
        name, _, value = line.partition(": ")
        if name == "Content-Type":
            return plain(value)
    return "text/plain"


def _without_boundary(media_type: str) -> str:
    pieces = [piece.strip() for piece in media_type.split(";")]
    return "; ".join(piece for piece in pieces if not piece.lower().startswith("boundary="))
