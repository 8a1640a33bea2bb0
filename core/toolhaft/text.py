"""Text for search and for showing: terms, cleaning, shortening.

Everything here takes untrusted text and runs in time linear in its length.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LONGEST = 200_000
"""Characters of one text that `tokenize` reads; the rest is left out."""
ELLIPSIS = "…"

_LONGEST_WORD = 64
_LONGEST_JOINED = 24

_WORD = re.compile(r"[^\W_]+")
_PIECE = re.compile(r".{1,400}(?!\S)|.{1,400}", re.DOTALL)
_CONTRACTION = re.compile(r"(?<=\w)['’](?:s|m|d|t|re|ve|ll)\b", re.IGNORECASE)
# Scripts that put no space between words: of East Asia, and Thai, Lao, Burmese, Khmer.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+"
)

# Function words of English, what contractions leave behind, and the words with which people ask politely:
# none of them tells one tool from another.
_STOPPED = """
a about after again all also am an and any are aren as at be because been before being both but by can
could couldn did didn do does doesn doing don each few for from further had hadn has hasn have haven
having he her here hers him his how i if in into is isn it its itself just let ll me more most my myself
need of off on once only or other our ours out over own please re s same shall she should shouldn so some
such t than thank thanks that the their theirs them then there these they this those through to too under
until up us ve very want was wasn we were weren what when where which while who whom why will with would
wouldn you your yours yourself
"""
STOP_WORDS = frozenset(_STOPPED.split())
"""Words that `tokenize` leaves out."""

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]+"
)
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Every alternative stops at the next escape character, so that no text is read twice.
_TERMINAL_SEQUENCE = re.compile(
    "\x1b[\\]PX^_k][^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"
    "|[\x90\x98\x9d-\x9f][^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"
    "|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"
    "|\x1b[ -/]*[0-~]?"
)


def tokenize(text: str) -> list[str]:
    """Return the search terms of a text, in order, repeats included.

    Identifiers are split (``getPetById``, ``user_name``, ``covid19``) and, when short, also kept whole, so
    that ``YouTube`` meets ``youtube``. Terms are NFKC-normalised, lower-cased, freed of stop words and
    stemmed. Runs of Chinese, Japanese, Korean, Thai, Lao, Burmese and Khmer become their characters and pairs
    of neighbours, for there is no space between words.

    Args:
        text: Any text; only the first `LONGEST` characters are read.

    Source: M. F. Porter, "Snowball: A language for stemming algorithms", 2001 (the English stemmer).
    """
    text = text[:LONGEST]
    if not text.isascii():
        text = _normalise(text)[:LONGEST]
    if "'" in text or "’" in text:
        text = _CONTRACTION.sub("", text)
    found: list[str] = []
    for word in _WORD.findall(text):
        if len(word) <= _LONGEST_WORD:
            found.extend(_terms(word))
        else:
            for start in range(0, len(word), _LONGEST_WORD):
                found.extend(_terms(word[start : start + _LONGEST_WORD]))
    return found


def identifier_words(name: str) -> list[str]:
    """Return the words of an identifier, lower-cased: ``getHTTPStatus2`` gives get, http, status, 2."""
    name = _normalise(name[:LONGEST])
    return [part.lower() for word in _WORD.findall(name) for part in _split(word)]


def stem(word: str) -> str:
    """Return the stem of a lower-case English word; other words come back as they are."""
    return _stem(word) if len(word) <= _LONGEST_WORD else word


def clean(text: str, limit: int) -> str:
    """Return text without what a reader cannot see, and at most ``limit`` characters long.

    Control, zero-width, bidirectional, tag and variation characters and lone surrogates are removed; line
    ends become a newline, tabs stay.
    """
    if not (text.isascii() and text.isprintable()):
        text = _INVISIBLE.sub("", _LINE_END.sub("\n", text))
    return shorten(text, limit)


def shorten(text: str, limit: int) -> str:
    """Return the text, cut with an ellipsis to at most ``limit`` characters, at a space if one is near."""
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    cut = text[: limit - 1]
    space = cut.rfind(" ")
    if space > limit * 3 // 4:
        cut = cut[:space]
    return cut.rstrip() + ELLIPSIS


def terminal_safe(text: str) -> str:
    """Return text that cannot command a terminal: without escape sequences and invisible characters."""
    if text.isascii() and text.isprintable():
        return text
    return _INVISIBLE.sub("", _LINE_END.sub("\n", _TERMINAL_SEQUENCE.sub("", text)))


def _normalise(text: str) -> str:
    """Return the text in NFKC; piece by piece, for a run of marks takes time with its square."""
    return "".join(unicodedata.normalize("NFKC", piece) for piece in _PIECE.findall(text))


@lru_cache(maxsize=65_536)
def _terms(word: str) -> tuple[str, ...]:
    """Return the search terms of one run of letters and digits."""
    if not word.isascii() and _UNSPACED.search(word):
        return tuple(_unspaced_terms(word))
    parts = _split(word)
    words = [part.lower() for part in parts]
    terms = [_stem(part) for part in words if part not in STOP_WORDS]
    if len(parts) > 1 and len(word) <= _LONGEST_JOINED:
        terms.append(_stem(word.lower()))
    return tuple(terms)


def _unspaced_terms(word: str) -> list[str]:
    terms: list[str] = []
    end = 0
    for run in _UNSPACED.finditer(word):
        if run.start() > end:
            terms.extend(_terms(word[end : run.start()]))
        characters = run.group()
        terms.extend(characters)
        terms.extend(characters[i : i + 2] for i in range(len(characters) - 1))
        end = run.end()
    if end < len(word):
        terms.extend(_terms(word[end:]))
    return terms


def _split(word: str) -> list[str]:
    """Return the parts of a run of letters and digits: at changes of case, and of letter to digit."""
    if word.isdigit() or (word.isalpha() and (word.islower() or word.isupper())):
        return [word]
    parts: list[str] = []
    start = 0
    for i in range(1, len(word)):
        before, here = word[i - 1], word[i]
        boundary = before.isdigit() != here.isdigit() or (before.islower() and here.isupper())
        if not boundary and before.isupper() and here.isupper() and i + 1 < len(word):
            # The last capital of a run begins the next word (HTTPStatus), but a plural does not (URLs).
            boundary = word[i + 1].islower() and not _ends_as_plural(word, i + 1)
        if boundary:
            parts.append(word[start:i])
            start = i
    parts.append(word[start:])
    return parts


def _ends_as_plural(word: str, i: int) -> bool:
    return word[i] == "s" and (i + 1 == len(word) or not word[i + 1].islower())


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    if len(word) < 3 or not word.isascii() or not word.isalpha():
        return word
    from snowballstemmer.english_stemmer import EnglishStemmer

    # A stemmer holds the word it works on: a fresh one for each new word keeps threads apart.
    return str(EnglishStemmer().stemWord(word))
