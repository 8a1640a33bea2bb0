"""What an authorisation server says of itself.

Source: OpenID Connect Discovery 1.0, section 4; RFC 8414, section 3. The issuer must be the one that the
address stands for, or another server could pass for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from toolhaft.auth.endpoint import SECONDS
from toolhaft.auth.token import LARGEST_ANSWER, read_fields
from toolhaft.errors import AuthError
from toolhaft.http.message import Request, Sender
from toolhaft.http.origin import origin_of

_KNOWN = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """An authorisation server's endpoints.

    Attributes:
        issuer: Its name, a URL.
        token_url: Empty if it has none; likewise the others.
        methods: How clients may give their secret; empty if it does not say.
        tells_issuer: Whether its redirects name the issuer (RFC 9207).
        has_challenges: Whether it knows PKCE with S256, as far as it says.
    """

    issuer: str
    token_url: str = ""
    authorization_url: str = ""
    device_url: str = ""
    methods: tuple[str, ...] = ()
    tells_issuer: bool = False
    has_challenges: bool = True


def metadata_address(url: str) -> str:
    """Return where the metadata stand: many documents name the issuer alone."""
    if "/.well-known/" in url or "?" in url:
        return url
    return f"{url.rstrip('/')}{_KNOWN[0]}"


async def discover(url: str, sender: Sender, *, scheme: str) -> Metadata:
    """Fetch the metadata of a server at an address that was confirmed before.

    Raises:
        AuthError: It is no metadata, or of another issuer.
        HTTPError: There was no complete answer.
    """
    where = origin_of(url)
    request = Request(
        method="GET",
        url=url,
        headers=(("accept", "application/json"),),
        redirects=False,
        timeout=SECONDS,
        max_bytes=LARGEST_ANSWER,
    )
    response = await sender.send(request)
    fields = read_fields(response, scheme=scheme, where=where, what="metadata address")
    if response.status >= 400:
        raise AuthError(
            f"the metadata address of {scheme!r} answered {response.status}",
            where=where,
            details={"scheme": scheme},
        )
    issuer = fields.get("issuer")
    if not isinstance(issuer, str) or url.partition("?")[0] not in _addresses(issuer):
        raise AuthError(
            f"the metadata of {scheme!r} is of another issuer: {str(issuer)[:100]!r}",
            where=where,
            hint="The address must be the issuer's, with /.well-known/openid-configuration behind it",
            details={"scheme": scheme},
        )
    challenges = fields.get("code_challenge_methods_supported")
    return Metadata(
        issuer=issuer,
        token_url=_text(fields, "token_endpoint"),
        authorization_url=_text(fields, "authorization_endpoint"),
        device_url=_text(fields, "device_authorization_endpoint"),
        methods=_methods(fields.get("token_endpoint_auth_methods_supported")),
        tells_issuer=fields.get("authorization_response_iss_parameter_supported") is True,
        has_challenges=not isinstance(challenges, list) or "S256" in challenges,
    )


def _addresses(issuer: str) -> list[str]:
    """Return where the metadata of an issuer may stand."""
    plain = issuer.rstrip("/")
    try:
        parts = urlsplit(plain)
    except ValueError:
        return []
    before = f"{parts.scheme}://{parts.netloc}"
    found = [f"{plain}{known}" for known in _KNOWN]
    return [*found, *(f"{before}{known}{parts.path}" for known in _KNOWN)]


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) and len(value) <= 2048 else ""


def _methods(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value[:20] if isinstance(each, str)) if isinstance(value, list) else ()
