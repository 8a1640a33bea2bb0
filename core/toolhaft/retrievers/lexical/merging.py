"""Writing the postings of several sources as one, in memory that does not grow with their number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.parent_lists import ParentLists, ParentNumbers
from toolhaft.retrievers.lexical.segment_writer import SegmentWriter
from toolhaft.retrievers.lexical.sources import PARTS, Source

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
    step = PARTS if sum(source.size for source in sources) <= _AT_ONCE else 1
    parts = range(0, PARTS, step)
    merged = [_terms_of(sources, part, part + step) for part in parts]
    terms = np.concatenate([hashes for hashes, _ in merged])
    counts = np.concatenate([numbers for _, numbers in merged])
    ends = np.cumsum([len(hashes) for hashes, _ in merged]).tolist()
    del merged
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
    for part, end in zip(parts, ends, strict=True):
        inside = terms[first:end]
        begin = first
        places = [
            np.searchsorted(inside, source.terms(*_range(source, part, part + step))[0]) for source in sources
        ]
        while first < end:
            last = int(np.searchsorted(starts, starts[first] + _AT_ONCE, "right")) - 1
            last = min(max(last, first + 1), end)
            words = _merge(sources, part, places, starts[first : last + 1], first - begin, norms, k1)
            writer.write("postings", words)
            lists.add(words, counts[first:last])
            # The halves of a term's words are its rows and its gains; every other boundary begins gains.
            halves = np.repeat(counts[first:last], 2).cumsum() - np.repeat(counts[first:last], 2)
            peaks.append(np.maximum.reduceat(words.view("<f4"), halves)[1::2])
            first = last
    lists.write(writer)
    writer.put("peaks", np.concatenate([np.zeros(0, "<f4"), *peaks]))


def _range(source: Source, part: int, end: int) -> tuple[int, int]:
    """Return the numbers of a source's terms in some ranges of hashes."""
    return int(source.bounds[part]), int(source.bounds[end])


def _terms_of(sources: Sequence[Source], part: int, end: int) -> tuple[Any, Any]:
    """Return the hashes of all terms in some ranges that are in any document, and in how many each is."""
    read = [source.terms(*_range(source, part, end)) for source in sources]
    terms = np.unique(np.concatenate([np.zeros(0, "<u8"), *(hashes[counts > 0] for hashes, counts in read)]))
    total = np.zeros(len(terms), np.int64)
    for hashes, counts in read:
        mask = counts > 0
        total[np.searchsorted(terms, hashes[mask])] += counts[mask]
    return terms, total


def _merge(
    sources: Sequence[Source],
    part: int,
    places: Sequence[Any],
    starts: Any,
    first: int,
    norms: Any,
    k1: float,
) -> Any:
    """Return the words of the postings of some terms: for each its rows, then its gains.

    Args:
        sources: As of `write_postings`.
        part: Range of hashes that the terms are of.
        places: For each source, where its terms of that range are among all of that range.
        starts: Of the terms' postings, and their end.
        first: Place of the first of the terms.
        norms: As of `write_postings`.
        k1: Likewise.
    """
    counts = np.diff(starts)
    begins = 2 * (starts[:-1] - starts[0])
    written = np.zeros(len(counts), np.int64)
    words = np.empty(2 * int(starts[-1] - starts[0]), dtype="<u4")
    gains = words.view("<f4")
    for source, place in zip(sources, places, strict=True):
        begin, end = np.searchsorted(place, [first, first + len(counts)]).tolist()
        if begin == end:
            continue
        before = int(source.bounds[part])
        numbers, rows, frequencies = source.read(before + begin, before + end)
        terms = place[begin:end][numbers] - first
        taken = np.bincount(terms, minlength=len(counts))
        ranks = np.arange(len(terms)) - (np.cumsum(taken) - taken)[terms]
        targets = (begins + written)[terms] + ranks
        words[targets] = rows
        gains[targets + counts[terms]] = frequencies * (k1 + 1) / (frequencies + norms[rows])
        written += taken
    return words
