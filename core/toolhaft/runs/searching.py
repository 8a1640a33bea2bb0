"""Retrievers asked the queries of a set, and compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from toolhaft.errors import UsageError, nearest_names
from toolhaft.evaluators.ranking import DEPTHS
from toolhaft.evaluators.ranking_comparison import RankingComparison, Rankings, compare_rankings
from toolhaft.retrievers.base import Retriever
from toolhaft.runs.search_sets.base import SearchQuery
from toolhaft.tools.specs import as_specs
from toolhaft.types import ToolSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Searches:
    """What one retriever found.

    Attributes:
        name: As it was written, with its settings.
        hits: By the id of the query, names and scores, best first.
        seconds: By the id of the query.
        engine: What did the work, for people.
        index_seconds: How long the index took.
    """

    name: str
    hits: Mapping[str, tuple[tuple[str, float], ...]]
    seconds: Mapping[str, float] = field(default_factory=dict)
    engine: str = ""
    index_seconds: float = 0.0

    def rankings(self) -> Rankings:
        """Return what is scored of it."""
        return Rankings(
            name=self.name,
            ranked={query: [name for name, _ in hits] for query, hits in self.hits.items()},
            seconds=self.seconds,
            engine=self.engine,
            index_seconds=self.index_seconds,
        )


async def search_all(
    name: str,
    retriever: Retriever,
    specs: Sequence[ToolSpec],
    queries: Sequence[SearchQuery],
    k: int,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Searches:
    """Index the tools and ask every query, one after the other.

    Args:
        name: What the retriever is called in the comparison.
        retriever: Is closed in the end.
        specs: The tools to search.
        queries: What is asked.
        k: How many hits are kept.
        progress: Called with how many queries are done and how many there are: once the tools are indexed,
            and after each query. How far the index is, the retriever tells by its own ``progress``.
    """
    tell = progress or _tell_nobody
    try:
        started = time.perf_counter()
        await retriever.index(specs)
        index_seconds = time.perf_counter() - started
        tell(0, len(queries))
        hits: dict[str, tuple[tuple[str, float], ...]] = {}
        seconds: dict[str, float] = {}
        for done, query in enumerate(queries, 1):
            started = time.perf_counter()
            found = await retriever.retrieve(query.text, k)
            seconds[query.id] = time.perf_counter() - started
            hits[query.id] = tuple((hit.item.name, float(hit.score)) for hit in found[:k])
            tell(done, len(queries))
        return Searches(
            name=name, hits=hits, seconds=seconds, engine=retriever.engine, index_seconds=index_seconds
        )
    finally:
        await retriever.close()


def _tell_nobody(*_: int) -> None:
    """Tell nobody how far it is."""


def compare_searches(
    searches: Sequence[Searches],
    queries: Sequence[SearchQuery],
    pool: Sequence[str],
    *,
    depths: Sequence[int] = DEPTHS,
    seed: int = 0,
) -> RankingComparison:
    """Score what retrievers found for the same queries, and compare each with the first.

    Args:
        searches: At least one; names are unique.
        queries: With their gold.
        pool: Names of the tools that were searched.
        depths: The k to look at.
        seed: Of the bootstrap.

    Raises:
        UsageError: No query names a tool of the pool, or see `compare_rankings`.
    """
    return compare_rankings(
        [found.rankings() for found in searches],
        {query.id: query.gold for query in queries},
        depths=depths,
        pool=pool,
        categories={query.id: query.category for query in queries},
        seed=seed,
    )


def check_gold(queries: Sequence[SearchQuery], pool: Sequence[str]) -> None:
    """Refuse queries that cannot be answered at all, before anything is searched.

    Raises:
        UsageError: There are no tools, no query has gold, or no gold tool of any query is in the pool.
    """
    known = set(pool)
    if not known:
        raise UsageError("the catalog has no tools", hint="Import some: toolhaft tools import")
    wanted = [name for query in queries for name in query.gold]
    if not wanted:
        raise UsageError(
            f"none of {len(queries)} queries names a tool",
            hint='Name what each needs: "tools": ["getPetById"]',
        )
    if known.isdisjoint(wanted):
        nearest = nearest_names(wanted[0], pool, 1)
        guess = f"did you mean {nearest[0]!r}?" if nearest else f"it has {', '.join(pool[:3])} ..."
        raise UsageError(
            f"the catalog has none of the tools that the queries name, as {wanted[0]!r:.80}",
            where=queries[0].where,
            hint=f"Are they of another catalog? {guess[0].upper()}{guess[1:]}",
        )


def names_of(specs: Sequence[ToolSpec]) -> list[str]:
    """Return the names of tools; a catalog that is read lazily is not read for it."""
    return list(as_specs(specs).names())
