"""Requests sent with what their operation wants: tokens fetched, challenges answered, refusals met once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from toolhaft.auth.digest import read_challenge
from toolhaft.auth.providers import apply_provider
from toolhaft.http.message import Request, Response
from toolhaft.http.origin import origin_of, parse_url
from toolhaft.secrets import SecretStore

if TYPE_CHECKING:
    from toolhaft.auth.session import Choice
    from toolhaft.http.streamed import StreamedResponse

_MOST_SENDS = 3
"""The first, one with a new token or after a challenge, and one more for a nonce that was too old."""
_MOVED = (301, 302, 303)


class AuthorisedSender:
    """Sends requests as the caller.

    An answer 401 is met once: with a new token, or with the answer to the challenge in it. A 401 says that
    the request was not carried out, so that writes are sent again, too; not so after a redirect, which may
    come from a server that is done.

    Args:
        client: A `toolhaft.http.HTTPClient`, or what has its ``send`` and ``stream``.
        choice: What is added.
        secrets: Gets to know what the caller's own code adds.
    """

    def __init__(self, client: Any, choice: Choice, secrets: SecretStore) -> None:
        self._client = client
        self._choice = choice
        self._secrets = secrets
        self._replays = bool(getattr(client, "replays", False))

    async def send(self, request: Request) -> Response:
        """Send a request and return the whole answer; raises what `toolhaft.http.HTTPClient.send` does.

        Raises:
            AuthError: No token could be had.
        """
        await self._fill(request)
        prepared, used = await self._prepare(request), self._values()
        response: Response = await self._client.send(prepared)
        exchanges = response.exchanges
        for sent in range(1, _MOST_SENDS):
            if response.status != 401 or not await self._meet(request, response, sent, used):
                break
            response = await self._client.send(await self._prepare(request))
            exchanges += response.exchanges
        return replace(response, exchanges=exchanges)

    def stream(self, request: Request) -> AbstractAsyncContextManager[StreamedResponse]:
        """Send a request and return the answer as it comes; a 401 is met as `send` does."""
        return self._stream(request)

    @asynccontextmanager
    async def _stream(self, request: Request) -> AsyncIterator[StreamedResponse]:
        await self._fill(request)
        for sent in range(1, _MOST_SENDS + 1):
            prepared, used = await self._prepare(request), self._values()
            async with self._client.stream(prepared) as streamed:
                last = sent == _MOST_SENDS
                if streamed.status != 401 or last or not await self._meet(request, streamed, sent, used):
                    yield streamed
                    return

    async def _fill(self, request: Request) -> None:
        """Have good tokens ready."""
        if not self._replays and self._is_for(request):
            for slot in self._choice.slots:
                await slot.fill()

    async def _prepare(self, request: Request) -> Request:
        """Return the request with what the transport cannot add by itself."""
        choice = self._choice
        if not self._is_for(request):
            return request
        for scheme, provider in choice.providers:
            request = await apply_provider(
                provider, request, scheme=scheme, origins=choice.origins, secrets=self._secrets
            )
        if choice.certificate is not None:
            request = replace(request, certificate=choice.certificate)
        if choice.digest is not None:
            request = choice.digest.answered(request, replays=self._replays)
        return request

    def _values(self) -> list[str]:
        return [slot.value for slot in self._choice.slots]

    async def _meet(self, request: Request, response: Any, sent: int, used: list[str]) -> bool:
        """Do what a 401 asks for; return whether the request is worth sending again.

        Args:
            request: As it was given.
            response: The answer.
            sent: How often the request was sent.
            used: The tokens that it carried.
        """
        moved = response.url != parse_url(request.url).url or any(
            exchange.status in _MOVED for exchange in response.exchanges
        )
        if not self._is_for(request) or (moved and request.effect != "read"):
            return False
        choice = self._choice
        if choice.digest is not None:
            challenge = read_challenge(response.headers)
            return choice.digest.take(origin_of(request.url), challenge, again=sent > 1)
        if not choice.slots or sent > 1:
            return False
        if not self._replays:
            for slot, refused in zip(choice.slots, used, strict=True):
                await slot.renew(refused)
        return True

    def _is_for(self, request: Request) -> bool:
        return origin_of(request.url) in self._choice.origins
