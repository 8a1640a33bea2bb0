"""Other ways to make a call that is to be avoided: other records, other spellings, other readings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any

from toolhaft.models.heuristic.filling import Filled
from toolhaft.models.heuristic.ranking import Entry
from toolhaft.models.heuristic.slots import PAGE_SIZES, Path, Slot

RECORDS = 8
"""How many records are taken in place of the first."""
READINGS = 6
"""How many other readings of the arguments are tried."""
_SOFT = re.compile(
    r"\b(?:if possible|if (?:you|it|he|she|they|there|that) (?:can|is|are|suffices|works?)\b|ideally|"
    r"preferably|rather|best(?= (?:as|with|would|in|on|at)\b)|would be (?:best|nice|great)|otherwise|or else|"
    r"else\b|if not\b|any other|any (?:one )?will do|would do|is fine|are fine|as well\b|don't mind|"
    r"do not mind|whichever)",
    re.IGNORECASE,
)
_LATER = re.compile(
    r"\b(?:days? after|next (?:free |possible |working )?day|following day|or later|any (?:other )?day)\b",
    re.IGNORECASE,
)
_WORDED = ("query", "text", "person", "place")


def is_soft(text: str) -> bool:
    """Return whether a text says that what it wishes for may be something else if need be."""
    return _SOFT.search(text) is not None


def other_choices(entry: Entry, values: dict[Path, Any], text: str) -> dict[Path, list[Any]]:
    """Return other choices and days that a text leaves open, by path: wished only, or not spoken of.

    Args:
        entry: The tool.
        values: The first choice.
        text: The instruction.
    """
    found: dict[Path, list[Any]] = {}
    later = _LATER.search(text) is not None
    for slot in entry.slots:
        value = values.get(slot.path)
        if slot.kind == "enum" and not slot.many and (value is not None or "default" in slot.schema):
            stated = value is not None and not is_soft(text)
            first = value if value is not None else slot.schema["default"]
            choices = slot.schema.get("enum")
            if not stated and isinstance(choices, list):
                found[slot.path] = [one for one in choices[:RECORDS] if one != first]
        elif slot.kind in ("date", "date-time") and isinstance(value, str) and later:
            found[slot.path] = _days_after(value)
    return found


def _days_after(value: str) -> list[str]:
    try:
        day = date.fromisoformat(value[:10])
    except ValueError:
        return []
    return [(day + timedelta(days=n)).isoformat() + value[10:] for n in range(1, 5)]


def other_records(values: dict[Path, Any], others: dict[Path, list[Any]]) -> Iterator[dict[Path, Any]]:
    """Yield arguments with another record in place of the first, the best first.

    Args:
        values: The first choice.
        others: Values of records that fit the wording as well, by path, best first.
    """
    for path, more in others.items():
        for value in more[:RECORDS]:
            if value != values.get(path):
                yield {**values, path: value}


def other_readings(
    entry: Entry, filled: Filled, values: dict[Path, Any], depth: int
) -> Iterator[dict[Path, Any]]:
    """Yield other arguments for a tool that reads: other spellings and days, and what narrows left out.

    Args:
        entry: The tool.
        filled: What the instruction gives for it.
        values: The first choice.
        depth: 0 for the goal's own call; only a look-up for another call may drop what narrows it.
    """
    if entry.spec.effect == "read":
        yield from islice(_reread(entry, filled, values, depth), READINGS)


def _reread(entry: Entry, filled: Filled, values: dict[Path, Any], depth: int) -> Iterator[dict[Path, Any]]:
    for slot in entry.slots:
        value = values.get(slot.path)
        if isinstance(value, str) and not slot.many:
            for other in _other_readings(slot, value, filled):
                yield {**values, slot.path: other}
    loose = [
        slot
        for slot in entry.slots
        if slot.path in values and not slot.required and slot.kind != "id" and not _pages(slot)
    ]
    for slot in loose if depth else ():
        if slot.kind not in ("enum", "boolean"):
            yield {path: value for path, value in values.items() if path != slot.path}
    if depth and len(loose) > 1:
        dropped = {slot.path for slot in loose}
        yield {path: value for path, value in values.items() if path not in dropped}


def _pages(slot: Slot) -> bool:
    return slot.label.lower().replace("-", "_") in PAGE_SIZES


def _other_readings(slot: Slot, value: str, filled: Filled) -> Iterator[str]:
    if slot.kind in ("date", "date-time"):
        yield from _other_days(value, filled)
    elif slot.kind in _WORDED and not any(one.kind == "quoted" and one.text == value for one in filled.used):
        seen = {value}
        for other in _respelled(value):
            if other and other not in seen:
                seen.add(other)
                yield other


def _respelled(value: str) -> Iterator[str]:
    plain = unicodedata.normalize("NFKD", value)
    yield "".join(char for char in plain if not unicodedata.combining(char))
    yield value.replace("-", " ")
    words = value.split()
    last = words[-1] if words else ""
    if re.fullmatch(r"[a-z]{3,}[^s]s", last):
        yield " ".join((*words[:-1], last[:-1]))
    elif re.fullmatch(r"[a-z]{3,}[^s]", last):
        yield " ".join((*words[:-1], f"{last}s"))
    if len(words) > 1:
        yield " ".join(words[1:])
        yield " ".join(words[:-1])
        yield from sorted(words, key=lambda word: -len(word))


def _other_days(value: str, filled: Filled) -> Iterator[str]:
    """Yield the day with month and day exchanged where it was written in figures, and a week later."""
    try:
        day = date.fromisoformat(value[:10])
    except ValueError:
        return
    spoken = [one for one in filled.used if one.kind == "when" and getattr(one.value, "day", None) == day]
    for mention in spoken:
        if re.fullmatch(r"\d{1,2}[/.]\d{1,2}[/.]\d{2,4}", mention.text.strip()) and day.day <= 12:
            yield day.replace(month=day.day, day=day.month).isoformat() + value[10:]
        elif re.match(r"(?:next|this|on)?\s*[a-z]+day\b", mention.text.lower()):
            yield (day + timedelta(days=7)).isoformat() + value[10:]
