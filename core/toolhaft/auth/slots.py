"""Tokens in memory: one at a time per client, renewed before they end, shared by every loop and thread."""

from __future__ import annotations

import asyncio
import copy
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from toolhaft.auth.grants import Refresh
from toolhaft.auth.issuing import Opened
from toolhaft.auth.token import Token
from toolhaft.errors import AuthError, HTTPError, ToolhaftError
from toolhaft.secrets import SecretStore
from toolhaft.types import SecretRef

_MOST_TOKENS = 32
_PATIENCE = 60.0
"""Seconds to wait for another's request for a token; its event loop may have been closed."""
_WORN_OUT = ("invalid_grant", "invalid_request", "unauthorized_client", "unsupported_grant_type")
"""Answers to a refresh after which the first grant is used again."""

Scopes = tuple[str, ...]
Outcome = tuple[Scopes, ToolhaftError | None]


class Tokens:
    """The tokens of one client at one authorisation server.

    However many calls need one, on however many event loops, one request is under way at a time: a server
    that gives each refresh token once would take a second use for theft.

    Args:
        open_: Makes the grant when the first token is needed.
        secrets: Makes the refresh tokens known to the filter.
    """

    def __init__(self, open_: Callable[[], Awaitable[Opened]], secrets: SecretStore) -> None:
        self._open = open_
        self._secrets = secrets
        self._opened: Opened | None = None
        self._tokens: list[tuple[Scopes, Token]] = []
        self._lock = threading.Lock()
        self._flight: Future[Outcome] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def get(self, scopes: Scopes, *, stale: str = "") -> Token:
        """Return a token for these scopes.

        Args:
            scopes: What it must be good for.
            stale: A value that was refused; another is asked for.

        Raises:
            AuthError: The server gives none.
            HTTPError: The server could not be reached.
        """
        while True:
            mine: Future[Outcome] | None = None
            with self._lock:
                self._retire(stale)
                found = self._find(scopes)
                if found is not None:
                    return found
                flight = self._flight
                if flight is None:
                    flight = mine = self._flight = Future()
            if mine is not None:
                return await self._fetch(mine, scopes, stale)
            await self._wait(flight, scopes)

    def known_scopes(self, scopes: Scopes) -> Scopes | None:
        """Return what the token in use for these scopes is good for, as far as is known."""
        with self._lock:
            entry = next((token for asked, token in reversed(self._tokens) if asked == scopes), None)
        return entry.scopes if entry is not None else None

    async def _wait(self, flight: Future[Outcome], scopes: Scopes) -> None:
        """Wait for a request that another call made, and share its failure."""
        try:
            async with asyncio.timeout(_PATIENCE):
                asked, error = await asyncio.shield(asyncio.wrap_future(flight))
        except TimeoutError:
            with self._lock:
                if self._flight is flight:
                    self._flight = None
            return
        if error is not None and asked == scopes:
            raise copy.copy(error) from None

    async def _fetch(self, flight: Future[Outcome], scopes: Scopes, stale: str) -> Token:
        # A call that is cancelled must not take the answer with it: the old refresh token is spent by then.
        task = asyncio.ensure_future(self._fly(flight, scopes, stale))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        token, failure = await asyncio.shield(task)
        if token is None:
            raise failure or AuthError("the request for a token was given up", retryable=True)
        return token

    async def _fly(
        self, flight: Future[Outcome], scopes: Scopes, stale: str
    ) -> tuple[Token | None, ToolhaftError | None]:
        """Ask for a token, keep it, and tell whoever waits."""
        token: Token | None = None
        failure: ToolhaftError | None = None
        try:
            token = await self._obtain(scopes, stale)
            with self._lock:
                kept = [entry for entry in self._tokens if entry[0] != scopes]
                self._tokens = [*kept, (scopes, token)][-_MOST_TOKENS:]
        except ToolhaftError as error:
            failure = error
        finally:
            with self._lock:
                if self._flight is flight:
                    self._flight = None
            # One that was ended with its event loop has no failure: whoever waits makes the next one.
            flight.set_result((scopes, failure))
        return token, failure

    async def _obtain(self, scopes: Scopes, stale: str) -> Token:
        if self._opened is None:
            self._opened = await self._open()
            ready = self._opened.token
            if ready is not None and ready.is_fresh and ready.value != stale:
                return ready
        with self._lock:
            last = next((token for asked, token in reversed(self._tokens) if asked == scopes), None)
        try:
            return await self._renew(self._opened, scopes, last)
        except HTTPError as error:
            now = time.monotonic()
            usable = last is not None and last.expires_at is not None and last.expires_at > now
            # The server is away, and the token is good for a while yet.
            if (
                last is not None
                and usable
                and not stale
                and (not isinstance(error, AuthError) or error.retryable)
            ):
                return last
            raise

    async def _renew(self, opened: Opened, scopes: Scopes, last: Token | None) -> Token:
        if last is not None and last.refresh and last.refresh != last.value:
            self._secrets.register(last.refresh)
            if not opened.keeps_refresh and opened.endpoint is not None:
                try:
                    return await Refresh(opened.endpoint, last.refresh, self._secrets).obtain(scopes)
                except AuthError as error:
                    if error.details.get("error") not in _WORN_OUT:
                        raise
        return await opened.grant.obtain(scopes)

    def _retire(self, stale: str) -> None:
        """Note that a token was refused; what refreshes it is still needed."""
        if stale:
            self._tokens = [
                (asked, replace(token, renew_at=0.0, expires_at=0.0) if token.value == stale else token)
                for asked, token in self._tokens
            ]

    def _find(self, scopes: Scopes) -> Token | None:
        for asked, token in reversed(self._tokens):
            if token.is_fresh and (asked == scopes or token.covers(scopes)):
                return token
        return None


class TokenSlot:
    """Where the transport finds the token for one set of scopes.

    Attributes:
        reference: Of the token, in the secret store.
        scopes: What is asked for.
        value: What stands in it now.
    """

    def __init__(self, tokens: Tokens, scopes: Scopes, reference: SecretRef, secrets: SecretStore) -> None:
        self.reference = reference
        self.scopes = scopes
        self._tokens = tokens
        self._secrets = secrets
        self.value = ""

    async def fill(self) -> None:
        """Put a token into the store that is good now; raises as `Tokens.get` does."""
        self._keep(await self._tokens.get(self.scopes))

    async def renew(self, refused: str) -> None:
        """Put another token in place of the one that was refused, if another call has not done so yet."""
        self._keep(await self._tokens.get(self.scopes, stale=refused))

    @property
    def granted(self) -> Scopes | None:
        """What the token is good for, as far as is known."""
        return self._tokens.known_scopes(self.scopes)

    def _keep(self, token: Token) -> None:
        self._secrets.keep(self.reference, token.value)
        self.value = token.value
