"""Okapi BM25 over an inverted index, in pure Python."""

from __future__ import annotations

import heapq
import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from toolhaft.errors import UsageError


@dataclass(frozen=True, slots=True)
class _Postings:
    """Documents that hold a term, ascending, and what the term adds to the score of each."""

    documents: array[int]
    gains: array[float]


class Okapi:
    """Scores documents for a query; its scores equal those of ``rank_bm25.BM25Okapi`` on the same tokens.

    Args:
        corpus_tokens: The terms of each document.
        k1: Saturation of term frequency.
        b: Strength of length normalisation, 0 to 1.
        epsilon: Terms in more than half of the documents, whose idf would be negative, get this share of
            the average idf.
        idf: ``okapi`` as described; ``smoothed`` is log(1 + (N - n + 0.5) / (n + 0.5)), which is always
            positive and needs no floor.

    Attributes:
        average_idf: Of all terms. Where it is not positive (a handful of documents that share most of
            their words), the floor is not positive either and ``okapi`` cannot rank.

    Raises:
        UsageError: A setting is out of range.

    Source: S. Robertson, S. Walker, "Okapi at TREC-3", 1994; the floor: A. Trotman, A. Puurula, B. Burgess,
    "Improvements to BM25 and language models examined", ADCS 2014 (ATIRE), as rank-bm25 implements it.
    Skipping by upper bounds (MaxScore) was measured at 22,897 tools and is slower here: in Python the plain
    sums over all postings take a third of its time.
    """

    def __init__(
        self,
        corpus_tokens: Iterable[Sequence[str]],
        k1: float = 1.5,
        b: float = 0.75,
        epsilon: float = 0.25,
        *,
        idf: Literal["okapi", "smoothed"] = "okapi",
    ) -> None:
        if not (k1 >= 0 and 0 <= b <= 1 and epsilon >= 0):
            raise UsageError(
                f"BM25 cannot use k1={k1}, b={b}, epsilon={epsilon}",
                hint="k1 and epsilon must not be negative, b must lie between 0 and 1",
            )
        lengths: list[int] = []
        found: dict[str, tuple[array[int], array[int]]] = {}
        for number, tokens in enumerate(corpus_tokens):
            lengths.append(len(tokens))
            for term, frequency in Counter(tokens).items():
                entry = found.get(term)
                if entry is None:
                    entry = found[term] = (array("I"), array("I"))
                entry[0].append(number)
                entry[1].append(frequency)
        self.size = len(lengths)
        weights, self.average_idf = _weigh(
            {term: len(entry[0]) for term, entry in found.items()}, self.size, epsilon, idf
        )
        average = sum(lengths) / self.size if lengths else 0.0
        norms = [k1 * (1 - b + b * length / average) for length in lengths] if average else []
        self._postings: dict[str, _Postings] = {}
        for term in list(found):
            documents, frequencies = found.pop(term)
            weight = weights[term]
            gains = array(
                "d",
                (
                    weight * (frequency * (k1 + 1) / (frequency + norms[document]))
                    for document, frequency in zip(documents, frequencies, strict=True)
                ),
            )
            self._postings[term] = _Postings(documents, gains)

    def scores(self, query_tokens: Iterable[str] | Mapping[str, float]) -> list[float]:
        """Return the score of every document, 0 where it shares no term with the query.

        Args:
            query_tokens: The terms of the query, repeats counting; or term -> weight.
        """
        scores = [0.0] * self.size
        weights = query_tokens if isinstance(query_tokens, Mapping) else Counter(query_tokens)
        for term, times in weights.items():
            postings = self._postings.get(term)
            if postings is not None:
                for document, gain in zip(postings.documents, postings.gains, strict=True):
                    scores[document] += gain * times
        return scores

    def matches(self, query_tokens: Iterable[str]) -> set[int]:
        """Return the documents that share a term with the query."""
        found: set[int] = set()
        for term in set(query_tokens):
            postings = self._postings.get(term)
            if postings is not None:
                found.update(postings.documents)
        return found

    def top(self, query_tokens: Sequence[str], k: int) -> list[tuple[int, float]]:
        """Return number and score of the k best documents that share a term with the query.

        Equal scores stand in the order of the documents.
        """
        return best_hits(self.candidates(query_tokens, k), k)

    def candidates(
        self, query_tokens: Sequence[str] | Mapping[str, float], k: int
    ) -> list[tuple[int, float]]:
        """Return number and score of documents that the k best are among, each sharing a term with the query.

        Args:
            query_tokens: The terms of the query, or term -> weight.
            k: How many are wanted in the end.
        """
        if k < 1 or not self.size:
            return []
        scores = self.scores(query_tokens)
        least = heapq.nlargest(k, scores)[-1]
        if least > 0.0:
            return [(number, score) for number, score in enumerate(scores) if score >= least]
        # A match may be worth nothing or less, where a word is in half of the documents or more.
        return [(number, scores[number]) for number in self.matches(query_tokens)]


def best_hits(hits: Iterable[tuple[int, float]], k: int) -> list[tuple[int, float]]:
    """Return the k hits with the highest scores, equal ones in the order of their numbers."""
    return heapq.nsmallest(max(k, 0), hits, key=lambda hit: (-hit[1], hit[0]))


def _weigh(
    counts: dict[str, int], size: int, epsilon: float, kind: Literal["okapi", "smoothed"]
) -> tuple[dict[str, float], float]:
    """Return the idf of each term, and the average before the floor."""
    if not counts:
        return {}, 0.0
    if kind == "smoothed":
        idf = {term: math.log(1 + (size - n + 0.5) / (n + 0.5)) for term, n in counts.items()}
        return idf, sum(idf.values()) / len(idf)
    idf = {term: math.log(size - n + 0.5) - math.log(n + 0.5) for term, n in counts.items()}
    average = sum(idf.values()) / len(idf)
    floor = epsilon * average
    return {term: floor if value < 0 else value for term, value in idf.items()}, average
