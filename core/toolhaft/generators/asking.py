"""What a user may want to know of a result, and how an answer says it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from random import Random
from typing import Any

from toolhaft.generators.drafts import Asked, Proved
from toolhaft.generators.schemas import is_identifier, singular, words_of

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_LONGEST = 80
_NAMES = ("name", "title", "subject", "summary", "headline", "label", "text", "description")
_MOST_NAMED = 4
_MOST_TOLD = 3
_NO_THINGS = frozenset(
    {"items", "results", "entries", "values", "records", "rows", "hits", "objects", "matches"}
)
_DATES = {
    "created": "creation date",
    "updated": "date of the last change",
    "modified": "date of the last change",
    "changed": "date of the last change",
    "opened": "opening date",
    "closed": "closing date",
    "started": "start date",
    "ended": "end date",
    "joined": "date of joining",
}
_WEEKDAYS = frozenset({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"})
_UNITS = {
    "kb": "kB",
    "mb": "MB",
    "g": "grams",
    "kg": "kilograms",
    "m": "metres",
    "km": "kilometres",
    "mm": "millimetres",
    "cm": "centimetres",
    "c": "degrees Celsius",
    "kmh": "kilometres an hour",
    "seconds": "seconds",
    "minutes": "minutes",
    "hours": "hours",
    "days": "days",
    "percent": "percent",
}
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def ask_of(result: Any, arguments: Mapping[str, Any], random: Random) -> Asked | None:
    """Return what to ask of a read's result, or None if it holds nothing that an answer could be checked by.

    Args:
        result: As JSON.
        arguments: Of the call: what the user said is no news.
        random: Draws the fields.
    """
    given = {str(value) for value in arguments.values()}
    listed = _listed(result)
    if listed:
        names = [name for item in listed if (name := _name_of(item)) is not None]
        names = list(dict.fromkeys(names))
        of = _things_of(result)
        if len(names) < len(listed) or not names:
            return None
        if len(names) <= _MOST_NAMED:
            return Asked(form="names", labels=of, facts=tuple(map(_fact, names)), said=tuple(names))
        return Asked(form="first", labels=of, facts=(_fact(names[0]),), said=(names[0],))
    if listed is not None or not isinstance(result, dict):
        return None
    told = [(_asked_as(label, value), value) for label, value in _tellable(result) if str(value) not in given]
    if not told:
        return None
    chosen = random.sample(told, min(len(told), random.choice((1, 1, 2))))
    return Asked(
        form="fields",
        labels=tuple(label for label, _ in chosen),
        facts=tuple(_fact(value) for _, value in chosen),
        said=tuple(str(value) for _, value in chosen),
    )


def answer_to(proved: Proved) -> str:
    """Return an answer that cites the results, as plain as can be."""
    parts = []
    for position, planned in enumerate(proved.draft.steps):
        asked = proved.asked[position] if position < len(proved.asked) else None
        if asked is not None:
            parts.append(_told(asked))
        elif planned.spec.effect != "read" and position < len(proved.results):
            parts.append(_done(proved.results[position]))
    return " ".join(part for part in parts if part) or "It is done."


def spoken_day(day: str, *, american: bool = False) -> str:
    """Return a day in ISO 8601 as people write it: ``5 June 2026``, or ``June 5, 2026``."""
    when = date.fromisoformat(day)
    month = MONTHS[when.month - 1]
    return f"{month} {when.day}, {when.year}" if american else f"{when.day} {month} {when.year}"


def label_of(path: tuple[str, ...]) -> str:
    """Return a place in a result in words."""
    if len(path) == 2 and path[1].isupper():  # ``rates`` by currency
        words = words_of(path[0])
        return " ".join([*words[:-1], *map(singular, words[-1:]), "for", path[1]])
    words = []
    for part in path:
        words += [word for word in words_of(part) if word not in words]
    words = [word.capitalize() if word in _WEEKDAYS else word for word in words]
    if len(words) > 1 and words[-1] == "amount":
        words = words[:-1]
    if len(words) > 1 and words[-1] in _UNITS:
        before = " ".join(words[:-1])
        counted = f"amount {before}" if before in ("used", "left", "spent", "free") else before
        return f"{counted} in {_UNITS[words[-1]]}"
    return " ".join(words)


def _asked_as(label: str, value: Any) -> str:
    """Return a label as a thing that can be asked for: what is ``opened`` on a day is the opening date."""
    *before, last = label.split(" ")
    if isinstance(value, str) and _DAY.fullmatch(value) and last not in ("date", "day", "birthday", "since"):
        if last in _DATES:
            return " ".join([*before, _DATES[last]])
        return f"date it was {label}" if label.endswith("ed") else f"{label} date"
    if last == "at" and before:
        return f"time it was {' '.join(before)}"
    if last in ("spent", "left", "paid", "used", "free") and not isinstance(value, str):
        return f"amount {label}"
    if last.endswith(("ed", "like")) or last in ("overdue", "open"):
        return f"number of {label} ones" if isinstance(value, int) else f"{label} value"
    counted = isinstance(value, int) and " in " not in label and singular(last) != last
    counted = counted and not {"most", "least", "max", "min", "maximum", "minimum"} & set(before)
    return f"number of {label}" if counted else label


def _things_of(result: Any) -> tuple[str, ...]:
    """Return what the things in a list are called, where the result says so."""
    lists = (
        [name for name, value in result.items() if isinstance(value, list)]
        if isinstance(result, dict)
        else []
    )
    label = label_of((lists[0],)) if len(lists) == 1 else ""
    known = label and singular(label.rsplit(" ", maxsplit=1)[-1]) != label.rsplit(" ", maxsplit=1)[-1]
    return (label,) if known and label not in _NO_THINGS else ()


def _told(asked: Asked) -> str:
    if asked.form == "fields":
        pairs = zip(asked.labels, asked.said, strict=True)
        return " ".join(f"The {label} {_is(label)} {_ended(value)}" for label, value in pairs)
    if asked.form == "first":
        return f"The first one is {_ended(asked.said[0])}"
    *others, last = [f'"{name}"' if name.endswith((".", "!", "?")) else name for name in asked.said]
    listed = f"{', '.join(others)} and {last}" if others else last
    return f"There {'is' if len(asked.said) == 1 else 'are'} {len(asked.said)}: {_ended(listed)}"


def _done(result: Any) -> str:
    if not isinstance(result, dict):
        return "It is done."
    told = [f"{label} {value}" for label, value in _tellable(result, identifiers=True)][:_MOST_TOLD]
    return f"It is done: {_ended(', '.join(told))}" if told else "It is done."


def _is(label: str) -> str:
    """Return the verb that goes with a label: ``stars`` are, ``status`` is."""
    return "are" if singular(label.rsplit(" ", maxsplit=1)[-1]) != label.rsplit(" ", maxsplit=1)[-1] else "is"


def _ended(text: str) -> str:
    """Return a text that ends as a sentence does."""
    if text.endswith('."'):
        return text
    if text.endswith("?"):
        return f'"{text}".'  # told, and not asked
    return text if text.endswith((".", "!")) else f"{text}."


def _listed(result: Any) -> list[Any] | None:
    """Return the list that a result is or holds as its main part; None if it is a thing of its own."""
    if isinstance(result, list):
        return result
    if isinstance(result, dict):
        lists = [value for value in result.values() if isinstance(value, list)]
        if len(lists) == 1 and (not lists[0] or isinstance(lists[0][0], dict)):
            return lists[0] if _is_page(result) else None
    return None


def _is_page(result: Mapping[str, Any]) -> bool:
    """Whether a result is little more than its list: a count, a cursor, what was asked for."""
    return sum(not isinstance(value, list) for value in result.values()) <= 3


def _name_of(item: Any) -> str | None:
    if isinstance(item, str):
        return item if 0 < len(item) <= _LONGEST and "|" not in item else None
    if not isinstance(item, dict):
        return None
    for name in _NAMES:
        if isinstance(value := item.get(name), str) and 0 < len(value) <= _LONGEST and "|" not in value:
            return value
    for name, value in item.items():
        if is_identifier(name, {"type": "string"}) and isinstance(value, str) and 0 < len(value) <= _LONGEST:
            return value
    return None


def _tellable(result: Mapping[str, Any], *, identifiers: bool = False) -> Iterator[tuple[str, Any]]:
    """Iterate over the fields of a result that can be said in a word, one level down at most."""
    for name, value in result.items():
        parts = value.items() if isinstance(value, dict) else [("", value)]
        for inner, part in parts:
            path = (name, inner) if inner else (name,)
            if not identifiers and is_identifier(path[-1], {"type": "string"}):
                continue
            if isinstance(part, bool) or not isinstance(part, str | int | float) or part == "":
                continue
            if any(word.isdigit() for word in words_of(path[-1])):  # no name that anybody would say
                continue
            if len(str(part)) <= _LONGEST and "|" not in str(part) and "\n" not in str(part):
                yield label_of(path), part


def _fact(value: Any) -> str:
    """Return a value as a fact, with the other ways to say a day."""
    text = str(value)
    if _DAY.fullmatch(text):
        try:
            when = date.fromisoformat(text)
        except ValueError:
            return text
        month = MONTHS[when.month - 1]
        return f"{text}|{when.day} {month}|{month} {when.day}"
    return text


def noun_of(argument: str) -> str:
    """Return what an identifying argument is of: ``booking_id`` is of a booking."""
    words = words_of(argument)
    if len(words) > 1 and words[-1] in ("id", "ids", "number", "code", "key", "uuid"):
        words = [*words[:-2], singular(words[-2])]
    return " ".join(words)
