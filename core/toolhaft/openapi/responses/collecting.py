"""Streams read piece by piece: given on as they come, or collected within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ConfigError, HTTPError
from toolhaft.openapi.responses.events import EventReader, LineReader
from toolhaft.openapi.responses.kinds import kind_of_type

if TYPE_CHECKING:
    from toolhaft.http.streamed import StreamedResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamBounds:
    """How much of a stream is collected; whatever is reached first ends it.

    Attributes:
        events: Events, or lines of JSON.
        characters: Of all lines.
        seconds: From the first line on.

    Raises:
        ConfigError: A bound is not above 0.
    """

    events: int = 1000
    characters: int = 2_000_000
    seconds: float = 20.0

    def __post_init__(self) -> None:
        for name in ("events", "characters", "seconds"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"StreamBounds({name}=...) must be above 0")


def streamed_kind(answer: StreamedResponse) -> str:
    """Return ``events`` or ``lines`` for an answer that comes piece by piece, else an empty text."""
    kind = kind_of_type(answer.header("content-type"))
    return kind if kind in ("events", "lines") else ""


async def read_stream(answer: StreamedResponse) -> AsyncIterator[tuple[Any, int]]:
    """Iterate over an answer's events or lines as they come, each with the length of its last line.

    Raises:
        HTTPError: It broke off, or is larger than the limits.
    """
    reader: EventReader | LineReader = EventReader() if streamed_kind(answer) == "events" else LineReader()
    async for line in answer.lines():
        found = reader.feed(line)
        if not found:
            # Lines that complete nothing count, too: an endless comment is endless.
            yield None, len(line) + 1
        for event in found:
            yield (event,), len(line) + 1
        if reader.ended:
            return
    for event in reader.finish():
        yield (event,), 0


async def collect_stream(answer: StreamedResponse, bounds: StreamBounds) -> tuple[list[Any], str]:
    """Return what a stream gives within bounds, and why it was not read to its end, or nothing."""
    found: list[Any] = []
    length = 0
    try:
        async with asyncio.timeout(bounds.seconds) as scope:
            async for event, size in read_stream(answer):
                length += size
                found += event or ()
                if len(found) >= bounds.events:
                    return found, f"The stream was left after {len(found)} events"
                if length > bounds.characters:
                    return found, f"The stream was left after {length} characters"
    except TimeoutError:
        if not scope.expired():
            raise
        return found, f"The stream was left after {bounds.seconds:g} seconds, with {len(found)} events"
    except HTTPError as error:
        if not found:
            raise
        return found, f"The stream broke off after {len(found)} events: {error.what}"
    return found, ""
