"""The HTTP client: every request that Toolhaft makes goes through one of these."""

from __future__ import annotations

import asyncio
import logging
import random
import time
import weakref
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from toolhaft.errors import (
    HTTPError,
    LimitError,
    RateLimitedError,
    ToolhaftError,
    UnreachableError,
)
from toolhaft.http.credentials import additions_for
from toolhaft.http.egress import Egress
from toolhaft.http.journey import Hop, Journey
from toolhaft.http.library import LOGGERS
from toolhaft.http.limits import Limits
from toolhaft.http.message import Request, Response
from toolhaft.http.origin import Target, parse_url
from toolhaft.http.pace import Pace
from toolhaft.http.reader import read_body
from toolhaft.http.redirects import STATUSES, follow
from toolhaft.http.retry import Retry, is_worth_repeating, may_repeat, read_retry_after, repeats_after
from toolhaft.http.streamed import StreamedResponse
from toolhaft.http.transport import Answer, Transport, location_of
from toolhaft.secrets import SecretStore

if TYPE_CHECKING:
    import ssl

    from toolhaft.http.cassette import Cassette
    from toolhaft.http.pools import Pools

_REDIRECT_BODY = 65_536
_PACED_ORIGINS = 1024
_DUE = 0.05
"""Seconds to the deadline at which a cancellation is taken for it."""


class HTTPClient:
    """Sends requests to addresses that it may speak to, and reads answers within limits.

    One client serves any number of tasks on any number of event loops; each loop gets its own
    connections. Connections are kept per origin and per set of credentials, and there are no cookies.

    Args:
        egress: Where requests may go; the default is any public address.
        limits: Caps on time, size, headers and redirects.
        secrets: Resolves the credentials of requests; its filter redacts every record and error.
        retry: What is tried again.
        cassette: Records answers, or replays them in place of the network.
        library: ``httpx`` or ``httpx2``; None is the setting ``TOOLHAFT_HTTP_LIBRARY``.
        verify: TLS settings: a context, or False to accept any certificate.
        proxy: URL of an HTTP proxy. Names are then looked up by the proxy, which must guard them;
            literal addresses and ``origins`` are checked all the same.
        unguarded: A client of either library to send through instead. Redirects, limits, retries,
            credentials and records stay; addresses are no longer checked.
    """

    def __init__(
        self,
        *,
        egress: Egress | None = None,
        limits: Limits | None = None,
        secrets: SecretStore | None = None,
        retry: Retry | None = None,
        cassette: Cassette | None = None,
        library: str | None = None,
        verify: ssl.SSLContext | bool = True,
        proxy: str | None = None,
        unguarded: Any = None,
    ) -> None:
        self.limits = limits or Limits()
        self.secrets = secrets or SecretStore()
        self.retry = retry or Retry()
        self._cassette = cassette
        self._transport = Transport(
            library or _configured_library(),
            egress=egress or Egress(),
            limits=self.limits,
            verify=verify,
            proxy=proxy,
            unguarded=unguarded,
            secrets=self.secrets,
        )
        self._paces: dict[str, Pace] = {}
        self._release = self._watch_logs()

    @property
    def open_connections(self) -> int:
        """How many connections are open, idle ones included."""
        return self._transport.pools.count_open()

    @property
    def replays(self) -> bool:
        """Whether answers come from a cassette, so that nothing is sent and no token is needed."""
        return self._cassette is not None and self._cassette.mode == "replay"

    async def send(self, request: Request) -> Response:
        """Send a request and read its whole answer, whatever the status.

        Redirects are followed, every hop checked like the first. Reads and repeatable writes are tried
        again where that may help. Known secrets that the answer repeats, as servers that echo requests do,
        are masked in it.

        Raises:
            EgressError: The address is not one that this client may speak to.
            UnreachableError: No connection, or none that TLS accepts.
            BrokenAnswerError: The answer broke off, is not HTTP, or does not decode.
            LimitError: The answer is larger, longer or slower than the limits.
            RateLimitedError: The server asks to wait for longer than there is time.
            HTTPError: The request itself cannot be written.
            ReplayMissError: The cassette does not hold the answer.

            ``effect`` of the error is ``uncertain`` if the request may have changed something.
        """
        cassette = None if request.confidential else self._cassette
        if cassette is not None and cassette.mode == "replay":
            return cassette.replay(request, self.secrets)
        try:
            response = await self._send_in_time(request)
        except HTTPError as error:
            if cassette is not None:
                cassette.record_error(request, error, self.secrets)
            raise
        if cassette is not None:
            cassette.record(request, response, self.secrets)
        return response

    def stream(self, request: Request) -> AbstractAsyncContextManager[StreamedResponse]:
        """Send a request and read its answer line by line, for server-sent events.

        The guard, the caps and the deadline are those of `send`, redirects included; nothing is tried
        again.

        Raises:
            HTTPError: As `send` does, on entering and while reading.
        """
        return self._stream(request)

    async def close(self) -> None:
        """Close all connections. Those of other running loops close a moment later."""
        self._transport.pools.close()
        self._release()

    async def __aenter__(self) -> HTTPClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _send_in_time(self, request: Request) -> Response:
        journey = self._journey(request)
        try:
            async with asyncio.timeout(journey.seconds):
                return await self._send_repeatedly(journey)
        except TimeoutError:
            raise journey.mark(journey.too_slow(), self.secrets) from None
        except HTTPError as error:
            raise journey.mark(error, self.secrets) from None

    def _watch_logs(self) -> weakref.finalize[..., HTTPClient]:
        """Redact what the library logs until the client is closed or gone."""
        log_filter = self.secrets.logging_filter()
        for name in LOGGERS:
            logging.getLogger(name).addFilter(log_filter)
        return weakref.finalize(self, _release, log_filter, self._transport.pools)

    def _journey(self, request: Request) -> Journey:
        if not self._release.alive:  # closed, and used again
            self._release = self._watch_logs()
        return Journey(request, request.timeout or self.limits.seconds, time.monotonic())

    async def _send_repeatedly(self, journey: Journey) -> Response:
        request, attempts = journey.request, self.retry.attempts
        attempt = 1
        while True:
            try:
                response = await self._send_once(journey)
            except HTTPError as error:
                error.effect = journey.effect
                wait = self.retry.wait_before(attempt + 1)
                if attempt >= attempts or not repeats_after(request, error) or wait >= journey.left:
                    raise
            else:
                if not (is_worth_repeating(response.status) and may_repeat(request)):
                    return response
                asked = self._heed(response, journey)
                wait = self.retry.wait_before(attempt + 1) if asked is None else asked
                if attempt >= attempts or wait >= journey.left:
                    return response
            attempt += 1
            await asyncio.sleep(wait)

    def _heed(self, response: Response, journey: Journey) -> float | None:
        """Return the wait that a server asks for, with some jitter; hold others back as well."""
        asked = read_retry_after(response.header("retry-after"))
        if asked is None:
            return None
        if asked > self.retry.max_wait or asked >= journey.left:
            raise RateLimitedError(
                f"the server answered {response.status} and asks to wait {asked:.0f} s",
                where=journey.origin,
                hint="Try again later, or use another tool",
                details={"retry_after": asked, "status": response.status},
            )
        self._pace(journey.origin).pause(asked)
        return asked + random.random() * min(self.retry.first_wait, 0.1 * asked)

    async def _send_once(self, journey: Journey) -> Response:
        """Send and follow redirects to the last answer."""
        request = journey.request
        for _ in range(self.limits.redirects + 1):
            hop, answer = await self._open(request, journey)
            location = _next_location(request, answer)
            body = await self._read(hop, answer, journey, last=not location)
            if not location:
                return Response(
                    status=answer.status,
                    url=self.secrets.redact(hop.target.url),
                    headers=tuple((name, self.secrets.redact(value)) for name, value in answer.headers),
                    body=body if request.confidential else self.secrets.redact_bytes(body),
                    seconds=time.monotonic() - journey.started,
                    exchanges=tuple(journey.trail),
                )
            request = follow(request, hop.target, answer.status, location, self.secrets)
        raise self._too_many_redirects(journey)

    async def _open(self, request: Request, journey: Journey) -> tuple[Hop, Answer]:
        """Check the target, wait for its turn, send, and return the answer up to its body."""
        target = parse_url(request.url)
        self._transport.check(target)
        pace = self._pace(target.authority.origin)
        await self._wait_for_turn(pace, target, journey)
        extra = additions_for(request, target.authority, self.secrets)
        hop = Hop(request, target, extra, time.monotonic())
        flight = journey.depart(target.authority.origin)
        try:
            answer = await self._transport.open(request, target, extra, flight)
        except HTTPError as error:
            if isinstance(error, UnreachableError) or error.retryable:
                pace.failed(self.secrets.redact(error.what))
            journey.note(hop, self.secrets, problem=error.what)
            raise
        except asyncio.CancelledError:
            if journey.left <= _DUE:
                pace.failed("no answer came in time")
            journey.note(hop, self.secrets, problem="given up before an answer came")
            raise
        if answer.status in (502, 503, 504):
            pace.failed(f"the server answered {answer.status}")
        else:
            pace.succeeded()
        hop.answer = answer
        return hop, answer

    async def _read(self, hop: Hop, answer: Answer, journey: Journey, *, last: bool) -> bytes:
        """Read an answer's body; that of a redirect only if it is short."""
        body = b""
        problem = "given up before the answer was complete"
        decoded_cap = hop.request.max_bytes or self.limits.decoded_bytes
        raw_cap = max(self.limits.raw_bytes, decoded_cap)
        if not last:
            raw_cap = decoded_cap = _REDIRECT_BODY
        bodiless = hop.request.method == "HEAD" or answer.status in (204, 304)
        headers = () if bodiless else answer.headers
        library = self._transport.library
        try:
            body = await read_body(answer.chunks, headers, raw_cap=raw_cap, decoded_cap=decoded_cap)
            problem = ""
            journey.arrive(answer.status)
        except ToolhaftError as error:
            problem = error.what
            if last or not isinstance(error, LimitError):
                error.where = error.where or journey.origin
                raise
            journey.arrive(answer.status)
        except library.known() as error:
            translated = library.translate(error, journey.origin)
            problem = translated.what
            raise translated from None
        finally:
            await answer.close()
            shown = b"" if hop.request.confidential else body
            journey.note(hop, self.secrets, body=shown, problem=problem)
        return body

    def _too_many_redirects(self, journey: Journey) -> LimitError:
        return LimitError(f"more than {self.limits.redirects} redirects", where=journey.origin)

    async def _wait_for_turn(self, pace: Pace, target: Target, journey: Journey) -> None:
        wait = pace.claim()
        if wait <= 0:
            return
        if wait > self.retry.max_wait or wait >= journey.left:
            raise RateLimitedError(
                f"this server is to be left alone for another {wait:.0f} s",
                where=target.authority.origin,
                details={"retry_after": wait},
            )
        await asyncio.sleep(wait)

    def _pace(self, origin: str) -> Pace:
        pace = self._paces.get(origin)
        if pace is None:
            if len(self._paces) >= _PACED_ORIGINS:
                self._paces.pop(next(iter(self._paces)))
            pace = self._paces[origin] = Pace(origin, self.retry, self.limits.rate)
        return pace

    @asynccontextmanager
    async def _stream(self, request: Request) -> AsyncIterator[StreamedResponse]:
        cassette = self._cassette
        if cassette is not None and cassette.mode == "replay":
            recorded = cassette.replay(request, self.secrets)
            yield StreamedResponse.of_recorded(recorded)
            return
        journey = self._journey(request)
        try:
            async with asyncio.timeout(journey.seconds) as timer, self._open_stream(journey) as streamed:
                yield streamed
        except TimeoutError:
            if not timer.expired():
                raise
            raise journey.mark(journey.too_slow(), self.secrets) from None
        except HTTPError as error:
            raise journey.mark(error, self.secrets) from None
        if cassette is not None:
            cassette.record(request, streamed.as_response(), self.secrets)

    @asynccontextmanager
    async def _open_stream(self, journey: Journey) -> AsyncIterator[StreamedResponse]:
        request = journey.request
        for _ in range(self.limits.redirects + 1):
            hop, answer = await self._open(request, journey)
            location = _next_location(request, answer)
            if location:
                await self._read(hop, answer, journey, last=False)
                request = follow(request, hop.target, answer.status, location, self.secrets)
                continue
            decoded_cap = request.max_bytes or self.limits.decoded_bytes
            streamed = StreamedResponse(
                answer,
                self._transport.library,
                url=self.secrets.redact(hop.target.url),
                origin=journey.origin,
                raw_cap=max(self.limits.raw_bytes, decoded_cap),
                decoded_cap=decoded_cap,
                kept=self._cassette is not None,
            )
            problem = "given up before the answer was complete"
            try:
                yield streamed
                problem = ""
                journey.arrive(answer.status)
            except HTTPError as error:
                problem = error.what
                raise
            finally:
                await answer.close()
                journey.note(hop, self.secrets, body=streamed.beginning(), problem=problem)
                streamed.exchanges = tuple(journey.trail)
            return
        raise self._too_many_redirects(journey)


def _next_location(request: Request, answer: Answer) -> str:
    """Return where an answer redirects to, if it does and may."""
    return location_of(answer.headers) if request.redirects and answer.status in STATUSES else ""


def _configured_library() -> str:
    from toolhaft.settings import load_settings

    return load_settings().http_library


def _release(log_filter: logging.Filter, pools: Pools) -> None:
    for name in LOGGERS:
        logging.getLogger(name).removeFilter(log_filter)
    pools.abandon()
