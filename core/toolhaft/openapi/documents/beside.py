"""The files that a description is spread over: read from its folder, or fetched from its origin."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from toolhaft.errors import HTTPError, SpecError
from toolhaft.openapi.documents.document import Dialect, Limits, Parsed
from toolhaft.openapi.documents.dynamic import fill_openings
from toolhaft.openapi.documents.linking import Linker, Links
from toolhaft.openapi.documents.misplaced import put_in_place
from toolhaft.openapi.documents.parsing import parse_beside
from toolhaft.openapi.documents.places import Folder, Nowhere, Origin
from toolhaft.openapi.documents.resolve import Resolver
from toolhaft.tools.report import Problem

if TYPE_CHECKING:
    from toolhaft.http import HTTPClient

ACCEPT = (
    "application/vnd.oai.openapi+json, application/json, application/yaml;q=0.9, text/yaml;q=0.9, */*;q=0.5"
)
"""For the ``Accept`` header of a request for a document."""
_AT_ONCE = 8
_MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Linked:
    """A root document whose files were read.

    Attributes:
        problems: About the files and the references between them.
    """

    links: Links
    problems: tuple[Problem, ...]


class _Spending:
    """What reading several files has cost, and what is left."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._deadline = time.monotonic() + limits.seconds
        self._bytes = limits.max_bytes
        self._files = limits.files

    def take(self, name: str) -> Limits:
        """Return what one more file may cost.

        Raises:
            SpecError: Nothing is left.
        """
        self._files -= 1
        if self._files < 0:
            raise SpecError(f"there are more than {self._limits.files} files", where=name)
        left = self.seconds
        if left <= 0:
            raise SpecError(f"reading takes longer than {self._limits.seconds:g} seconds", where=name)
        return replace(self._limits, max_bytes=max(self._bytes, 0), seconds=left)

    @property
    def seconds(self) -> float:
        """Seconds that are left."""
        return self._deadline - time.monotonic()

    def spend(self, data: bytes) -> None:
        """Count what was read."""
        self._bytes -= len(data)


class _Reading:
    """Hands files to a linker, and keeps what was noticed."""

    def __init__(self, root: Parsed, place: Folder | Origin | Nowhere, dialect: Dialect) -> None:
        self.linker = Linker(root, place, dialect)
        self._root = root
        self._place = place
        self._problems: list[Problem] = []

    def take(self, name: str, data: bytes, limits: Limits) -> None:
        """Parse a file and hand it on; a broken one is left out."""
        try:
            parsed = parse_beside(data, name, limits)
        except SpecError as error:
            self.leave(name, error)
            return
        self._problems.extend(replace(problem, file=name) for problem in parsed.problems)
        self.linker.add(name, parsed)

    def leave(self, name: str, error: SpecError | HTTPError) -> None:
        """Go on without a file."""
        reason = f"{error.what} ({error.where})" if error.where not in ("", name) else error.what
        self._problems.append(Problem(code="file-unread", message=f"not read: {reason}", file=name))
        self.linker.refuse(name, reason)

    def finish(self) -> Linked:
        """Return everything linked."""
        links = self.linker.links
        links.files.update(fill_openings(links.uses, links.openings))
        resolver = Resolver(self._root.value, links.files, links.unread)
        self._problems.extend(put_in_place(links.misplaced, resolver))
        for text in links.refused:
            message = f"the reference {text[:200]!r} leaves the document; what lies there is not read"
            if text.startswith("..") and isinstance(self._place, Folder):
                message += ": if it belongs to the description, give the folder that holds both as root="
            self._problems.append(Problem(code="reference-external", message=message))
        return Linked(links, tuple(self._problems[:_MOST_PROBLEMS]))


def link_files(root: Parsed, place: Folder | Nowhere, dialect: Dialect, limits: Limits) -> Linked:
    """Read the files that a document refers to, as far as they lie in its folder, and link them.

    The values of the root and of the files are changed in place. What cannot be read is reported.
    """
    reading = _Reading(root, place, dialect)
    spending = _Spending(limits)
    while names := reading.linker.wanted():
        for name in names:
            try:
                allowed = spending.take(name)
                if isinstance(place, Nowhere):
                    raise SpecError("there is no folder to read it from", where=name)
                data = place.read(name, allowed.max_bytes)
            except SpecError as error:
                reading.leave(name, error)
                continue
            spending.spend(data)
            reading.take(name, data, allowed)
    return reading.finish()


async def fetch_files(
    root: Parsed, origin: Origin, dialect: Dialect, limits: Limits, client: HTTPClient
) -> Linked:
    """Fetch the files that a document refers to, as far as they are of its origin, and link them.

    See `link_files`. The client is to speak to the origin alone; an answer that came from elsewhere all the
    same is refused.
    """
    reading = _Reading(root, origin, dialect)
    spending = _Spending(limits)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def get(name: str) -> bytes | SpecError | HTTPError:
        async with gate:
            try:
                allowed = spending.take(name)
                data = await _get(origin, name, client, allowed)
            except (SpecError, HTTPError) as error:
                return error
            spending.spend(data)
            return data

    while names := reading.linker.wanted():
        for name, found in zip(names, await asyncio.gather(*map(get, names)), strict=True):
            if isinstance(found, bytes):
                await asyncio.to_thread(reading.take, name, found, limits)
            else:
                reading.leave(name, found)
    return reading.finish()


async def _get(origin: Origin, name: str, client: HTTPClient, limits: Limits) -> bytes:
    from toolhaft.http.message import Request
    from toolhaft.http.origin import origin_of

    url = origin.url(name)
    request = Request(
        method="GET",
        url=url,
        headers=(("accept", ACCEPT),),
        max_bytes=limits.max_bytes,
        timeout=limits.seconds,
    )
    response = await client.send(request)
    if response.status >= 400:
        raise SpecError(f"it cannot be fetched: status {response.status}", where=name)
    if origin_of(response.url or url) != origin.origin:
        raise SpecError("it was answered from another origin", where=name)
    return response.body
