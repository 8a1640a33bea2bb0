"""Regular expressions and globs of other people, matched in bounded time.

Python's own engine may take years for an expression such as ``(a+)+$``; the one that checks patterns of
schemas is linear where it can be, and gives up on the rest.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from toolhaft.errors import FormatError

_LONGEST = 2000


def check_expression(pattern: str, where: str = "") -> None:
    """Raise `FormatError` unless a text is a regular expression that can be matched in bounded time."""
    if len(pattern) > _LONGEST:
        raise FormatError(f"a regular expression of more than {_LONGEST} characters", where=where)
    if _compiled(pattern) is None:
        raise FormatError(f"not a regular expression: {pattern[:80]!r}", where=where)


def stands_in(pattern: str, text: str) -> bool:
    """Whether an expression is found anywhere in a text; False where that takes too long to say."""
    import jsonschema_rs

    compiled = _compiled(pattern)
    try:
        return compiled is not None and bool(compiled.is_valid(text))
    except (ValueError, jsonschema_rs.ValidationError):  # it gave up on the expression
        return False


def check_glob(glob: str, where: str = "") -> None:
    """Raise `FormatError` if a glob is longer than anything that it could be meant for."""
    if len(glob) > _LONGEST:
        raise FormatError(f"a pattern of more than {_LONGEST} characters", where=where)


def fits_glob(glob: str, text: str, *, segments: bool = False) -> bool:
    """Whether a glob fits the whole of a text.

    Args:
        glob: ``*`` stands for any text, ``?`` for any character.
        text: What to fit it to.
        segments: ``*`` and ``?`` stop at a slash, ``**`` does not; ``/**`` at the end may stand for nothing.
    """
    if segments and glob.endswith("/**") and fits_glob(glob[:-3], text, segments=True):
        return True
    expression = _expression(glob, segments)
    if expression is not None:
        return expression.fullmatch(text) is not None
    return _walk(glob, text)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    import jsonschema_rs

    try:
        return jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except (ValueError, jsonschema_rs.ValidationError):
        return None


@lru_cache(maxsize=1024)
def _expression(glob: str, segments: bool) -> re.Pattern[str] | None:
    """Return a glob as an expression that never goes back, or None where its stars are of two kinds.

    Where all stars stop at the same thing, the first place at which what follows a star fits is as good as
    any later one, so that each is an atomic group.
    """
    pieces = re.split(r"(\*+)", glob)
    deep = {len(star) > 1 for star in pieces[1::2]} if segments else set()
    if len(deep) > 1:
        return None
    one = "[^/]" if segments else "."
    many = "[^/]" if deep == {False} else "."
    fixed = [re.escape(piece).replace(r"\?", one) for piece in pieces[::2]]
    if len(fixed) == 1:
        return re.compile(fixed[0], re.DOTALL)
    middle = "".join(f"(?>{many}*?{piece})" for piece in fixed[1:-1])
    # What ends the text is looked for at its end, which the last star reaches in one way only.
    return re.compile(f"{fixed[0]}{middle}{many}*{fixed[-1]}", re.DOTALL)


def _walk(glob: str, text: str) -> bool:
    """Whether a glob for paths fits, by all the places in it that may be reached so far."""
    tokens = re.findall(r"\*+|.", glob, re.DOTALL)
    reached = _over_stars(tokens, {0})
    for letter in text:
        following: set[int] = set()
        for place in reached:
            if place == len(tokens):
                continue
            token = tokens[place]
            if token[0] == "*":
                if len(token) > 1 or letter != "/":
                    following.add(place)
            elif token == letter or (token == "?" and letter != "/"):
                following.add(place + 1)
        reached = _over_stars(tokens, following)
        if not reached:
            return False
    return len(tokens) in reached


def _over_stars(tokens: list[str], places: set[int]) -> set[int]:
    """Return the places, and those behind stars that stand for nothing."""
    found: set[int] = set()
    for place in places:
        found.add(place)
        while place < len(tokens) and tokens[place][0] == "*":
            place += 1
            found.add(place)
    return found
