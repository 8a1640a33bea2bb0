"""NDCG@5 of the encoder's ranking: how far training has come."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from toolhaft.evaluators.ranking import ndcg_at
from toolhaft_dense.training.examples import LearningQuery
from toolhaft_dense.training.mining import same_documents
from toolhaft_dense.training.network import Network
from toolhaft_dense.training.scoring import score_tools, split_queries

K = 5


class Measure:
    """Ranks tools for queries and scores the rankings.

    Args:
        queries: With the tools that answer them; documents that read the same count as one tool.
        passages: Of all tools.
        most: Among how many tools the answers are sought; those of all queries are always there.
        seed: Of the choice of the others.
        sentences: Whether a query is scored by its sentences, too.
    """

    def __init__(
        self,
        queries: Sequence[LearningQuery],
        passages: Sequence[str],
        *,
        most: int,
        seed: int = 0,
        sentences: bool = True,
    ) -> None:
        self.queries = queries
        self._same = same_documents(passages)
        wanted = dict.fromkeys(place for query in queries for place in query.positives)
        rest = [place for place in range(len(passages)) if place not in wanted]
        rest.sort(key=lambda place: hashlib.sha256(f"{seed}/{place}".encode()).digest())
        self.pool = sorted([*wanted, *rest[: max(0, most - len(wanted))]])
        self._passages = [passages[place] for place in self.pool]
        self._parts, self._counts = split_queries([query.text for query in queries], sentences=sentences)

    def scores(self, network: Network) -> list[float]:
        """Return the NDCG@5 of each query, in [0, 1]."""
        if not self.queries:
            return []
        tools = network.measured(self._passages)
        scores = score_tools(network.measured(self._parts), self._counts, tools)
        # Equal documents count as one: more than K are looked at.
        ranked = scores.topk(min(4 * K, len(self.pool)), dim=1).indices.tolist()
        found = []
        for query, places in zip(self.queries, ranked, strict=True):
            names = [str(self._same[self.pool[place]]) for place in places]
            gold = {str(self._same[place]) for place in query.positives}
            found.append(ndcg_at(names, gold, K))
        return found

    def mean(self, network: Network) -> float:
        """Return the mean NDCG@5; 0 if there are no queries."""
        scores = self.scores(network)
        return sum(scores) / len(scores) if scores else 0.0
