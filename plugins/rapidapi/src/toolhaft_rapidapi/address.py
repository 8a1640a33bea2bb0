"""Where an API is: its URL taken apart, and whether RapidAPI's key may go there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from toolhaft.errors import EgressError

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_HUB = ".p.rapidapi.com:443"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A URL taken apart.

    Attributes:
        server: Origin as it is written, ``https://host``; empty if there is none that can be used.
        path: Template of the path with ``{name}``; begins with a slash.
        query: Fixed pairs of the URL's own query, as written.
        origin: ``https://host:port``.
        problem: Why there is no server.
    """

    server: str = ""
    path: str = "/"
    query: tuple[tuple[str, str], ...] = ()
    origin: str = ""
    problem: str = ""

    @property
    def variables(self) -> tuple[str, ...]:
        """Names in braces in the path, each once."""
        return tuple(dict.fromkeys(_VARIABLE.findall(self.path)))


def read_address(url: str) -> Address:
    """Take an API's URL apart; the problem is in the result."""
    if not url:
        return Address(problem="the file has no URL for it")
    from toolhaft.http.origin import parse_url

    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    host, mark, query = host.partition("?")
    if mark:  # a query right behind the host
        path, slash = f"?{query}{slash}{path}", ""
    path, _, query = path.partition("#")[0].partition("?")
    try:
        authority = parse_url(f"{scheme}://{host}/").authority
    except EgressError as error:
        return Address(problem=f"its URL cannot be used: {error.what.removeprefix('this URL is refused: ')}")
    return Address(
        server=f"{authority.scheme}://{authority.header}",
        path=f"/{path}",
        query=tuple(parse_qsl(query, keep_blank_values=True, max_num_fields=100)) if query else (),
        origin=authority.origin,
    )


def variable_of(text: str) -> str:
    """Return the name that a text in braces holds; empty if it is none."""
    match = _VARIABLE.fullmatch(text)
    return match[1] if match else ""


def may_have_key(origin: str, allow_hosts: Sequence[str]) -> bool:
    """Whether RapidAPI's key may go to an origin: RapidAPI's own, by TLS, and those that the caller names.

    A tool file chooses the addresses, and the key is the user's for all of RapidAPI.
    """
    if origin.startswith("https://") and origin.endswith(_HUB):
        return True
    host = origin.partition("://")[2]
    return any(entry.rstrip("/") in (host, host.rpartition(":")[0], origin) for entry in allow_hosts)
