"""Neighbouring terms as terms of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

PAIR_WEIGHT = 0.4
"""What a pair of a query counts, where a single term counts 1."""


def pair_terms(terms: Sequence[str]) -> Iterator[str]:
    """Yield each two terms that stand side by side, joined by a space; a term beside itself gives none.

    "Exchange rate" names something that "rate" and "exchange" far apart do not. Stop words are out of the
    terms by then, so that "rate of exchange" pairs its words too.

    Source: D. Metzler, W. B. Croft, "A Markov random field model for term dependencies", SIGIR 2005: its
    sequential dependence, with ordered windows alone. Unlike there, pairs are terms of the same index.
    """
    return (f"{first} {second}" for first, second in pairwise(terms) if first != second)
