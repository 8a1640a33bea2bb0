"""A request before it is sent, and its whole answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from toolhaft.types import Effect, Exchange, Provenance, SecretRef

_NO_CHARSETS = frozenset(("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"))
"""Codecs of Python that no text is sent in: they fail, or take quadratic time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A secret to add to requests for one origin, by reference.

    Attributes:
        secret: Where the value is kept.
        origins: Origins (``https://host:port``, the port always given) that may receive it; it is
            dropped on any hop to another.
        place: Where it goes.
        name: Header, query parameter or cookie name.
        prefix: What stands before the value, for example ``Bearer ``.
        basic_user: For HTTP basic: the user name, plain or a reference; the value is the password.
    """

    secret: SecretRef
    origins: tuple[str, ...]
    place: Literal["header", "query", "cookie"] = "header"
    name: str = "Authorization"
    prefix: str = ""
    basic_user: str | SecretRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """What a client shows of itself when a TLS connection is made.

    Attributes:
        certificate: Path of a PEM file with the certificate and its chain, or a reference to the path.
        key: Path of a PEM file with the private key, or a reference to the path; empty where the key
            stands in the same file.
        origins: Origins that it is shown to, as in `Credential`.
        passphrase: Opens the private key.
    """

    certificate: str | SecretRef
    key: str | SecretRef = ""
    origins: tuple[str, ...] = ()
    passphrase: SecretRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to send. Nothing secret is in it: credentials are added in the transport.

    Attributes:
        method: Upper case.
        url: Absolute, ``http`` or ``https``; already percent-encoded, sent byte for byte.
        headers: In the order to send.
        body: Bytes, or None for no body.
        effect: Decides what may be retried: reads and repeatable writes.
        repeatable: A write that may be sent again with the same key.
        key: Idempotency key, sent as ``Idempotency-Key`` if ``key_header`` is set.
        credentials: Added for their own origins.
        certificate: Shown to its own origins when the connection is made.
        redirects: Whether redirects are followed; if not, they are answers like any other.
        confidential: The answer is a secret, such as a token: it is returned as it came, and stands in no
            record and no cassette.
        timeout: Seconds for everything: retries, redirects, body. None is the client's limit.
        max_bytes: Cap on the decoded answer; None is the client's limit.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    effect: Effect = "read"
    repeatable: bool = False
    key: str = ""
    key_header: str = ""
    credentials: tuple[Credential, ...] = ()
    certificate: ClientCertificate | None = None
    redirects: bool = True
    confidential: bool = False
    timeout: float | None = None
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A complete answer: read to its end, decoded, within the limits.

    Attributes:
        url: Where it came from after redirects.
        headers: Names in lower case, in the order received.
        body: Decoded (gzip, deflate) bytes.
        exchanges: Every hop and every try, redacted.
    """

    status: int
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    seconds: float = 0.0
    provenance: Provenance = "live"
    exchanges: tuple[Exchange, ...] = field(default=())

    def __repr__(self) -> str:
        # Headers and body are long, and may be anything.
        return f"Response(status={self.status}, url={self.url!r}, {len(self.body)} bytes, {self.provenance})"

    def header(self, name: str, default: str = "") -> str:
        """Return the first header of this name, in any case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key == wanted), default)

    @property
    def media_type(self) -> str:
        """The content type without parameters, in lower case."""
        return self.header("content-type").partition(";")[0].strip().lower()

    def text(self) -> str:
        """Return the body as text by its charset; what does not decode becomes U+FFFD."""
        import codecs

        charset = "utf-8"
        for parameter in self.header("content-type").split(";")[1:]:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "charset":
                charset = value.strip().strip('"')
        try:
            if codecs.lookup(charset).name not in _NO_CHARSETS:
                return self.body.decode(charset, "replace")
        except (LookupError, ValueError):  # unknown, or no encoding of text
            pass
        return self.body.decode("utf-8", "replace")


class Sender(Protocol):
    """What sends requests: `toolhaft.http.HTTPClient`, and what stands in front of one."""

    async def send(self, request: Request) -> Response:
        """Send a request and return the whole answer."""
