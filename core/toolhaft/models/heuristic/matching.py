"""How well a value that the text states fits a slot."""

from __future__ import annotations

import re
from typing import Any

from toolhaft.models.heuristic.dates import When
from toolhaft.models.heuristic.identifying import is_claimed, is_numbered, may_name, shape_of
from toolhaft.models.heuristic.lexicon import (
    CUES,
    DIMENSIONS,
    MAX_CUES,
    MIN_CUES,
    MONEY_WORDS,
    QUANTITY_WORDS,
    RATE_WORDS,
    STOP,
)
from toolhaft.models.heuristic.limits import checked, plain_pattern
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.scene import Scene
from toolhaft.models.heuristic.slots import PAGE_SIZES, Slot
from toolhaft.models.heuristic.words import Word, concept, split_words, stem

FULLER = 0.15
_RATES = frozenset(stem(word) for word in RATE_WORDS)
_MONEY = frozenset(stem(word) for word in MONEY_WORDS)
_CUES = {word: frozenset(stem(cue) for cue in cues) for word, cues in CUES.items()}
_QUANTITIES = frozenset(stem(word) for word in QUANTITY_WORDS)
_UNIT = stem("unit")
_FORMULAS = frozenset(
    stem(word) for word in ["function", "expression", "equation", "formula", "polynomial", "func"]
)
_MEASURES = {stem(unit): frozenset(stem(word) for word in words) for unit, words in DIMENSIONS.items()}
BEGINS = frozenset(
    stem(word)
    for word in [
        "from",
        "start",
        "begin",
        "in",
        "depart",
        "departure",
        "min",
        "after",
        "since",
        "lower",
        "origin",
        "source",
        "first",
        "low",
    ]
)
ENDS = frozenset(
    stem(word)
    for word in [
        "to",
        "end",
        "until",
        "out",
        "arrive",
        "arrival",
        "return",
        "max",
        "before",
        "upper",
        "destination",
        "target",
        "last",
        "high",
    ]
)
_LOW = frozenset(
    stem(word) for word in ["min", "minimum", "lower", "from", "start", "least", "after", "since", "above"]
)
_HIGH = frozenset(
    stem(word)
    for word in [
        "max",
        "maximum",
        "upper",
        "to",
        "end",
        "limit",
        "most",
        "before",
        "until",
        "under",
        "budget",
        "below",
    ]
)
_FILLERS = frozenset(
    [
        "the",
        "a",
        "an",
        "of",
        "is",
        "are",
        "was",
        "be",
        "to",
        "my",
        "our",
        "your",
        "=",
        ":",
        "equal",
        "equals",
        "approximately",
        "about",
        "around",
        "exactly",
    ]
)

_BASES: dict[str, dict[str, float]] = {
    "integer": {"number": 1.0, "quoted": 0.2, "id": 0.1},
    "number": {"number": 1.0, "quoted": 0.2},
    "date": {"when": 1.2, "quoted": 0.1},
    "time": {"when": 1.2, "quoted": 0.1},
    "date-time": {"when": 1.2, "quoted": 0.1},
    "email": {"email": 1.5},
    "url": {"url": 1.5},
    "phone": {"phone": 1.5, "number": 0.3, "quoted": 0.3},
    "path": {"path": 1.4, "quoted": 0.9, "url": 0.4, "entity": 0.3, "phrase": 0.2},
    "id": {"id": 1.2, "quoted": 0.6, "number": 0.35, "entity": 0.1, "email": 0.1},
    "person": {"entity": 1.0, "quoted": 0.9, "phrase": 0.3, "email": 0.1, "id": 0.3},
    "place": {"entity": 1.0, "quoted": 0.8, "phrase": 0.25},
    "free": {"quoted": 1.3, "tail": 1.2, "phrase": 0.25, "entity": 0.3},
    "query": {"quoted": 1.2, "entity": 0.8, "phrase": 0.5, "id": 0.4},
    "text": {
        "quoted": 1.1,
        "entity": 0.8,
        "phrase": 0.4,
        "id": 0.5,
        "phone": 0.5,
        "number": 0.05,
        "when": 0.1,
        "path": 0.4,
        "url": 0.2,
    },
}


def match_score(slot: Slot, mention: Mention, scene: Scene) -> float:
    """Return how well a mention fits a slot: 0 if not at all; a kind that fits and no cue gives about 1."""
    base = _base(slot, mention) * mention.weight + _fuller(slot, mention)
    if base <= 0.0 or not _fits(slot, mention):
        return 0.0
    if mention.kind == "phrase" and all(word.stem in _MEASURES for word in split_words(mention.text)):
        return 0.0
    if not _may_stand(slot, mention, scene):
        return 0.0
    cues = cue_score(slot, mention, scene)
    role = scene.roles.get(mention.start)
    if role is not None:
        cues += (
            0.8 * ((role == "low") - (role == "high")) * (bool(slot.name & BEGINS) - bool(slot.name & ENDS))
        )
    if mention.kind == "when" and mention.value.inferred and slot.kind == "date":
        base -= 0.9
    if mention.kind == "when" and mention.value.month_only:
        base -= 0.7
    if mention.kind == "when" and slot.kind == "date-time" and not mention.value.clock:
        base -= 0.5
    if slot.kind == "id":
        return _id_score(slot, mention, base, cues)
    if mention.kind == "number":
        base += _figure_score(slot, mention, scene)
    if mention.kind in ("phrase", "entity"):
        base -= 0.5 * _share_taken(mention, scene)
    if mention.kind == "entity" and mention.weight < 1.0 and cues <= 0.0:
        base -= 0.2
    return max(base + cues, 0.0)


def _may_stand(slot: Slot, mention: Mention, scene: Scene) -> bool:
    """Return whether nothing forbids a mention: figures are no identifiers and filler words no names."""
    if slot.label.lower().replace("-", "_") in PAGE_SIZES and mention.unit in _MEASURES:
        return False
    if slot.kind == "id" and mention.kind == "number":
        return not _inside_date(mention, scene) and is_numbered(slot, mention, scene)
    if slot.kind == "id" and mention.kind == "id":
        return not is_claimed(slot, mention, scene.claims)
    if slot.named and scene.writes:
        return mention.kind not in ("id", "number", "when") and may_name(mention, scene)
    return True


def _base(slot: Slot, mention: Mention) -> float:
    if mention.kind == "list":
        return 1.6 if slot.many and _holds(slot, mention.value) else 0.0
    if mention.kind == "formula":
        return 1.5 if slot.name & _FORMULAS and not slot.many else 0.0
    if _UNIT in slot.name:
        return {"unit": 1.4, "quoted": 0.8}.get(mention.kind, 0.0)
    return _BASES.get(slot.kind, {}).get(mention.kind, 0.0)


def _fuller(slot: Slot, mention: Mention) -> float:
    """Return what speaks for several words to search for, beside one."""
    return FULLER if slot.kind == "query" and mention.kind == "phrase" and " " in mention.text else 0.0


def _holds(slot: Slot, values: list[Any]) -> bool:
    kind = slot.schema.get("type")
    kinds: dict[Any, tuple[type, ...]] = {
        "integer": (int,),
        "number": (int, float),
        "string": (str,),
        "array": (list,),
    }
    return all(isinstance(one, kinds.get(kind, (object,))) for one in values)


def cue_score(slot: Slot, mention: Mention, scene: Scene) -> float:
    """Return how much the words around a mention speak for a slot."""
    score = 0.0
    distance = 0.0
    blocked = [
        other
        for other in scene.mentions
        if other.kind in ("number", "when", "quoted", "entity") and not other.overlaps(mention)
    ]
    first = True
    for word in scene.before(mention):
        if any(other.start <= word.start < other.end for other in blocked):
            distance += 2.5
            first = False
            continue
        if first and word.lower in _CUES:
            hit = _CUES[word.lower]
            score += 0.9 if slot.name & hit else (0.35 if slot.about & hit else 0.0)
        score += _word_score(slot, word, scene) / (1 + 0.4 * distance)
        if word.lower not in _FILLERS:
            distance += 1
            first = False
    distance = 0.3
    for word in scene.after(mention):
        if any(other.start <= word.start < other.end for other in blocked):
            break
        score += 0.7 * _word_score(slot, word, scene) / (1 + 0.5 * distance)
        distance += 0.2 if word.lower in _FILLERS else 1
    return min(score, 3.0)


def _word_score(slot: Slot, word: Word, scene: Scene) -> float:
    if word.stem in slot.name:
        return 1.2 * scene.weights.get(word.stem, 1.0)
    if word.lower in STOP:
        return 0.0
    if slot.kind in ("query", "person") and word.stem in scene.topic:
        return 0.6
    if len(word.stem) > 2 and concept(word.stem) in {concept(one) for one in slot.name}:
        return 0.8 * scene.weights.get(word.stem, 0.8)
    return 0.4 if word.stem in slot.about else 0.0


def _fits(slot: Slot, mention: Mention) -> bool:
    if mention.kind != "when":
        return True
    when = mention.value
    if not isinstance(when, When):
        return False
    if slot.kind in ("date", "date-time"):
        return when.day is not None
    return bool(when.clock) if slot.kind == "time" else True


def _id_score(slot: Slot, mention: Mention, base: float, cues: float) -> float:
    shapes = {shape_of(example) for example in slot.examples}
    if shapes:
        base += 0.8 if shape_of(mention.text) in shapes else -0.3
    elif plain_pattern(slot.schema.get("pattern")) is not None and checked(slot, mention.text):
        base += 0.8
    if mention.kind == "id":
        base += _initials(slot, mention)
    integer = slot.schema.get("type") in ("integer", "number")
    digits = mention.text.lstrip("#").isdigit()
    if integer and not digits:
        return 0.0
    if mention.kind == "entity" or (mention.kind == "number" and (mention.unit or not digits)):
        base *= 0.3 if cues < 0.8 else 1.0
    return max(base + cues, 0.0) if cues > 0.25 or mention.kind in ("id", "quoted") else max(base * 0.5, 0.0)


def _inside_date(mention: Mention, scene: Scene) -> bool:
    return any(other.kind == "when" and other.overlaps(mention) for other in scene.mentions)


def _initials(slot: Slot, mention: Mention) -> float:
    """Return how much the letters that an identifier begins with say for what a slot identifies."""
    match = re.match(r"[A-Za-z]{2,6}(?=[-_]?\d)", mention.text)
    if match is None or not slot.noun:
        return 0.0
    letters, noun = match[0].lower(), slot.noun[-1]
    if noun.startswith(letters):
        return 0.8
    rest = iter(noun)
    return 0.4 if noun[0] == letters[0] and all(char in rest for char in letters) else 0.0


def _figure_score(slot: Slot, mention: Mention, scene: Scene) -> float:
    year = isinstance(mention.value, int) and mention.value >= 1500
    score = _unit_score(slot, mention) if mention.unit else _year_score(slot, mention)
    if slot.name & _QUANTITIES and mention.unit not in _MEASURES and not mention.unit.isupper() and not year:
        score += 0.9 if mention.unit not in ("percent", "ordinal") else 0.0
    before = scene.text[max(0, mention.start - 16) : mention.start].lower().rstrip(" $€£")
    side = (before.endswith(MIN_CUES)) - (before.endswith(MAX_CUES))
    if side:
        score += 0.6 * side * (bool(slot.name & _LOW) - bool(slot.name & _HIGH))
    return score


def _unit_score(slot: Slot, mention: Mention) -> float:
    known = slot.name | slot.about
    if mention.unit == "percent":
        return 1.0 if known & _RATES else -0.4
    if mention.unit.isupper():
        return 0.9 if slot.name & _MONEY else (0.4 if slot.about & _MONEY else -0.3)
    if mention.unit == "ordinal":
        return -0.3
    if mention.unit in slot.name:
        return 1.2
    if mention.unit in slot.about:
        return 0.7
    if slot.name & _MEASURES.get(mention.unit, frozenset()):
        return 0.8
    return -0.2 if mention.unit in _MEASURES else 0.0


def _year_score(slot: Slot, mention: Mention) -> float:
    year = stem("year")
    if isinstance(mention.value, int) and 1500 <= mention.value <= 2200:
        return 0.9 if year in slot.name else (-0.6 if year not in slot.about else 0.3)
    return -0.6 if year in slot.name and slot.name <= {year, "start", "end", "from", "to"} else 0.0


def is_taken(mention: Mention, scene: Scene) -> bool:
    """Return whether a mention holds nothing but words that say what the tool is about."""
    return _share_taken(mention, scene) >= 1.0


def _share_taken(mention: Mention, scene: Scene) -> float:
    stems = [word.stem for word in split_words(mention.text)]
    return sum(one in scene.taken for one in stems) / len(stems) if stems else 1.0


def trimmed(slot: Slot, mention: Mention, scene: Scene) -> str:
    """Return a phrase without the words at its ends that name the slot or the tool."""
    words = list(split_words(mention.text))
    while len(words) > 1 and (
        words[-1].stem in slot.name or (words[-1].stem in scene.taken and mention.kind == "phrase")
    ):
        words.pop()
    while len(words) > 1 and words[0].stem in slot.name and mention.kind == "phrase":
        words.pop(0)
    return mention.text[words[0].start : words[-1].end] if words else mention.text
