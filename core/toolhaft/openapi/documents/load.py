"""From a path, a URL, bytes or a parsed document to a `Document`, within limits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from toolhaft.errors import EgressError, StatusError, UsageError
from toolhaft.openapi.documents.beside import ACCEPT, Linked, fetch_files, link_files
from toolhaft.openapi.documents.document import LIMITS, Dialect, Document, Limits, Parsed
from toolhaft.openapi.documents.kinds import check_kind
from toolhaft.openapi.documents.linking import needs_linking
from toolhaft.openapi.documents.parsing import parse_bytes
from toolhaft.openapi.documents.places import Folder, Nowhere, Origin
from toolhaft.openapi.documents.swagger2 import convert_root
from toolhaft.tools.report import Problem

if TYPE_CHECKING:
    from toolhaft.http import HTTPClient

_URL = re.compile(r"https?://", re.IGNORECASE)


def is_url(location: str) -> bool:
    """Whether a location is fetched rather than read from disk."""
    return bool(_URL.match(location))


def read_path(path: Path, limits: Limits = LIMITS, root: Path | None = None) -> Document:
    """Read a document from a file, and the files beside it that it refers to.

    Args:
        path: Of the document; a gzipped one is unpacked within the limit of bytes.
        limits: What it may cost.
        root: Folder that the files may lie in; None for the document's own folder.

    Raises:
        UsageError: There is no such file, it cannot be read, or it does not lie in ``root``.
        SpecError: It is not an OpenAPI document that this version reads.
    """
    parsed = parse_bytes(_bytes_of(path, limits.max_bytes + 1), str(path), limits)
    folder = Folder(path, root)
    kind = check_kind(parsed.value, str(path))
    linked = link_files(parsed, folder, kind[1], limits) if needs_linking(parsed, kind[1]) else None
    return _document(parsed, str(path), kind, linked)


def _bytes_of(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise UsageError(
            f"cannot read the document: {reason}", where=str(path), hint="Check the path"
        ) from None


async def fetch(
    url: str,
    client: HTTPClient,
    limits: Limits = LIMITS,
    *,
    within: Callable[[str], HTTPClient] | None = None,
) -> Document:
    """Fetch a document through the guarded client, and the files of its origin that it refers to.

    Args:
        url: Of the document.
        client: Fetches the document.
        limits: What it may cost.
        within: Returns the client for the files, which speaks to this origin alone; None for ``client``.

    Raises:
        HTTPError: It could not be fetched.
        SpecError: It is not an OpenAPI document that this version reads.
    """
    from toolhaft.http.message import Request

    response = await client.send(
        Request(method="GET", url=url, headers=(("accept", ACCEPT),), max_bytes=limits.max_bytes)
    )
    if response.status >= 400:
        raise StatusError(
            f"the document cannot be fetched: status {response.status}",
            where=url,
            hint="Check the URL, and whether it needs a login",
            details={"status": response.status},
        )
    found = response.url or url
    parsed = await asyncio.to_thread(parse_bytes, response.body, url, limits)
    kind = check_kind(parsed.value, url)
    linked = None
    if needs_linking(parsed, kind[1]):
        origin = Origin(_own_address(parsed.value, found))
        files = client if within is None else within(origin.origin)
        linked = await fetch_files(parsed, origin, kind[1], limits, files)
    return replace(_document(parsed, url, kind, linked), url=found)


def _own_address(root: dict[str, Any], url: str) -> str:
    """Return what relative references are relative to: ``$self`` where it is of the same origin (3.2)."""
    from toolhaft.http.origin import origin_of

    own = root.get("$self")
    if not isinstance(own, str):
        return url
    try:
        address = urljoin(url, own)
        return address if origin_of(address) == origin_of(url) else url
    except (EgressError, ValueError):
        return url


def read_bytes(data: bytes, location: str, limits: Limits = LIMITS) -> Document:
    """Read a document of one file from bytes.

    Raises:
        SpecError: It is not an OpenAPI document that this version reads.
    """
    return _alone(parse_bytes(data, location, limits), location, limits)


def read_value(value: Mapping[str, Any], location: str = "<document>", limits: Limits = LIMITS) -> Document:
    """Take a document that is already parsed; it is copied, so later changes do no harm.

    Raises:
        SpecError: It holds what JSON cannot, refers to itself, or is beyond the limits.
    """
    from toolhaft.openapi.documents.copying import copy_value

    return _alone(copy_value(value, limits, location), location, limits)


def _alone(parsed: Parsed, location: str, limits: Limits) -> Document:
    kind = check_kind(parsed.value, location)
    linked = link_files(parsed, Nowhere(), kind[1], limits) if needs_linking(parsed, kind[1]) else None
    return _document(parsed, location, kind, linked)


def _document(
    parsed: Parsed, location: str, kind: tuple[str, Dialect, list[Problem]], linked: Linked | None
) -> Document:
    version, dialect, noticed = kind
    return Document(
        root=convert_root(parsed.value) if version == "2.0" else parsed.value,
        location=location,
        version=version,
        dialect=dialect,
        references=parsed.references if linked is None else frozenset(linked.links.references),
        files={} if linked is None else linked.links.files,
        unread={} if linked is None else linked.links.unread,
        problems=(*parsed.problems, *noticed, *(linked.problems if linked is not None else ())),
    )
