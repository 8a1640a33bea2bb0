"""URLs taken apart strictly: what two parsers could read differently is refused."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

from toolhaft.errors import EgressError
from toolhaft.http.addresses import Address

_PORTS = {"http": 80, "https": 443}
_LONGEST = 65_536
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class Authority:
    """The part of a URL that says whom to speak to.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Lower case, ASCII, without brackets or a trailing dot.
        port: Always given.
        origin: ``scheme://host:port``.
        header: What the ``Host`` header says.
        literal: The address, if the host is one.
    """

    scheme: str
    host: str
    port: int
    origin: str
    header: str
    literal: Address | None


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart.

    Attributes:
        path: Path and query, as they are sent.
    """

    authority: Authority
    path: str

    @property
    def url(self) -> str:
        """The URL with the host in its plain form and no fragment."""
        return f"{self.authority.scheme}://{self.authority.header}{self.path}"


def origin_of(url: str) -> str:
    """Return a URL's origin, ``https://host:port``: the port always given, lower case, IDNA.

    Raises:
        EgressError: It is not an http or https URL that can be read in one way only.
    """
    return parse_url(url).authority.origin


def parse_url(url: str) -> Target:
    """Take a URL apart.

    Raises:
        EgressError: It is not an http or https URL that can be read in one way only.
    """
    if len(url) > _LONGEST:
        raise _refusal(url, f"longer than {_LONGEST} characters")
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise _refusal(url, "not absolute", "Write http:// or https:// and the host")
    end = len(rest)
    for mark in "/?#":
        found = rest.find(mark, 0, end)
        if found >= 0:
            end = found
    path = rest[end:].partition("#")[0]
    if not path.startswith("/"):
        path = f"/{path}"
    if not (path.isascii() and path.isprintable()) or " " in path or "\\" in path:
        raise _refusal(url, "characters in the path that must be percent-encoded")
    try:
        return Target(_authority(scheme, rest[:end]), path)
    except EgressError as problem:
        raise _refusal(url, problem.what, problem.hint) from None


def _refusal(url: str, reason: str, hint: str = "") -> EgressError:
    # Nothing of the URL but its beginning is shown: userinfo and queries hold secrets.
    shown = url[:200].partition("?")[0].partition("#")[0]
    if "@" in shown:
        shown = f"{shown.partition('://')[0]}://...@{shown.rpartition('@')[2]}"
    return EgressError(f"this URL is refused: {reason}", where=ascii(shown)[1:-1], hint=hint)


@lru_cache(maxsize=1024)
def _authority(scheme: str, text: str) -> Authority:
    scheme = scheme.lower()
    if scheme not in _PORTS:
        raise EgressError("its scheme is not http or https")
    if len(text) > 512:
        raise EgressError("its host is too long")
    if "@" in text:
        raise EgressError("a user name or password stands in it", hint="Give credentials by reference")
    literal: Address | None
    if text.startswith("["):
        inside, bracket, after = text[1:].partition("]")
        if not bracket:
            raise EgressError("its host has no closing bracket")
        literal = _address_6(inside)
        host = literal.compressed
    else:
        name, colon, after = text.partition(":")
        after = colon + after
        host = _ascii_host(name)
        literal = _address_4(host)
    port = _port(after, _PORTS[scheme])
    shown = f"[{host}]" if ":" in host else host
    header = shown if port == _PORTS[scheme] else f"{shown}:{port}"
    return Authority(scheme, host, port, f"{scheme}://{shown}:{port}", header, literal)


def _port(text: str, default: int) -> int:
    if text in ("", ":"):
        return default
    digits = text[1:]
    if text[0] != ":" or not (digits.isascii() and digits.isdigit()) or len(digits) > 5:
        raise EgressError("its port is not a number")
    if not 0 < int(digits) < 65_536:
        raise EgressError("its port is not between 1 and 65535")
    return int(digits)


def _ascii_host(name: str) -> str:
    if not name.isascii():
        import idna

        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise EgressError("its host is not a domain name") from None
    host = name.lower().removesuffix(".")
    if not host or len(host) > 253 or not _HOST.fullmatch(host):
        raise EgressError("its host is not a domain name")
    return host


def _address_4(host: str) -> ipaddress.IPv4Address | None:
    """Read what looks like a number as a dotted quad and nothing else.

    ``0x7f.1``, ``2130706433`` and ``0177.0.0.1`` are addresses to some libraries and names to others.
    """
    if not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return None
    try:
        return ipaddress.IPv4Address(host)
    except ValueError:
        raise EgressError(
            "its host is an address in an unusual spelling", hint="Write an IPv4 address as four numbers"
        ) from None


def _address_6(text: str) -> ipaddress.IPv6Address:
    if "%" in text:
        raise EgressError("its address has a zone")
    try:
        return ipaddress.IPv6Address(text)
    except ValueError:
        raise EgressError("its host is not an IPv6 address") from None
