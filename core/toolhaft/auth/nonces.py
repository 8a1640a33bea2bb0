"""Digest challenges that were met, and the answers to them for each request."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from toolhaft.auth.digest import Challenge, answer_challenge
from toolhaft.http.credentials import additions_for
from toolhaft.http.message import Request
from toolhaft.http.origin import parse_url
from toolhaft.secrets import SecretStore
from toolhaft.types import SecretRef


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestUser:
    """Who answers digest challenges."""

    scheme: str
    username: str | SecretRef
    password: SecretRef


class Nonces:
    """The challenge of each origin, and how often its nonce was used.

    Args:
        user: Who answers.
        secrets: Resolves the password, and gets to know every answer.
        slot: Under which the filter knows the answers.
    """

    def __init__(self, user: DigestUser, secrets: SecretStore, slot: SecretRef) -> None:
        self._user = user
        self._secrets = secrets
        self._slot = slot
        self._challenges: dict[str, Challenge] = {}
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(self, origin: str, challenge: Challenge | None, *, again: bool) -> bool:
        """Take an answer's challenge; return whether answering it may help.

        Args:
            origin: Of the answer.
            challenge: None if there is none that can be met.
            again: An answer to a challenge was refused already; only a nonce that was too old excuses that.
        """
        if challenge is None or (again and not challenge.stale):
            return False
        with self._lock:
            known = self._challenges.get(origin)
            if known is None or known.nonce != challenge.nonce:
                self._challenges[origin] = challenge
                self._counts[origin] = 0
        return True

    def answered(self, request: Request, *, replays: bool) -> Request:
        """Return the request with the answer to its origin's challenge, if there was one."""
        target = parse_url(request.url)
        origin = target.authority.origin
        with self._lock:
            challenge = self._challenges.get(origin)
            if challenge is None:
                return request
            self._counts[origin] += 1
            count = self._counts[origin]
        if replays:
            value = "Digest replayed"
        else:
            query = additions_for(request, target.authority, self._secrets).query
            joint = "&" if "?" in target.path else "?"
            value = answer_challenge(
                challenge,
                user=self._secrets.text(self._user.username),
                password=self._secrets.resolve(self._user.password),
                method=request.method,
                path=f"{target.path}{joint}{query}" if query else target.path,
                body=request.body or b"",
                count=count,
            )
        # Whoever has the answer and guesses passwords can test his guesses.
        self._secrets.keep(self._slot, value.removeprefix("Digest "))
        return replace(request, headers=(*request.headers, ("authorization", value)))
