"""Where the next page is, told from one page: as arguments to give, or as a URL that may be asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urljoin

from toolhaft.errors import EgressError
from toolhaft.http.origin import Target, parse_url
from toolhaft.openapi.documents.cleaning import clean_text
from toolhaft.openapi.responses import paging_words as words
from toolhaft.openapi.responses.links import next_link
from toolhaft.types.pointer import at_pointer, escape

if TYPE_CHECKING:
    from toolhaft.http.message import Response
    from toolhaft.openapi.requests.wire import Wire
    from toolhaft.openapi.responses.paging import Paging

_LONGEST_TOKEN = 4000
_MOST_FIELDS = 200
_TELLING = frozenset(
    {name for name in words.NEXT_TOKENS if name.startswith("next")}
    | {"continuationtoken", "paginationtoken", "endcursor", "scrollid", "lastevaluatedkey"}
)
"""Fields that hold a token whatever the document says of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextPage:
    """How the next page is asked for.

    Attributes:
        arguments: What to change of the arguments; empty if only the URL tells.
        url: Absolute, within the tool's own origin and path; empty if the arguments tell it.
        refused: Why a URL that the API gave is not followed; everything else is empty then.
        sure: The answer itself says that there is more; else the page only looks full.
    """

    arguments: Mapping[str, Any]
    url: str = ""
    refused: str = ""
    sure: bool = True

    @property
    def mark(self) -> str:
        """Text that is the same for the same page."""
        return self.url or str(sorted((key, str(value)) for key, value in self.arguments.items()))

    def line(self) -> str:
        """Return one line that tells a model how to get the page."""
        if self.refused:
            return self.refused
        verb = "There is more" if self.sure else "There may be more"
        if self.arguments:
            said = ", ".join(f"{key}={_shown(value)}" for key, value in self.arguments.items())
            return f"{verb}: for the next page call again with {said} and the other arguments as they are"
        return f"{verb}, which only the caller of this tool can ask for (pages=)"


def next_page(
    response: Response,
    value: Any,
    wire: Wire,
    arguments: Mapping[str, Any],
    asked: str,
    *,
    secret_names: frozenset[str] = frozenset(),
) -> NextPage | None:
    """Return where the next page is, or None if there is none, as far as is known.

    Args:
        response: The page; its ``Link`` header counts for any operation.
        value: Its body.
        wire: The operation.
        arguments: What the page was asked for with.
        asked: The URL that it was asked for by, without secrets.
        secret_names: Query parameters that hold secrets, which are never taken from a URL.
    """
    link = next_link(response.headers)
    if link:
        return by_url(link, wire, asked, secret_names)
    paging = wire.paging
    if paging is None or paging.kind == "link":
        return None
    if said_more(value) is False:
        return None
    if paging.kind in ("cursor", "next_url"):
        found = _told(value, paging, wire, asked, secret_names)
        if found is None or found.url or found.refused:
            return found
        # Some APIs repeat the last token where there is nothing more.
        same = all(arguments.get(key) == told for key, told in found.arguments.items())
        return None if same else found
    return _counted(value, paging, arguments)


def _told(
    value: Any, paging: Paging, wire: Wire, asked: str, secret_names: frozenset[str]
) -> NextPage | None:
    token = at_pointer(value, paging.next) if paging.next else find_token(value, paging.argument)
    if paging.argument and is_token(token) and not _is_url(token):
        return NextPage(arguments={paging.argument: token})
    url = token if _is_url(token) else find_url(value)
    if isinstance(url, str) and url:
        return by_url(url, wire, asked, secret_names)
    if paging.last_item and said_more(value):
        items = items_of(value, paging)
        last = items[-1].get(paging.last_item) if items and isinstance(items[-1], dict) else None
        if is_token(last):
            return NextPage(arguments={paging.argument: last})
    return None


def _counted(value: Any, paging: Paging, arguments: Mapping[str, Any]) -> NextPage | None:
    items = items_of(value, paging)
    if not items:
        return None
    size = _integer(arguments.get(paging.size)) or paging.default_size
    current = _integer(arguments.get(paging.argument))
    current = paging.first if current is None else current
    if paging.kind == "offset":
        following, seen = current + len(items), current - paging.first + len(items)
    else:
        following, seen = current + 1, (current - paging.first + 1) * (size or len(items))
    more = said_more(value)
    total, pages = _count(value, words.TOTALS), _count(value, words.TOTAL_PAGES)
    if more is None and find_url(value):
        more = True
    if more is None and total is not None and total > 0:
        more = seen < total
    if more is None and pages is not None and pages > 0 and paging.kind == "page":
        more = current - paging.first + 1 < pages
    if more is None and size and len(items) < size:
        more = False
    if more is False:
        return None
    return NextPage(arguments={paging.argument: following}, sure=bool(more))


def by_url(url: str, wire: Wire, asked: str, secret_names: frozenset[str] = frozenset()) -> NextPage:
    """Return the page that a URL names, if the tool may ask for it.

    That is one of the tool's own origin, and at the operation's own path; at another path, its query must
    consist of the operation's own parameters, which are then sent to the operation's own path.

    Args:
        url: As the API gives it; a relative one is joined to ``asked``.
        wire: The operation.
        asked: The URL that this page was asked for by.
        secret_names: Query parameters that are dropped: the transport adds them.
    """
    try:
        if not url.isprintable():
            raise EgressError("it holds control characters")
        # A secret that the API repeats was masked, so that its pair is no part of any URL.
        own, found = parse_url(asked), parse_url(urljoin(asked, _without(url.strip(), secret_names)))
        if found.authority.origin != own.authority.origin:
            raise EgressError("it leads to another origin")
    except (EgressError, ValueError) as error:
        reason = error.what if isinstance(error, EgressError) else "it is no URL"
        return NextPage(arguments={}, refused=f"The API names a next page that is not followed: {reason}")
    path, _, query = found.path.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    keys = {parameter.name: parameter.key for parameter in wire.parameters if parameter.place == "query"}
    before = dict(parse_qsl(own.path.partition("?")[2], keep_blank_values=True))
    changed = [(name, text) for name, text in pairs if before.get(name) != text]
    known = bool(changed) and all(name in keys for name, _ in changed)
    told = {keys[name]: text[:_LONGEST_TOKEN] for name, text in changed} if known else {}
    if path == own.path.partition("?")[0]:
        return NextPage(arguments=told, url=found.url)
    if told:
        return NextPage(arguments=told, url=_joined(own, {keys[name]: name for name, _ in changed}, told))
    refused = "The API names a next page that is not followed: it is at another path"
    return NextPage(arguments={}, refused=refused)


def _without(url: str, names_left_out: frozenset[str]) -> str:
    """Return a URL without some pairs of its query, and without a fragment."""
    start, _, query = url.partition("#")[0].partition("?")
    kept = [pair for pair in query.split("&") if pair and _name_of(pair) not in names_left_out]
    return f"{start}?{'&'.join(kept)}" if kept else start


def _joined(own: Target, wire_names: Mapping[str, str], told: Mapping[str, Any]) -> str:
    """Return the own URL with some query parameters changed."""
    from urllib.parse import quote

    path, _, query = own.path.partition("?")
    replaced = set(wire_names.values())
    kept = [pair for pair in query.split("&") if pair and _name_of(pair) not in replaced]
    made = [f"{quote(wire_names[key], safe='')}={quote(str(value), safe='')}" for key, value in told.items()]
    return f"{own.authority.scheme}://{own.authority.header}{path}?{'&'.join([*kept, *made])}"


def _name_of(pair: str) -> str:
    found = parse_qsl(pair, keep_blank_values=True)
    return found[0][0] if found else ""


def items_of(value: Any, paging: Paging | None) -> list[Any]:
    """Return the items of a page; none where no list is found."""
    pointer = items_pointer(value, paging)
    found = at_pointer(value, pointer) if pointer is not None else None
    return found if isinstance(found, list) else []


def items_pointer(value: Any, paging: Paging | None) -> str | None:
    """Return where the items of a page are: where the document says, else its only or its named list."""
    if paging is not None and paging.items is not None and isinstance(at_pointer(value, paging.items), list):
        return paging.items
    if isinstance(value, list):
        return ""
    if not isinstance(value, dict):
        return None
    lists = {words.fold(key): key for key, item in value.items() if isinstance(item, list)}
    named = next((lists[name] for name in words.LISTS if name in lists), None)
    if named is None and len(lists) == 1:
        named = next(iter(lists.values()))
    return None if named is None else "/" + escape(named)


def find_token(value: Any, argument: str) -> Any:
    """Return the token of the next page by the names that such fields have; None if there is none."""
    fields = _fields(value)
    for name in (
        f"next{words.fold(argument)}",
        *(name for name in words.NEXT_TOKENS if name in _TELLING),
    ):
        if is_token(found := fields.get(name)):
            return found
    # A field of the argument's own name repeats what was asked for as often as it tells what comes next.
    found = fields.get(words.fold(argument))
    return found if isinstance(found, str) and is_token(found) else None


def find_url(value: Any) -> str:
    """Return the URL of the next page by the names that such fields have; empty if there is none."""
    fields = _fields(value)
    return next((fields[name] for name in words.NEXT_URLS if _is_url(fields.get(name))), "")


def said_more(value: Any) -> bool | None:
    """Return whether an answer says that there is another page; None if it says nothing of that."""
    for name, found in _fields(value).items():
        if isinstance(found, bool) and name in words.MORE:
            return found
        if isinstance(found, bool) and name in words.LAST:
            return not found
    return None


def is_token(value: Any) -> bool:
    """Whether a value can be the token of a page: a text or number that is not nothing."""
    if isinstance(value, bool) or value is None:
        return False
    return isinstance(value, int) or (isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST_TOKEN)


def _is_url(value: Any) -> bool:
    return (
        isinstance(value, str) and re.match(r"(?:[a-z][a-z0-9+.-]*:)?/{1,2}\S|\?\S", value, re.I) is not None
    )


def _fields(value: Any) -> dict[str, Any]:
    """Return what an answer says around its items, by folded names; what stands higher counts."""
    found: dict[str, Any] = {}
    level = [("", value)]
    for _ in range(3):
        inner: list[tuple[str, Any]] = []
        for owner, holder in level:
            for key, item in list(holder.items())[:_MOST_FIELDS] if isinstance(holder, dict) else ():
                name = words.fold(str(key))
                if isinstance(item, dict):
                    if name in words.AROUND or not owner:
                        inner.append((name, item))
                elif not isinstance(item, list):
                    # ``{"next": {"href": ...}}`` says "next" by its owner's name.
                    found.setdefault(
                        owner if owner == "next" and name in ("href", "url", "link") else name, item
                    )
        level = [(name, item) for name, item in inner if name in words.AROUND]
    return found


def _count(value: Any, wanted: frozenset[str]) -> int | None:
    return next(
        (
            number
            for name, found in _fields(value).items()
            if name in wanted and (number := _integer(found)) is not None
        ),
        None,
    )


def _integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 12 else None


def _shown(value: Any) -> str:
    return clean_text(value, 200).__repr__() if isinstance(value, str) else str(value)
