"""Making training data from tools."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator

from toolhaft.tools.catalog import Catalog
from toolhaft.types import Task


class Generator(ABC):
    """Makes tasks whose solutions are known from the tools of a catalog."""

    name: str = ""

    @abstractmethod
    def generate(self, catalog: Catalog, *, n: int, seed: int = 0) -> AsyncIterator[Task]:
        """Yield ``n`` tasks with gold, the same ones for the same seed and catalog."""
