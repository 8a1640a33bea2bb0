"""How well a value that the text states fits a slot."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from toolhaft.models.heuristic.dates import When
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
from toolhaft.models.heuristic.mentions import Mention
from toolhaft.models.heuristic.slots import Slot
from toolhaft.models.heuristic.words import Word, concept, name_stems, split_words, stem

_RATES = frozenset(stem(word) for word in RATE_WORDS)
_MONEY = frozenset(stem(word) for word in MONEY_WORDS)
_CUES = {word: frozenset(stem(cue) for cue in cues) for word, cues in CUES.items()}
_QUANTITIES = frozenset(stem(word) for word in QUANTITY_WORDS)
_UNIT = stem("unit")
_FORMULAS = frozenset(stem(word) for word in "function expression equation formula polynomial func".split())
_MEASURES = {stem(unit): frozenset(stem(word) for word in words) for unit, words in DIMENSIONS.items()}
BEGINS = frozenset(
    stem(word)
    for word in "from start begin in depart departure min after since lower origin source first low".split()
)
ENDS = frozenset(
    stem(word)
    for word in "to end until out arrive arrival return max before upper destination target last high".split()
)
_LOW = frozenset(stem(word) for word in "min minimum lower from start least after since above".split())
_HIGH = frozenset(
    stem(word) for word in "max maximum upper to end limit most before until under budget below".split()
)
_FILLERS = frozenset(
    "the a an of is are was be to my our your = : equal equals approximately about around exactly".split()
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


@dataclass(frozen=True, slots=True)
class Scene:
    """A text with the values it states, as one tool's slots see it.

    Attributes:
        taken: Stems of the tool's own name and description: what names the tool is seldom a value.
        weights: How telling a name stem is among the tool's slots, in (0, 1].
        topic: Stems of the tool's nouns: ``the contact Ann`` names what a search for contacts is to find.
        roles: ``low`` for the first and ``high`` for the second of a range, by place in the text.
    """

    text: str
    mentions: tuple[Mention, ...]
    taken: frozenset[str]
    weights: dict[str, float]
    words: tuple[Word, ...] = field(default=())
    topic: frozenset[str] = frozenset()
    roles: dict[int, str] = field(default_factory=dict)

    def before(self, mention: Mention, n: int = 7) -> list[Word]:
        """Return up to n words before a mention, the nearest first, none from another sentence."""
        found: list[Word] = []
        edge = mention.start
        for word in reversed(self.words):
            if word.end > mention.start:
                continue
            if len(found) >= n or re.search(r"[.;?!\n](?:\s|$)", self.text[word.end : edge]):
                break
            found.append(word)
            edge = word.start
        return found

    def after(self, mention: Mention, n: int = 4) -> list[Word]:
        """Return up to n words after a mention, none beyond a comma, ``and`` or the sentence."""
        found: list[Word] = []
        edge = mention.end
        for word in self.words:
            if word.start < mention.end:
                continue
            if (
                len(found) >= n
                or word.lower in ("and", "or")
                or re.search(r"[,.;?!\n]", self.text[edge : word.start])
            ):
                break
            found.append(word)
            edge = word.end
        return found


def scene_of(
    text: str,
    mentions: tuple[Mention, ...],
    slots: tuple[Slot, ...],
    taken: frozenset[str],
    topic: frozenset[str] = frozenset(),
) -> Scene:
    """Return a scene for the slots of one tool."""
    counts: dict[str, int] = {}
    for slot in slots:
        for one in slot.name:
            counts[one] = counts.get(one, 0) + 1
    weights = {one: 1.0 / count for one, count in counts.items()}
    return Scene(text, mentions, taken, weights, split_words(text), topic, _roles(text, mentions))


def _roles(text: str, mentions: tuple[Mention, ...]) -> dict[int, str]:
    roles: dict[int, str] = {}
    for kind in ("when", "number", "entity", "unit"):
        same = [mention for mention in mentions if mention.kind == kind]
        for one, two in zip(same, same[1:], strict=False):
            before = text[max(0, one.start - 12) : one.start].lower()
            gap = text[one.end : two.start].lower().strip(" ,")
            opened = re.search(r"\b(?:from|between|starting(?: on| at)?)\s+(?:the )?\W?$", before)
            if (opened and re.match(r"(?:\w+\s)?(?:to|until|till|through|and|-|–)\b|[-–]$", gap)) or (
                kind == "when" and gap in ("to", "until", "till", "-", "–", "through")
            ):
                roles[one.start], roles[two.start] = "low", "high"
    return roles


def match_score(slot: Slot, mention: Mention, scene: Scene) -> float:
    """Return how well a mention fits a slot: 0 if not at all; a kind that fits and no cue gives about 1."""
    base = _base(slot, mention) * mention.weight
    if base <= 0.0 or not _fits(slot, mention):
        return 0.0
    if mention.kind == "phrase" and all(word.stem in _MEASURES for word in split_words(mention.text)):
        return 0.0
    cues = cue_score(slot, mention, scene)
    role = scene.roles.get(mention.start)
    if role is not None:
        cues += (
            0.8 * ((role == "low") - (role == "high")) * (bool(slot.name & BEGINS) - bool(slot.name & ENDS))
        )
    if mention.kind == "when" and mention.value.inferred and slot.kind == "date":
        base -= 0.9
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


def _base(slot: Slot, mention: Mention) -> float:
    if mention.kind == "list":
        return 1.6 if slot.many and _holds(slot, mention.value) else 0.0
    if mention.kind == "formula":
        return 1.5 if slot.name & _FORMULAS and not slot.many else 0.0
    if _UNIT in slot.name:
        return {"unit": 1.4, "quoted": 0.8}.get(mention.kind, 0.0)
    return _BASES.get(slot.kind, {}).get(mention.kind, 0.0)


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
    shapes = {_shape(example) for example in slot.examples}
    if shapes:
        base += 0.8 if _shape(mention.text) in shapes else -0.3
    elif plain_pattern(slot.schema.get("pattern")) is not None and checked(slot, mention.text):
        base += 0.8
    integer = slot.schema.get("type") in ("integer", "number")
    digits = mention.text.lstrip("#").isdigit()
    if integer and not digits:
        return 0.0
    if mention.kind == "entity" or (mention.kind == "number" and (mention.unit or not digits)):
        base *= 0.3 if cues < 0.8 else 1.0
    return max(base + cues, 0.0) if cues > 0.25 or mention.kind in ("id", "quoted") else max(base * 0.5, 0.0)


def _shape(text: str) -> str:
    return re.sub(r"[0-9]+", "9", re.sub(r"[a-z]+", "a", re.sub(r"[A-Z]+", "A", text.lstrip("#")[:60])))


def _figure_score(slot: Slot, mention: Mention, scene: Scene) -> float:
    score = 0.0
    known = slot.name | slot.about
    year = isinstance(mention.value, int) and mention.value >= 1500
    if slot.name & _QUANTITIES and mention.unit not in _MEASURES and not mention.unit.isupper() and not year:
        score += 0.9 if mention.unit not in ("percent", "ordinal") else 0.0
    if mention.unit:
        if mention.unit == "percent":
            score += 1.0 if known & _RATES else -0.4
        elif mention.unit.isupper():
            score += 0.9 if slot.name & _MONEY else (0.4 if slot.about & _MONEY else -0.3)
        elif mention.unit == "ordinal":
            score -= 0.3
        elif mention.unit in slot.name:
            score += 1.2
        elif mention.unit in slot.about:
            score += 0.7
        elif slot.name & _MEASURES.get(mention.unit, frozenset()):
            score += 0.8
        elif mention.unit in _MEASURES:
            score -= 0.2
    elif isinstance(mention.value, int) and 1500 <= mention.value <= 2200:
        score += 0.9 if stem("year") in slot.name else (-0.6 if stem("year") not in slot.about else 0.3)
    elif stem("year") in slot.name and slot.name <= {stem("year"), "start", "end", "from", "to"}:
        score -= 0.6
    before = scene.text[max(0, mention.start - 16) : mention.start].lower().rstrip(" $€£")
    if before.endswith(MIN_CUES):
        score += 0.6 if slot.name & _LOW else (-0.6 if slot.name & _HIGH else 0.0)
    elif before.endswith(MAX_CUES):
        score += 0.6 if slot.name & _HIGH else (-0.6 if slot.name & _LOW else 0.0)
    return score


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


def checked(slot: Slot, value: Any) -> bool:
    """Return whether a value keeps to the slot's bounds, lengths and (where it is plain) pattern."""
    schema = slot.schema
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int | float):
        low, high = schema.get("minimum"), schema.get("maximum")
        above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
        return not (
            (_is_number(low) and value < low)
            or (_is_number(high) and value > high)
            or (_is_number(above) and value <= above)
            or (_is_number(below) and value >= below)
        )
    if isinstance(value, str):
        shortest, longest = schema.get("minLength"), schema.get("maxLength")
        if (isinstance(shortest, int) and len(value) < shortest) or (
            isinstance(longest, int) and len(value) > longest
        ):
            return False
        pattern = plain_pattern(schema.get("pattern"))
        return pattern is None or pattern.search(value[:200]) is not None
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def plain_pattern(pattern: Any) -> re.Pattern[str] | None:
    """Return a schema's pattern compiled, or None unless it is sure to run in linear time.

    Only sequences of literals and character classes with counted repeats and at most one open-ended repeat
    are run; groups, alternatives and references are not, because the pattern comes from outside.
    """
    if not isinstance(pattern, str) or len(pattern) > 120:
        return None
    bare = re.sub(r"\\.|\[[^\]]{1,60}\]", "x", pattern)
    if re.search(r"[()|]", bare) or len(re.findall(r"[*+]|\{\d*,\}", bare)) > 1:
        return None
    if any(int(count) > 64 for count in re.findall(r"\d+", "".join(re.findall(r"\{[\d,]+\}", bare)))):
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None


def spelled_in(phrase: str, text: str) -> int:
    """Return where a phrase stands in a text as whole words, whatever the case; -1 if it does not."""
    if not phrase or len(phrase) > 80:
        return -1
    low, sought = text.lower(), phrase.lower()
    place = low.find(sought)
    while place >= 0:
        end = place + len(sought)
        if (place == 0 or not low[place - 1].isalnum() or not sought[0].isalnum()) and (
            end >= len(low) or not low[end].isalnum() or not sought[-1].isalnum()
        ):
            return place
        place = low.find(sought, place + 1)
    return -1


def stems_near(phrase: str, text_words: tuple[Word, ...]) -> bool:
    """Return whether every stem of a phrase stands in a text."""
    stems = name_stems(phrase)
    have = {part for word in text_words for part in (word.stem, *name_stems(word.text))}
    return bool(stems) and all(one in have for one in stems)
