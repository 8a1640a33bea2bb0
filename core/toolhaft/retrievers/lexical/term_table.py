"""Where the terms of queries are, remembered from query to query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolhaft.retrievers.lexical.base import IndexSettings
from toolhaft.retrievers.lexical.frequencies import count_frequencies
from toolhaft.retrievers.lexical.hashing import hash_texts
from toolhaft.retrievers.lexical.idf import Idf
from toolhaft.retrievers.lexical.segment import Postings, Segment

_REMEMBERED = 10_000
"""Terms of which it is remembered where they are."""


@dataclass(slots=True)
class Term:
    """Where a term is.

    Attributes:
        frequency: Number of documents that hold it.
        idf: What it weighs.
        postings: By segment; None where it is not.
        parents: Numbers of the parents that hold it; None until they are asked for.
        parent_idf: What it weighs among parents; likewise.
        peak: Most that it adds to a score for an idf of 1; below zero until it is asked for.
    """

    frequency: int
    idf: float
    postings: tuple[Postings | None, ...]
    parents: Any = None
    parent_idf: float = 0.0
    peak: float = -1.0


class TermTable:
    """Finds terms in segments.

    Args:
        segments: As of the index.
        live: Number of documents that are there.
        settings: How documents are scored.
    """

    def __init__(self, segments: Sequence[Segment], live: int, settings: IndexSettings) -> None:
        self._segments = segments
        self._live = live
        self._settings = settings
        self._known: dict[str, Term | None] = {}
        self._idf: Idf | None = None

    def find(self, query: Mapping[str, float]) -> list[tuple[Term, float]]:
        """Return the terms of a query that are in a document, with their weights."""
        known = self._known
        new = [text for text in query if text not in known]
        if new:
            if len(known) + len(new) > _REMEMBERED:
                known = self._known = {text: known[text] for text in query if text in known}
            known.update(zip(new, self._find(new), strict=True))
        return [(term, weight) for text, weight in query.items() if (term := known[text]) is not None]

    def peak(self, term: Term) -> float:
        """Return the most that a term adds to a score for an idf of 1."""
        if term.peak < 0:
            held = zip(self._segments, term.postings, strict=True)
            term.peak = max(segment.peak(part.number) for segment, part in held if part is not None)
        return term.peak

    def _find(self, texts: Sequence[str]) -> list[Term | None]:
        if self._idf is None:
            self._idf = Idf(self._live, count_frequencies(self._segments), self._settings)
        hashes = hash_texts(texts)
        found = list(zip(*(segment.postings(hashes) for segment in self._segments), strict=True))
        counts = [sum([part.held for part in parts if part is not None]) for parts in found]
        each = zip(counts, self._idf.weigh(counts), found, strict=True)
        return [Term(count, idf, parts) if any(parts) else None for count, idf, parts in each]
