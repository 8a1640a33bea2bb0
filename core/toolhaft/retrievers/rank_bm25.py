"""BM25 by the library rank-bm25: the reference that the built-in `bm25` is measured against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolhaft.errors import ConfigError
from toolhaft.retrievers.base import Retriever
from toolhaft.retrievers.bm25 import read_weights
from toolhaft.retrievers.fields import FieldWeights, compose_tokens
from toolhaft.retrievers.lexical.base import IndexSettings
from toolhaft.retrievers.okapi import best_hits
from toolhaft.retrievers.parents import Parents, check_share
from toolhaft.retrievers.queries import weigh_terms
from toolhaft.types import Scored, ToolSpec


@dataclass(frozen=True, slots=True)
class _Indexed:
    """Tools as the library holds them; the library is None where there is no word at all."""

    specs: tuple[ToolSpec, ...]
    library: Any
    parents: Parents


class RankBM25(Retriever):
    """Finds tools with ``rank_bm25.BM25Okapi`` on the same words as `BM25`; slow, needs numpy.

    Args:
        k1: Saturation of term frequency.
        b: Strength of length normalisation, 0 to 1.
        epsilon: Share of the average idf that very common words get.
        weights: How often each field counts.
        parent_boost: As of `BM25`.

    Raises:
        UsageError: A setting is out of range or names no field.
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
        self._settings = IndexSettings(k1=k1, b=b, epsilon=epsilon)
        self._weights = read_weights(weights)
        self._parent_boost = check_share(parent_boost)
        self._indexed: _Indexed | None = None

    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Make these tools the ones to search.

        Raises:
            ConfigError: The library is not installed.
        """
        from toolhaft.tools.threads import run_in_thread

        try:
            from rank_bm25 import BM25Okapi
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"the retriever rank-bm25 needs {error.name}, which is not installed",
                hint="pip install 'toolhaft[search]', or use the built-in retriever 'bm25'",
            ) from None
        self._indexed = await run_in_thread(self._read, {"specs": specs, "library": BM25Okapi})

    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return at most ``k`` tools, best first, equal scores in the order of the catalog."""
        from toolhaft.tools.threads import run_in_thread

        if self._indexed is None or self._indexed.library is None:
            return []
        found: list[Scored] = await run_in_thread(
            self._search, {"indexed": self._indexed, "query": query, "k": k}
        )
        return found

    def _read(self, specs: Sequence[ToolSpec], library: Any) -> _Indexed:
        held, settings = tuple(specs), self._settings
        corpus = [compose_tokens(spec, self._weights) for spec in held]
        parents = Parents([spec.parent for spec in held], corpus, settings.k1, settings.b)
        # The library divides by the number of documents and of terms.
        made = (
            library(corpus, k1=settings.k1, b=settings.b, epsilon=settings.epsilon) if any(corpus) else None
        )
        return _Indexed(held, made, parents)

    def _search(self, indexed: _Indexed, query: str, k: int) -> list[Scored]:
        query_terms = weigh_terms(query)
        scores = [0.0] * len(indexed.specs)
        for term, weight in query_terms.items():
            gains = indexed.library.get_scores([term]).tolist()
            scores = [score + weight * gain for score, gain in zip(scores, gains, strict=True)]
        matched = (
            (number, scores[number])
            for number, terms in enumerate(indexed.library.doc_freqs)
            if not query_terms.keys().isdisjoint(terms)
        )
        hits = best_hits(indexed.parents.lift(matched, query_terms, self._parent_boost), k)
        return [Scored(indexed.specs[number], score) for number, score in hits]
