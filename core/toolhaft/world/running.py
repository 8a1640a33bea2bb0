"""A running world as tools: what it serves is asked of its server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from toolhaft.errors import (
    BrokenAnswerError,
    EgressError,
    FormatError,
    HTTPError,
    UnknownNameError,
    UnreachableError,
)
from toolhaft.openapi.documents.document import Limits
from toolhaft.world.importing import ImportedService, import_read

if TYPE_CHECKING:
    from toolhaft.http import HTTPClient

_NAME = re.compile(r"[A-Za-z0-9._-]{1,80}")
_MOST_SERVICES = 200
_LONGEST_TITLE = 200
_INDEX_BYTES = 1_000_000
_LIMITS = Limits(max_bytes=4_000_000, depth=100, nodes=400_000, seconds=20)
_SECONDS = 60.0
_HINT = "Start one: toolhaft serve world, with --port or --folder; it prints its address"


async def import_running(
    base_url: str, names: Sequence[str] | None = None
) -> tuple[str, tuple[ImportedService, ...]]:
    """Ask a world's server what it serves, and import that.

    Nothing but this server is spoken to, wherever its answers point.

    Args:
        base_url: ``http://127.0.0.1:PORT``.
        names: Which services; None is all.

    Returns:
        The title of the world, and its services.

    Raises:
        UnreachableError: Nobody answers.
        HTTPError: The server is too slow, or answers too much.
        FormatError: It is no server of a world.
        UnknownNameError: It has no service of a name.
        SpecError: A document is malformed.
    """
    from toolhaft.http import Egress, HTTPClient, Retry, origin_of

    egress = Egress(allow_hosts=(urlsplit(base_url).netloc,), origins=(origin_of(base_url),))
    client = HTTPClient(egress=egress, retry=Retry(attempts=1))
    try:
        async with asyncio.timeout(_SECONDS):
            return await _import(base_url, names, client)
    except TimeoutError:
        raise HTTPError(f"the world took longer than {_SECONDS:g} seconds", where=base_url) from None
    finally:
        await client.close()


async def _import(
    base_url: str, names: Sequence[str] | None, client: HTTPClient
) -> tuple[str, tuple[ImportedService, ...]]:
    from toolhaft.openapi.documents.load import fetch

    index = await _read_index(base_url, client)
    found = dict(_services(index, base_url))
    for name in names or ():
        if name not in found:
            raise UnknownNameError("service", name, tuple(found), where=base_url)
    imported = []
    for name in names or found:
        document = await fetch(found[name], client, _LIMITS)
        # A large document takes a while; the caller's loop is not to stand still meanwhile.
        imported.append(await asyncio.to_thread(import_read, name, document))
    return str(index["title"])[:_LONGEST_TITLE], tuple(imported)


async def _read_index(base_url: str, client: HTTPClient) -> dict[str, Any]:
    """Return what a server says of itself."""
    import orjson

    from toolhaft.http import Request

    try:
        answer = await client.send(Request(method="GET", url=f"{base_url}/", max_bytes=_INDEX_BYTES))
    except UnreachableError as error:
        raise UnreachableError(f"nobody answers there: {error.what}", where=base_url, hint=_HINT) from None
    except (BrokenAnswerError, EgressError) as error:
        raise _no_world(base_url, error.what) from None
    try:
        index = orjson.loads(answer.body) if answer.status == 200 else None
    except orjson.JSONDecodeError:
        index = None
    if not isinstance(index, dict) or not isinstance(index.get("title"), str):
        raise _no_world(base_url, f"it answers {answer.status} to GET /, without a title and services")
    return index


def _services(index: dict[str, Any], base_url: str) -> Iterator[tuple[str, str]]:
    """Iterate over names of services and the URLs of their documents."""
    from toolhaft.http import origin_of

    rows = index.get("services")
    if not isinstance(rows, list) or not 0 < len(rows) <= _MOST_SERVICES:
        raise _no_world(base_url, f"it does not list 1 to {_MOST_SERVICES} services")
    for row in rows:
        name, document = (row.get("name"), row.get("document")) if isinstance(row, dict) else (None, None)
        if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(document, str):
            raise _no_world(base_url, f"this is no service: {row!r:.80}")
        try:
            url = urljoin(f"{base_url}/", document)
            elsewhere = origin_of(url) != origin_of(base_url)
        except (ValueError, EgressError):
            elsewhere = True
        if elsewhere:
            raise _no_world(base_url, f"the document of {name} lies elsewhere: {document!r:.80}")
        yield name, url


def _no_world(base_url: str, why: str) -> FormatError:
    return FormatError(f"this is no server of a world: {why}", where=base_url, hint=_HINT)
