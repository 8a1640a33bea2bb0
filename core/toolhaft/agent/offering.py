"""Which tools a rollout is offered at first, and whether it may search for more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from toolhaft.tools.toolset import ToolSet
from toolhaft.types import ToolsRetrieved

if TYPE_CHECKING:
    from toolhaft.retrievers.base import Retriever
    from toolhaft.tools.catalog import Catalog
    from toolhaft.types import Scored

CHOSEN = 8
"""Tools that a retriever chooses where nobody says how many."""
_LOOKED_AT = 1_000
"""Tools among which those to begin with are looked for; what a search has not filled may cost no more."""
SMALL = 16_000
"""Characters of a catalog that is offered whole, about four to a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """How the tools of a rollout are chosen.

    Attributes:
        catalog: Where they are.
        retriever: Gives one that has indexed the catalog.
        retriever_name: Its name, for the record.
        k: How many it chooses; None is `CHOSEN`, and all where that costs little (see `offers_all`).
        find_tools: Whether the model gets a tool that searches the others, where not all are offered.
    """

    catalog: Catalog
    retriever: Callable[[], Awaitable[Retriever]]
    retriever_name: Callable[[], str]
    k: int | None = None
    find_tools: bool = False

    @property
    def chosen(self) -> int:
        """How many tools the retriever chooses."""
        return CHOSEN if self.k is None else self.k

    def offers_all(self) -> bool:
        """Whether all tools are offered: they are no more than ``k``, or hiding some would gain nothing.

        Where ``k`` is not given, that is said of catalogs of at most twice as many tools as are chosen, for
        so many may be offered anyway with those that are mentioned, and of `SMALL` characters in all.
        """
        count = len(self.catalog)
        if count <= self.chosen:
            return True
        if self.k is not None or count > 2 * self.chosen:
            return False
        from toolhaft.tools.offer import prompt_size

        return sum(map(prompt_size, self.catalog.specs())) <= SMALL

    async def choose(self, instruction: str) -> tuple[ToolSet, ToolsRetrieved | None]:
        """Return the tools to offer for an instruction, and what to tell of the choice; None for all."""
        if self.offers_all():
            return ToolSet(self.catalog), None
        hits = await (await self.retriever()).retrieve(instruction, self.chosen)
        names, event = self._with_others(hits)
        return (self._growing(names) if self.find_tools else ToolSet(self.catalog, names)), event

    def _with_others(self, hits: list[Scored]) -> tuple[list[str], ToolsRetrieved]:
        """Return the hits' names with those of the tools that they mention, or tools to begin with."""
        from toolhaft.retrievers.mentions import mentioned_tools
        from toolhaft.retrievers.openings import opening_tools

        chosen = [hit.item for hit in hits]
        mentioned = mentioned_tools(chosen, self.catalog, limit=self.chosen)
        chosen.extend(self.catalog.specs().several(mentioned))
        left = self.chosen - len(chosen)
        opening = opening_tools(chosen, islice(self.catalog.specs(), _LOOKED_AT), limit=left)
        event = ToolsRetrieved(
            hits=tuple((hit.item.name, hit.score) for hit in hits),
            retriever=self.retriever_name(),
            pool=len(self.catalog),
            mentioned=tuple(mentioned),
            opening=tuple(opening),
        )
        return [*(spec.name for spec in chosen), *opening], event

    def _growing(self, names: list[str]) -> ToolSet:
        from toolhaft.agent.finding import FindTools, free_name
        from toolhaft.tools.offer import GrowingTools

        # What is found is offered, and an offered tool that strangers described marks the run as such.
        finder = FindTools(self.catalog, self.retriever, name=free_name(self.catalog), untrusted=False)
        return GrowingTools(self.catalog, names, finder=finder)
