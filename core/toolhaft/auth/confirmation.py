"""Which authorisation servers may be spoken to: the API's own origin, and those that the caller confirmed.

A document can name any host as its token endpoint; client secrets must not follow it there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from toolhaft.errors import AuthError, ConfigError, EgressError
from toolhaft.http.origin import Authority, parse_url


class Confirmed:
    """Hosts that the caller confirmed.

    Args:
        entries: ``login.example.com``, ``login.example.com:8443`` or an origin; plain ``http`` needs the
            origin written out, unless the host is loopback.

    Raises:
        ConfigError: An entry is no host.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        self._entries = [_read(entry) for entry in entries]

    def check(self, url: str, *, scheme: str, origins: Sequence[str], what: str) -> str:
        """Return the origin of an endpoint.

        Args:
            url: Of the endpoint.
            scheme: Name of the security scheme.
            origins: The API's own.
            what: What the endpoint is, for the message.

        Raises:
            AuthError: It is on an origin that was not confirmed, or cannot be used.
        """
        try:
            authority = parse_url(url).authority
        except EgressError as error:
            raise AuthError(
                f"the {what} of {scheme!r} cannot be used: {error.what}",
                where=error.where,
                details={"scheme": scheme},
            ) from None
        if "#" in url:
            raise AuthError(f"the {what} of {scheme!r} has a fragment", details={"scheme": scheme})
        origin = authority.origin
        if origin in origins or self._allows(authority):
            return origin
        if authority.scheme == "http" and self._allows(_as_https(authority)):
            reason, name = "is not encrypted", origin
        else:
            reason, name = "is on another host than the API", _shown(authority)
        raise AuthError(
            f"the {what} of {scheme!r} {reason}: {origin}",
            where=origin,
            hint=f"If you trust it: auth_hosts=[{name!r}], or --allow-host {name} in the shell",
            details={"scheme": scheme, "origin": origin},
        )

    def _allows(self, authority: Authority) -> bool:
        for scheme, host, port in self._entries:
            if host != authority.host or (port and port != authority.port):
                continue
            if scheme == authority.scheme or (
                not scheme and (authority.scheme == "https" or _is_loopback(authority))
            ):
                return True
        return False


def _read(entry: str) -> tuple[str, str, int]:
    """Return ``(scheme, host, port)``; an empty scheme and port 0 stand for any."""
    text = f"[{entry}]" if entry.count(":") > 1 and "://" not in entry and entry[:1] != "[" else entry
    try:
        authority = parse_url(text if "://" in text else f"https://{text}").authority
    except EgressError as error:
        raise ConfigError(
            f"{entry[:80]!r} is not a host: {error.what}", hint="Write 'host', 'host:port' or an origin"
        ) from None
    if "://" in text:
        return authority.scheme, authority.host, authority.port
    with_port = text.rpartition("]")[2].partition(":")[2]
    return "", authority.host, authority.port if with_port else 0


def _as_https(authority: Authority) -> Authority:
    return Authority("https", authority.host, authority.port, "", "", authority.literal)


def _shown(authority: Authority) -> str:
    return authority.header if authority.scheme == "https" else authority.origin


def _is_loopback(authority: Authority) -> bool:
    if authority.literal is not None:
        return ipaddress.ip_address(authority.literal).is_loopback
    return authority.host == "localhost"
