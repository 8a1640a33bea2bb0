"""A catalog as an environment: its reads may be called, and nothing can be undone."""

from __future__ import annotations

from typing import Any

from toolhaft.tools.catalog import Catalog


class ReadOnly:
    """A catalog that only reads of are called; what writes is left alone, for nobody could put it back.

    Tasks whose gold writes are made without calling anything, and say so.

    Args:
        catalog: Stays open.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._reads = catalog.filter(lambda spec: spec.effect == "read")

    async def catalog(self, run: str) -> Catalog:
        """Return the read tools, the same ones for every run."""
        return Catalog(self._reads, name=self._reads.name)

    async def state(self, run: str) -> dict[str, Any]:
        """Return nothing: there is no state to see."""
        return {}

    async def reset(self, run: str) -> None:
        """Do nothing: reads leave nothing behind."""
