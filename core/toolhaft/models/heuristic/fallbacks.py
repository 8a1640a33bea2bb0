"""What an instruction itself names to be taken instead: ``PF-3, or PF-4 if that is full``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from toolhaft.models.heuristic.dates import When
from toolhaft.models.heuristic.identifying import shape_of
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.words import TEXT_CAP

_CONDITION = r"(?:if|in case|when|should)\s[^,;.!?\n]{2,70}"
_TURN = re.compile(
    rf"[,;.(]?\s{{0,3}}(?:but\s{{1,3}})?(?:(?P<word>\bor(?:\s{{1,3}}else)?\b|"
    rf"\b(?:otherwise|else|alternatively|failing that|instead)\b)\s{{0,3}},?\s{{0,3}}"
    rf"(?P<late>{_CONDITION}[,;]\s{{0,3}}(?:then\s{{1,3}})?)?|"
    rf"(?<=[,;.])\s{{0,3}}(?P<only>{_CONDITION}[,;]\s{{0,3}}(?:then\s{{1,3}})?)|"
    r"(?<=[,;.])\s{0,3}(?P<fine>(?=[^,;.]{2,40}\s(?:is|are|would be|will be|works)\s(?:also\s)?"
    r"(?:ok|okay|fine|good|too)\b)))"
    rf"(?P<lead>(?:(?:take|use|try|with|at|on|of|for|in|the|a|an|by|to|from|then|just|please|it|that)"
    rf"\s{{1,3}}){{0,4}})",
    re.IGNORECASE,
)
_LATE = re.compile(rf"\s{{0,3}},?\s{{0,3}}{_CONDITION}", re.IGNORECASE)
_EARLY = re.compile(
    r"[\s,(]*(?:if (?:you|it|that|this|there|they|he|she|possible|free|available|not)\b[^,;.]{0,40}|"
    r"preferably|ideally)[\s,;)]*$",
    re.IGNORECASE,
)
_SAME = re.compile(
    r"\s*(?:is|are|would be|will be|works|does|will do|would do)\s+"
    r"(?:also\s+)?(?:ok|okay|fine|good|all right)?\b",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"(?:another|any other|some other|a different|any|the other)\s+(?P<noun>[a-z]{2,20})", re.IGNORECASE
)
_CLOCK = re.compile(r"(?:at\s+)?\d{1,2}(?:[:.]\d\d)?\s*(?:am|pm|o'clock)?\s*$", re.IGNORECASE)
_DAYS = frozenset({"day", "date", "time", "evening", "morning", "hour"})
_KINDS = ("id", "when", "quoted", "entity", "phrase")
_NAMED = ("id", "quoted", "entity")
NEAR = 90
"""Characters between the two things at most."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """Readings of an instruction that names several choices, of its own length: what is left out is blank.

    Attributes:
        first: The instruction with its first choice only.
        others: The instruction with each of the other choices only, in their order.
        start: First character of what is said of the choices.
        explicit: The text says when another is to be taken, and does not only list them with ``or``.
        barred: The first choice, or its day: no record that is called so is meant by another.
    """

    first: str
    others: tuple[str, ...]
    start: int
    explicit: bool
    barred: str = ""


def find_fallback(text: str, mentions: Sequence[Mention]) -> Fallback | None:
    """Return the first choice and the other one that a text names, or None if it names no other.

    Args:
        text: The instruction.
        mentions: The values that it states.
    """
    for turn in _TURN.finditer(text[:TEXT_CAP]):
        conditional = bool(turn["late"] or turn["only"]) or turn["fine"] is not None
        explicit = conditional or (turn["word"] or "").lower() not in ("or", "instead")
        found = _opened(text, mentions, turn, explicit) or _paired(text, mentions, turn, explicit)
        if found is not None:
            return found
    return None


def _opened(text: str, mentions: Sequence[Mention], turn: re.Match[str], explicit: bool) -> Fallback | None:
    """Return the readings of ``HB-4 if it is there, else another one``: the other names nothing."""
    opened = _OPEN.match(text, turn.end())
    if opened is None or not explicit:
        return None
    kinds = ("when",) if opened["noun"].lower() in _DAYS else _NAMED
    edge = _edge(text, turn.start())
    before = [one for one in mentions if one.kind in kinds and edge - NEAR < _end(one) <= edge]
    if not before:
        return None
    one = before[-1]
    end = _tail(text, opened.end())
    first = _blank(text, edge, end)
    other = _blank(_blank(text, edge, opened.start()), one.start, one.end)
    return Fallback(first, (other,), one.start, True, _barred(one, None))


def _paired(text: str, mentions: Sequence[Mention], turn: re.Match[str], explicit: bool) -> Fallback | None:
    """Return the readings of ``PF-3, or PF-4 if that is full`` and of ``A, B or C``."""
    edge = _edge(text, turn.start())
    after = [one for one in mentions if turn.end() <= one.start <= turn.end() + 3 and one.kind in _KINDS]
    for two in sorted(after, key=lambda one: _KINDS.index(one.kind)):
        end = _tail(text, two.end)
        sure = explicit or _LATE.match(text, two.end) is not None
        before = [
            one
            for one in mentions
            if one.kind == two.kind and edge - NEAR < _end(one) <= edge and _alike(one, two)
        ]
        if not before or (two.kind == "phrase" and (not sure or _end(before[-1]) < edge - 12)):
            continue
        listed = [one for one in before if one.group and one.group == two.group] or before[-1:]
        last = _blank(text, edge, two.start - (len(turn["lead"]) if turn.end() == two.start else 0))
        last = _blank(last, two.end, end)
        others = [_blank(_blank(text, listed[0].start, one.start), edge, end) for one in listed[1:]]
        others = [_blank(one, kept.end, edge) for one, kept in zip(others, listed[1:], strict=True)]
        start, stop = _own_part(listed[0], two) if len(listed) == 1 else (listed[0].start, listed[-1].end)
        first = _blank(text, listed[0].end, end) if len(listed) > 1 else _blank(text, edge, end)
        return Fallback(
            first, (*others, _blank(last, start, stop)), listed[0].start, sure, _barred(listed[0], two)
        )
    return None


def _barred(one: Mention, two: Mention | None) -> str:
    if not isinstance(one.value, When):
        return one.text
    same = two is not None and isinstance(two.value, When) and two.value.day in (None, one.value.day)
    return "" if same or one.value.day is None else one.value.day.isoformat()


def _end(mention: Mention) -> int:
    return mention.start + len(mention.text.rstrip())


def _alike(one: Mention, two: Mention) -> bool:
    return one.kind != "id" or shape_of(one.text) == shape_of(two.text)


def _own_part(one: Mention, two: Mention) -> tuple[int, int]:
    """Return what of the first choice the other takes the place of: of a day with a time the time only."""
    if isinstance(one.value, When) and isinstance(two.value, When) and one.value.day and one.value.clock:
        clock = _CLOCK.search(one.text)
        if clock and (two.value.inferred or not two.value.day):
            return one.start + clock.start(), one.end
    return one.start, one.end


def _edge(text: str, start: int) -> int:
    """Return where the first choice ends: before ``if you have one`` that is said of it."""
    early = _EARLY.search(text, max(0, start - 60), start)
    return early.start() if early is not None else start


def _tail(text: str, end: int) -> int:
    """Return where what is said of the other choice ends: behind its condition."""
    late = _LATE.match(text, end) or _SAME.match(text, end)
    return late.end() if late is not None else end


def _blank(text: str, start: int, end: int) -> str:
    if end <= start:
        return text
    return f"{text[:start]}{' ' * (end - start)}{text[end:]}"
