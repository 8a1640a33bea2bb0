"""BM25 by the library rank-bm25: the reference that the built-in `bm25` is measured against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolhaft.errors import ConfigError
from toolhaft.retrievers.base import Retriever
from toolhaft.retrievers.bm25 import read_weights
from toolhaft.retrievers.fields import FieldWeights, compose_tokens
from toolhaft.retrievers.okapi import best_hits
from toolhaft.retrievers.parents import Parents, check_share
from toolhaft.retrievers.queries import weigh_terms
from toolhaft.types import Scored, ToolSpec


class RankBM25(Retriever):
    """Finds tools with ``rank_bm25.BM25Okapi`` on the same words as `BM25`; slow, needs numpy.

    Args:
        k1: Saturation of term frequency.
        b: Strength of length normalisation, 0 to 1.
        epsilon: Share of the average idf that very common words get.
        weights: How often each field counts.
        parent_boost: As of `BM25`.
    """

    name = "rank-bm25"

    def __init__(
        self,
        *,
        k1: float = 2.0,
        b: float = 0.75,
        epsilon: float = 0.25,
        weights: FieldWeights | Mapping[str, int] | None = None,
        parent_boost: float = 1.2,
    ) -> None:
        self._settings = {"k1": k1, "b": b, "epsilon": epsilon}
        self._weights = read_weights(weights)
        self._parent_boost = check_share(parent_boost)
        self._specs: tuple[ToolSpec, ...] = ()
        self._library: Any = None
        self._parents = Parents((), (), k1, b)

    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Make these tools the ones to search.

        Raises:
            ConfigError: The library is not installed.
        """
        try:
            from rank_bm25 import BM25Okapi
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"the retriever rank-bm25 needs {error.name}, which is not installed",
                hint="pip install 'toolhaft[search]', or use the built-in retriever 'bm25'",
            ) from None
        corpus = [compose_tokens(spec, self._weights) for spec in specs]
        # The library divides by the number of documents and of terms.
        self._library = BM25Okapi(corpus, **self._settings) if any(corpus) else None
        self._specs = tuple(specs)
        parents = [spec.parent for spec in self._specs]
        self._parents = Parents(parents, corpus, self._settings["k1"], self._settings["b"])

    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return at most ``k`` tools, best first, equal scores in the order of the catalog."""
        if self._library is None:
            return []
        query_terms = weigh_terms(query)
        scores = [0.0] * len(self._specs)
        for term, weight in query_terms.items():
            gains = self._library.get_scores([term]).tolist()
            scores = [score + weight * gain for score, gain in zip(scores, gains, strict=True)]
        matched = (
            (number, scores[number])
            for number, terms in enumerate(self._library.doc_freqs)
            if not query_terms.keys().isdisjoint(terms)
        )
        hits = best_hits(self._parents.lift(matched, query_terms, self._parent_boost), k)
        return [Scored(self._specs[number], score) for number, score in hits]
