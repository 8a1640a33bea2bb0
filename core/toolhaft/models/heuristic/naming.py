"""Names and noun phrases in a text."""

from __future__ import annotations

import re
from collections.abc import Container

from toolhaft.models.heuristic.dates import MONTHS, WEEKDAYS
from toolhaft.models.heuristic.figures import MEASURES
from toolhaft.models.heuristic.lexicon import (
    NUMERALS,
    QUESTION_WORDS,
    STOP,
    SUPERLATIVES,
    UNITS,
    VAGUE,
    VERB_CLASSES,
)
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.words import Word

_CONNECTORS = frozenset(
    ["of", "the", "and", "de", "la", "du", "von", "van", "der", "del", "&", "for", "in", "on"]
)
_VERBS = frozenset().union(*VERB_CLASSES.values())


def find_names(
    text: str, words: tuple[Word, ...], hard: list[Mention], verbs: Container[str] = frozenset()
) -> list[Mention]:
    """Return runs of capitalised words that name something; those that open a sentence alone weigh less."""
    found: list[Mention] = []
    position = 0
    while position < len(words):
        word = words[position]
        if not _capital(word) or any(other.start <= word.start < other.end for other in hard):
            position += 1
            continue
        last = _entity_end(text, words, position)
        first = position
        opening = position == 0 or re.search(
            r"[.!?:;\n]\s*[\"'(]*$", text[max(0, word.start - 4) : word.start]
        )
        while first <= last and _not_name(words[first], opening=bool(opening) and first == position):
            first += 1
        if opening and first == position and words[first].stem in verbs:
            first += 1
        while last >= first and words[last].lower in _CONNECTORS:
            last -= 1
        if first <= last:
            start, end = words[first].start, words[last].end
            span = text[start:end].removesuffix("'s").removesuffix("’s")
            single = first == last and bool(opening) and first == position
            if region := re.match(r", (?:[A-Z]{2}\b(?![\w-])|[A-Z]\.[A-Z]\.)", text[end:]):
                span, start = text[start : end + region.end()], start
                last = next(
                    (
                        place
                        for place in range(last, len(words))
                        if words[place].end >= end + region.end() - 1
                    ),
                    last,
                )
            found.append(
                Mention("entity", start, start + len(span), span, span, weight=0.4 if single else 1.0)
            )
        position = max(last, position) + 1
    return found


def _capital(word: Word) -> bool:
    return word.text[0].isupper()


def _not_name(word: Word, *, opening: bool) -> bool:
    lower = word.lower
    if len(word.text) in (2, 3) and word.text.isupper() and word.text not in ("OK", "AM", "PM", "I'M", "TV"):
        return False
    if lower in UNITS or word.stem in MEASURES:
        return True
    if lower in ("i", "i'm", "i'd", "i'll", "i've") or lower in MONTHS or lower in WEEKDAYS:
        return True
    if opening or lower in STOP:
        return lower in STOP or lower in _VERBS or lower in QUESTION_WORDS
    return False


def _entity_end(text: str, words: tuple[Word, ...], position: int) -> int:
    last = position
    while last + 1 < len(words):
        gap = text[words[last].end : words[last + 1].start]
        following = words[last + 1]
        if gap not in (" ", ". ") or (
            gap == ". " and len(words[last].text) > 2 and words[last].text not in ("Mr", "Mrs", "Dr", "St")
        ):
            break
        if words[last].lower.endswith("'s") and last > position and not _capital(following):
            break
        if _capital(following) or (
            following.text.isdigit() and last + 1 < len(words) and len(following.text) < 3
        ):
            last += 1
        elif (
            following.lower in _CONNECTORS
            and following.lower not in ("and", "for", "in", "on", "&")
            and last + 2 < len(words)
            and text[following.end : words[last + 2].start] == " "
            and (
                _capital(words[last + 2])
                or (words[last + 2].lower == "the" and last + 3 < len(words) and _capital(words[last + 3]))
            )
        ):
            last += 2
        else:
            break
    return last


def find_phrases(
    text: str, words: tuple[Word, ...], hard: list[Mention], verbs: Container[str] = frozenset()
) -> list[Mention]:
    """Return runs of words that name something, broken by function words and punctuation."""
    found: list[Mention] = []
    run: list[Word] = []

    def close() -> None:
        if run:
            start, end = run[0].start, run[-1].end
            span = text[start:end]
            found.append(Mention("phrase", start, end, span, span, weight=0.6))
            run.clear()

    for word in words:
        broken = bool(run) and not re.fullmatch(r"[\s-]*", text[run[-1].end : word.start])
        covered = any(other.start <= word.start < other.end for other in hard)
        if broken or len(run) >= 5:
            close()
        if word.lower in STOP or covered or word.lower in NUMERALS or word.lower in SUPERLATIVES:
            close()
        elif (word.lower in VAGUE and not run) or (
            (word.lower in _VERBS or word.stem in verbs) and not run and _imperative(text, word)
        ):
            continue
        else:
            run.append(word)
    close()
    return found


def _imperative(text: str, word: Word) -> bool:
    before = text[max(0, word.start - 12) : word.start].rstrip().lower()
    return (
        not before
        or before[-1] in ".!?:;,\n"
        or before.endswith((" to", " and", "please", " then", "you", "me"))
    )
