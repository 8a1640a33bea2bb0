"""Runs of characters as terms of their own, so that words meet that are spelt alike."""

from __future__ import annotations

from itertools import islice

from toolhaft.text import LONGEST, STOP_WORDS, identifier_words

LENGTH = 5
MOST_GRAMS = 4_000
"""Runs of one text that are read: the first."""


def gram_terms(text: str) -> list[str]:
    """Return the runs of five characters of each word, its beginning and end marked, in order.

    ``forecast`` and ``forecazt`` share no stem, and three runs. A tilde stands before each run, so that none
    is taken for a word.

    Source: P. McNamee, J. Mayfield, "Character n-gram tokenization for European language text retrieval",
    Information Retrieval 7, 2004. Unlike there, they stand beside the words, not in their place.
    """
    padded = (f"<{word}>" for word in identifier_words(text[:LONGEST]) if word not in STOP_WORDS)
    runs = (
        f"~{word[start : start + LENGTH]}"
        for word in padded
        for start in range(max(1, len(word) - LENGTH + 1))
    )
    return list(islice(runs, MOST_GRAMS))
