"""Dates and times in English text, relative to a day that the text itself states."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:1[5-9]|20|21)\d\d)"
_CLOCK = re.compile(
    r"\b(?:(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?\s?(?P<half>[ap]\.?m\b\.?)?"
    r"|(?P<bare>1[0-2]|0?[1-9])\s?(?P<bare_half>[ap]\.?m\b\.?)|(?P<word>noon|midnight)\b)",
    re.IGNORECASE,
)
_ISO = re.compile(
    r"\b(?P<year>\d{4})-(?P<month>[01]\d)-(?P<day>[0-3]\d)"
    r"(?:[T ](?P<clock>[0-2]\d:[0-5]\d(?::[0-5]\d)?(?:\.\d{1,6})?(?P<zone>Z|[+-][01]\d:?[0-5]\d)?))?(?![\d-])"
)
_ABSOLUTE = (
    re.compile(rf"\b{_MONTH}\s+{_DAY}\b(?:\s*,?\s*{_YEAR}\b)?", re.IGNORECASE),
    re.compile(rf"\b(?:the\s+)?{_DAY}\s+(?:of\s+)?{_MONTH}(?![a-z])(?:\s*,?\s*{_YEAR}\b)?", re.IGNORECASE),
)
_SPANNED = re.compile(
    rf"\b(?P<first>[0-3]?\d)(?:st|nd|rd|th)?(?=\s*(?:to|until|till|through|and|or|-|–)\s*(?:the\s+)?{_DAY}\s+(?:of\s+)?{_MONTH}"
    rf"(?![a-z])(?:\s*,?\s*{_YEAR}\b)?)",
    re.IGNORECASE,
)
"""The first day of ``from 3 to 21 August 2026``."""
_SLASHED = re.compile(r"\b(?P<one>\d{1,2})[/.](?P<two>\d{1,2})[/.](?P<year>\d{4})\b")
_MONTH_YEAR = re.compile(rf"(?<!\d )\b{_MONTH}(?:\s+of)?,?\s+{_YEAR}\b", re.IGNORECASE)
_RELATIVE = re.compile(
    r"\b(?:(?P<named>today|tonight|tomorrow|yesterday|day after tomorrow)"
    r"|(?P<which>next|this|coming|last|on)\s+(?P<weekday>mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b"
    r"|(?P<plain>monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
    r"|in\s+(?P<count>\d{1,3}|a|one|two|three|four|five|six|seven|ten)\s+(?P<unit>day|week|month)s?(?:'\s*time)?"
    r"|(?P<span>next|this|last)\s+(?P<period>week|month|year))\b",
    re.IGNORECASE,
)
_TODAY = re.compile(
    r"\b(?:today(?:'s date)?(?: is\b|:|,| =| \()|(?:current|today's) (?:date|day)(?: and time)?(?: is\b|:)|"
    r"it is now\b|the date(?: today)? is\b)[^.\n\d]{0,24}?"
    r"(?=\d{4}-\d\d-\d\d|[A-Za-z]{3,9}\.?\s+\d|\d{1,2}(?:st|nd|rd|th)?\s+[A-Z])",
    re.IGNORECASE,
)
_SMALL = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}


@dataclass(frozen=True, slots=True)
class When:
    """A date, a time or both, where it stands in the text.

    Attributes:
        start: First character; ``end`` is one past the last.
        day: The day, if one is named.
        clock: ``HH:MM:SS``, if a time is named.
        zone: The ISO zone of an ISO date with time, or empty.
        month_only: Only month and year are named; ``day`` is the first.
        inferred: Only a time is named; ``day`` is the one day that the text names.
    """

    start: int
    end: int
    day: date | None = None
    clock: str = ""
    zone: str = ""
    month_only: bool = False
    inferred: bool = False


def find_today(texts: list[str]) -> date | None:
    """Return the day that one of the texts says is today, looked for in their order."""
    for text in texts:
        for opening in _TODAY.finditer(text[:8000]):
            for found in find_dates(text[opening.start() : opening.end() + 40], None):
                if found.day is not None:
                    return found.day
    return None


def find_dates(text: str, today: date | None) -> list[When]:
    """Return dates and times in the order they stand, a time joined to the date beside it.

    Args:
        text: At most a few thousand characters.
        today: What relative dates are relative to; None leaves them out, and takes the year of a date
            without one from another date of the text, if there is any.
    """
    found: list[When] = []
    taken: list[tuple[int, int]] = []

    def add(when: When | None) -> None:
        if when is not None and not any(when.start < end and start < when.end for start, end in taken):
            taken.append((when.start, when.end))
            found.append(when)

    for match in _ISO.finditer(text):
        add(_iso(match))
    year = _year_of(text, today, found)
    for pattern in _ABSOLUTE:
        for match in pattern.finditer(text):
            add(_absolute(match, year, today))
    for match in _SPANNED.finditer(text):
        add(_spanned(match, year))
    for match in _SLASHED.finditer(text):
        add(_slashed(match))
    for match in _MONTH_YEAR.finditer(text):
        day = _day(int(match["year"]), _month(match["month"]), 1)
        add(When(match.start(), match.end(), day, month_only=True) if day else None)
    if today is not None:
        for match in _RELATIVE.finditer(text):
            add(_relative(match, today))
    for match in _CLOCK.finditer(text):
        add(When(match.start(), match.end(), clock=_clock(match)))
    found.sort(key=lambda one: one.start)
    return _with_day(_joined(text, found))


def _year_of(text: str, today: date | None, found: list[When]) -> int | None:
    """Return the year of dates that name none: today's, that of another date, or one that stands alone."""
    year = today.year if today else next((one.day.year for one in found if one.day), None)
    if year is None and (named := re.search(rf"\b{_YEAR}\b", text)):
        year = int(named["year"])
    return year


def render(when: When, *, style: str = "date", description: str = "") -> str:
    """Return the date or time as a schema asks for it.

    Args:
        when: What the text names.
        style: ``date``, ``time`` or ``date-time``.
        description: May name a layout such as ``DD-MM-YYYY``.
    """
    layout = re.search(r"\b(?:YYYY|DD|MM)([-/.])(?:DD|MM)\1(?:YYYY|DD)\b", description, re.IGNORECASE)
    clock = when.clock or "00:00:00"
    if style == "time" or when.day is None:
        return when.clock[:5] if "HH:MM:SS" not in description.upper() else when.clock
    day = when.day.isoformat()
    if layout:
        day = (
            layout[0]
            .upper()
            .replace("YYYY", f"{when.day.year:04}")
            .replace("MM", f"{when.day.month:02}")
            .replace("DD", f"{when.day.day:02}")
        )
    if style == "date":
        return day
    if re.search(r"HH:MM(?!:SS)", description):
        return f"{day}T{clock[:5]}"
    return f"{day}T{clock}{when.zone or 'Z'}" if style == "date-time" else day


def _iso(match: re.Match[str]) -> When | None:
    day = _day(int(match["year"]), int(match["month"]), int(match["day"]))
    if day is None:
        return None
    clock = re.sub(r"(?:Z|[+-]\d\d:?\d\d)$", "", match["clock"] or "")
    if clock and clock.count(":") == 1:
        clock += ":00"
    return When(match.start(), match.end(), day, clock, match["zone"] or "")


def _absolute(match: re.Match[str], year: int | None, today: date | None) -> When | None:
    stated = match["year"]
    if not stated and year is None:
        return None
    month = _month(match["month"])
    day = _day(int(stated or year or 0), month, int(match["day"]))
    if day and not stated and today and (today - day).days > 180:
        day = _day(day.year + 1, month, day.day)
    return When(match.start(), match.end(), day) if day else None


def _spanned(match: re.Match[str], year: int | None) -> When | None:
    stated = match["year"] or year
    day = _day(int(stated), _month(match["month"]), int(match["first"])) if stated else None
    return When(match.start(), match.end(), day) if day else None


def _slashed(match: re.Match[str]) -> When | None:
    one, two = int(match["one"]), int(match["two"])
    month, number = (two, one) if one > 12 or "." in match[0] else (one, two)
    day = _day(int(match["year"]), month, number)
    return When(match.start(), match.end(), day) if day else None


def _relative(match: re.Match[str], today: date) -> When | None:
    day: date | None = None
    if match["named"]:
        steps = {"tomorrow": 1, "yesterday": -1, "day after tomorrow": 2}
        day = today + timedelta(days=steps.get(match["named"].lower(), 0))
    elif match["weekday"] or match["plain"]:
        name = (match["weekday"] or match["plain"]).lower()[:3]
        index = next(position for position, known in enumerate(WEEKDAYS) if known.startswith(name))
        ahead = (index - today.weekday()) % 7
        which = (match["which"] or "").lower()
        if which == "last":
            ahead -= 7
        elif ahead == 0 and which in ("next", "coming"):
            ahead = 7
        day = today + timedelta(days=ahead)
    elif match["count"]:
        count = int(match["count"]) if match["count"].isdigit() else _SMALL[match["count"].lower()]
        days = {"day": 1, "week": 7, "month": 30}[match["unit"].lower()]
        day = today + timedelta(days=count * days)
    return When(match.start(), match.end(), day) if day else None


def _clock(match: re.Match[str]) -> str:
    if match["word"]:
        return "12:00:00" if match["word"].lower() == "noon" else "00:00:00"
    hour = int(match["hour"] or match["bare"])
    half = (match["half"] or match["bare_half"] or "").lower()
    if half.startswith("p") and hour < 12:
        hour += 12
    elif half.startswith("a") and hour == 12:
        hour = 0
    return f"{hour:02}:{match['minute'] or '00'}:{match['second'] or '00'}"


def _with_day(found: list[When]) -> list[When]:
    """Give the one day that is named to the times that stand alone."""
    days = {one.day for one in found if one.day is not None}
    if len(days) != 1:
        return found
    day = days.pop()
    return [
        When(one.start, one.end, day, one.clock, inferred=True) if one.day is None and one.clock else one
        for one in found
    ]


def _joined(text: str, found: list[When]) -> list[When]:
    joined: list[When] = []
    for one in found:
        before = joined[-1] if joined else None
        gap = text[before.end : one.start] if before else ""
        close = before is not None and re.fullmatch(r"[\s,]*(?:at|on|from|by)?[\s,]*", gap) is not None
        if before and close and before.day and not before.clock and one.clock and not one.day:
            joined[-1] = When(before.start, one.end, before.day, one.clock)
        elif before and close and before.clock and not before.day and one.day and not one.clock:
            joined[-1] = When(before.start, one.end, one.day, before.clock)
        else:
            joined.append(one)
    return joined


def _month(name: str) -> int:
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(name.lower()[:3]))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
