"""Finding the tools that an instruction needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence

from toolhaft.errors import UsageError
from toolhaft.types import Scored, ToolSpec


class Retriever(ABC):
    """Finds the k best tools for a query.

    Attributes:
        name: What the registry calls it.
        progress: Called with how many tools are done, and how many there are, while they are indexed; set by
            whoever shows it, and called from any thread. A retriever whose index takes no time does not.
    """

    name: str = ""
    progress: Callable[[int, int], None] | None = None

    @abstractmethod
    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Make these tools the ones to search; what was indexed before is forgotten.

        Args:
            specs: Any sequence. Where it is a `toolhaft.tools.specs.Specs` (``catalog.specs()``), a retriever
                may read it lazily, and keep an index beside its ``place`` under its ``version``.
        """

    @abstractmethod
    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return at most ``k`` tools, best first, equal scores in the order of the catalog.

        Tools that share nothing with the query are left out, so fewer than ``k`` may come back.
        """

    async def rank(self, query: str, k: int = 5) -> list[tuple[str, float]]:
        """Return the names and scores of what `retrieve` would find, for what fuses many candidates.

        The default reads the tools and forgets them; a retriever that knows names by itself need not.
        """
        return [(hit.item.name, hit.score) for hit in await self.retrieve(query, k)]

    async def update(self, put: Sequence[ToolSpec] = (), remove: Iterable[str] = ()) -> None:
        """Add tools to those that are searched, change or remove some, at a cost that only they determine.

        Args:
            put: Replace the tools of the same names; others are added, last in the order.
            remove: Names; what is not there is no error.

        Raises:
            UsageError: This retriever cannot; the default says so. Index all tools anew.
        """
        raise UsageError(
            f"the retriever {self.name!r} cannot change single tools", hint="Index all of them: index(specs)"
        )

    @property
    def engine(self) -> str:
        """What does the work, for people, as in ``pure Python, 221 tools``; empty if there is no choice."""
        return ""

    async def close(self) -> None:
        """Let go of files and models. The default has none."""
