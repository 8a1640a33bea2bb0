"""The last message: what was found and done, in the words of the observations."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from toolhaft.models.heuristic.choosing import bounds_of, choose, deciding_key, sort_value, superlative_of
from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.outcome import Outcome
from toolhaft.models.heuristic.readings import Reading, Record, total_of
from toolhaft.models.heuristic.slots import Slot
from toolhaft.models.heuristic.words import concept, content_stems, name_stems, name_words

FIELD_CAP = 14
RECORD_CAP = 8
TEXT_CAP = 1200
WHOLE = 4
"""Fields that what stands beside a list needs to be told whole: it is a thing with a list, and no page."""
_ID_WORDS = ("id", "ids", "identifier", "uuid")
_ASKED = {
    "id": "Which {words} do you mean?",
    "date": "On which day is it to be ({words})?",
    "date-time": "When is it to be ({words})?",
    "time": "At what time is it to be ({words})?",
    "integer": "How many or how much ({words}) is it to be?",
    "number": "How much ({words}) is it to be?",
    "email": "Which e-mail address ({words}) should I use?",
    "person": "Who is it ({words})?",
    "place": "Where is it ({words})?",
    "free": "What should it say ({words})?",
}
_EXISTS = re.compile(
    r"^\W*(?:(?:and|so|please|tell me|check|see)\W+)*(?:(?:if|whether)\W+)?"
    r"(?:is|are|was|were|do|does|did|has|have|how many|how much|how often)\b",
    re.IGNORECASE,
)
_INSTANT = re.compile(r"\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d)")
_NAMES = ("name", "title", "subject", "summary", "label", "full_name", "id")


def compose(
    goals: Sequence[Goal], outcomes: Sequence[Outcome], text: str, mentions: Sequence[Mention]
) -> str:
    """Return the answer; it ends with a question if something only the user can know is missing."""
    lines: list[str] = []
    question = ""
    for goal, outcome in zip(goals, outcomes, strict=True):
        if outcome.status == "done":
            line = _reported(goal, outcome, text, mentions)
        elif outcome.status == "missing" and outcome.slot is not None and outcome.entry is not None:
            question = question or ask_for(outcome.slot, goal)
            continue
        elif outcome.status == "empty":
            line = f"Nothing was found for: {_short(goal)}."
        elif outcome.avoided:
            line = f"This could not be done: {_short(goal)}. Nothing else is left to try."
        elif outcome.status == "failed":
            line = f"This could not be done: {_short(goal)}. The tool said: {outcome.reason[:300]}"
        else:
            line = f"None of the offered tools can do this: {_short(goal)}."
        if line and line not in lines:
            lines.append(line)
    if question:
        lines.append(question)
    return "\n".join(lines) or "None of the offered tools can do this."


def gives_up(goals: Sequence[Goal], outcomes: Sequence[Outcome]) -> bool:
    """Return whether an answer says that something could not be done.

    That nothing was found is an answer to whether, or how many, there are; a question that no tool is for
    beside others that were answered is no reason to start over.
    """
    if any(one.status == "missing" for one in outcomes):
        return False
    done = any(one.status == "done" for one in outcomes)
    for goal, outcome in zip(goals, outcomes, strict=True):
        if outcome.status == "failed" or (outcome.status == "empty" and _EXISTS.match(goal.text) is None):
            return True
        if outcome.status == "none" and not (done and goal.intent in ("read", "any")):
            return True
    return False


def ask_for(slot: Slot, goal: Goal) -> str:
    """Return a question for a value that is missing."""
    words = " ".join(word for word in name_words(slot.label) if word not in _ID_WORDS)
    words = words or " ".join(slot.noun) or slot.label
    description = str(slot.schema.get("description") or "").strip().rstrip(".")[:160]
    more = f" ({description})" if description and description.lower() != words else ""
    asked = _ASKED.get(slot.kind, f"Which {words} should I use?")
    return f"To do this ({_short(goal)}) I need the {words}{more}. {asked.format(words=words)}"


def _short(goal: Goal) -> str:
    text = " ".join(goal.text.split()).strip(" ,.;?!")
    return text if len(text) <= 160 else f"{text[:157]}..."


def _reported(goal: Goal, outcome: Outcome, text: str, mentions: Sequence[Mention]) -> str:
    if outcome.entry is not None and outcome.entry.intent != "read" and goal.intent != "read":
        parts = [_done_line(reading) for reading in outcome.readings]
        return "\n".join(dict.fromkeys(parts))
    readings = outcome.readings
    records = [record for reading in readings for record in reading.records]
    if not records:
        return " ".join(_plain(reading.value)[:TEXT_CAP] for reading in readings)
    listed = [record for record in records if record.listed]
    if not listed:
        return "\n".join(_record_line(record, goal) for record in records[:RECORD_CAP])
    return _from_list(goal, readings, records, listed, text, mentions)


def _done_line(reading: Reading) -> str:
    given = ", ".join(f"{key} {_plain(value)}" for key, value in _flat(reading.call.arguments))
    words = " ".join(name_words(reading.call.name))
    said = ""
    if reading.records:
        said = "; ".join(
            f"{_label(key)} {_plain(value)}"
            for key, value in list(reading.records[0].fields.items())[:FIELD_CAP]
        )
    elif reading.value not in (None, ""):
        said = _plain(reading.value)[:TEXT_CAP]
    return f"Done: {words} ({given}). {said}".strip() if given else f"Done: {words}. {said}".strip()


def _from_list(
    goal: Goal,
    readings: Sequence[Reading],
    records: Sequence[Record],
    listed: Sequence[Record],
    text: str,
    mentions: Sequence[Mention],
) -> str:
    inside = [one for one in mentions if goal.start <= one.start < goal.end]
    bounds = bounds_of(text, mentions, goal.start, goal.end)
    chosen, evidence = choose(_main_records(listed), goal.text, inside, bounds)
    lines: list[str] = []
    low = goal.text.lower()
    if "how many" in low or "number of" in low or low.startswith("count"):
        stated = total_of(readings[-1].value) if evidence < 0.3 and not bounds else None
        lines.append(f"Count: {stated if stated is not None else len(chosen)}.")
    if re.search(r"\b(?:total|sum|altogether|in all|average|mean)\b", low):
        lines.extend(_sums(goal, chosen, low))
    top = [record for record in records if not record.listed]
    if top and len(top[0].fields) >= WHOLE:
        lines.append(_record_line(top[0], goal))
    elif top and (relevant := _relevant(top[0], goal)):
        lines.append("; ".join(f"{_label(key)}: {_plain(value)}" for key, value in relevant))
    limit = 1 if superlative_of(goal.text) and evidence >= 1.0 else RECORD_CAP
    lines.extend(_record_line(record, goal) for record in chosen[:limit])
    if len(chosen) > limit > 1:
        lines.append(f"and {len(chosen) - limit} more")
    return "\n".join(lines)


def _main_records(listed: Sequence[Record]) -> list[Record]:
    """Return the records of the kind that stands first, without those inside them."""
    noun = listed[0].noun
    same = [record for record in listed if record.noun == noun]
    return same or list(listed)


def _sums(goal: Goal, records: Sequence[Record], low: str) -> list[str]:
    key = deciding_key(records, frozenset(content_stems(goal.text)))
    if key is None:
        numeric = [
            one for one in (records[0].fields if records else {}) if isinstance(records[0].fields[one], float)
        ]
        key = numeric[0] if numeric else None
    values = [
        value for record in records if key and isinstance(value := sort_value(record.fields.get(key)), float)
    ]
    if not values or key is None:
        return []
    total = round(sum(values), 6)
    if "average" in low or "mean" in low:
        return [f"Average {_label(key)}: {_figure(round(total / len(values), 4))}."]
    return [f"Total {_label(key)}: {_figure(total)}."]


def _figure(value: float) -> str:
    return str(int(value)) if value.is_integer() else f"{value:.6f}".rstrip("0")


def _relevant(record: Record, goal: Goal) -> list[tuple[str, Any]]:
    asked = {concept(one) for one in content_stems(goal.text)}
    return [
        (key, value)
        for key, value in record.fields.items()
        if value is not None and {concept(one) for one in name_stems(key)} & asked
    ][:FIELD_CAP]


def _record_line(record: Record, goal: Goal) -> str:
    if set(record.fields) == {"value"}:
        return _plain(record.fields["value"])
    first = {key: value for key in _NAMES if (value := record.fields.get(key)) not in (None, "")}
    asked = dict(_relevant(record, goal))
    rest = {key: value for key, value in record.fields.items() if value not in (None, "")}
    ordered = {**dict(list(first.items())[:1]), **asked, **rest}
    return "; ".join(f"{_label(key)}: {_plain(value)}" for key, value in list(ordered.items())[:FIELD_CAP])


def _label(key: str) -> str:
    return " ".join(word for part in key.split(".") for word in name_words(part)) or key


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return _INSTANT.sub(r"\1 \2", " ".join(value.split())[:600])
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return ", ".join(str(one) for one in value[:20])
    if isinstance(value, int | float):
        return str(value)
    return json.dumps(value, ensure_ascii=False)[:600]


def _flat(arguments: dict[str, Any], prefix: str = "", depth: int = 0) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in list(arguments.items())[:20]:
        if isinstance(value, dict) and depth < 4:
            found.extend(_flat(value, prefix, depth + 1))
        else:
            found.append((_label(str(key)), value))
    return found
