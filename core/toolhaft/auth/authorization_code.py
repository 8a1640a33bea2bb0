"""A person agrees in the browser; the code that comes back is exchanged for a token.

Source: RFC 6749, section 4.1, with PKCE (RFC 7636, S256 alone), a redirect to loopback (RFC 8252) and the
issuer checked where the server names it (RFC 9207). The answer must carry our state, and no token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets as randomness
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from toolhaft.auth.endpoint import TokenEndpoint
from toolhaft.auth.token import Token, refusal
from toolhaft.errors import AuthError
from toolhaft.http.callback import CallbackServer, Fields
from toolhaft.secrets import SecretStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the person is asked.

    Attributes:
        scheme: Name of the security scheme.
        url: The authorisation address, confirmed before.
        client_id: Who asks.
        scopes: For what.
        audience: For which API, where the server wants to know.
        issuer: The server's name, as its metadata say; empty if unknown.
        tells_issuer: Whether its answers name it.
        port: Of the redirect; 0 takes a free one.
        seconds: How long to wait for the person.
    """

    scheme: str
    url: str
    client_id: str
    scopes: tuple[str, ...] = ()
    audience: str = ""
    issuer: str = ""
    tells_issuer: bool = False
    port: int = 0
    seconds: float = 300.0


async def ask_person(
    question: Question, endpoint: TokenEndpoint, secrets: SecretStore, show: Callable[[str], None]
) -> Token:
    """Show the person where to agree, wait for the redirect, and exchange the code.

    Raises:
        AuthError: The person said no, or nothing; or the answer is of another server.
        ConfigError: The port is taken.
        HTTPError: The token endpoint could not be reached.
    """
    state, verifier = randomness.token_urlsafe(32), randomness.token_urlsafe(64)
    secrets.register(verifier)

    def is_ours(fields: Fields) -> bool:
        return hmac.compare_digest(fields.get("state", "").encode(), state.encode())

    async with CallbackServer(is_ours, port=question.port) as callback:
        show(_address(question, callback.url, state, verifier))
        fields = await callback.wait(question.seconds)
        redirect = callback.url
    code = _code(question, endpoint.origin, fields, secrets)
    secrets.register(code)
    return await endpoint.ask(
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": verifier,
        }
    )


def _address(question: Question, redirect: str, state: str, verifier: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    fields = {
        "response_type": "code",
        "client_id": question.client_id,
        "redirect_uri": redirect,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "scope": " ".join(question.scopes),
        "audience": question.audience,
    }
    query = urlencode({key: value for key, value in fields.items() if value})
    return f"{question.url}{'&' if '?' in question.url else '?'}{query}"


def _code(question: Question, origin: str, fields: Fields | None, secrets: SecretStore) -> str:
    """Return the code of an answer, if it is one and of the right server."""
    details = {"scheme": question.scheme}
    if fields is None:
        raise AuthError(
            f"nobody agreed for {question.scheme!r} within {question.seconds:g} seconds", details=details
        )
    issuer = fields.get("iss")
    if (issuer is not None or question.tells_issuer) and question.issuer and issuer != question.issuer:
        raise AuthError(
            f"the answer for {question.scheme!r} is of another server: {str(issuer)[:100]!r}",
            where=origin,
            hint=f"It should be of {question.issuer}; the code in it was not used",
            details=details,
        )
    if "error" in fields:
        raise refusal(dict(fields), 400, scheme=question.scheme, secrets=secrets, where=origin)
    code = fields.get("code", "")
    if "access_token" in fields or not 4 <= len(code) <= 4096 or not code.isprintable():
        raise AuthError(
            f"the answer for {question.scheme!r} has no code that can be used", where=origin, details=details
        )
    return code
