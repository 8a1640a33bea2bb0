"""What a search looks for: the words of an instruction, each with a weight."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from toolhaft.retrievers.grams import gram_terms
from toolhaft.retrievers.pairs import PAIR_WEIGHT, pair_terms
from toolhaft.text import tokenize

MOST_TERMS = 1_000
"""Different terms of one query that are looked for, and as many pairs of them: the first."""
DAMPING = 0.35
"""Power of a term's count that is its weight: 1 counts every repeat in full, 0 none."""


def weigh_terms(query: str, grams: float = 0.0) -> dict[str, float]:
    """Return the terms of a query, and the pairs of neighbouring ones, with their weights.

    An instruction of several sentences names its subject again and again, and then hides the words that
    are said once and tell one tool of a service from another; so repeats count less each.

    Args:
        query: Any text; what `tokenize` reads of it.
        grams: Weight of its runs of characters (see `gram_terms`); 0 leaves them out.

    Source: S. Robertson, S. Walker, "Some simple effective approximations to the 2-Poisson model", SIGIR
    1994, whose query term frequency saturates by k3; a power serves as well here and has no unit.
    """
    terms = tokenize(query)
    weights = {
        pair: PAIR_WEIGHT * count**DAMPING
        for pair, count in islice(Counter(pair_terms(terms)).items(), MOST_TERMS)
    }
    weights |= {term: count**DAMPING for term, count in islice(Counter(terms).items(), MOST_TERMS)}
    if grams:
        runs = islice(Counter(gram_terms(query)).items(), MOST_TERMS)
        weights |= {run: grams * count**DAMPING for run, count in runs}
    return weights
