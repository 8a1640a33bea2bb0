"""Pages followed within bounds, and put together as if they were one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ConfigError, ToolError
from toolhaft.openapi.responses.next_page import (
    NextPage,
    items_of,
    items_pointer,
    next_page,
)
from toolhaft.types.pointer import at_pointer, unescape

if TYPE_CHECKING:
    from toolhaft.http.message import Request, Response
    from toolhaft.openapi.requests.wire import Wire

Fetch = Callable[["Request"], Awaitable["Response"]]
"""Sends a request; raises `toolhaft.errors.ToolError` unless it succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """How far pages are followed; whatever is reached first ends it.

    Attributes:
        pages: In all, the first included.
        items: In all; the page that goes beyond is kept whole.
        seconds: For all pages after the first.
        size: Bytes of all pages.

    Raises:
        ConfigError: A bound is below 1.
    """

    pages: int = 1
    items: int = 10_000
    seconds: float = 20.0
    size: int = 20_000_000

    def __post_init__(self) -> None:
        for name in ("pages", "items", "seconds", "size"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"Follow({name}=...) must be above 0")


@dataclass(slots=True, kw_only=True)
class Pages:
    """Pages put together.

    Attributes:
        value: The last page's, its list holding the items of all; what stands around it tells of the end.
        notes: What stopped it before its end, and how to get the next page.
        count: Pages.
    """

    value: Any
    notes: list[str] = field(default_factory=list)
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How an operation's pages are asked for.

    Attributes:
        wire: The operation.
        arguments: Of the call.
        request: Of the first page.
        build: Makes the request for other arguments.
        fetch: Sends one.
        parse: Returns the value of an answer.
        secret_names: Query parameters that the transport fills.
    """

    wire: Wire
    arguments: Mapping[str, Any]
    request: Request
    build: Callable[[Mapping[str, Any]], Request]
    fetch: Fetch
    parse: Callable[[Response], Awaitable[Any]]
    secret_names: frozenset[str] = frozenset()


async def follow_pages(response: Response, value: Any, asking: Asking, follow: Follow) -> Pages:
    """Follow from a first page on; a page that fails ends it, and what came before is kept.

    Args:
        response: The first page.
        value: Its body's value; its list is added to.
        asking: How others are asked for.
        follow: How far.
    """
    pages = Pages(value=value)
    state = _State(asking, response, value, follow)
    while True:
        following = state.find_next()
        if following is None:
            return pages
        reason = state.refuses(following, pages, follow)
        if reason:
            # What is asked for is told by the line alone; what stopped it is said before.
            pages.notes += [reason] if reason != following.line() else []
            pages.notes.append(following.line())
            return pages
        problem = await state.advance(following, pages)
        if problem:
            pages.notes.append(problem)
            return pages


class _State:
    """The page that was read last, and what was seen before."""

    def __init__(self, asking: Asking, response: Response, value: Any, follow: Follow) -> None:
        self._asking = asking
        self._response = response
        self._page = value
        self._request = asking.request
        self._arguments = dict(asking.arguments)
        self._pointer = items_pointer(value, asking.wire.paging)
        self._items = list(items_of(value, asking.wire.paging))
        self._total = len(self._items)
        self._size = len(response.body)
        self._seen: set[str] = {asking.request.url}
        self._ends = time.monotonic() + follow.seconds

    def find_next(self) -> NextPage | None:
        asking = self._asking
        return next_page(
            self._response,
            self._page,
            asking.wire,
            self._arguments,
            self._request.url,
            secret_names=asking.secret_names,
        )

    def refuses(self, following: NextPage, pages: Pages, follow: Follow) -> str:
        """Return why the next page is not asked for, or nothing."""
        if following.refused:
            return following.refused
        if pages.count >= follow.pages:
            return following.line()
        if self._asking.wire.effect != "read":
            return "Further pages of a call that may change something are not followed"
        if self._pointer is None:
            return "Further pages are not followed: it is not clear which list they continue"
        if self._total >= follow.items or self._size >= follow.size:
            return f"Stopped after {pages.count} pages with {self._total} items"
        if time.monotonic() >= self._ends:
            return f"Stopped after {follow.seconds:g} seconds with {pages.count} pages"
        return ""

    async def advance(self, following: NextPage, pages: Pages) -> str:
        """Ask for a page and add it; return why that was not possible, or nothing."""
        mark = following.mark
        if mark in self._seen:
            return f"Stopped after {pages.count} pages: the API names a page that came already"
        self._seen.add(mark)
        number, asking = pages.count + 1, self._asking
        arguments = {**self._arguments, **following.arguments}
        try:
            request = replace(asking.request, url=following.url) if following.url else asking.build(arguments)
            left = max(0.05, self._ends - time.monotonic())
            async with asyncio.timeout(left):
                response = await asking.fetch(replace(request, timeout=left))
                page = await asking.parse(response)
        except ToolError as error:
            return f"Page {number} failed ({error.what}); the {self._total} items before it are here"
        except TimeoutError:
            return f"Page {number} did not come in time; the {self._total} items before it are here"
        items = items_of(page, asking.wire.paging)
        if items and items == self._items:
            return f"Stopped after {pages.count} pages: the API gave the same page again"
        held = at_pointer(pages.value, self._pointer or "")
        if isinstance(held, list):
            held.extend(items)
            pages.value = _around(page, self._pointer or "", held)
        self._response, self._page, self._request, self._arguments = response, page, request, arguments
        self._items = list(items)
        self._total += len(items)
        self._size += len(response.body)
        pages.count = number
        return ""


def _around(page: Any, pointer: str, items: list[Any]) -> Any:
    """Return a page with other items; the page itself stays as it is."""
    if not pointer:
        return items
    first, slash, rest = pointer[1:].partition("/")
    name = unescape(first)
    if not isinstance(page, dict):
        return {name: _around(None, slash + rest, items)}
    return {**page, name: _around(page.get(name), slash + rest, items)}
