"""A token, and how one is read from the answer of an authorisation server, which is not trusted."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from toolhaft.errors import AuthError
from toolhaft.http.message import Response
from toolhaft.secrets import SecretStore
from toolhaft.text import terminal_safe

LARGEST_ANSWER = 262_144
"""Bytes of an answer with a token."""
_LONGEST_TOKEN = 32_768
_LONGEST_LIFE = 30 * 86_400.0
"""Seconds; a server that promises more is not believed."""
_MOST_SCOPES = 500
_HINTS = {
    "invalid_client": "Check client_id and client_secret",
    "invalid_grant": "The login or refresh token is no longer valid, or user name and password are wrong",
    "invalid_scope": "The server does not grant these scopes: name others with SCHEME.scopes",
    "unauthorized_client": "The server does not let this client do so",
    "unsupported_grant_type": "The server takes another way: toolhaft auth check CATALOG lists them",
    "access_denied": "The person said no",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An access token.

    Attributes:
        value: Never shown.
        scopes: What it is good for; None if the server did not say.
        renew_at: When to ask for another, on the monotonic clock; None if it does not expire, as far as
            is known.
        expires_at: When it ends, on the same clock.
        refresh: The refresh token that came with it; empty if none did.
    """

    value: str = field(repr=False)
    scopes: tuple[str, ...] | None = None
    renew_at: float | None = None
    expires_at: float | None = None
    refresh: str = field(default="", repr=False)

    @property
    def is_fresh(self) -> bool:
        """Whether it can be used without asking for another."""
        return self.renew_at is None or time.monotonic() < self.renew_at

    def covers(self, scopes: tuple[str, ...]) -> bool:
        """Whether it is good for these scopes, as far as is known."""
        return not scopes or (self.scopes is not None and set(scopes) <= set(self.scopes))


def read_token(
    response: Response, *, scheme: str, asked: tuple[str, ...], secrets: SecretStore, where: str
) -> Token:
    """Read an answer.

    Args:
        response: The answer.
        scheme: Name of the security scheme, for messages.
        asked: The scopes that were asked for: what is granted if the server says nothing.
        secrets: Gets to know every token in it, also where it is refused.
        where: The endpoint's origin, for messages.

    Raises:
        AuthError: It is a refusal, or no answer with a token.
    """
    fields = read_fields(response, scheme=scheme, where=where, what="token endpoint")
    for name in ("access_token", "refresh_token", "id_token"):
        if isinstance(fields.get(name), str) and 4 <= len(fields[name]) <= _LONGEST_TOKEN:
            secrets.register(fields[name])
    if response.status >= 400 or "error" in fields:
        raise refusal(fields, response.status, scheme=scheme, secrets=secrets, where=where)
    value = fields.get("access_token")
    if not isinstance(value, str) or not _is_token(value):
        raise AuthError(
            f"the token endpoint of {scheme!r} answered without a usable access_token",
            where=where,
            details={"scheme": scheme},
        )
    kind = fields.get("token_type") or "bearer"
    if not isinstance(kind, str) or not kind.lower().startswith("bearer"):
        raise AuthError(
            f"the token endpoint of {scheme!r} gives tokens of type {str(kind)[:40]!r}, not bearer tokens",
            where=where,
            details={"scheme": scheme},
        )
    life = _lifetime(fields.get("expires_in"))
    refresh = fields.get("refresh_token")
    return made_token(
        value,
        life=life,
        scopes=_scopes(fields.get("scope"), asked),
        refresh=refresh if isinstance(refresh, str) and _is_token(refresh) else "",
    )


def made_token(
    value: str, *, life: float | None, scopes: tuple[str, ...] | None = None, refresh: str = ""
) -> Token:
    """Return a token that is good for ``life`` seconds from now; renewed a little earlier."""
    now = time.monotonic()
    return Token(
        value=value,
        scopes=scopes,
        renew_at=None if life is None else now + life - min(60.0, 0.1 * life),
        expires_at=None if life is None else now + life,
        refresh=refresh,
    )


def read_fields(response: Response, *, scheme: str, where: str, what: str) -> dict[str, Any]:
    """Return the JSON object of an answer.

    Raises:
        AuthError: It is a redirect, or something else.
    """
    if 300 <= response.status < 400:
        target = _origin_shown(response.header("location"))
        raise AuthError(
            f"the {what} of {scheme!r} redirects{f' to {target}' if target else ''}, which is not followed",
            where=where,
            details={"scheme": scheme},
        )
    try:
        fields = json.loads(response.body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        status = f"{response.status} and " if response.status >= 400 else ""
        raise AuthError(
            f"the {what} of {scheme!r} answered with {status}{response.media_type[:60] or 'no type'}, "
            "which is no JSON object",
            where=where,
            retryable=response.status >= 500,
            details={"scheme": scheme, "status": response.status},
        )
    return fields


def refusal(
    fields: dict[str, Any], status: int, *, scheme: str, secrets: SecretStore, where: str
) -> AuthError:
    """Return the error that an authorisation server's answer stands for."""
    code = fields.get("error")
    code = code[:80] if isinstance(code, str) else str(status)
    said = fields.get("error_description")
    said = f": {said[:200]}" if isinstance(said, str) and said else ""
    what = f"no token for {scheme!r}: the server answered {code}{said}"
    return AuthError(
        terminal_safe(secrets.redact(what)),
        where=where,
        hint=_HINTS.get(code, ""),
        retryable=status >= 500,
        details={"scheme": scheme, "error": code, "status": status},
    )


def _is_token(value: str) -> bool:
    return 4 <= len(value) <= _LONGEST_TOKEN and value.isascii() and value.isprintable() and " " not in value


def _lifetime(value: Any) -> float | None:
    """Return seconds, or None where the server says nothing that can be believed: a 401 tells in time."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return _LONGEST_LIFE
    if math.isnan(seconds) or seconds <= 0:
        return None
    return min(seconds, _LONGEST_LIFE)


def _scopes(value: Any, asked: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(value, str):
        return asked
    return tuple(dict.fromkeys(value.replace(",", " ").split()[:_MOST_SCOPES]))


def _origin_shown(location: str) -> str:
    try:
        parts = urlsplit(location[:500])
    except ValueError:
        return ""
    return ascii(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")[1:-1] if parts.netloc else ""
