"""Numbers in a text, written in figures or words, with their units."""

from __future__ import annotations

import re

from toolhaft.models.heuristic.dates import MONTHS
from toolhaft.models.heuristic.lexicon import (
    CURRENCIES,
    DIMENSIONS,
    MULTIPLES,
    NUMERALS,
    ORDINALS,
    SCALES,
    STOP,
    TENS,
    UNITS,
    VERB_CLASSES,
)
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.words import Word, split_words, stem

_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>[-−](?=\d|\.\d))?(?P<money>[$€£¥]\s?)?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?P<exponent>[eE][-+]?\d{1,3}|\s?[x×*]\s?10\^?\(?[-−]?\d{1,3}\)?)?"
    r"(?P<ordinal>st|nd|rd|th)?(?P<suffix>[kKM](?![a-zA-Z]))?(?P<percent>\s?%)?(?P<unit>°?[A-Za-zµ°]{1,12}(?![a-z0-9]))?"
)
_SPAN = re.compile(r"\b(?:next|past|last|coming|previous)\s+(day|week|month|year|decade)\b", re.IGNORECASE)
_MEASURED_IN = re.compile(r"\b(?:in|to|into)\s+(?:degrees\s+)?([a-z/]{1,14}(?:\s?per\s?[a-z]{1,10})?)\b")
MEASURES = frozenset(stem(unit) for unit in DIMENSIONS)
_VERBS = frozenset().union(*VERB_CLASSES.values())


def find_figures(text: str, words: tuple[Word, ...]) -> list[Mention]:
    """Return the numbers of a text; months and ``next week`` count as such."""
    return [*_numbers(text), *_number_words(words), *_time_spans(text)]


def _numbers(text: str) -> list[Mention]:
    found = []
    for match in _NUMBER.finditer(text):
        digits = match["digits"].replace(",", "")
        value: float = float(digits) if "." in digits else int(digits[:30])
        end = match.end("digits")
        sign = match["sign"]
        if (
            sign
            and match.start() > 0
            and (text[match.start() - 1].isalnum() or text[match.start() - 1] in ")]")
        ):
            sign = None
        if match["exponent"]:
            value = _scaled(digits, match["exponent"])
            end = match.end("exponent")
        rest = text[end : end + 24]
        unit = ""
        if match["ordinal"]:
            end, unit = match.end("ordinal"), "ordinal"
        elif match["suffix"] and (match["money"] or match["suffix"] == "k"):
            value, end = value * (1000 if match["suffix"] in "kK" else 10**6), match.end("suffix")
        elif scale := re.match(r"\s(hundred|thousand|million|billion|trillion)\b", rest, re.IGNORECASE):
            value, end = _whole(value * SCALES[scale[1].lower()]), end + scale.end()
            rest = text[end : end + 24]
        if match["money"]:
            unit = CURRENCIES[match["money"].strip()]
        elif match["percent"]:
            unit, end = "percent", match.end("percent")
        elif not unit:
            unit, end = _unit(rest, end)
        if sign:
            value = -value
        found.append(Mention("number", match.start(), end, text[match.start() : end].strip(), value, unit))
    return found


def _number_words(words: tuple[Word, ...]) -> list[Mention]:
    found: list[Mention] = []
    position = 0
    while position < len(words):
        value, length = _numeral(words, position)
        if length:
            first, last = words[position], words[position + length - 1]
            after = words[position + length] if position + length < len(words) else None
            unit = stem(UNITS.get(after.lower, after.lower)) if after and after.lower not in STOP else ""
            # "one" is a pronoun more often than a figure
            weight = 0.3 if length == 1 and first.lower in ("one", "couple", "pair") else 0.75
            text = " ".join(word.text for word in words[position : position + length])
            found.append(Mention("number", first.start, last.end, text, value, unit, weight=weight))
        elif words[position].lower in ORDINALS:
            word = words[position]
            found.append(
                Mention(
                    "number", word.start, word.end, word.text, ORDINALS[word.lower], "ordinal", weight=0.3
                )
            )
        position += max(length, 1)
    return found


def _time_spans(text: str) -> list[Mention]:
    months = [
        Mention(
            "number", word.start, word.end, word.text, MONTHS.index(word.lower) + 1, stem("month"), weight=0.7
        )
        for word in split_words(text)
        if word.lower in MONTHS and word.text[0].isupper()
    ]
    return months + [
        Mention("number", match.start(), match.end(), match[0], 1, stem(match[1].lower()), weight=0.4)
        if match[1].lower() != "decade"
        else Mention("number", match.start(), match.end(), match[0], 10, stem("year"), weight=0.4)
        for match in _SPAN.finditer(text)
    ]


def find_units(text: str, numbers: list[Mention]) -> list[Mention]:
    """Return the units that are named, beside a number or after ``in``."""
    found = []
    for mention in numbers:
        known = re.match(r"\s*([A-Za-z°]{1,14})", text[mention.start + len(mention.text) :])
        if (
            known
            and (stem(known[1].lower()) in MEASURES or known[1].lower() in UNITS)
            and known[1].lower() not in STOP
        ):
            start = mention.start + len(mention.text) + known.start(1)
            found.append(Mention("unit", start, start + len(known[1]), known[1], known[1], weight=0.6))
    for match in _MEASURED_IN.finditer(text):
        first = match[1].split("/")[0].split()[0]
        if stem(first) in MEASURES or first in UNITS:
            found.append(Mention("unit", match.start(1), match.end(1), match[1], match[1]))
    return found


def _scaled(digits: str, exponent: str) -> float:
    power = int(re.sub(r"[−]", "-", re.search(r"[-−+]?\d{1,3}\)?$", exponent)[0].rstrip(")")))  # type: ignore[index]
    return float(f"{digits}e{power}")


def _whole(value: float) -> float:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _unit(rest: str, end: int) -> tuple[str, int]:
    match = re.match(r"[\s-]?(°?[A-Za-zµ]{1,14})(?![\w])", rest)
    if match is None:
        return "", end
    word = match[1].lower().lstrip("°")
    if word in CURRENCIES:
        return CURRENCIES[word], end + match.end()
    if word in ("percent", "pct"):
        return "percent", end + match.end()
    known = UNITS.get(word)
    if known is not None and (len(word) > 1 or not rest.startswith(" ") or match[1] != "a"):
        return stem(known), end + match.end()
    if word in STOP or word in _VERBS:
        return "", end
    return stem(word), end


def _numeral(words: tuple[Word, ...], position: int) -> tuple[float, int]:
    total = current = 0.0
    length = 0
    for word in words[position : position + 8]:
        parts = word.lower.split("-")
        if all(part in NUMERALS or part in TENS for part in parts):
            current += sum(NUMERALS.get(part, TENS.get(part, 0)) for part in parts)
        elif word.lower in SCALES and length:
            current = (current or 1) * SCALES[word.lower]
            if SCALES[word.lower] >= 1000:
                total, current = total + current, 0.0
        elif word.lower in MULTIPLES and length == 0:
            return _whole(float(MULTIPLES[word.lower])), 1
        elif word.lower == "and" and length and current >= 100:
            length += 1
            continue
        else:
            break
        length += 1
    while length and words[position + length - 1].lower == "and":
        length -= 1
    return _whole(total + current), length
