"""One index for agents that have the same tools."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from toolhaft.retrievers.base import Retriever
from toolhaft.types import Scored, ToolSpec


class SharedIndex(Retriever):
    """Has another retriever index the same tools once, however many agents ask for it.

    Args:
        retriever: Does the work.
    """

    def __init__(self, retriever: Retriever) -> None:
        self.name = retriever.name
        self._retriever = retriever
        self._specs: tuple[ToolSpec, ...] | None = None
        self._indexing = asyncio.Lock()

    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Index the tools unless they are those that are indexed already."""
        async with self._indexing:
            if self._specs != tuple(specs):
                await self._retriever.index(specs)
                self._specs = tuple(specs)

    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return what the retriever finds."""
        return await self._retriever.retrieve(query, k)

    async def close(self) -> None:
        """Do nothing: others may still use it; see `end`."""

    async def end(self) -> None:
        """Let go of the retriever's files and models."""
        await self._retriever.close()
