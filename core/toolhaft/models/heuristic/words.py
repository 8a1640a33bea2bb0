"""Text as words with places and stems."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from toolhaft.models.heuristic.lexicon import STOP, SYNONYMS

_WORD = re.compile(r"[^\W_]+(?:['’.-](?=[^\W_])[^\W_]+)*", re.UNICODE)
_HUMP = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+", re.UNICODE)
TEXT_CAP = 8000
"""Characters of one text that are looked at."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its place in the text and its stem."""

    start: int
    end: int
    text: str
    lower: str
    stem: str


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return the stem of a lower-case word, so that forms of one word meet."""
    from toolhaft.text import stem as stem_of

    return stem_of(word)


@lru_cache(maxsize=4_000)
def name_words(name: str) -> tuple[str, ...]:
    """Return the lower-case words of an identifier: ``userId``, ``user_id`` give ``user``, ``id``."""
    return tuple(part.lower() for part in _HUMP.findall(name[:200]))


@lru_cache(maxsize=4_000)
def name_stems(name: str) -> tuple[str, ...]:
    """Return the stems of an identifier's words."""
    return tuple(stem(word) for word in name_words(name))


@lru_cache(maxsize=1)
def _heads() -> dict[str, str]:
    heads: dict[str, str] = {}
    for group in SYNONYMS:
        for word in group:
            heads.setdefault(stem(word), stem(group[0]))
    return heads


def concept(stemmed: str) -> str:
    """Return the stem that stands for a group of synonyms, or the stem itself."""
    return _heads().get(stemmed, stemmed)


@lru_cache(maxsize=512)
def split_words(text: str) -> tuple[Word, ...]:
    """Return the words of a text, at most its first 8,000 characters."""
    found = []
    for match in _WORD.finditer(text[:TEXT_CAP]):
        raw = match[0]
        lower = raw.lower().replace("’", "'")
        base = lower[:-2] if lower.endswith("'s") else lower
        found.append(Word(match.start(), match.end(), raw, lower, stem(base)))
    return tuple(found)


@lru_cache(maxsize=4_000)
def content_stems(text: str) -> tuple[str, ...]:
    """Return the stems of the words that name something, hyphens split, in their order."""
    stems: list[str] = []
    for word in split_words(text):
        if word.lower in STOP:
            continue
        parts = word.lower.split("-") if "-" in word.lower else [word.lower]
        if len(parts) == 2 and min(map(len, parts)) <= 2:
            # to-do, e-mail: the halves say nothing, and names write them as one word
            parts = ["".join(parts)]
        for part in parts:
            for piece in name_words(word.text) if part == word.lower and not part.islower() else (part,):
                if piece not in STOP and (len(piece) > 1 or piece.isdigit()):
                    stems.append(stem(piece.removesuffix("'s")))
    return tuple(stems)


def overlap(left: Iterable[str], right: Iterable[str]) -> int:
    """Return how many stems two texts share, synonyms counted as one."""
    return len({concept(one) for one in left} & {concept(one) for one in right})


def spelled_in(phrase: str, text: str) -> int:
    """Return where a phrase stands in a text as whole words, whatever the case; -1 if it does not."""
    if not phrase or len(phrase) > 80:
        return -1
    low, sought = text.lower(), phrase.lower()
    place = low.find(sought)
    while place >= 0:
        end = place + len(sought)
        if (place == 0 or not low[place - 1].isalnum() or not sought[0].isalnum()) and (
            end >= len(low) or not low[end].isalnum() or not sought[-1].isalnum()
        ):
            return place
        place = low.find(sought, place + 1)
    return -1
