"""Hard negatives: tools that look right for a query and are not its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from toolhaft.retrievers.bm25 import BM25
from toolhaft.tools.loop import run_sync
from toolhaft_dense.training.examples import LearningQuery, LearningSet
from toolhaft_dense.training.scoring import score_tools, spans_of
from toolhaft_dense.training.settings import RetrieverSettings

if TYPE_CHECKING:
    import torch

_CHUNK = 256
_MOST_SIBLINGS = 64
_RANKED = "ranked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Negatives:
    """For each query what is known or mined, by source; never a tool that answers it, nor its like.

    Attributes:
        by_source: For each query lists of positions, the most misleading first.
    """

    by_source: tuple[tuple[tuple[int, ...], ...], ...]

    def draw(self, query: int, number: int, chance: Random) -> list[int]:
        """Return distinct negatives of a query, each from a source drawn by chance; at most ``number``."""
        lists = [list(found) for found in self.by_source[query] if found]
        chosen: list[int] = []
        while lists and len(chosen) < number:
            found = lists[chance.randrange(len(lists))]
            place = found.pop(chance.randrange(len(found)))
            if place not in chosen:
                chosen.append(place)
            lists = [rest for rest in lists if rest]
        return chosen


class Miner:
    """Finds negatives of queries.

    Args:
        learning: The tools.
        queries: Those that are learned.
        settings: Which sources, and how deep.
    """

    def __init__(
        self, learning: LearningSet, queries: Sequence[LearningQuery], settings: RetrieverSettings
    ) -> None:
        self._queries = queries
        self._depth = settings.depth
        self._passages = learning.passages()
        same = same_documents(self._passages)
        likes: dict[int, list[int]] = {}
        for place, number in enumerate(same):
            likes.setdefault(number, []).append(place)
        self._right = [
            frozenset(like for place in query.positives for like in likes[same[place]]) for query in queries
        ]
        wanted = settings.negatives if settings.hard_negatives else ()
        self._uses_dense = "dense" in wanted
        self._lexical = self._by_words(learning) if "bm25" in wanted else None
        self._siblings = self._by_service(learning) if "siblings" in wanted else None

    @property
    def needs_vectors(self) -> bool:
        """Whether the encoder's own ranking is one of the sources."""
        return self._uses_dense

    def mine(self, ranked: Mapping[str, torch.Tensor] | None = None) -> Negatives:
        """Return the negatives of every query.

        Args:
            ranked: What `rank` returned; needed where `needs_vectors`.
        """
        dense = None
        if ranked:
            rows = ranked[_RANKED].tolist()
            dense = [self._wrong(number, places) for number, places in enumerate(rows)]
        sources = [found for found in (self._lexical, dense, self._siblings) if found is not None]
        known = [self._wrong(number, query.negatives) for number, query in enumerate(self._queries)]
        return Negatives(
            by_source=tuple(
                (known[number], *(found[number] for found in sources)) for number in range(len(self._queries))
            )
        )

    def rank(
        self, tools: torch.Tensor, parts: torch.Tensor, counts: Sequence[int]
    ) -> dict[str, torch.Tensor]:
        """Return the tools that are nearest to each query, as a checkpoint keeps them.

        Args:
            tools: One vector a tool.
            parts: Vectors of the queries and of their sentences, see `split_queries`.
            counts: Parts of each query.
        """
        import torch

        most = min(self._depth + max((len(right) for right in self._right), default=0), len(tools))
        spans = spans_of(counts)
        found = []
        for start in range(0, len(spans), _CHUNK):
            chosen = spans[start : start + _CHUNK]
            asked = parts[chosen[0][0] : chosen[-1][1]]
            scores = score_tools(asked, counts[start : start + _CHUNK], tools)
            found.append(scores.topk(most, dim=1).indices)
        return {_RANKED: torch.cat(found).to(torch.int32)}

    def _wrong(self, number: int, places: Sequence[int]) -> tuple[int, ...]:
        return tuple(place for place in places if place not in self._right[number])[: self._depth]

    def _by_words(self, learning: LearningSet) -> list[tuple[int, ...]]:
        places: dict[str, int] = {}
        tools = []
        for place, tool in enumerate(learning.tools):
            # Several sources may use one name; a retriever takes each once.
            name = tool.name if tool.name not in places else f"{tool.name} {place}"
            places[name] = place
            tools.append(tool if name == tool.name else replace(tool, name=name))
        retriever = BM25()

        async def search() -> list[tuple[int, ...]]:
            await retriever.index(tools)
            found: list[tuple[int, ...]] = []
            for number, query in enumerate(self._queries):
                hits = await retriever.retrieve(query.text, self._depth + len(self._right[number]))
                found.append(self._wrong(number, [places[hit.item.name] for hit in hits]))
            return found

        return run_sync(search())

    def _by_service(self, learning: LearningSet) -> list[tuple[int, ...]]:
        groups = learning.groups()
        members: dict[str, list[int]] = {}
        for place, group in enumerate(groups):
            members.setdefault(group, []).append(place)
        return [
            self._wrong(
                number,
                [
                    like
                    for group in dict.fromkeys(groups[place] for place in query.positives)
                    for like in members[group][:_MOST_SIBLINGS]
                ],
            )
            for number, query in enumerate(self._queries)
        ]


def same_documents(passages: Sequence[str]) -> list[int]:
    """Return for each passage the position of the first one that reads the same."""
    first: dict[str, int] = {}
    return [first.setdefault(" ".join(text.casefold().split()), place) for place, text in enumerate(passages)]
