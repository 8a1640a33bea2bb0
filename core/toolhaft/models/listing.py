"""Asking endpoints which models they serve, and finding the servers on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolhaft.errors import HTTPError, ModelError
from toolhaft.models.answer import AnswerReader
from toolhaft.models.endpoint import Endpoint, find_endpoint
from toolhaft.settings import Settings
from toolhaft.text import clean

if TYPE_CHECKING:
    from toolhaft.http.client import HTTPClient
    from toolhaft.secrets import SecretStore

SERVERS: Mapping[int, str] = {
    11434: "Ollama",
    1234: "LM Studio",
    8000: "vLLM or transformers serve",
    8080: "llama.cpp",
}
"""Port -> the server that listens there unless told otherwise."""

_MOST_MODELS = 1_000
_LARGEST_LIST = 2_000_000
_CONNECTIONS = 256
"""To one endpoint at once: every rollout of a batch may be waiting for it."""
_LARGEST_ANSWER = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What answers at a port of this machine.

    Attributes:
        server: What usually listens there; a guess.
        models: Names, each of which completes ``base_url#name`` to a reference.
        problem: Why it is of no use, where something answers that is no such server.
    """

    base_url: str
    server: str
    models: tuple[str, ...] = ()
    problem: str = ""


async def detect(ports: Sequence[int] = tuple(SERVERS), *, timeout: float = 2.0) -> list[Found]:
    """Ask ports of this machine for their models, all at once; closed ones are left out.

    Args:
        ports: On 127.0.0.1.
        timeout: Seconds for each.
    """
    import asyncio

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_probe(port, timeout)) for port in ports]
    return [found for task in tasks if (found := task.result()) is not None]


async def ask_for_models(client: HTTPClient, endpoint: Endpoint, *, timeout: float) -> tuple[str, ...]:
    """Return the names of the models that an endpoint serves, in its order.

    Raises:
        ModelError: It failed, or answers something else.
    """
    from toolhaft.http.message import Request
    from toolhaft.models.failure import status_failure, transport_failure

    url = endpoint.url("models")
    request = Request(
        method="GET",
        url=url,
        headers=(("accept", "application/json"),),
        effect="read",
        credentials=endpoint.credentials(),
        timeout=timeout,
        max_bytes=_LARGEST_LIST,
    )
    try:
        response = await client.send(request)
    except HTTPError as error:
        raise transport_failure(error, endpoint, url) from None
    if response.status != 200:
        raise status_failure(response.status, response.body, endpoint, url)
    reader = AnswerReader(url, {})
    return _read_names(reader.parse(response.body, response.media_type), reader)


def open_client(
    endpoint: Endpoint, *, timeout: float, secrets: SecretStore | None = None, attempts: int = 3
) -> HTTPClient:
    """Return a client that may speak to this endpoint and to nothing else."""
    from toolhaft.http.client import HTTPClient
    from toolhaft.http.egress import Egress
    from toolhaft.http.limits import Limits
    from toolhaft.http.retry import Retry

    return HTTPClient(
        egress=Egress(allow_hosts=(endpoint.origin,), origins=(endpoint.origin,)),
        limits=Limits(
            seconds=timeout,
            raw_bytes=_LARGEST_ANSWER,
            decoded_bytes=_LARGEST_ANSWER,
            connections=_CONNECTIONS,
        ),
        retry=Retry(attempts=attempts),
        secrets=secrets,
    )


async def _probe(port: int, timeout: float) -> Found | None:
    address = f"http://127.0.0.1:{port}/v1"
    server = SERVERS.get(port, "")
    endpoint = find_endpoint("", address, None, Settings())
    client = open_client(endpoint, timeout=timeout, attempts=1)
    try:
        models = await ask_for_models(client, endpoint, timeout=timeout)
    except ModelError as error:
        if error.details.get("cause") == "E-HTTP-UNREACHABLE":
            return None
        return Found(base_url=address, server=server, problem=error.what)
    finally:
        await client.close()
    return Found(base_url=address, server=server, models=models)


def _read_names(payload: Any, reader: AnswerReader) -> tuple[str, ...]:
    listed = payload.get("data") if isinstance(payload, dict) else None
    if not isinstance(listed, list):
        raise reader.nonsense("the answer is no list of models")
    names = [entry.get("id") for entry in listed[:_MOST_MODELS] if isinstance(entry, dict)]
    return tuple(dict.fromkeys(clean(name, 300) for name in names if isinstance(name, str) and name))
