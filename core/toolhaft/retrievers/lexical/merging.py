"""Writing the postings of several sources as one, in memory that does not grow with their number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.parent_lists import ParentLists, ParentNumbers
from toolhaft.retrievers.lexical.segment_writer import SegmentWriter
from toolhaft.retrievers.lexical.sources import Source

_AT_ONCE = 1_500_000
"""Postings held at a time, but for a term that alone has more."""


def norms_of(lengths: Any, average: float, k1: float, b: float) -> Any:
    """Return what a document's length makes of the saturation of its terms."""
    if average <= 0:
        return np.full(len(lengths), k1 * (1 - b))
    return k1 * (1 - b + b * lengths.astype(np.float64) / average)


def write_postings(
    writer: SegmentWriter, sources: Sequence[Source], norms: Any, k1: float, parents: ParentNumbers
) -> None:
    """Write terms, their places, how frequent they are, and the postings.

    Args:
        writer: Takes the arrays.
        sources: In the order of the rows that they give.
        norms: By new row; see `norms_of`.
        k1: Saturation of term frequency.
        parents: By new row.
    """
    held = [source.counts > 0 for source in sources]
    terms = np.unique(
        np.concatenate([np.zeros(0, "<u8"), *(s.hashes[mask] for s, mask in zip(sources, held, strict=True))])
    )
    places = [np.searchsorted(terms, source.hashes) for source in sources]
    counts = np.zeros(len(terms), np.int64)
    for source, mask, place in zip(sources, held, places, strict=True):
        counts[place[mask]] += source.counts[mask]
    starts = np.concatenate([[0], np.cumsum(counts)])
    frequencies, numbers = np.unique(counts, return_counts=True)
    writer.put("terms", terms)
    writer.put("starts", starts)
    writer.put("frequencies", frequencies)
    writer.put("frequency_counts", numbers)
    writer.begin("postings")
    lists = ParentLists(parents)
    peaks: list[Any] = []
    first = 0
    while first < len(terms):
        last = int(np.searchsorted(starts, starts[first] + _AT_ONCE, "right")) - 1
        last = min(max(last, first + 1), len(terms))
        words = _merge(sources, places, starts[first : last + 1], first, norms, k1)
        writer.write("postings", words)
        lists.add(words, counts[first:last])
        # The halves of a term's words are its rows and its gains; every other boundary begins gains.
        halves = np.repeat(counts[first:last], 2).cumsum() - np.repeat(counts[first:last], 2)
        peaks.append(np.maximum.reduceat(words.view("<f4"), halves)[1::2])
        first = last
    lists.write(writer)
    writer.put("peaks", np.concatenate([np.zeros(0, "<f4"), *peaks]))


def _merge(
    sources: Sequence[Source], places: Sequence[Any], starts: Any, first: int, norms: Any, k1: float
) -> Any:
    """Return the words of the postings of some terms: for each its rows, then its gains."""
    counts = np.diff(starts)
    begins = 2 * (starts[:-1] - starts[0])
    written = np.zeros(len(counts), np.int64)
    words = np.empty(2 * int(starts[-1] - starts[0]), dtype="<u4")
    gains = words.view("<f4")
    for source, place in zip(sources, places, strict=True):
        begin, end = np.searchsorted(place, [first, first + len(counts)]).tolist()
        if begin == end:
            continue
        numbers, rows, frequencies = source.read(begin, end)
        terms = place[begin:end][numbers] - first
        taken = np.bincount(terms, minlength=len(counts))
        ranks = np.arange(len(terms)) - (np.cumsum(taken) - taken)[terms]
        targets = (begins + written)[terms] + ranks
        words[targets] = rows
        gains[targets + counts[terms]] = frequencies * (k1 + 1) / (frequencies + norms[rows])
        written += taken
    return words
