"""Hard negatives: tools that look right for a query and are not its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from toolhaft_dense.training.examples import LearningQuery, LearningSet
from toolhaft_dense.training.scoring import score_tools, spans_of
from toolhaft_dense.training.settings import RetrieverSettings
from toolhaft_dense.training.words import FUSED, WordRanking, rank_by_words

if TYPE_CHECKING:
    import torch

_CHUNK = 256
_MOST_SIBLINGS = 64
SPREAD = "spread"
"""Name of the standard deviation of a query's best scores, in what `Miner.rank` returns."""
_RANKED, _FUSED = "ranked", "fused"
_SHARE = 0.4
"""What the encoder's points count beside those of words: as in ``hybrid``."""
_LEAST_SPREAD = 1e-4


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

    Attributes:
        words: What words say of the tools of each query; empty where it is not needed.
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
        self._encoded = [key for source, key in (("dense", _RANKED), ("hybrid", _FUSED)) if source in wanted]
        self._siblings = self._by_service(learning) if "siblings" in wanted else None
        self._lexical: list[tuple[int, ...]] | None = None
        self.words: Sequence[WordRanking] = ()
        if settings.lexical or "bm25" in wanted or "hybrid" in wanted:
            most = self._depth + max((len(right) for right in self._right), default=0)
            self.words = rank_by_words(learning, queries, most)
            if "bm25" in wanted:
                self._lexical = [self._wrong(number, one.places) for number, one in enumerate(self.words)]
        self.needs_vectors = bool(self._encoded or settings.lexical)

    def mine(self, ranked: Mapping[str, torch.Tensor] | None = None) -> Negatives:
        """Return the negatives of every query.

        Args:
            ranked: What `rank` returned; needed where `needs_vectors`.
        """
        encoded = [
            [self._wrong(number, places) for number, places in enumerate(ranked[key].tolist())]
            for key in self._encoded
            if ranked
        ]
        sources = [found for found in (self._lexical, *encoded, self._siblings) if found is not None]
        known = [self._wrong(number, query.negatives) for number, query in enumerate(self._queries)]
        return Negatives(
            by_source=tuple(
                (known[number], *(found[number] for found in sources)) for number in range(len(self._queries))
            )
        )

    def rank(
        self, tools: torch.Tensor, parts: torch.Tensor, counts: Sequence[int]
    ) -> dict[str, torch.Tensor]:
        """Return the tools that fit each query best, as a checkpoint keeps them.

        That is by the encoder alone, and by it and the words together, as ``hybrid`` has them; with the
        standard deviation of the best scores of a query, on average.

        Args:
            tools: One vector a tool.
            parts: Vectors of the queries and of their sentences, see `split_queries`.
            counts: Parts of each query.
        """
        import torch

        most = min(self._depth + max((len(right) for right in self._right), default=0), len(tools))
        spans = spans_of(counts)
        found: dict[str, list[torch.Tensor]] = {_RANKED: [], _FUSED: [], SPREAD: []}
        for start in range(0, len(spans), _CHUNK):
            chosen = spans[start : start + _CHUNK]
            asked = parts[chosen[0][0] : chosen[-1][1]]
            scores = score_tools(asked, counts[start : start + _CHUNK], tools)
            best = scores.topk(min(FUSED, len(tools)), dim=1).values
            spread = best.std(dim=1, correction=0, keepdim=True).clamp(min=_LEAST_SPREAD)
            found[_RANKED].append(scores.topk(most, dim=1).indices.to(torch.int32))
            found[SPREAD].append(spread)
            if self.words:
                fused = _SHARE * ((scores - best[:, -1:]) / spread).clamp(min=0)
                for row, said in enumerate(self.words[start : start + _CHUNK]):
                    fused[row, said.places[: len(said.points)].tolist()] += torch.tensor(said.points.tolist())
                found[_FUSED].append(fused.topk(most, dim=1).indices.to(torch.int32))
        ranked = {key: torch.cat(rows) for key, rows in found.items() if rows}
        return {**ranked, SPREAD: ranked[SPREAD].mean().reshape(1)}

    def _wrong(self, number: int, places: Sequence[int]) -> tuple[int, ...]:
        return tuple(place for place in places if place not in self._right[number])[: self._depth]

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
