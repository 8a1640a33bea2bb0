"""What ``bm25`` says of the queries that are learned: what misleads it, and so what is left to learn."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace

from toolhaft.retrievers.bm25 import BM25
from toolhaft.retrievers.fusion import fuse
from toolhaft.tools.loop import run_sync
from toolhaft_dense.training.examples import LearningQuery, LearningSet

FUSED = 100
"""Best tools of a query whose points count: as many as ``hybrid`` fuses."""


@dataclass(frozen=True, slots=True)
class WordRanking:
    """The best tools of a query by its words.

    Attributes:
        places: Positions of the tools, best first.
        points: By how many standard deviations each of the first `FUSED` stands above the last of them: what
            ``hybrid`` adds up. Every other tool has none.
    """

    places: array[int]
    points: array[float]

    def by_place(self) -> dict[int, float]:
        """Return the points of the tools that have some, by position."""
        return dict(zip(self.places, self.points, strict=False))


def rank_by_words(
    learning: LearningSet, queries: Sequence[LearningQuery], depth: int = FUSED
) -> list[WordRanking]:
    """Return the best tools of each query by ``bm25``.

    Args:
        learning: The tools.
        queries: Some.
        depth: Tools of each ranking, at least `FUSED` if there are so many.
    """
    places: dict[str, int] = {}
    tools = []
    for place, tool in enumerate(learning.tools):
        # Several sources may use one name; a retriever takes each once.
        name = tool.name if tool.name not in places else f"{tool.name} {place}"
        places[name] = place
        tools.append(tool if name == tool.name else replace(tool, name=name))
    retriever = BM25()

    async def search() -> list[WordRanking]:
        await retriever.index(tools)
        found = []
        for query in queries:
            ranking = await retriever.rank(query.text, max(depth, FUSED))
            points = fuse([ranking[:FUSED]], [1.0], fusion="z-score", depth=FUSED)
            ranked = array("i", (places[name] for name, _ in ranking))
            found.append(WordRanking(ranked, array("f", points.values())))
        return found

    return run_sync(search())
