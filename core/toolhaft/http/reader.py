"""Bodies read to their end, decompressed by ourselves, within the limits."""

from __future__ import annotations

import io
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from toolhaft.errors import BrokenAnswerError, LimitError

_PIECE = 65_536
_MOST_ENCODINGS = 2


async def read_body(
    stream: AsyncIterator[bytes], headers: Sequence[tuple[str, str]], *, raw_cap: int, decoded_cap: int
) -> bytes:
    """Return a whole body, decoded.

    Args:
        stream: The body as it comes, without transfer coding.
        headers: Of the answer, names in lower case.
        raw_cap: Bytes before decompression.
        decoded_cap: Bytes after.

    Raises:
        LimitError: It is larger.
        BrokenAnswerError: It does not decompress, or is compressed in a way that was not asked for.
    """
    decoder = BodyDecoder(headers, raw_cap=raw_cap, decoded_cap=decoded_cap)
    first = b""
    more: io.BytesIO | None = None
    async for chunk in stream:
        for piece in decoder.feed(chunk):
            if more is not None:
                more.write(piece)
            elif first:
                more = io.BytesIO()
                more.write(first)
                more.write(piece)
            else:
                first = piece
    decoder.finish()
    return first if more is None else more.getvalue()


class BodyDecoder:
    """Takes a body piece by piece and gives its decoded pieces.

    Args:
        headers: Of the answer, names in lower case.
        raw_cap: Bytes before decompression.
        decoded_cap: Bytes after; also of what stands between two compressions.
    """

    def __init__(self, headers: Sequence[tuple[str, str]], *, raw_cap: int, decoded_cap: int) -> None:
        self._raw_left = raw_cap
        self._raw_cap = raw_cap
        self._decoded_left = decoded_cap
        self._decoded_cap = decoded_cap
        encodings, length = _framing(headers)
        if length > (raw_cap if encodings else min(raw_cap, decoded_cap)):
            raise _too_large(min(raw_cap, decoded_cap))
        self._stages = [Inflater(name, decoded_cap) for name in reversed(encodings)]

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Give what a piece of the body decodes to; raises as `read_body` does."""
        self._raw_left -= len(chunk)
        if self._raw_left < 0:
            raise _too_large(self._raw_cap)
        for piece in self._through(chunk, 0):
            self._decoded_left -= len(piece)
            if self._decoded_left < 0:
                raise _too_large(self._decoded_cap)
            yield piece

    def finish(self) -> None:
        """Raise `BrokenAnswerError` if a compressed body broke off."""
        for stage in self._stages:
            stage.finish()

    def _through(self, data: bytes, position: int) -> Iterator[bytes]:
        if position == len(self._stages):
            if data:
                yield data
            return
        for piece in self._stages[position].feed(data):
            yield from self._through(piece, position + 1)


class Inflater:
    """One gzip or deflate stage, bounded in what it gives."""

    def __init__(self, name: str, cap: int) -> None:
        self._name = name
        self._cap = cap
        self._given = 0
        self._started = False
        self._engine: Any = zlib.decompressobj(31 if name == "gzip" else 15)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Give decoded pieces of at most 64 KiB."""
        more = bool(data)
        while more:
            if self._engine.eof:
                if self._name != "gzip" or not data.strip(b"\0"):
                    return
                self._engine = zlib.decompressobj(31)
            piece = self._inflate(data)
            data = self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail
            self._given += len(piece)
            if self._given > self._cap:
                raise _too_large(self._cap)
            if piece:
                yield piece
            # A full piece may have left output inside the engine when all input is consumed.
            more = bool(data) or (len(piece) == _PIECE and not self._engine.eof)

    def finish(self) -> None:
        """Raise `BrokenAnswerError` if more should have come."""
        if self._started and not self._engine.eof:
            raise BrokenAnswerError(f"the {self._name} body broke off", retryable=True)

    def _inflate(self, data: bytes) -> bytes:
        try:
            piece: bytes = self._engine.decompress(data, _PIECE)
        except zlib.error:
            if self._name == "gzip" or self._started:
                raise BrokenAnswerError(f"the body is not {self._name}") from None
            # "deflate" means zlib's format, but some servers send it bare.
            self._engine = zlib.decompressobj(-15)
            try:
                piece = self._engine.decompress(data, _PIECE)
            except zlib.error:
                raise BrokenAnswerError(f"the body is not {self._name}") from None
        self._started = True
        return piece


def _framing(headers: Sequence[tuple[str, str]]) -> tuple[list[str], int]:
    """Return the compressions in the order they were applied, and the announced length, -1 if none."""
    listed = ""
    length = -1
    for name, value in headers:
        if name == "content-encoding":
            listed = f"{listed},{value}"
        elif name == "content-length" and value.isdigit() and len(value) < 20:
            length = int(value)
    if not listed:
        return [], length
    encodings = []
    for entry in listed[:4_000].split(","):
        encoding = entry.strip().lower().removeprefix("x-")
        if encoding in ("", "identity"):
            continue
        if encoding not in ("gzip", "deflate"):
            raise BrokenAnswerError(f"the body is compressed as {encoding[:40]!r}, which was not asked for")
        encodings.append(encoding)
    if len(encodings) > _MOST_ENCODINGS:
        raise BrokenAnswerError(f"the body is compressed {len(encodings)} times")
    return encodings, length


def _too_large(cap: int) -> LimitError:
    return LimitError(f"the answer is larger than {cap} bytes", hint="Ask for less of it at once")
