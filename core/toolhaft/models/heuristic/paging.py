"""Pages of a list: whether there is another one, and how the tool is asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from toolhaft.models.heuristic.ranking import Entry
from toolhaft.models.heuristic.readings import Reading, total_of
from toolhaft.models.heuristic.slots import Path, Slot
from toolhaft.models.heuristic.words import name_stems, stem

_NEXT = stem("next")
_PLACES = frozenset(
    stem(word)
    for word in ("cursor", "token", "page", "offset", "after", "marker", "start", "continuation", "skip")
)
_OFFSETS = frozenset(stem(word) for word in ("offset", "skip", "start"))
_SIZES = frozenset(stem(word) for word in ("size", "limit", "per", "count", "max"))
_PAGE = stem("page")


def following_page(entry: Entry, values: dict[Path, Any], pages: Sequence[Reading]) -> dict[Path, Any] | None:
    """Return arguments for the page after those that were read, or None if there is none.

    The answer says where it goes on (a cursor, a token, a number or a link under a name with ``next``) and
    an argument of the same tool takes it; or there are more than were read and an argument counts pages or
    entries.
    """
    last = pages[-1].value
    if not isinstance(last, dict) or not pages[-1].listing:
        return None
    slots = [slot for slot in entry.slots if not slot.many and slot.name & _PLACES and not slot.name & _SIZES]
    if not slots:
        return None
    for key, value in _hints(last):
        if (given := _taken(slots, key, value)) is not None and given[1] != values.get(given[0]):
            return {**values, given[0]: given[1]}
    got = sum(len(page.listing or ()) for page in pages)
    total = total_of(last)
    more = got < total if total is not None else _says_more(last)
    return _counted(slots, values, len(pages), got) if more else None


def _counted(slots: Sequence[Slot], values: dict[Path, Any], pages: int, got: int) -> dict[Path, Any] | None:
    for slot in slots:
        if slot.schema.get("type") != "integer":
            continue
        if _PAGE in slot.name:
            first = slot.schema.get("minimum", slot.schema.get("default", 1))
            first = values.get(slot.path, first if first in (0, 1) else 1)
            return {**values, slot.path: first + pages}
        if slot.name & _OFFSETS:
            return {**values, slot.path: (values.get(slot.path) or 0) + got}
    return None


def _hints(value: dict[str, Any]) -> Iterator[tuple[frozenset[str], Any]]:
    """Yield what an answer says beside its list about where it goes on, names as stems."""
    for key, one in list(value.items())[:40]:
        stems = frozenset(name_stems(key))
        if isinstance(one, dict) and len(one) <= 10:
            yield from ((stems | inner, deeper) for inner, deeper in _hints(one))
        elif _NEXT in stems and isinstance(one, str | int) and not isinstance(one, bool) and one != "":
            yield stems - {_NEXT}, one


def _taken(slots: Sequence[Slot], key: frozenset[str], value: Any) -> tuple[Path, Any] | None:
    if isinstance(value, str) and "?" in value[:2000]:
        query = dict(parse_qsl(urlsplit(value[:2000]).query))
        for slot in slots:
            if slot.label in query:
                given = query[slot.label]
                whole = slot.schema.get("type") == "integer"
                if not whole or given.isdigit():
                    return slot.path, int(given) if whole else given
        return None
    kind = "string" if isinstance(value, str) else "integer"
    fitting = [slot for slot in slots if slot.schema.get("type") == kind]
    named = [slot for slot in fitting if slot.name & key]
    best = named or (fitting if not key & _PLACES or len(fitting) == 1 else [])
    return (best[0].path, value) if best else None


def _says_more(value: dict[str, Any]) -> bool:
    return any(
        value.get(key) is True for key in ("has_more", "hasMore", "more", "has_next", "hasNext", "next_page")
    )
