"""Arguments mended from what an error says about them."""

from __future__ import annotations

import re
from typing import Any

from toolhaft.models.heuristic.coercion import choose_enum
from toolhaft.models.heuristic.dates import find_dates
from toolhaft.models.heuristic.ranking import Entry
from toolhaft.models.heuristic.readings import Reading
from toolhaft.models.heuristic.slots import Path, Slot
from toolhaft.models.heuristic.words import name_stems, stem

_WRONG = re.compile(
    r"ARGUMENTS|INVALID|VALIDATION|SCHEMA|\b4(?:00|22)\b|"
    r"invalid|must be|required|expected|not one of|unprocessable",
)
_MISSING = re.compile(r"\b404\b|\b(?:not found|does not exist|unknown|no such|there is no)\b", re.IGNORECASE)
_CHOICES = re.compile(
    r"(?:one of|allowed(?: values)?(?: are)?|choose from|expected|enum|valid (?:values|options)(?: are)?|"
    r"must be)\W{0,4}"
    r"(\[[^\]]{1,400}\]|['\"][^\n]{1,300})",
    re.IGNORECASE,
)


def is_missing(reading: Reading) -> bool:
    """Return whether an error says that nothing is there under an identifier."""
    return _MISSING.search(reading.message[:600]) is not None


def is_argument_error(reading: Reading) -> bool:
    """Return whether an error speaks of the arguments and not of the world."""
    return _WRONG.search(reading.code) is not None or _WRONG.search(reading.message[:600]) is not None


def mend(entry: Entry, values: dict[Path, Any], reading: Reading, clause: str) -> dict[Path, Any] | None:
    """Return other values that may pass, or None if the error gives no way to mend them.

    Tried in this order for the slots that the message names: a choice it lists, a bound it gives, another
    type, another layout of a date, and leaving out what need not be given.
    """
    message = reading.message[:2000]
    for slot in blamed(entry, values, message):
        if slot.path not in values:
            continue
        value = _another(values[slot.path], message, clause)
        if value is not None and value != values[slot.path]:
            return {**values, slot.path: value}
        if not slot.required:
            return {path: one for path, one in values.items() if path != slot.path}
    return None


def blamed(entry: Entry, values: dict[Path, Any], message: str) -> list[Slot]:
    """Return the slots that a message speaks of, those named in full first."""
    low = message.lower()
    exact = [
        slot for slot in entry.slots if re.search(rf"(?<![\w]){re.escape(slot.label.lower())}(?![\w])", low)
    ]
    quoted = [
        slot
        for slot in entry.slots
        if slot not in exact
        and isinstance(value := values.get(slot.path), str)
        and len(value) > 1
        and value.lower() in low
    ]
    return exact + quoted


def wanted_slots(entry: Entry, reading: Reading) -> list[Slot]:
    """Return the slots that an error says are missing."""
    found = re.findall(
        r"['\"`]?([\w.\-]{1,60})['\"`]? (?:is (?:a )?required|is missing|are required)",
        reading.message[:1000],
    )
    found += re.findall(
        r"(?:missing|required)[^'\"`\n]{0,40}['\"`]([\w.\-]{1,60})['\"`]", reading.message[:1000]
    )
    names = {tuple(name_stems(one.rpartition(".")[2])) for one in found}
    return [slot for slot in entry.slots if tuple(name_stems(slot.label)) in names]


def _another(value: Any, message: str, clause: str) -> Any:
    listed = _CHOICES.search(message)
    if listed:
        choices = [
            one for pair in re.findall(r"'([^']{1,60})'|\"([^\"]{1,60})\"", listed[1]) for one in pair if one
        ]
        choices = choices or [part.strip() for part in listed[1].strip("[]").split(",") if part.strip()]
        chosen = _closest(choices, value, clause)
        if chosen is not None:
            return chosen
    bound = re.search(
        r"(?:>=|at least|minimum(?: of)?|greater than or equal to)\s*(-?\d+(?:\.\d+)?)", message
    )
    limit = re.search(r"(?:<=|at most|maximum(?: of)?|less than or equal to)\s*(-?\d+(?:\.\d+)?)", message)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if bound and value < float(bound[1]):
            return type(value)(float(bound[1]))
        if limit and value > float(limit[1]):
            return type(value)(float(limit[1]))
        return str(value) if "string" in message.lower() else None
    if isinstance(value, str):
        return _retyped(value, message)
    return None


def _closest(choices: list[str], value: Any, clause: str) -> str | None:
    if not choices:
        return None
    stand_in = Slot((), {"enum": choices}, "enum", False, True, frozenset(), frozenset())
    said = choose_enum(stand_in, f"{value}")
    said = said if said is not None else choose_enum(stand_in, clause)
    return said if isinstance(said, str) else None


def _retyped(value: str, message: str) -> Any:
    low = message.lower()
    if re.search(r"\b(?:integer|number|numeric)\b", low) and re.fullmatch(
        r"\D{0,3}(-?\d{1,15})\D{0,3}", value
    ):
        return int(re.sub(r"[^\d-]", "", value))
    if "yyyy-mm-dd" in low or stem("date") in low:
        day = next((one.day for one in find_dates(value, None) if one.day), None)
        if day is not None and day.isoformat() != value:
            return day.isoformat()
    if re.search(r"\b(?:upper ?case|capital)", low) and value != value.upper():
        return value.upper()
    if re.search(r"\blower ?case\b", low) and value != value.lower():
        return value.lower()
    return None
