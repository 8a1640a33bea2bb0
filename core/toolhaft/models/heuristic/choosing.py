"""Which records of an observation a clause speaks of: by name, by date, by bounds, by superlative."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from toolhaft.models.heuristic.dates import When
from toolhaft.models.heuristic.lexicon import CLOSED_STATES, MAX_CUES, MIN_CUES, MONEY_WORDS, SUPERLATIVES
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.readings import Record
from toolhaft.models.heuristic.words import concept, content_stems, name_stems, spelled_in, stem

_MONEY = frozenset(stem(word) for word in MONEY_WORDS) | {stem("total"), stem("fare")}
_THERE = re.compile(r"(?:is_)?(?:available|free|open|vacant|bookable)")
_ALL = re.compile(r"\b(?:all|each|every|both)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit that a clause sets: ``under $50`` gives ``below`` 50 of what is money."""

    below: bool
    value: float
    fields: frozenset[str]


def superlative_of(text: str) -> tuple[int, frozenset[str], str] | None:
    """Return direction, stems of the fields that decide, and the word; None if the text has none."""
    low = text.lower()
    for phrase in sorted(SUPERLATIVES, key=len, reverse=True):
        place = spelled_in(phrase, low)
        if place < 0:
            continue
        direction, fields = SUPERLATIVES[phrase]
        if phrase in ("next", "last", "most", "least", "latest") and re.match(
            r"\s+(?:to|of|important|likely|week|month|year|name|monday|tuesday|wednesday|thursday|friday|saturday|sunday|\d)",
            low[place + len(phrase) :],
        ):
            continue
        stems = frozenset(stem(word) for word in fields)
        if not stems:
            stems = frozenset(content_stems(low[place + len(phrase) :][:60])[:3])
        return direction, stems, phrase
    return None


def bounds_of(text: str, mentions: Sequence[Mention], start: int, end: int) -> list[Bound]:
    """Return the limits that the part of a text from ``start`` to ``end`` sets."""
    found: list[Bound] = []
    for mention in mentions:
        if mention.kind != "number" or not start <= mention.start < end or mention.unit == "ordinal":
            continue
        before = text[max(0, mention.start - 18) : mention.start].lower().rstrip(" $€£a")
        after = text[mention.end : mention.end + 24].lower()
        below = before.endswith(tuple(cue for cue in MAX_CUES if cue != "within")) or "or less" in after
        above = before.endswith(tuple(cue for cue in MIN_CUES if cue != "from")) or re.match(
            r"\W*\w*\s*or (?:more|better|higher|above)", after
        )
        if not (below or above):
            continue
        fields = frozenset(content_stems(text[max(start, mention.start - 40) : min(end, mention.end + 24)]))
        if mention.unit.isupper():
            fields |= _MONEY
        if mention.unit:
            fields |= {mention.unit}
        found.append(Bound(bool(below), float(mention.value), fields))
    return found


def choose(
    records: Sequence[Record],
    clause: str,
    mentions: Sequence[Mention] = (),
    bounds: Sequence[Bound] = (),
) -> tuple[list[Record], float]:
    """Return the records that a clause speaks of, best first, and how much speaks for the first.

    The evidence is 0 if nothing tells the records apart.
    """
    if not records:
        return [], 0.0
    kept = [record for record in records if _within(record, bounds)]
    evidence = 0.6 if 0 < len(kept) < len(records) else 0.0
    kept = kept or list(records)
    kept = [record for record in kept if not _is_out(record, clause)] or kept
    scores = _text_scores(kept, clause, mentions)
    best = max(scores)
    if best > 0.0:
        pairs = [(score, record) for score, record in zip(scores, kept, strict=True) if score >= 0.75 * best]
        kept = [record for _, record in sorted(pairs, key=lambda pair: (-pair[0], pair[1].order))]
        evidence += best
    decided = superlative_of(clause)
    if decided is not None:
        ordered = _ordered(kept, decided[0], decided[1])
        if ordered:
            return ordered, evidence + 1.0
    return kept, evidence


def wants_all(clause: str) -> bool:
    """Return whether a clause speaks of all there are."""
    return _ALL.search(clause) is not None


def is_named(record: Record, clause: str) -> bool:
    """Return whether a clause calls a record by its name."""
    low = clause.lower()
    return any(
        isinstance(value, str)
        and len(value) > 1
        and value.lower() in low
        and _naming(key)
        and spelled_in(value, low) >= 0
        for key, value in record.fields.items()
    )


def bears_name(record: Record, name: str) -> bool:
    """Return whether a record is called by exactly a name."""
    low = name.lower()
    return any(
        isinstance(value, str) and value.lower() == low and _naming(key)
        for key, value in record.fields.items()
    )


def _within(record: Record, bounds: Sequence[Bound]) -> bool:
    for bound in bounds:
        value = numeric_field(record, bound.fields)
        if value is not None and (value > bound.value if bound.below else value < bound.value):
            return False
    return True


def _is_out(record: Record, clause: str) -> bool:
    """Return whether a clause wants what is there (``in stock``, ``available``) and a record says no."""
    low = clause.lower()
    for key, value in record.fields.items():
        word = key.rpartition(".")[2].lower()
        if value is False and _THERE.fullmatch(word) is not None and spelled_in(word, low) >= 0:
            return True
        if value == 0 and not isinstance(value, bool) and spelled_in(f"in {word}", low) >= 0:
            return True
    return False


def numeric_field(record: Record, stems: frozenset[str]) -> float | None:
    """Return the number of a record whose key shares a word with the stems, or None."""
    concepts = {concept(one) for one in stems}
    best: tuple[int, float] | None = None
    for key, value in record.fields.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        hits = sum(concept(one) in concepts for one in name_stems(key))
        if hits and (best is None or hits > best[0]):
            best = (hits, float(value))
    return best[1] if best is not None else None


def _text_scores(records: Sequence[Record], clause: str, mentions: Sequence[Mention]) -> list[float]:
    wanted = frozenset(content_stems(clause))
    low = clause.lower()
    days = {
        mention.value.day.isoformat()
        for mention in mentions
        if isinstance(mention.value, When) and mention.value.day
    }
    clocks = {
        mention.value.clock[:5]
        for mention in mentions
        if isinstance(mention.value, When) and mention.value.clock
    }
    stems_by_record = [_value_stems(record) for record in records]
    frequency: dict[str, int] = {}
    for stems in stems_by_record:
        for one in stems:
            frequency[one] = frequency.get(one, 0) + 1
    count = len(records)
    scores = []
    for record, stems in zip(records, stems_by_record, strict=True):
        score = 0.0
        for one in stems & wanted:
            score += math.log((count + 1.0) / frequency[one]) / math.log(count + 1.0) if count > 1 else 0.5
        for key, value in record.fields.items():
            score += _field_score(key, value, low, wanted, days, clocks)
        scores.append(score)
    return scores


def _field_score(
    key: str, value: Any, low: str, wanted: frozenset[str], days: set[str], clocks: set[str]
) -> float:
    if isinstance(value, bool) or value is None or isinstance(value, list):
        return 0.0
    if isinstance(value, int | float):
        return 0.0
    text = value[:200]
    score = 0.0
    if days and text[:10] in days:
        score += 1.0
    if clocks and (text[11:16] in clocks or text[:5] in clocks) and ":" in text:
        score += 0.7
    if 1 < len(text) <= 80 and text.lower() in low and spelled_in(text, low) >= 0 and not text.isdigit():
        stems = content_stems(text)
        score += 1.5 + 0.5 * min(len(stems), 4) if set(stems) - CLOSED_STATES else 0.5
    elif len(text) <= 80 and (stems := content_stems(text)):
        score += 1.2 * sum(one in wanted for one in stems) / len(stems) if _naming(key) else 0.0
    return score


@lru_cache(maxsize=1_000)
def _naming(key: str) -> bool:
    return bool({"name", "titl", "subject", "label", "summari", "city", "email"} & set(name_stems(key)))


def _value_stems(record: Record) -> frozenset[str]:
    stems: set[str] = set()
    for key, value in record.fields.items():
        if isinstance(value, str) and len(value) <= 400:
            stems.update(content_stems(value))
        elif isinstance(value, list):
            for one in value:
                if isinstance(one, str):
                    stems.update(content_stems(one[:80]))
        elif isinstance(value, bool) and value:
            stems.update(name_stems(key))
    return frozenset(stems)


def _ordered(records: Sequence[Record], direction: int, stems: frozenset[str]) -> list[Record]:
    key = deciding_key(records, stems)
    if key is None:
        return []
    valued = [(sort_value(record.fields.get(key)), record) for record in records]
    known = [(value, record) for value, record in valued if value is not None]
    if not known:
        return []
    numbers = [pair for pair in known if isinstance(pair[0], float)]
    pairs: list[tuple[Any, Record]] = list(numbers) if numbers else list(known)
    pairs.sort(key=lambda pair: pair[0], reverse=direction > 0)
    if direction > 0:
        top = pairs[0][0]
        first = [pair for pair in pairs if pair[0] == top]
        first.sort(key=lambda pair: pair[1].order)
        pairs = [*first, *pairs[len(first) :]]
    return [record for _, record in pairs]


def deciding_key(records: Sequence[Record], stems: frozenset[str]) -> str | None:
    """Return the key whose words share most with the stems and whose values can be put in order."""
    concepts = {concept(one) for one in stems}
    best: tuple[float, str] | None = None
    keys: dict[str, int] = {}
    for record in records:
        for key, value in record.fields.items():
            if sort_value(value) is not None:
                keys[key] = keys.get(key, 0) + 1
    for key, count in keys.items():
        parts = name_stems(key)
        hits = sum(
            (1.0 if one in stems else 0.8) for one in parts if one in stems or concept(one) in concepts
        )
        score = hits / (1 + 0.1 * len(parts)) * (count / len(records))
        if hits and (best is None or score > best[0]):
            best = (score, key)
    return best[1] if best is not None else None


def sort_value(value: Any) -> float | str | None:
    """Return what a value is ordered by: numbers as such, ISO dates and times as text, else None."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        money = re.fullmatch(
            r"\s*[$€£]?\s?(-?\d{1,12}(?:\.\d{1,6})?)\s?(?:[A-Za-z%$€£]{0,12})\s*", value[:40]
        )
        if money:
            return float(money[1])
        if re.match(r"\d{4}-\d\d-\d\d|\d\d:\d\d", value):
            return value
    return None
