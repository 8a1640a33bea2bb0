"""The retriever ``reranked``: what another found, put in a better order by a re-ranker."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from toolhaft.errors import ConfigError, PluginError, UsageError
from toolhaft.retrievers.base import Retriever
from toolhaft.retrievers.named_parts import MakePart, NamedPart, read_parts
from toolhaft.retrievers.reranker import Reranker
from toolhaft.types import Scored, ToolSpec

_DEEPEST = 1_000


class Reranked(Retriever):
    """Takes the first candidates of a retriever and orders them by a re-ranker's scores.

    Args:
        reranker: Its name, with settings as ``cross-encoder?model=folder`` or
            ``{"cross-encoder": {"model": "folder"}}``; or one that is made already.
        retriever: Likewise; what finds the candidates.
        depth: Candidates that are re-ranked, up to 1,000; as many as are asked for, if these are more.
        make_part: Makes what is only named; `Registry.make`, which hands itself over.

    Raises:
        UnknownNameError: A part is not installed; the message says what to install.
        ConfigError: A setting makes no sense.
    """

    name = "reranked"

    def __init__(
        self,
        *,
        reranker: str | Mapping[str, Any] | Reranker,
        retriever: str | Mapping[str, Any] | Retriever = "bm25",
        depth: int = 50,
        make_part: MakePart | None = None,
    ) -> None:
        self._first = _one("retriever", retriever, Retriever, make_part)
        self._second = _one("reranker", reranker, Reranker, make_part)
        if not isinstance(depth, int) or isinstance(depth, bool) or not 1 <= depth <= _DEEPEST:
            raise ConfigError(
                f"depth is {repr(depth)[:60]}", hint=f"Use a whole number from 1 to {_DEEPEST:,}"
            )
        self._depth = depth

    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Make these tools the ones to search."""
        self._first.made.progress = self.progress or self._first.made.progress
        await self._first.wait(self._first.made.index(specs))

    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return at most ``k`` tools, best first, equal scores in the order of the first retriever.

        Raises:
            ToolhaftError: The retriever or the re-ranker failed; the error names it.
        """
        if not isinstance(k, int) or isinstance(k, bool):
            raise UsageError(f"k is {repr(k)[:60]}", hint="Give a whole number")
        if k < 1:
            return []
        hits = await self._first.wait(self._first.made.retrieve(query, min(max(self._depth, k), _DEEPEST)))
        if not hits:
            return []
        ranked = await self._second.wait(self._second.made.rerank(query, hits))
        return self._checked(hits, ranked)[:k]

    async def update(self, put: Sequence[ToolSpec] = (), remove: Iterable[str] = ()) -> None:
        """Add, change or remove single tools."""
        await self._first.wait(self._first.made.update(put, remove))

    @property
    def engine(self) -> str:
        """What does the work, for people."""
        own = self._first.made.engine
        first = f"{self._first.label} ({own})" if own else self._first.label
        return f"{first}, its first {self._depth} re-ranked by {self._second.label}"

    async def close(self) -> None:
        """Close both parts, the second also where the first fails to close."""
        try:
            await self._first.made.close()
        finally:
            await self._second.made.close()

    def _checked(self, given: Sequence[Scored], ranked: Any) -> list[Scored]:
        fault = ""
        if not isinstance(ranked, list) or not all(isinstance(hit, Scored) for hit in ranked):
            fault = "returns what are no Scored tools"
        elif sorted(hit.item.name for hit in ranked) != sorted(hit.item.name for hit in given):
            fault = "returns other tools than it was given"
        elif not all(isinstance(hit.score, int | float) and math.isfinite(hit.score) for hit in ranked):
            fault = "gives a score that is no finite number"
        if fault:
            raise PluginError(f"the part {self._second.label!r} of {self.name} {fault}")
        return sorted(ranked, key=lambda hit: -hit.score)


def _one(kind: str, given: Any, base: type[Any], make_part: MakePart | None) -> NamedPart:
    # Behind a question mark commas are of the part's own settings.
    whole = [given] if isinstance(given, str) and "?" in given else given
    parts = read_parts(kind, whole, base, make_part, whole=Reranked.name)
    if len(parts) != 1:
        raise ConfigError(f"{kind} names {len(parts)} parts", hint="Name one")
    return parts[0]
