"""An answer that is read as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from toolhaft.errors import LimitError
from toolhaft.http.exchange import SHOWN
from toolhaft.http.message import Response
from toolhaft.http.reader import BodyDecoder
from toolhaft.types import Exchange, Provenance

if TYPE_CHECKING:
    from toolhaft.http.library import Library
    from toolhaft.http.transport import Answer

_LONGEST_LINE = 1_000_000


class StreamedResponse:
    """An answer whose body is read line by line, within the limits.

    Attributes:
        status: HTTP status.
        url: Where it came from after redirects.
        headers: Names in lower case, in the order received.
        exchanges: Every hop, redacted; complete when the context is left.
        provenance: ``replayed`` if it comes from a cassette.
    """

    def __init__(
        self,
        answer: Answer | None,
        library: Library | None,
        *,
        url: str,
        origin: str,
        raw_cap: int,
        decoded_cap: int,
        kept: bool,
    ) -> None:
        self._answer = answer
        self._library = library
        self._origin = origin
        self._raw_cap = raw_cap
        self._decoded_cap = decoded_cap
        self._pieces: list[bytes] = []
        self._kept = kept
        self._length = 0
        self._recorded = b""
        self.status = answer.status if answer else 0
        self.headers: tuple[tuple[str, str], ...] = answer.headers if answer else ()
        self.url = url
        self.exchanges: tuple[Exchange, ...] = ()
        self.provenance: Provenance = "live"

    @classmethod
    def of_recorded(cls, response: Response) -> StreamedResponse:
        """Make one of a complete answer."""
        streamed = cls(None, None, url=response.url, origin="", raw_cap=0, decoded_cap=0, kept=False)
        streamed.status = response.status
        streamed.headers = response.headers
        streamed.exchanges = response.exchanges
        streamed.provenance = response.provenance
        streamed._recorded = response.body
        return streamed

    def header(self, name: str, default: str = "") -> str:
        """Return the first header of this name, in any case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key == wanted), default)

    async def read(self) -> bytes:
        """Read what is left of the body, decoded.

        Raises:
            HTTPError: It broke off, or is larger than the limits.
        """
        return b"".join([piece async for piece in self._decoded()])

    async def lines(self) -> AsyncIterator[str]:
        """Iterate over the body's lines, which end in CR, LF or both, without their ends.

        Raises:
            HTTPError: The body broke off, or it or one line is larger than the limits.
        """
        rest = b""
        async for piece in self._decoded():
            lines = (rest + piece).splitlines(keepends=True)
            # A final "\r" may be the first half of "\r\n".
            rest = b"" if lines[-1].endswith(b"\n") else lines.pop()
            for line in lines:
                yield line.rstrip(b"\r\n").decode("utf-8", "replace")
            if len(rest) > _LONGEST_LINE:
                raise LimitError(f"a line of the answer is longer than {_LONGEST_LINE} bytes")
        if rest:
            yield rest.rstrip(b"\r").decode("utf-8", "replace")

    def beginning(self) -> bytes:
        """Return the beginning of what was read, for the record."""
        return b"".join(self._pieces)

    def as_response(self) -> Response:
        """Return what was read as a complete answer, for a cassette."""
        return Response(
            status=self.status,
            url=self.url,
            headers=self.headers,
            body=b"".join(self._pieces),
            exchanges=self.exchanges,
        )

    async def _decoded(self) -> AsyncIterator[bytes]:
        if self._answer is None or self._library is None:
            recorded, self._recorded = self._recorded, b""
            if recorded:
                yield recorded
            return
        decoder = BodyDecoder(self.headers, raw_cap=self._raw_cap, decoded_cap=self._decoded_cap)
        try:
            async for chunk in self._answer.chunks:
                for piece in decoder.feed(chunk):
                    if self._kept or self._length < SHOWN * 8:
                        self._pieces.append(piece)
                    self._length += len(piece)
                    yield piece
        except self._library.known() as error:
            raise self._library.translate(error, self._origin) from None
        decoder.finish()
