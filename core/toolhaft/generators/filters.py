"""Copies and near-copies, found in time that grows little faster than the number of texts.

Source: the prefix filter of Chaudhuri, Ganti and Kaushik, "A Primitive Operator for Similarity Joins in Data
Cleaning" (ICDE 2006), and its index of Bayardo, Ma and Srikant, "Scaling Up All Pairs Similarity Search"
(WWW 2007); the bound by position of Xiao, Wang, Lin and Yu, "Efficient Similarity Joins for Near Duplicate
Detection" (WWW 2008). Two sets of shingles whose Jaccard similarity reaches a threshold share one of their
rarest few, so only texts that do are compared, and exactly. Deviation: the first of several near-copies is
kept, in one pass.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from toolhaft.errors import UsageError
from toolhaft.tools.memory import canonical
from toolhaft.types import Task

_WORD = re.compile(r"[^\W_]+(?:[-.:@][^\W_]+)*")
_LONGEST = 20_000
_MOST_SHARING = 5_000
"""Texts that are compared with one because they share a shingle; beyond that it is too common to tell."""


def exact_key(task: Task) -> str:
    """Return what two tasks have in common if one is a copy of the other: plain words and gold calls."""
    calls = task.gold.calls if task.gold is not None else ()
    made = [[call.name, call.arguments] for call in calls]
    return f"{' '.join(_words(task.instruction))}\n{canonical(made)}"


def find_near_copies(
    texts: Sequence[str], *, threshold: float = 0.7, size: int = 3, against: Sequence[str] = ()
) -> dict[int, str]:
    """Return the texts that are near-copies of an earlier one that stays, or of one to keep clear of.

    Args:
        texts: In the order of preference.
        threshold: Jaccard similarity of the shingles from which a text is a near-copy, in (0, 1].
        size: Words in a shingle.
        against: A held-out set; a text near one of these is none to train on.

    Returns:
        By position, the text that it is near to.

    Raises:
        UsageError: The threshold or the size makes no sense.
    """
    if not 0 < threshold <= 1:
        raise UsageError(f"the threshold is {threshold!r}", hint="Give a number above 0, up to 1")
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise UsageError(f"the size of a shingle is {size!r}", hint="Give a whole number of at least 1")
    every = _ranked([*against, *texts], size)
    index: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    found: dict[int, str] = {}
    for position, ranks in enumerate(every):
        own = position - len(against)
        if own >= 0:
            near = _nearest(ranks, every, index, threshold)
            if near is not None:
                found[own] = against[near] if near < len(against) else texts[near - len(against)]
                continue
        for place in range(_prefix(len(ranks), threshold)):
            index[ranks[place]].append((position, place))
    return found


def _nearest(
    ranks: Sequence[int],
    every: Sequence[Sequence[int]],
    index: dict[int, list[tuple[int, int]]],
    threshold: float,
) -> int | None:
    """Return the first text found that is near enough, of those that share a rare shingle."""
    tried: set[int] = set()
    own = frozenset(ranks)
    size = len(ranks)
    for place in range(_prefix(size, threshold)):
        for other, there in index.get(ranks[place], ())[:_MOST_SHARING]:
            if other in tried:
                continue
            tried.add(other)
            theirs = every[other]
            needed = math.ceil(threshold / (1 + threshold) * (size + len(theirs)) - 1e-9)
            # What comes before the places at which they meet first is not shared.
            if min(size - place, len(theirs) - there) < needed:
                continue
            shared = len(own.intersection(theirs))
            if shared >= threshold * (size + len(theirs) - shared) - 1e-9:
                return other
    return None


def _prefix(size: int, threshold: float) -> int:
    """Return how many of the rarest shingles two similar texts cannot both do without."""
    return size - math.ceil(threshold * size - 1e-9) + 1


def _ranked(texts: Sequence[str], size: int) -> list[tuple[int, ...]]:
    """Return the shingles of each text as numbers, rare ones first: the rarer, the smaller."""
    every = [_shingles(text, size) for text in texts]
    often: Counter[str] = Counter(shingle for shingles in every for shingle in shingles)
    order = sorted(often, key=often.__getitem__)  # of equally rare ones, that which was seen first
    rank = {shingle: number for number, shingle in enumerate(order)}
    return [tuple(sorted(rank[shingle] for shingle in shingles)) for shingles in every]


def _shingles(text: str, size: int) -> tuple[str, ...]:
    words = _words(text)
    if len(words) <= size:
        return (" ".join(words),)
    return tuple(dict.fromkeys(" ".join(words[i : i + size]) for i in range(len(words) - size + 1)))


def _words(text: str) -> list[str]:
    return _WORD.findall(text[:_LONGEST].casefold())
