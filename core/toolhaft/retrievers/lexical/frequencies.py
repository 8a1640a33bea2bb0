"""How frequent the terms of an index are."""

from __future__ import annotations

from collections.abc import Sequence

from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.segment import Segment


def count_frequencies(segments: Sequence[Segment]) -> dict[int, int]:
    """Return how many terms are in how many documents, over all segments.

    The first segment keeps these numbers; only the terms of the others, and of what was removed, are looked
    at one by one.
    """
    if not segments:
        return {}
    first = segments[0]
    values, counts = first.file.checked("frequencies"), first.file.checked("frequency_counts")
    total = dict(zip(values.tolist(), counts.tolist(), strict=True))
    changed = [segment.terms() for segment in segments[1:]]
    changed.extend(
        segment.terms()[segment.removed.terms] for segment in segments if len(segment.removed.terms)
    )
    if not changed:
        return total
    hashes = np.unique(np.concatenate(changed))
    now = sum(segment.frequencies(segment.find(hashes)) for segment in segments)
    places = first.find(hashes)
    before = Segment(first.file).frequencies(places)
    for old, new in zip(before.tolist(), now.tolist(), strict=True):
        total[old] = total.get(old, 0) - 1
        total[new] = total.get(new, 0) + 1
    return total
