"""A retriever that has a catalog indexed, for everybody who asks, on whatever event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from toolhaft.agent.active import shielded

if TYPE_CHECKING:
    import asyncio

    from toolhaft.retrievers.base import Retriever
    from toolhaft.tools.catalog import Catalog


class CatalogIndex:
    """Indexes a catalog when it is first asked, and again when its file was changed since.

    Args:
        catalog: What is indexed.
        make: Makes the retriever; called once.
    """

    def __init__(self, catalog: Catalog, make: Callable[[], Retriever]) -> None:
        self._catalog = catalog
        self._make = make
        self._retriever: Retriever | None = None
        self._indexing: asyncio.Task[Retriever] | None = None
        self._version = ""

    async def retriever(self) -> Retriever:
        """Return the retriever, with the catalog indexed; the first caller does the work."""
        import asyncio

        indexing = self._indexing
        if indexing is None or (indexing.done() and self._is_over(indexing)):
            indexing = self._indexing = asyncio.create_task(self._index())
        if indexing.get_loop() is not asyncio.get_running_loop() and not indexing.done():
            # Somebody else's event loop is at work; wait for it there.
            waiting = asyncio.run_coroutine_threadsafe(shielded(indexing), indexing.get_loop())
            return await asyncio.wrap_future(waiting)
        return await asyncio.shield(indexing)

    def _is_over(self, indexing: asyncio.Task[Retriever]) -> bool:
        """Return whether what was done failed, or is of what the catalog's file was before."""
        if indexing.cancelled() or indexing.exception() is not None:
            return True
        return self._catalog.specs().version != self._version

    async def close(self) -> None:
        """Let go of the retriever's files, if anything was indexed."""
        if self._indexing is not None:
            retriever = self._retriever if self._indexing.done() else await self.retriever()
            self._indexing = None  # whoever asks again has it indexed again
            if retriever is not None:
                await retriever.close()

    async def _index(self) -> Retriever:
        specs = self._catalog.specs()
        version = specs.version  # before the specs: what is changed meanwhile is then seen the next time
        if self._retriever is None:
            self._retriever = self._make()
        await self._retriever.index(specs)
        self._version = version
        return self._retriever
