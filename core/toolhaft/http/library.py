"""The HTTP library a client was told to use, imported when it first sends.

httpx and httpx2 share one API, and so do the connections under them, httpcore and httpcore2, which are
what requests go through: their public interface takes a network backend, sends a URL byte for byte, and
keeps no cookies. The upper layer is asked for the TLS settings it would use.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from toolhaft.errors import BrokenAnswerError, ConfigError, HTTPError, LimitError, UnreachableError

LOGGERS = (
    "httpx",
    "httpx2",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.proxy",
    "httpcore.socks",
    "httpcore2.connection",
    "httpcore2.http11",
    "httpcore2.proxy",
    "httpcore2.socks",
)
"""Loggers of the libraries; they write URLs and headers."""


@dataclass(frozen=True, slots=True)
class Library:
    """A library's parts.

    Attributes:
        top: The module ``httpx`` or ``httpx2``.
        core: The module ``httpcore`` or ``httpcore2``.
        unreachable: Exceptions that mean: no connection.
        broken: Exceptions that mean: the answer broke off or is not HTTP.
        own: Exceptions that mean: the request cannot be written.
        timeouts: Exceptions of an embedder's client that has time-outs of its own.
    """

    top: Any
    core: Any
    unreachable: tuple[type[Exception], ...]
    broken: tuple[type[Exception], ...]
    own: tuple[type[Exception], ...]
    timeouts: tuple[type[Exception], ...]

    def known(self) -> tuple[type[Exception], ...]:
        """Return every exception that `translate` understands."""
        return (*self.unreachable, *self.broken, *self.own, *self.timeouts, OSError)

    def translate(self, error: Exception, where: str) -> HTTPError:
        """Return a library's or the system's exception as one of ours."""
        if isinstance(error, ssl.SSLError):
            return _tls_error(error, where)
        if isinstance(error, self.own):
            return HTTPError(f"the request cannot be sent: {error}", where=where)
        if isinstance(error, self.timeouts):
            return LimitError("the client's own time limit passed", where=where)
        if isinstance(error, self.unreachable):
            return UnreachableError(f"no connection: {error}", where=where, retryable=True)
        text = str(error)
        if "too long" in text or "too many bytes" in text:
            return LimitError("the answer's headers are too large", where=where)
        if isinstance(error, OSError):
            return BrokenAnswerError("the connection broke", where=where, retryable=True)
        broke_off = "without" in text and ("disconnected" in text or "closed" in text)
        what = "the server closed the connection before the end of its answer"
        return BrokenAnswerError(
            what if broke_off else f"the answer is not HTTP: {text[:200]}", where=where, retryable=broke_off
        )


def load_library(name: str) -> Library:
    """Import a library.

    Raises:
        ConfigError: It is not one of the two, or is not installed.
    """
    if name not in ("httpx", "httpx2"):
        raise ConfigError(f"no HTTP library named {name!r}", hint="It must be 'httpx' or 'httpx2'")
    try:
        top = import_module(name)
        core = import_module(name.replace("httpx", "httpcore"))
    except ImportError:
        raise ConfigError(f"{name} is not installed", hint=f"pip install {name}") from None
    return Library(
        top=top,
        core=core,
        unreachable=(
            core.ConnectError,
            core.ConnectTimeout,
            core.ProxyError,
            top.ConnectError,
            top.ProxyError,
        ),
        own=(core.LocalProtocolError, core.UnsupportedProtocol, top.LocalProtocolError, top.InvalidURL),
        broken=(
            core.NetworkError,
            core.ProtocolError,
            top.NetworkError,
            top.ProtocolError,
            top.DecodingError,
        ),
        timeouts=(core.TimeoutException, top.TimeoutException),
    )


def _tls_error(error: ssl.SSLError, where: str) -> HTTPError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return UnreachableError(
            f"the server's certificate is not accepted: {error.verify_message}",
            where=where,
            hint="Give an ssl.SSLContext that trusts it with verify=, if you do",
        )
    return UnreachableError(f"no TLS connection: {error.reason or 'the handshake broke off'}", where=where)
