"""One index for agents that have the same tools."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from toolhaft.retrievers.base import Retriever
from toolhaft.tools.specs import Specs
from toolhaft.types import Scored, ToolSpec


class SharedIndex(Retriever):
    """Has another retriever index the same tools once, however many agents ask for it.

    Args:
        retriever: Does the work.
    """

    def __init__(self, retriever: Retriever) -> None:
        self.name = retriever.name
        self._retriever = retriever
        self._indexed: Sequence[ToolSpec] | tuple[Path | None, str] | None = None
        self._indexing = asyncio.Lock()

    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Index the tools unless they are those that are indexed already.

        Those of a catalog file are told by its version, and none of them is held.
        """
        async with self._indexing:
            now = _content(specs)
            if self._indexed != now:
                await self._retriever.index(specs)
                self._indexed = now

    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return what the retriever finds."""
        return await self._retriever.retrieve(query, k)

    async def rank(self, query: str, k: int = 5) -> list[tuple[str, float]]:
        """Return the names and scores of what the retriever finds."""
        return await self._retriever.rank(query, k)

    @property
    def engine(self) -> str:
        """What does the retriever's work."""
        return self._retriever.engine

    async def close(self) -> None:
        """Do nothing: others may still use it; see `end`."""

    async def end(self) -> None:
        """Let go of the retriever's files and models."""
        await self._retriever.close()


def _content(specs: Sequence[ToolSpec]) -> Sequence[ToolSpec] | tuple[Path | None, str]:
    """Return what tells these tools from others."""
    if isinstance(specs, Specs) and specs.version:
        return specs.place, specs.version
    return tuple(specs)
