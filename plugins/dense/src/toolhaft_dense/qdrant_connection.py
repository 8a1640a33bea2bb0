"""One Qdrant: a server by URL, or memory, behind calls that fail with a clear error."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from importlib import import_module
from typing import Any

from toolhaft.errors import ConfigError, EgressError, ToolhaftError
from toolhaft.http import Credential, Egress, HTTPClient, Limits
from toolhaft.http.egress import Guard
from toolhaft.http.origin import parse_url
from toolhaft.secrets import SecretStore
from toolhaft.text import clean
from toolhaft.tools.foreign import call_alone
from toolhaft.tools.threads import run_in_thread
from toolhaft.types import SecretRef
from toolhaft_dense.qdrant_transport import GuardedTransport

_PORT = 6333
_LARGEST_ANSWER = 64_000_000


class QdrantConnection:
    """Calls a Qdrant; nothing is imported or opened before the first call.

    Args:
        url: Of a server; empty for memory.
        key: A reference to the server's key, or None.
        allow_hosts: Private and loopback hosts that ``url`` may lead to.
        timeout: Seconds of one call to a server.
        secrets: Resolves the key.

    Raises:
        ConfigError: The URL cannot be read, or a setting is for a server alone.
    """

    def __init__(
        self,
        *,
        url: str,
        key: SecretRef | None,
        allow_hosts: tuple[str, ...],
        timeout: float,
        secrets: SecretStore,
    ) -> None:
        if not url and (key is not None or allow_hosts):
            raise ConfigError("key and allow_hosts are for a server", hint="Give its url as well")
        self._base, self._origin = _server_of(url) if url else ("", "")
        self._key = key
        self._egress = Egress(allow_hosts=allow_hosts)
        self._limits = Limits(seconds=timeout, raw_bytes=_LARGEST_ANSWER, decoded_bytes=_LARGEST_ANSWER)
        self._secrets = secrets
        self._client: Any = None
        self._turn = threading.Lock()
        Guard(self._egress)  # says now what is wrong with allow_hosts

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self._origin or "memory"

    @property
    def is_server(self) -> bool:
        """Whether others may use it, too."""
        return bool(self._base)

    async def call(self, work: Callable[[Any, Any], Awaitable[Any]]) -> Any:
        """Return what comes of some work with the client and the module of its models.

        Raises:
            ConfigError: qdrant-client is missing, or the place cannot be opened.
            ToolhaftError: The server is away, refuses, or answers nonsense; or local mode does.
        """
        if self._base:
            if self._client is None:
                self._client = await run_in_thread(self._opened, {"make": self._server})
            call = asyncio.ensure_future(_started(self._client, work))
            try:
                await asyncio.wait((call,))
            finally:
                call.cancel()
            error = call.exception()
            if error is None:
                return call.result()
            raise self._explained(error)
        return await run_in_thread(self._call_locally, {"work": work})

    async def close(self) -> None:
        """Close connections; the next call opens them again. What was in memory is lost."""
        client, self._client = self._client, None
        if client is None:
            return
        if self._base:
            await client.close()
        else:
            await run_in_thread(_finish, {"work": client.close})

    def _call_locally(self, work: Callable[[Any, Any], Awaitable[Any]]) -> Any:
        with self._turn:  # local mode is no server: one call at a time
            if self._client is None:
                self._client = self._opened(self._local)
            client = self._client
            outcome = call_alone(_finish, lambda: _started(client, work))
        if outcome.error is not None:
            raise self._explained(outcome.error)
        return outcome.value

    def _opened(self, make: Callable[[], Any]) -> Any:
        outcome = call_alone(make)
        error = outcome.error
        if isinstance(error, ModuleNotFoundError):
            raise ConfigError(
                f"the retriever qdrant needs {error.name}, which is not installed",
                hint="pip install 'toolhaft-dense[onnx,qdrant]'",
            )
        if error is not None:
            raise self._explained(error)
        return outcome.value

    def _server(self) -> Any:
        from qdrant_client import AsyncQdrantClient

        answer: Any = import_module("qdrant_client.http.api_client").Response  # of its HTTP library

        sender = HTTPClient(egress=self._egress, limits=self._limits, secrets=self._secrets)
        credentials: tuple[Credential, ...] = ()
        if self._key is not None:
            credentials = (Credential(secret=self._key, origins=(self._origin,), name="api-key"),)
        return AsyncQdrantClient(
            url=self._base,
            transport=GuardedTransport(sender, answer, credentials),
            timeout=max(1, round(self._limits.seconds)),
            check_compatibility=False,  # it would ask past the transport
        )

    def _local(self) -> Any:
        from qdrant_client import AsyncQdrantClient

        return AsyncQdrantClient(":memory:")

    def _explained(self, error: BaseException) -> BaseException:
        source = getattr(error, "source", None)  # what the client wrapped
        if isinstance(source, BaseException):
            error = source
        if isinstance(error, ToolhaftError) or not isinstance(error, Exception):
            return error
        status = getattr(error, "status_code", None)
        said = clean(" ".join(str(error).split()), 300) or type(error).__name__
        if status in (401, 403):
            return ConfigError(
                f"the Qdrant server refuses the key (status {status})",
                where=self.place,
                hint="Name it by reference, as in key='env:QDRANT_API_KEY'",
            )
        if status is not None:
            return ToolhaftError(f"the Qdrant server answers with status {status}: {said}", where=self.place)
        return ToolhaftError(f"Qdrant fails: {said}", where=self.place)


async def _started(client: Any, work: Callable[[Any, Any], Awaitable[Any]]) -> Any:
    from qdrant_client import models

    return await work(client, models)


def _finish(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run to its end what is async by its looks alone, as local mode is."""
    return asyncio.run(work())


def _server_of(url: str) -> tuple[str, str]:
    """Return the address with its port, and its origin; Qdrant's port stands where none is given."""
    try:
        target = parse_url(url)
    except EgressError as error:
        raise ConfigError(
            f"the url of Qdrant cannot be used: {error.what}",
            where=error.where,
            hint=error.hint or "As in https://HOST:6333",
        ) from None
    if "?" in target.path:
        raise ConfigError("the url of Qdrant has a query", hint="Give host, port and path alone")
    authority = target.authority
    network = url.partition("://")[2].partition("/")[0]
    given = network.rpartition("]")[2].partition(":")[2]
    host = f"[{authority.host}]" if ":" in authority.host else authority.host
    port = authority.port if given else _PORT
    origin = f"{authority.scheme}://{host}:{port}"
    return f"{origin}{target.path.rstrip('/')}", origin
