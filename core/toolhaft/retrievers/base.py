"""Finding the tools that an instruction needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from toolhaft.types import Scored, ToolSpec


class Retriever(ABC):
    """Finds the k best tools for a query."""

    name: str = ""

    @abstractmethod
    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Make these tools the ones to search; what was indexed before is forgotten."""

    @abstractmethod
    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return at most ``k`` tools, best first, equal scores in the order of the catalog.

        Tools that share nothing with the query are left out, so fewer than ``k`` may come back.
        """

    async def close(self) -> None:
        """Let go of files and models. The default has none."""
