"""Where requests may go: the address guard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from toolhaft.errors import ConfigError, EgressError
from toolhaft.http.addresses import is_public
from toolhaft.http.origin import Authority, origin_of, parse_url

if TYPE_CHECKING:
    import socket

T = TypeVar("T")

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Takes host and port, returns IP addresses as text, in the order to try."""

Dialler = Callable[[str, int], Awaitable["socket.socket"]]
"""Takes a checked IP address and a port, returns a connected, non-blocking socket."""

_HINT = "If you trust it, allow it by name: allow_hosts=[...], or --allow-host in the shell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """Where requests may go.

    Attributes:
        allow_hosts: Hosts that may be private or loopback: ``127.0.0.1``, ``localhost:8000``,
            ``http://10.0.0.5:8080``, ``[::1]``. A name here is allowed under this name alone, whatever
            address it has; an address does not allow the names that lead to it.
        origins: If set, only these origins (``https://api.example.com:443``) are spoken to at all.
        resolver: Looks names up; None asks the system.
        dial: Opens the socket to a checked address; None connects directly. For tests and sandboxes.
    """

    allow_hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] | None = None
    resolver: Resolver | None = None
    dial: Dialler | None = None


class Guard:
    """`Egress` as a check, compiled once."""

    def __init__(self, egress: Egress) -> None:
        self._private = frozenset(_allowed(entry) for entry in egress.allow_hosts)
        self._origins = None
        if egress.origins is not None:
            self._origins = frozenset(_configured(origin_of, origin) for origin in egress.origins)

    def check(self, authority: Authority) -> None:
        """Raise `EgressError` if a target is out of bounds by its origin or by its literal address."""
        if self._origins is not None and authority.origin not in self._origins:
            raise EgressError(
                "this origin is not one that the tool may speak to",
                where=authority.origin,
                hint=f"It may speak to {', '.join(sorted(self._origins)[:5]) or 'none'}",
            )
        if authority.literal is not None and not is_public(authority.literal):
            self._refuse_unless_allowed(authority.host, authority.port, authority.scheme)

    def check_answer(self, host: str, port: int, addresses: Sequence[str]) -> None:
        """Raise `EgressError` if any of the addresses that a name has is out of bounds."""
        if not addresses:
            raise EgressError("this name has no address", where=host)
        for address in addresses:
            if not is_public(address):
                self._refuse_unless_allowed(host, port, "")
                return

    def _refuse_unless_allowed(self, host: str, port: int, scheme: str) -> None:
        schemes = (scheme,) if scheme else ("http", "https")
        wanted = [("", host, 0), ("", host, port), *((name, host, port) for name in schemes)]
        if not self._private.isdisjoint(wanted):
            return
        what = (
            "this address is private or reserved" if scheme else "this name has a private or reserved address"
        )
        raise EgressError(what, where=f"{host}:{port}", hint=_HINT)


def _allowed(entry: str) -> tuple[str, str, int]:
    """Return ``(scheme, host, port)``; an empty scheme and port 0 stand for any."""
    if "://" in entry:
        authority = _configured(parse_url, entry).authority
        return authority.scheme, authority.host, authority.port
    text = f"[{entry}]" if entry.count(":") > 1 and not entry.startswith("[") else entry
    authority = _configured(parse_url, f"http://{text}").authority
    with_port = text.rpartition("]")[2].partition(":")[2]
    return "", authority.host, authority.port if with_port else 0


def _configured(read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except EgressError as error:
        raise ConfigError(
            f"{text[:80]!r} is not a host: {error.what}", hint="Write 'host', 'host:port' or an origin"
        ) from None
