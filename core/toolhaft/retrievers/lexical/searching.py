"""Finding the best documents in the segments of an index.

Postings are added up, the rarest terms first. Where many are left, the rest is looked up only for documents
that can still come among the best: no term adds more than its peak.

Source: H. Turtle, J. Flood, "Query evaluation: strategies and optimizations", Information Processing and
Management 31(6), 1995 (MaxScore). Here whole lists are added by one call of numpy, so that skipping is tried
a few times in a query instead of at each document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.base import Hit, IndexSettings
from toolhaft.retrievers.lexical.frequencies import count_frequencies
from toolhaft.retrievers.lexical.hashing import hash_text
from toolhaft.retrievers.lexical.idf import Idf
from toolhaft.retrievers.lexical.parent_scores import Parents
from toolhaft.retrievers.lexical.ranking import Lifts, best_of, best_rows, padded, promising_rows
from toolhaft.retrievers.lexical.segment import Segment

_SHORT = 2_048
"""Postings of a term up to which they are added together with those of other terms."""
_WORTH_SKIPPING = 100_000
"""Postings of a query from which on it is tried to skip some."""
_TRIED_AFTER = (0.1, 0.25, 0.5)
"""Shares of a query's postings after which that is tried."""
_HOPEFUL = 0.3
"""Share of the most that was added up to which what is left may be, for that to be worth a try."""
_LOOKED_UP = 20
"""How many postings are added in the time in which one is looked up."""
_FAINT = 1e-9
"""Weight up to which a term may add so little to the score of a parent that it is lost in rounding."""
_POSTING = 8
"""Bytes of a posting."""
_REMEMBERED = 10_000
"""Terms of which it is remembered where they are."""


@dataclass(slots=True, kw_only=True)
class _Term:
    """Where a term is.

    Attributes:
        frequency: Number of documents that hold it.
        idf: What it weighs.
        lists: By segment: rows, and what it adds to each; None where it is not.
        places: By segment: its number, -1 where it is not.
        parents: Numbers of the parents that hold it; None until they are asked for.
        peak: Most that it adds to a score for an idf of 1; likewise.
    """

    frequency: int
    idf: float
    lists: tuple[tuple[Any, Any] | None, ...]
    places: tuple[int, ...]
    parents: Any = None
    peak: float | None = None


class Search:
    """Finds documents in segments; what it is made for never changes.

    Args:
        segments: The first is the largest.
        settings: How documents are scored.
    """

    def __init__(self, segments: Sequence[Segment], settings: IndexSettings) -> None:
        self._segments = tuple(segments)
        self._settings = settings
        self._starts = np.cumsum([0, *(segment.size for segment in segments)])
        self.live = sum(segment.live for segment in segments)
        self._spare: list[Any] = []
        self._known: dict[str, _Term | None] = {}
        self._idf: Idf | None = None
        self._parents: Parents | None = None

    def top(
        self, query: Mapping[str, float], k: int, parent_share: float, category_share: float
    ) -> list[Hit]:
        """Return the k best; see `toolhaft.retrievers.lexical.base.TermIndex.top`."""
        if not self.live:
            return []
        terms = [
            (term, weight)
            for term, weight in zip(self._find(query), query.values(), strict=True)
            if term is not None
        ]
        k = min(k, self.live)
        if parent_share:
            self._known_parents()
        if not terms or k < 1:
            return []
        weighed = [(term, term.idf * weight) for term, weight in terms]
        parents = self._parent_scores(terms, parent_share) if parent_share else None
        scores = self._room()
        least = min(weight for _, weight in weighed)
        if category_share or least <= _FAINT * (1.0 + (0.0 if parents is None else float(parents.max()))):
            rows, own = self._lifted(weighed, scores, parents, category_share, k)
        else:
            rows, own = self._candidates(weighed, scores, parents, k)
        best = best_of(rows, own, lambda rows: self._gather("orders", rows), k)
        self._segments[0].file.count_read(_POSTING * sum(term.frequency for term, _ in terms))
        # A fresh array of this size would cost more than the sums: its pages have to be had from the system.
        self._spare.append(scores)
        return self._hits(*best)

    def _find(self, query: Mapping[str, float]) -> list[_Term | None]:
        """Return where the terms are, None for those that are nowhere."""
        known = self._known
        new = [text for text in query if text not in known]
        if new:
            if len(known) + len(new) > _REMEMBERED:
                known = self._known = {text: known[text] for text in query if text in known}
            known.update(zip(new, self._find_new(new), strict=True))
        return [known[text] for text in query]

    def _find_new(self, texts: Sequence[str]) -> Iterator[_Term | None]:
        if self._idf is None:
            self._idf = Idf(self.live, count_frequencies(self._segments), self._settings)
        hashes = np.array([hash_text(text) for text in texts], np.uint64)
        found = [segment.find(hashes) for segment in self._segments]
        counts = [s.frequencies(places) for s, places in zip(self._segments, found, strict=True)]
        frequencies = sum(counts[1:], counts[0]).tolist()
        lists = [s.lists(places) for s, places in zip(self._segments, found, strict=True)]
        numbers = zip(*(places.tolist() for places in found), strict=True)
        each = zip(frequencies, self._idf.weigh(frequencies), numbers, zip(*lists, strict=True), strict=True)
        for frequency, idf, places, pairs in each:
            if max(places) < 0:
                yield None
            else:
                yield _Term(frequency=frequency, idf=idf, lists=pairs, places=places)

    def _peak(self, term: _Term) -> float:
        """Return the most that a term adds to a score for an idf of 1."""
        if term.peak is None:
            held = zip(self._segments, term.places, strict=True)
            term.peak = max(segment.peak(place) for segment, place in held if place >= 0)
        return term.peak

    def _candidates(
        self, terms: Sequence[tuple[_Term, float]], scores: Any, parents: Any, k: int
    ) -> tuple[Any, Any]:
        """Return rows that the k best are among, and their scores: those of their parents, and their own."""
        self._begin(scores, parents)

        def held(rows: Any, own: Any) -> Any:
            return own > (0.0 if parents is None else self._by_parent(rows, parents))

        total = sum(term.frequency for term, _ in terms)
        left = terms
        if total > _WORTH_SKIPPING:
            terms = sorted(terms, key=lambda pair: pair[0].frequency)
            done, added = 0, 0
            for share in _TRIED_AFTER:
                first = done
                while done < len(terms) and added <= share * total:
                    added += terms[done][0].frequency
                    done += 1
                if first == done:
                    continue
                self._add(terms[first:done], scores)
                rest = terms[done:]
                unseen = sum(weight * self._peak(term) for term, weight in rest)
                if unseen > _HOPEFUL * sum(weight * self._peak(term) for term, weight in terms[:done]):
                    continue
                rows = promising_rows(scores, k, unseen, held)
                if rows is not None and len(rows) * len(rest) * _LOOKED_UP < total - added:
                    own = self._look_up(rest, rows, scores[rows])
                    kept = held(rows, own)
                    return rows[kept], own[kept]
            left = terms[done:]
        self._add(left, scores)
        rows = best_rows(scores, k, held)
        return rows, scores[rows]

    def _lifted(
        self, terms: Sequence[tuple[_Term, float]], scores: Any, parents: Any, category_share: float, k: int
    ) -> tuple[Any, Any]:
        """Return the same where what is added to a score depends on others, or some terms weigh nothing."""

        def matched() -> Any:
            return self._matched(terms, scores)

        def added(rows: Any) -> Any:
            return self._by_parent(rows, parents)

        def categories(rows: Any) -> Any:
            return self._gather("categories", rows)

        most = 0.0 if parents is None else float(parents.max())
        lifts = Lifts(most, None if parents is None else added, category_share, categories)
        scores.fill(0.0)
        self._add(terms, scores)
        rows = lifts.candidates(scores, k, matched)
        return rows, lifts.lift(rows, scores[rows])

    def _begin(self, scores: Any, parents: Any) -> None:
        """Have the scores of all rows begin with those of their parents, or with 0."""
        if parents is None:
            scores.fill(0.0)
            return
        for number, (segment, start) in enumerate(zip(self._segments, self._starts.tolist(), strict=False)):
            part = scores[start : start + segment.size]
            # Told to check the numbers, numpy would make a copy of it all; they were checked before.
            np.take(parents, self._known_parents().of(number), out=part, mode="clip")

    def _by_parent(self, rows: Any, parents: Any) -> Any:
        """Return the scores of the rows' parents."""
        known = self._known_parents()
        if len(self._segments) == 1:
            return parents[known.of(0)[rows]]
        values = np.zeros(len(rows))
        for number, here, own in self._by_segment(rows):
            values[here] = parents[known.of(number)[own]]
        return values

    def _add(self, terms: Sequence[tuple[_Term, float]], scores: Any) -> None:
        """Add what terms give to the scores of all rows that hold them and are there."""
        for number, (segment, start) in enumerate(zip(self._segments, self._starts.tolist(), strict=False)):
            part = scores[start : start + segment.size]
            short: list[tuple[Any, Any]] = []
            weights: list[float] = []
            try:
                for term, weight in terms:
                    pair = term.lists[number]
                    if pair is None:
                        continue
                    if len(pair[0]) <= _SHORT:
                        short.append(pair)
                        weights.append(weight)
                    else:
                        np.add.at(part, pair[0], pair[1] * np.float64(weight))
                if short:
                    each = np.repeat(np.array(weights), [len(rows) for rows, _ in short])
                    gains = np.concatenate([gains for _, gains in short])
                    np.add.at(part, np.concatenate([rows for rows, _ in short]), gains * each)
            except IndexError:
                raise segment.file.damaged("a row lies outside") from None
            part[segment.removed.rows] = 0.0

    def _look_up(self, terms: Sequence[tuple[_Term, float]], rows: Any, scores: Any) -> Any:
        """Return scores of rows, with what more terms give to them."""
        for number, here, own in self._by_segment(rows):
            wanted = own.astype("<u4")
            for term, weight in terms:
                pair = term.lists[number]
                if pair is None or not len(pair[0]):
                    continue
                places = np.minimum(np.searchsorted(pair[0], wanted), len(pair[0]) - 1)
                scores[here] += np.where(pair[0][places] == wanted, pair[1][places] * np.float64(weight), 0.0)
        return scores

    def _matched(self, terms: Sequence[tuple[_Term, float]], scores: Any) -> Any:
        """Return all rows that share a term with the query."""
        if min((weight for _, weight in terms), default=0.0) > 1e-200:
            return np.flatnonzero(scores)
        held = np.zeros(len(scores), dtype=bool)
        for number, (segment, start) in enumerate(zip(self._segments, self._starts.tolist(), strict=False)):
            part = held[start : start + segment.size]
            for term, _ in terms:
                pair = term.lists[number]
                if pair is not None:
                    part[pair[0]] = True
            part[segment.removed.rows] = False
        return np.flatnonzero(held)

    def _known_parents(self) -> Parents:
        if self._parents is None:
            self._parents = Parents(self._segments, self._settings)
        return self._parents

    def _parent_scores(self, terms: Sequence[tuple[_Term, float]], share: float) -> Any:
        """Return what each parent adds to its documents."""
        parents = self._known_parents()
        new = [term for term, _ in terms if term.parents is None]
        if new:
            for term, held in zip(new, parents.with_terms([term.places for term in new]), strict=True):
                term.parents = held
        return parents.score([(term.parents, weight) for term, weight in terms]) * share

    def _gather(self, name: str, rows: Any) -> Any:
        """Return values of an array of the segments by row among all."""
        if len(self._segments) == 1:
            return self._segments[0].file.take(name, rows)
        values = np.zeros(len(rows), np.uint64)
        for number, here, own in self._by_segment(rows):
            values[here] = self._segments[number].file.take(name, own)
        return values

    def _by_segment(self, rows: Any) -> Iterator[tuple[int, Any, Any]]:
        """Yield the number of a segment, which of the rows are its, and their numbers there."""
        if len(self._segments) == 1:
            yield 0, slice(None), rows
            return
        parts = np.searchsorted(self._starts, rows, "right") - 1
        for number in np.unique(parts).tolist():
            here = np.flatnonzero(parts == number)
            yield number, here, rows[here] - self._starts[number]

    def _hits(self, rows: Any, scores: Any, orders: Any) -> list[Hit]:
        names = np.empty(len(rows), dtype=object)
        for number, here, own in self._by_segment(rows):
            names[here] = self._segments[number].names(own)
        return list(map(Hit, names.tolist(), scores.tolist(), orders.tolist()))

    def _room(self) -> Any:
        """Return room for the scores of all rows, from an earlier query if no other uses it now."""
        try:
            return self._spare.pop()
        except IndexError:
            return np.zeros(padded(int(self._starts[-1])))
