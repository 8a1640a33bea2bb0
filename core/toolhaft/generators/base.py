"""Making training data from tools."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol

from toolhaft.tools.catalog import Catalog
from toolhaft.types import Task

if TYPE_CHECKING:
    from typing import Any


class Environment(Protocol):
    """Where the calls of a task are really made: as many runs as wanted, each from the beginning.

    `toolhaft.world.server.World` is one. What a run of it did is undone by `reset`, and no run sees another.
    """

    async def catalog(self, run: str) -> Catalog:
        """Return the tools of a run; whoever asked closes it."""

    async def state(self, run: str) -> dict[str, Any]:
        """Return a copy of a run's state, as checks see it."""

    async def reset(self, run: str) -> None:
        """Put a run back to the beginning, and forget it."""


class Drops:
    """Counts what was left out, by reason, so that nothing is lost silently.

    Attributes:
        examples: By reason, what the first that was left out said of itself.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, str] = {}

    def add(self, reason: str, example: str = "") -> None:
        """Count one; ``example`` says of it what a person wants to know."""
        self.counts[reason] += 1
        self.examples.setdefault(reason, example[:300])

    @property
    def total(self) -> int:
        """How many were left out."""
        return self.counts.total()


class Generator(ABC):
    """Makes tasks whose solutions are known from the tools of a catalog."""

    name: str = ""

    @abstractmethod
    def generate(
        self,
        catalog: Catalog,
        *,
        n: int,
        seed: int = 0,
        environment: Environment | None = None,
        drops: Drops | None = None,
    ) -> AsyncIterator[Task]:
        """Yield up to ``n`` tasks with gold, the same ones for the same seed and catalog.

        Args:
            catalog: The tools to make tasks for.
            n: How many; there may be fewer where the tools give no more.
            seed: For everything that draws lots.
            environment: Where gold calls are made; without one nothing is called, and the gold is unproved.
            drops: Told of everything that was left out.
        """
