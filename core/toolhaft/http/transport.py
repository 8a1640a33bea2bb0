"""One request out, one answer's head back: no redirects, no retries."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from toolhaft.errors import BrokenAnswerError, ConfigError, HTTPError, LimitError
from toolhaft.http.backend import Backend
from toolhaft.http.certificates import with_certificate
from toolhaft.http.connection import Connection
from toolhaft.http.credentials import Additions
from toolhaft.http.egress import Egress, Guard
from toolhaft.http.library import Library, load_library
from toolhaft.http.limits import Limits
from toolhaft.http.message import Request
from toolhaft.http.origin import Authority, Target
from toolhaft.http.pools import Pool, Pools
from toolhaft.http.resolver import CheckedResolver
from toolhaft.secrets import SecretStore

_OURS = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Headers that decide how a message is framed and where it goes; nobody else sets them."""

_DEFAULTS = (("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate"), ("User-Agent", "toolhaft"))

Headers = tuple[tuple[str, str], ...]


class Flight:
    """Whether a request may have arrived; plain reads do not ask."""

    __slots__ = ("sent",)

    def __init__(self) -> None:
        self.sent = False

    async def note(self, event: str, _: Any) -> None:
        """Take the library's trace events."""
        if event.endswith("send_request_headers.started"):
            self.sent = True


class Answer:
    """An answer whose body is still to come; `close` must be called."""

    __slots__ = ("_held", "_stream", "chunks", "headers", "status")

    def __init__(
        self,
        status: int,
        headers: Headers,
        chunks: AsyncIterator[bytes],
        stream: Any,
        held: tuple[Pool, Any] | None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.chunks = chunks
        self._stream = stream
        self._held = held

    async def close(self) -> None:
        """Give the connection back, or close it if there is more to come."""
        try:
            await self._stream.aclose()
            await self.chunks.aclose()  # type: ignore[attr-defined]
        finally:
            if self._held is not None:
                (pool, connection), self._held = self._held, None
                await pool.give_back(connection)


class Transport:
    """Sends through pools of guarded connections, or through an embedder's own client.

    Args:
        library: ``httpx`` or ``httpx2``; imported when the first request goes out.
        verify: TLS settings; True is the library's default trust store.
        proxy: URL of an HTTP proxy. Names are then looked up by the proxy, which must guard them.
        unguarded: An embedder's own client of either library; its addresses are not checked. Cookies that
            it holds now are sent, those that answers set from now on are not: they may be another's.
        secrets: Resolves the passphrases of client certificates.
    """

    def __init__(
        self,
        library: str,
        *,
        egress: Egress,
        limits: Limits,
        verify: ssl.SSLContext | bool,
        proxy: str | None,
        unguarded: Any,
        secrets: SecretStore,
    ) -> None:
        self._name = library
        self._library: Library | None = None
        self._limits = limits
        self._verify = verify
        self._context: ssl.SSLContext | None = None
        self._proxy = proxy
        self._unguarded = unguarded
        self._secrets = secrets
        self._cookies = None if unguarded is None else type(unguarded.cookies)(unguarded.cookies)
        self._dial = egress.dial
        self.guard = Guard(egress)
        self._resolver = CheckedResolver(self.guard, egress.resolver)
        self.pools = Pools()

    @property
    def library(self) -> Library:
        """The HTTP library, imported now at the latest."""
        if self._library is None:
            self._library = load_library(self._name)
        return self._library

    def check(self, target: Target) -> None:
        """Raise `EgressError` if a target is out of bounds before its name is looked up."""
        if self._unguarded is None:
            self.guard.check(target.authority)

    async def open(self, request: Request, target: Target, extra: Additions, flight: Flight) -> Answer:
        """Send a request and return its answer up to the body.

        Raises:
            HTTPError: Nothing came back, or what came is not an answer.
        """
        library = self.library
        try:
            if self._unguarded is not None:
                answer = await self._open_unguarded(request, target, extra, flight)
            else:
                answer = await self._open_guarded(library, request, target, extra, flight)
        except library.known() as error:
            raise library.translate(error, target.authority.origin) from None
        try:
            _check_head(answer, self._limits)
        except HTTPError:
            await answer.close()
            raise
        return answer

    async def _open_guarded(
        self, library: Library, request: Request, target: Target, extra: Additions, flight: Flight
    ) -> Answer:
        authority = target.authority
        pool = self._pool(library, target, extra)
        core = library.core
        outgoing = core.Request(
            request.method.encode("latin-1", "replace"),
            core.URL(
                scheme=authority.scheme.encode(),
                host=authority.host.encode(),
                port=authority.port,
                target=_path(target, extra).encode(),
            ),
            headers=encode_headers(headers_to_send(request, target, extra.headers)),
            content=request.body or b"",
            extensions={} if request.effect == "read" else {"trace": flight.note},
        )
        connection = await pool.take()
        try:
            response = await connection.handle_async_request(outgoing)
        except BaseException:
            await pool.give_back(connection, broken=True)
            raise
        stream = response.extensions.get("network_stream")
        if isinstance(stream, Connection):
            stream.end_head()
        headers = tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers
        )
        return Answer(
            response.status, headers, response.stream.__aiter__(), response.stream, (pool, connection)
        )

    async def _open_unguarded(
        self, request: Request, target: Target, extra: Additions, flight: Flight
    ) -> Answer:
        client = self._unguarded
        if extra.certificate is not None:
            raise ConfigError(
                "a client given as unguarded= shows certificates of its own",
                hint="Give it the certificate when you make it, and leave it out here",
            )
        headers = headers_to_send(request, target, extra.headers)
        outgoing = client.build_request(
            request.method,
            f"{target.authority.scheme}://{target.authority.header}{_path(target, extra)}",
            headers=headers,
            content=request.body,
            extensions={"trace": flight.note},
        )
        if self._cookies is not None and not any(name.lower() == "cookie" for name, _ in headers):
            outgoing.headers.pop("cookie", None)
            self._cookies.set_cookie_header(outgoing)
        response = await client.send(outgoing, stream=True, follow_redirects=False)
        received = tuple((name.lower(), value) for name, value in response.headers.multi_items())
        return Answer(response.status_code, received, response.aiter_raw(), response, None)

    def _pool(self, library: Library, target: Target, extra: Additions) -> Pool:
        pools = self.pools.of_running_loop()
        key = (target.authority.origin, extra.identity)
        pool = pools.get(key)
        if pool is None:
            self.pools.make_room(pools)
            pool = pools[key] = self._make_pool(library, target.authority, extra)
        return pool

    def _make_pool(self, library: Library, authority: Authority, extra: Additions) -> Pool:
        opened: set[Connection] = set()
        proxy, address = self._read_proxy(library)
        backend = Backend(
            self._resolver,
            self._limits,
            library.core.WriteError,
            opened,
            proxy=address,
            dial=self._dial,
        )
        # Their pool is only asked to make connections: it knows how for proxies and TLS.
        core = library.core.AsyncConnectionPool(
            ssl_context=self._own_tls(library, extra) if authority.scheme == "https" else None,
            proxy=proxy,
            keepalive_expiry=self._limits.idle_seconds,
            network_backend=backend,
        )
        origin = library.core.Origin(
            scheme=authority.scheme.encode(), host=authority.host.encode(), port=authority.port
        )
        return Pool(partial(core.create_connection, origin), self._limits.connections, opened)

    def _tls(self, library: Library) -> ssl.SSLContext:
        if self._context is None:
            if isinstance(self._verify, ssl.SSLContext):
                self._context = self._verify
            else:
                self._context = library.top.create_ssl_context(verify=self._verify, trust_env=False)
        return self._context

    def _own_tls(self, library: Library, extra: Additions) -> ssl.SSLContext:
        """Return the TLS settings of one pool: those of all, or a copy that shows a certificate."""
        shared = self._tls(library)
        return with_certificate(shared, extra.certificate, self._secrets) if extra.certificate else shared

    def _read_proxy(self, library: Library) -> tuple[Any, tuple[str, int] | None]:
        if self._proxy is None:
            return None, None
        parts = urlsplit(self._proxy)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("proxy= must be an http or https URL")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        auth = None
        if parts.username is not None:
            auth = (unquote(parts.username), unquote(parts.password or ""))
        url = library.core.URL(scheme=parts.scheme, host=parts.hostname, port=port, target="/")
        context = self._tls(library) if parts.scheme == "https" else None
        return library.core.Proxy(url=url, auth=auth, ssl_context=context), (parts.hostname, port)


def headers_to_send(
    request: Request, target: Target, extra: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return all headers of a request.

    Args:
        request: What to send.
        target: Where it goes.
        extra: The credentials' headers, real or as the record shows them.

    Raises:
        HTTPError: The caller set one that is the transport's.
    """
    headers = _with_one_cookie([("Host", target.authority.header), *request.headers, *extra])
    present = {name.lower() for name, _ in headers}
    if request.key_header and request.key and request.key_header.lower() not in present:
        headers.append((request.key_header, request.key))
    headers.extend(pair for pair in _DEFAULTS if pair[0].lower() not in present)
    if request.body is not None or request.method in ("POST", "PUT", "PATCH"):
        headers.append(("Content-Length", str(len(request.body or b""))))
    for name, _ in request.headers:
        if name.lower() in _OURS or name.lower().startswith("proxy-"):
            raise HTTPError(f"the header {name[:40]!r} is set by the transport alone")
    return headers


def _with_one_cookie(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return headers with all cookies in the first of their headers, as RFC 6265, section 5.4, asks for."""
    cookies = [value for name, value in headers if name.lower() == "cookie"]
    if len(cookies) < 2:
        return headers
    kept = [(name, value) for name, value in headers if name.lower() != "cookie"]
    return [*kept, ("Cookie", "; ".join(cookies))]


def encode_headers(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Return headers as bytes.

    Raises:
        HTTPError: One has characters that no header can hold.
    """
    try:
        return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
    except UnicodeEncodeError:
        raise HTTPError(
            "a header has characters that no header can hold", hint="Percent-encode them"
        ) from None


def _path(target: Target, extra: Additions) -> str:
    if not extra.query:
        return target.path
    return f"{target.path}{'&' if '?' in target.path else '?'}{extra.query}"


def _check_head(answer: Answer, limits: Limits) -> None:
    if answer.status < 200:
        raise BrokenAnswerError(f"the server answered with status {answer.status}, which was not asked for")
    if len(answer.headers) > limits.header_count:
        raise LimitError(f"the answer has more than {limits.header_count} headers")
    if sum(len(name) + len(value) + 4 for name, value in answer.headers) > limits.header_bytes:
        raise LimitError(f"the answer's headers are larger than {limits.header_bytes} bytes")


def location_of(headers: Headers) -> str:
    """Return where a redirect leads, or an empty string."""
    return next((value for name, value in headers if name == "location"), "")
