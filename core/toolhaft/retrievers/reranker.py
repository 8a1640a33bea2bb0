"""Putting the tools that a retriever found in a better order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from toolhaft.types import Scored


class Reranker(ABC):
    """Reads the query and a few tools together, which is dearer than an index and may be better."""

    name: str = ""

    @abstractmethod
    async def rerank(self, query: str, hits: Sequence[Scored]) -> list[Scored]:
        """Return the same tools with scores of this re-ranker's own, best first.

        Args:
            query: What is searched for.
            hits: What a retriever found, best first. Tools of equal scores stay in this order.
        """

    async def close(self) -> None:
        """Let go of files and models. The default has none."""
