"""What tool search is measured on: queries, the tools that each needs, and often the tools to search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from toolhaft.errors import FormatError
from toolhaft.types import ToolSpec

LONGEST_QUERY = 100_000
MOST_QUERIES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """What somebody asks for.

    Attributes:
        id: Unique in its set.
        text: Never empty.
        gold: Names of the tools that it needs, each once. None: it is left out of figures. A name that no
            tool has counts as missed.
        category: What it belongs to, for figures by category; may be empty.
        where: File and line that it was read from.
    """

    id: str
    text: str
    gold: tuple[str, ...] = ()
    category: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSet:
    """Queries, with the tools to search if the files bring them.

    Attributes:
        name: For people.
        queries: At least one.
        specs: Names are unique; empty if the files bring no tools.
        notes: What a reader of figures must know.
    """

    name: str
    queries: tuple[SearchQuery, ...]
    specs: tuple[ToolSpec, ...] = ()
    notes: tuple[str, ...] = ()


def checked(queries: Iterable[SearchQuery], where: str) -> tuple[SearchQuery, ...]:
    """Return the queries, after a look at them.

    Raises:
        FormatError: There are none or too many, an id stands twice, or a text is empty or too long.
    """
    seen: dict[str, str] = {}
    found: list[SearchQuery] = []
    for query in queries:
        if query.id in seen:
            raise FormatError(
                f"two queries have the id {query.id!r:.80}",
                where=query.where or where,
                hint=f"The other is at {seen[query.id]}" if seen[query.id] else "",
            )
        if not query.text.strip():
            raise FormatError("the query is empty", where=query.where or where, hint="Write what is asked")
        if len(query.text) > LONGEST_QUERY:
            raise FormatError(
                f"a query of {len(query.text):,} characters",
                where=query.where or where,
                hint=f"At most {LONGEST_QUERY:,} are read",
            )
        if len(found) >= MOST_QUERIES:
            raise FormatError(
                f"more than {MOST_QUERIES:,} queries", where=where, hint="Take a sample of them"
            )
        seen[query.id] = query.where
        found.append(query)
    if not found:
        raise FormatError("there are no queries in it", where=where, hint="Write one a line")
    return tuple(found)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return names in their order, each once."""
    return tuple(dict.fromkeys(names))
