"""A text that fits a regular expression, for the plain ones that stand in schemas."""

from __future__ import annotations

import re
import string
from random import Random
from typing import Any

_LONGEST_PATTERN = 300
_LONGEST_TEXT = 200
_MOST_REPEATS = 8
_LETTERS = string.ascii_letters + string.digits


def text_of(pattern: str, random: Random) -> str | None:
    """Return a text that a pattern is likely to match, or None where it is too hard to tell.

    The pattern is read, and never matched against anything here: whoever uses the text checks it with a
    validator that takes linear time.

    Args:
        pattern: As JSON Schema has it, untrusted.
        random: Draws the letters.
    """
    if len(pattern) > _LONGEST_PATTERN:
        return None
    from re import _parser  # type: ignore[attr-defined]  # the only reader of patterns that Python has

    try:
        made = _sequence(_parser.parse(pattern), random)
    except (re.error, RecursionError, OverflowError, ValueError, TypeError):
        return None
    return made if made is not None and len(made) <= _LONGEST_TEXT else None


def _sequence(parts: Any, random: Random) -> str | None:
    made = ""
    for kind, given in parts:
        piece = _piece(str(kind), given, random)
        if piece is None or len(made) + len(piece) > _LONGEST_TEXT:
            return None
        made += piece
    return made


def _piece(kind: str, given: Any, random: Random) -> str | None:
    if kind == "LITERAL":
        return chr(given)
    if kind == "ANY":
        return random.choice(string.ascii_lowercase)
    if kind == "AT":
        return ""
    if kind == "IN":
        letters = _letters(given)
        return random.choice(letters) if letters else None
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, inner = given
        if least > _LONGEST_TEXT:
            return None
        times = random.randint(least, max(least, min(int(most), least + _MOST_REPEATS)))
        pieces = [_sequence(inner, random) for _ in range(times)]
        return None if None in pieces else "".join(piece or "" for piece in pieces)
    if kind == "SUBPATTERN":
        return _sequence(given[-1], random)
    if kind == "BRANCH":
        return _sequence(random.choice(given[1]), random)
    return None


def _letters(given: Any) -> str:
    """Return the letters of a class; of a negated one, those of the plain alphabet that it lets through."""
    found: set[str] = set()
    negated = False
    for kind, value in given:
        if str(kind) == "NEGATE":
            negated = True
        elif str(kind) == "LITERAL":
            found.add(chr(value))
        elif str(kind) == "RANGE":
            low, high = value
            found |= {chr(code) for code in range(low, min(high, low + 255) + 1)}
        elif str(kind) == "CATEGORY":
            name = str(value)
            found |= set(
                string.digits if name.endswith("DIGIT") else " " if name.endswith("SPACE") else f"{_LETTERS}_"
            )
    plain = set(_LETTERS) - found if negated else found
    preferred = sorted(plain & set(_LETTERS))
    return "".join(preferred or sorted(plain))
