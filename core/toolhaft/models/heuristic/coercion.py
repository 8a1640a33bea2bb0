"""A mention as the JSON value that a slot asks for."""

from __future__ import annotations

import re
from typing import Any

from toolhaft.models.heuristic.dates import When, render
from toolhaft.models.heuristic.lexicon import CURRENCIES, DAYS, FALSE_WORDS, RATE_WORDS, STOP
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.slots import Slot
from toolhaft.models.heuristic.words import concept, content_stems, name_stems, spelled_in, split_words, stem

_RATES = frozenset(stem(word) for word in RATE_WORDS)
_EMPTY_NAMES = frozenset(
    stem(word)
    for word in [
        "is",
        "has",
        "include",
        "includes",
        "including",
        "get",
        "return",
        "returns",
        "show",
        "should",
        "allow",
        "only",
        "with",
        "flag",
        "use",
        "enable",
    ]
)
_ON = frozenset({"on", "enable", "activate", "yes"})
_OFF = frozenset({"off", "disable", "deactivate", "no", "not", "don't"})
_HYPHENED = re.compile(r"\b([A-Za-z])-([a-z]{3,})")
"""``e-book`` is one word, and no book."""
_HOWS = {
    "asc": ("cheapest", "lowest", "ascending", "smallest", "oldest"),
    "desc": ("highest", "descending", "newest", "largest"),
}


def as_value(slot: Slot, mention: Mention, raw: str | None = None) -> Any:
    """Return the value of a mention in the slot's type, or None if it has none.

    Args:
        slot: What asks for the value.
        mention: What the text states.
        raw: The text to take for a string, in place of the mention's own.
    """
    kind = slot.schema.get("type")
    if kind in ("integer", "number"):
        return _figure(slot, mention, str(kind))
    if slot.kind in ("date", "time", "date-time") and isinstance(mention.value, When):
        description = str(slot.schema.get("description") or "")
        return render(mention.value, style=slot.kind, description=description) or None
    if (
        isinstance(mention.value, When)
        and slot.schema.get("type") == "string"
        and mention.value.clock
        and not mention.value.day
    ):
        return mention.text
    if slot.kind == "id" and mention.kind == "number":
        return mention.text.lstrip("#")
    if isinstance(mention.value, list):
        return None
    return (raw if raw is not None else mention.text).strip() or None


def _figure(slot: Slot, mention: Mention, kind: str) -> Any:
    value = mention.value
    if isinstance(value, str):
        text = value.lstrip("#").replace(",", "")
        if not re.fullmatch(r"-?\d{1,18}(?:\.\d{1,12})?", text):
            return None
        value = float(text) if "." in text else int(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if (
        mention.unit in DAYS
        and mention.unit != "day"
        and stem("day") in slot.name
        and mention.unit not in slot.name
    ):
        value *= DAYS[mention.unit]
    if mention.unit == "percent" and kind == "number":
        description = str(slot.schema.get("description") or "").lower()
        whole = "percent" in description or "%" in description or (slot.schema.get("maximum") or 0) > 1
        if ("decimal" in description or not whole) and (slot.name | slot.about) & _RATES:
            value = round(value / 100, 10)
    if kind == "integer":
        return int(value) if float(value).is_integer() else None
    return value


def choose_enum(slot: Slot, text: str) -> Any:
    """Return the choice that the text names: by its own spelling, else its stems, else a synonym; or None."""
    choices = slot.schema.get("enum")
    if not isinstance(choices, list):
        return slot.schema.get("const")
    words = split_words(text)
    stems = {part for word in words for part in (word.stem, *name_stems(word.text))}
    concepts = {concept(one) for one in stems}
    best: tuple[float, Any] = (0.0, None)
    for choice in choices[:200]:
        if not isinstance(choice, str):
            if (
                isinstance(choice, int)
                and not isinstance(choice, bool)
                and spelled_in(str(choice), text) >= 0
            ):
                best = max(best, (1.0, choice), key=lambda pair: pair[0])
            continue
        score = _choice_score(choice, text, stems, concepts)
        if score > best[0]:
            best = (score, choice)
    return best[1]


def _choice_score(choice: str, text: str, stems: set[str], concepts: set[str]) -> float:
    plain = choice.replace("_", " ").replace("-", " ")
    if choice in STOP:
        return 0.0
    text = _HYPHENED.sub(r"\1\2", text)
    if (
        spelled_in(choice, text) >= 0
        or spelled_in(plain, text) >= 0
        or spelled_in(plain.replace(" ", "-"), text) >= 0
    ):
        return (
            3.0 + min(len(choice), 50) / 50
            if len(choice) > 2 or re.search(rf"\b{re.escape(choice)}\b", text)
            else 0.0
        )
    parts = name_stems(choice)
    if parts and all(one in stems for one in parts):
        return 2.0 + len(parts) / 10
    if parts and len(parts[0]) > 2 and all(concept(one) in concepts for one in parts):
        return 1.5
    if choice.lower() in _HOWS and any(word in text.lower() for word in _HOWS[choice.lower()]):
        return 1.2
    money = {
        code
        for word, code in CURRENCIES.items()
        if (word in text if not word.isalpha() else spelled_in(word, text) >= 0)
    }
    return 1.0 if choice in money else 0.0


def decide_boolean(slot: Slot, clause: str) -> bool | None:
    """Return what the clause says about a switch, or None if it says nothing."""
    telling = slot.name - _EMPTY_NAMES
    if not telling:
        return None
    words = split_words(clause)
    for place, word in enumerate(words):
        if word.stem not in telling and not set(name_stems(word.text)) & telling:
            continue
        have = {other.stem for other in words[max(0, place - 5) : place + 6]}
        if len(telling & have) * 2 <= len(telling) and len(telling) > 1:
            continue
        before = [other.lower for other in words[max(0, place - 4) : place]]
        return not any(other in FALSE_WORDS for other in before)
    return None


def fallback_boolean(slot: Slot, clause: str) -> bool:
    """Return a value for a switch that must be given: on or off, else what its name's words suggest."""
    words = {word.lower for word in split_words(clause)}
    if words & _OFF:
        return False
    if words & _ON:
        return True
    return bool(slot.name & set(content_stems(clause)))
