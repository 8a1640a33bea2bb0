"""Which tools stand beside those that a task needs, so that a model has something to choose from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from random import Random

from toolhaft.errors import UsageError
from toolhaft.retrievers.base import Retriever
from toolhaft.types import Task, ToolSpec


class Offer:
    """Chooses the tools that a model is shown.

    Args:
        specs: All there are.
        k: How many are shown; those that the task needs always are.
        retriever: Finds the others by the instruction, as an agent would; None draws them.

    Raises:
        UsageError: ``k`` is less than 1.
    """

    def __init__(self, specs: Sequence[ToolSpec], *, k: int = 8, retriever: Retriever | None = None) -> None:
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise UsageError(f"k is {k!r}", hint="Give a whole number of at least 1")
        self._specs = {spec.name: spec for spec in specs}
        self._k = k
        self._retriever = retriever
        self._indexed = False

    async def tools_for(self, task: Task, *, seed: int = 0, hidden: Collection[str] = ()) -> tuple[str, ...]:
        """Return names of tools, the needed ones among the others in the same order for the same seed.

        Args:
            task: What is to be done.
            seed: For the order, and the others where they are drawn.
            hidden: Tools that do not stand among the others.
        """
        needed = [name for name in (task.gold.tools if task.gold is not None else ()) if name in self._specs]
        others = await self._others(task, {*needed, *hidden}, seed)
        shown = [*others[: max(self._k - len(needed), 0)], *needed]
        Random(f"offer/{seed}/{task.id}").shuffle(shown)
        return tuple(shown)

    async def _others(self, task: Task, without: set[str], seed: int) -> list[str]:
        if self._retriever is None:
            names = sorted(set(self._specs) - without)
            return Random(f"others/{seed}/{task.id}").sample(names, min(self._k, len(names)))
        if not self._indexed:
            await self._retriever.index(list(self._specs.values()))
            self._indexed = True
        hits = await self._retriever.retrieve(task.instruction, k=self._k + len(without))
        return [hit.item.name for hit in hits if hit.item.name not in without]
