"""Searching a catalog in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolhaft.hooks.registry import Registry
    from toolhaft.retrievers.base import Retriever
    from toolhaft.tools.catalog import Catalog
    from toolhaft.types import Scored


def search(
    catalog: Catalog,
    query: str,
    k: int = 5,
    *,
    retriever: str | Retriever = "bm25",
    registry: Registry | None = None,
) -> list[Scored]:
    """Do what `search_catalog` does from code that is not async, notebooks included."""
    from toolhaft.tools.loop import run_sync

    return run_sync(search_catalog(catalog, query, k, retriever=retriever, registry=registry))


async def search_catalog(
    catalog: Catalog,
    query: str,
    k: int = 5,
    *,
    retriever: str | Retriever = "bm25",
    registry: Registry | None = None,
) -> list[Scored]:
    """Return at most ``k`` tools of a catalog for a query, best first.

    The tools are indexed anew by each call, but where an index is kept beside a catalog file. To ask other
    catalogs often, index once: ``await retriever.index(catalog.specs())``, then ``retriever.retrieve``.

    Args:
        catalog: Where to search.
        query: What the tool is to do, or a whole instruction.
        k: At least 1.
        retriever: Its name, or a retriever, which then has this catalog indexed.
        registry: Where the name is looked up.

    Raises:
        UsageError: ``k`` is less than 1.
        UnknownNameError: No plugin brings the retriever.
        FormatError: The catalog's file is damaged.
    """
    from toolhaft.errors import UsageError

    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise UsageError(f"k is {k!r}", hint="Give a whole number of at least 1")
    if not isinstance(retriever, str):
        await retriever.index(catalog.specs())
        return await retriever.retrieve(query, k)
    from toolhaft.hooks.registry import Registry

    opened = (registry or Registry.default()).retriever(retriever)
    try:
        await opened.index(catalog.specs())
        return await opened.retrieve(query, k)
    finally:
        await opened.close()
