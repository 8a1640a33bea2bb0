"""The requests of qdrant-client, sent through Toolhaft's guarded HTTP client instead of its own."""

from __future__ import annotations

from typing import Any

from toolhaft.http import Credential, HTTPClient, Request

_LEFT = frozenset(("host", "content-length", "connection", "accept-encoding", "transfer-encoding"))
"""Headers that the guarded client sets itself."""
_DECODED = frozenset(("content-encoding", "content-length", "transfer-encoding"))
"""Headers that tell of the body as it came; here it is decoded."""


class GuardedTransport:
    """What qdrant-client's HTTP library takes as its transport.

    Every address is checked, resolved names are pinned, answers are bounded, and the key is added on the way
    out, for the server's origin alone: qdrant-client never sees it.

    Args:
        client: Sends.
        answer: The class of answers that the library wants.
        credentials: Added to every request.
    """

    def __init__(self, client: HTTPClient, answer: Any, credentials: tuple[Credential, ...]) -> None:
        self._client = client
        self._answer = answer
        self._credentials = credentials

    async def handle_async_request(self, request: Any) -> Any:
        """Send one request and return its whole answer."""
        body = await request.aread()
        reads = request.method == "GET" or request.url.path.endswith(("/query", "/scroll", "/count"))
        answer = await self._client.send(
            Request(
                method=request.method,
                url=str(request.url),
                headers=tuple(
                    (name, value) for name, value in request.headers.multi_items() if name not in _LEFT
                ),
                body=body or None,
                effect="read" if reads else "write",
                repeatable=True,  # points are put and removed by their ids
                credentials=self._credentials,
                redirects=False,
            )
        )
        headers = [(name, value) for name, value in answer.headers if name not in _DECODED]
        return self._answer(answer.status, headers=headers, content=answer.body, request=request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()
