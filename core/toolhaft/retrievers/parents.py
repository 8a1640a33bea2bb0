"""Lifting the tools of a service that fits the query as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from toolhaft.errors import UsageError
from toolhaft.retrievers.okapi import Okapi


class Parents:
    """The services of tools, each as a document: the terms of all its tools, each once.

    One instruction tends to need several tools of one service, and its words are spread over them: no
    tool holds them all, the service does.

    Args:
        parents: The parent of each tool, empty for none.
        tools_terms: The terms of each tool.
        k1: Saturation of term frequency.
        b: Strength of length normalisation, 0 to 1.
    """

    def __init__(
        self, parents: Sequence[str], tools_terms: Iterable[Iterable[str]], k1: float, b: float
    ) -> None:
        terms: dict[str, dict[str, None]] = {}
        for parent, words in zip(parents, tools_terms, strict=True):
            if parent:
                terms.setdefault(parent, {}).update(dict.fromkeys(words))
        self._parents = parents
        self._names = list(terms)
        self._okapi = Okapi((list(words) for words in terms.values()), k1, b, idf="smoothed")

    def scores(self, query: Mapping[str, float]) -> dict[str, float]:
        """Return the score of each service by its name, for a query of terms with weights."""
        return dict(zip(self._names, self._okapi.scores(query), strict=True))

    def lift(
        self, hits: Iterable[tuple[int, float]], query: Mapping[str, float], share: float
    ) -> list[tuple[int, float]]:
        """Return the hits, each with ``share`` of its parent's score added; those without one as they are.

        Args:
            hits: Numbers of tools, with scores.
            query: Term -> weight.
            share: 0 changes nothing.
        """
        if not share or not self._names:
            return list(hits)
        scores = self.scores(query)
        return [(number, score + share * scores.get(self._parents[number], 0.0)) for number, score in hits]


def check_share(share: float, name: str = "parent_boost") -> float:
    """Return a share of a score; raises `UsageError` unless it is from 0 to 10."""
    if not isinstance(share, int | float) or not 0 <= share <= 10:
        raise UsageError(f"{name} is {repr(share)[:60]}", hint="Use a number from 0 to 10")
    return share
