"""Where a redirect leads, and what goes along."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote, urljoin

from toolhaft.errors import EgressError
from toolhaft.http.message import Request
from toolhaft.http.origin import Target, parse_url
from toolhaft.secrets import SecretStore

STATUSES = frozenset((301, 302, 303, 307, 308))

_HARMLESS = frozenset(
    ("accept", "accept-language", "content-type", "content-language", "range", "user-agent")
)
"""Headers that another origin gets too; whatever else a caller sets may be a key."""

_LEFT_AS_IS = "!#$%&'()*+,/:;=?@[]~"


def follow(request: Request, target: Target, status: int, location: str, secrets: SecretStore) -> Request:
    """Return the request that a redirect asks for.

    Raises:
        EgressError: It leads to something that is not http or https, from https to http, or would take a
            secret to another origin.
    """
    # Header text is bytes in disguise; what is not ASCII is a path that nobody encoded.
    encoded = quote(location.strip().encode("latin-1", "replace"), safe=_LEFT_AS_IS)
    try:
        url = urljoin(target.url, encoded)
    except ValueError:
        raise EgressError("the redirect leads to no URL", where=target.authority.origin) from None
    following = parse_url(url)
    if target.authority.scheme == "https" and following.authority.scheme == "http":
        raise EgressError("a redirect from https to http is not followed", where=following.authority.origin)
    method, body, headers = request.method, request.body, request.headers
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
        method, body = "GET", None
        headers = tuple(pair for pair in headers if not pair[0].lower().startswith("content-"))
    if following.authority.origin != target.authority.origin:
        headers = tuple(pair for pair in headers if pair[0].lower() in _HARMLESS)
        _refuse_to_carry(url, headers, body, following, secrets)
    return replace(request, method=method, url=following.url, headers=headers, body=body)


def _refuse_to_carry(
    url: str,
    headers: tuple[tuple[str, str], ...],
    body: bytes | None,
    following: Target,
    secrets: SecretStore,
) -> None:
    carried = "\n".join((url, *(f"{name}: {value}" for name, value in headers)))
    if secrets.redact(carried) != carried or (body and secrets.redact_bytes(body) != body):
        raise EgressError(
            "the redirect would take a secret to another origin", where=following.authority.origin
        )
