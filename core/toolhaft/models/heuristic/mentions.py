"""Values that a text states: quoted text, addresses, dates, numbers, identifiers, names, noun phrases."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from toolhaft.models.heuristic.dates import MONTHS, WEEKDAYS, find_dates
from toolhaft.models.heuristic.lexicon import (
    CURRENCIES,
    DIMENSIONS,
    MULTIPLES,
    NUMERALS,
    ORDINALS,
    QUESTION_WORDS,
    SCALES,
    STOP,
    SUPERLATIVES,
    TENS,
    UNITS,
    VAGUE,
    VERB_CLASSES,
)
from toolhaft.models.heuristic.words import TEXT_CAP, Word, split_words, stem

Kind = Literal[
    "quoted",
    "url",
    "email",
    "path",
    "when",
    "list",
    "id",
    "phone",
    "number",
    "unit",
    "entity",
    "phrase",
    "tail",
    "formula",
]
MENTION_CAP = 200


@dataclass(frozen=True, slots=True)
class Mention:
    """A value that a text states.

    Attributes:
        start: First character; ``end`` is one past the last.
        text: As written, without quotation marks.
        value: The number, list or `When`; else the text.
        unit: Stem of the unit of a number: ``meter``, ``percent``, ``USD`` for money.
        group: Mentions joined by commas and ``and`` share a number above 0.
        weight: How sure the reading is, in (0, 1].
    """

    kind: Kind
    start: int
    end: int
    text: str
    value: Any
    unit: str = ""
    group: int = 0
    weight: float = 1.0

    def overlaps(self, other: Mention) -> bool:
        """Return whether the two share characters."""
        return self.start < other.end and other.start < self.end


_QUOTED = re.compile(
    r"\"([^\"\n]{1,2000})\"|“([^”\n]{1,2000})”|(?<![\w])'([^'\n]{1,500}(?:'(?=\w)[^'\n]{0,500})?)'(?!\w)|`([^`\n]{1,500})`"
)
_URL = re.compile(r"\bhttps?://[^\s<>\"')\]]{1,500}")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_PATH = re.compile(
    r"(?<![\w/.])(?:~|\.{1,2})?/[\w.-]{1,80}(?:/[\w.-]{1,80}){0,12}|\b[\w-]{1,80}\.(?:csv|txt|json|pdf|png|jpe?g|xlsx?|docx?|md|py|xml|html?|nii|zip|db)\b"
)
_TUPLE = re.compile(r"\(\s*-?\d+(?:\.\d+)?(?:\s*,\s*-?\d+(?:\.\d+)?){1,20}\s*\)")
_SNAKE = re.compile(r"(?<![\w/.@])[A-Za-z][A-Za-z0-9]{0,40}(?:_[A-Za-z0-9]{1,40}){1,8}(?![\w@])")
_FORMULA = re.compile(
    r"(?<![\w.])[\w.()]{1,16}(?:\^\d{1,2})?(?:\s?(?:\*\*|[-+*/^=])\s?\d{0,8}[\w.()]{1,16}(?:\^\d{1,2})?){1,10}(?![\w])"
)
_SPAN = re.compile(r"\b(?:next|past|last|coming|previous)\s+(day|week|month|year|decade)\b", re.IGNORECASE)
_MEASURED_IN = re.compile(r"\b(?:in|to|into)\s+(?:degrees\s+)?([a-z/]{1,14}(?:\s?per\s?[a-z]{1,10})?)\b")
_TAIL = re.compile(
    r"\b(?:saying|says|that says|which says|that reads|reading|telling (?:him|her|them)(?: that)?|to say(?: that)?|"
    r"with the (?:message|text|note|comment|body|content)|(?:message|note|comment|text|body):)\s*:?\s*(?P<body>[^\n\"“]{2,600})",
    re.IGNORECASE,
)
_BRACKETS = re.compile(
    r"\[[^\[\]]{1,1000}\](?:\s*,\s*\[[^\[\]]{1,1000}\]){0,20}|\[(?:\s*\[[^\[\]]{1,300}\]\s*,?){1,50}\]"
)
_ID = re.compile(
    r"(?<![\w@#])#?(?=[\w-]{0,60}\d)(?=[\w-]{0,60}[A-Za-z])[A-Za-z0-9]{1,40}(?:[-_][A-Za-z0-9]{1,40}){0,8}(?![\w@])"
)
_PHONE = re.compile(
    r"(?<![\w+])(?:\+\d{1,3}[\s-]?)?(?:\(\d{2,4}\)[\s-]?)?\d{2,4}(?:[\s-]\d{2,4}){1,4}(?![\w-])|\+\d{7,15}\b"
)
_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>[-−](?=\d|\.\d))?(?P<money>[$€£¥]\s?)?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?P<exponent>[eE][-+]?\d{1,3}|\s?[x×*]\s?10\^?\(?[-−]?\d{1,3}\)?)?"
    r"(?P<ordinal>st|nd|rd|th)?(?P<suffix>[kKM](?![a-zA-Z]))?(?P<percent>\s?%)?(?P<unit>°?[A-Za-zµ°]{1,12}(?![a-z0-9]))?"
)
_LEADING_MONEY = re.compile(r"[-−]?[$€£¥]")
_MEASURES = frozenset(stem(unit) for unit in DIMENSIONS)
_GAP = re.compile(r"\s*(?:,\s*(?:and|or)?|and|or|&|/|versus|vs\.?)\s*(?:an?\s+|the\s+|my\s+)?", re.IGNORECASE)
_CONNECTORS = frozenset("of the and de la du von van der del & for in on".split())
_VERBS = frozenset().union(*VERB_CLASSES.values())


def find_mentions(text: str, today: date | None) -> tuple[Mention, ...]:
    """Return the values that a text states, in order; those of different kinds may overlap.

    Args:
        text: At most its first 8,000 characters are read.
        today: What relative dates are relative to.
    """
    text = text[:TEXT_CAP]
    found: list[Mention] = []
    hard: list[Mention] = []

    def add(mention: Mention, *, alone: bool = True) -> None:
        if len(found) >= MENTION_CAP or (alone and any(mention.overlaps(other) for other in hard)):
            return
        found.append(mention)
        if alone:
            hard.append(mention)

    for match in _QUOTED.finditer(text):
        body = next(group for group in match.groups() if group is not None)
        add(Mention("quoted", match.start(), match.end(), body, body))
    for match in _URL.finditer(text):
        link = match[0].rstrip(".,;:!?")
        add(Mention("url", match.start(), match.start() + len(link), link, link))
    for match in _EMAIL.finditer(text):
        add(_plain("email", match))
    for match in _BRACKETS.finditer(text):
        value = _bracketed(match[0])
        if value is not None:
            add(Mention("list", match.start(), match.end(), match[0], value))
    for match in _TUPLE.finditer(text):
        add(Mention("list", match.start(), match.end(), match[0], json.loads(f"[{match[0][1:-1]}]")))
    for match in _FORMULA.finditer(text):
        if (
            re.search(r"[a-z]", match[0])
            and re.search(r"[\^*+=]|\d[a-z]", match[0])
            and not re.search(r"[a-z]{4}", match[0])
        ):
            add(_plain("formula", match), alone="^" in match[0])
    for when in find_dates(text, today):
        add(Mention("when", when.start, when.end, text[when.start : when.end], when))
    for match in _PATH.finditer(text):
        add(_plain("path", match))
    for match in _SNAKE.finditer(text):
        add(Mention("quoted", match.start(), match.end(), match[0], match[0], weight=0.8))
    for mention in _identifiers(text):
        add(mention)
    words = split_words(text)
    numbers = [*_numbers(text), *_number_words(words), *_time_spans(text)]
    for mention in numbers:
        inside = next((other for other in hard if mention.overlaps(other)), None)
        if inside is None:
            found.append(mention)
        elif inside.kind == "when" and _is_year(mention):
            found.append(replace(mention, weight=0.6))
    if len(found) < MENTION_CAP:
        found.extend(_tails(text))
        found.extend(_units(text, numbers))
        found.extend(_entities(text, words, hard))
        found.extend(_phrases(text, words, hard))
    found.sort(key=lambda mention: (mention.start, -mention.end))
    return tuple(_grouped(text, found[:MENTION_CAP]))


def _plain(kind: Kind, match: re.Match[str]) -> Mention:
    return Mention(kind, match.start(), match.end(), match[0], match[0])


def _is_year(mention: Mention) -> bool:
    return isinstance(mention.value, int) and 1000 <= mention.value <= 2200 and not mention.unit


def _bracketed(text: str) -> Any:
    body = text if text.startswith("[[") or "], [" not in text.replace("],[", "], [") else f"[{text}]"
    try:
        value = json.loads(body)
    except ValueError:
        try:
            value = json.loads(body.replace("'", '"'))
        except ValueError:
            if "[" in body[1:]:
                return None
            value = [part.strip() for part in body[1:-1].split(",") if part.strip()]
    except RecursionError:
        return None
    return value if isinstance(value, list) else None


def _identifiers(text: str) -> list[Mention]:
    found = []
    for match in _ID.finditer(text):
        raw = match[0].lstrip("#")
        measured = re.fullmatch(r"\d+(?:\.\d+)?(?:st|nd|rd|th|[A-Za-zµ°]{1,3})", raw)
        part = match.start() > 0 and text[match.start() - 1] in ".,$€£" and raw[0].isdigit()
        clock = re.fullmatch(r"\d{1,2}[ap]m", raw, re.IGNORECASE)
        worded = re.fullmatch(r"\d+(?:-[a-z]{2,})+|[a-z]+(?:-[a-z]+)*", raw)
        power = re.fullmatch(r"\d*[a-z]\^?\d?|\d+[eE]-?\d+", raw)
        if measured or clock or part or worded or power:
            continue
        found.append(Mention("id", match.start(), match.end(), raw, raw))
    for match in re.finditer(r"(?<!\w)#(\d{1,20})\b", text):
        found.append(Mention("id", match.start(), match.end(), match[1], match[1]))
    for match in _PHONE.finditer(text):
        if sum(char.isdigit() for char in match[0]) >= 7:
            found.append(Mention("phone", match.start(), match.end(), match[0], match[0]))
    return found


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


def _tails(text: str) -> list[Mention]:
    found = []
    for match in _TAIL.finditer(text):
        body = re.split(r"[.!?](?:\s|$)|,? and (?:then|also)\b|;", match["body"], maxsplit=1)[0].strip(" '")
        if body:
            found.append(Mention("tail", match.start("body"), match.start("body") + len(body), body, body))
    return found


def _units(text: str, numbers: list[Mention]) -> list[Mention]:
    """Return the units that are named, beside a number or after ``in``."""
    found = []
    for mention in numbers:
        known = re.match(r"\s*([A-Za-z°]{1,14})", text[mention.start + len(mention.text) :])
        if (
            known
            and (stem(known[1].lower()) in _MEASURES or known[1].lower() in UNITS)
            and known[1].lower() not in STOP
        ):
            start = mention.start + len(mention.text) + known.start(1)
            found.append(Mention("unit", start, start + len(known[1]), known[1], known[1], weight=0.6))
    for match in _MEASURED_IN.finditer(text):
        first = match[1].split("/")[0].split()[0]
        if stem(first) in _MEASURES or first in UNITS:
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
        if word.lower in MONTHS and _capital(word)
    ]
    return months + [
        Mention("number", match.start(), match.end(), match[0], 1, stem(match[1].lower()), weight=0.4)
        if match[1].lower() != "decade"
        else Mention("number", match.start(), match.end(), match[0], 10, stem("year"), weight=0.4)
        for match in _SPAN.finditer(text)
    ]


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


def _entities(text: str, words: tuple[Word, ...], hard: list[Mention]) -> list[Mention]:
    found: list[Mention] = []
    position = 0
    while position < len(words):
        word = words[position]
        if not _capital(word) or any(other.start <= word.start < other.end for other in hard):
            position += 1
            continue
        last = _entity_end(text, words, position)
        first = position
        opening = position == 0 or re.search(
            r"[.!?:;\n]\s*[\"'(]*$", text[max(0, word.start - 4) : word.start]
        )
        while first <= last and _not_name(words[first], opening=bool(opening) and first == position):
            first += 1
        while last >= first and words[last].lower in _CONNECTORS:
            last -= 1
        if first <= last:
            start, end = words[first].start, words[last].end
            span = text[start:end].removesuffix("'s").removesuffix("’s")
            single = first == last and bool(opening) and first == position
            if region := re.match(r", (?:[A-Z]{2}\b(?!\w)|[A-Z]\.[A-Z]\.)", text[end:]):
                span, start = text[start : end + region.end()], start
                last = next(
                    (
                        place
                        for place in range(last, len(words))
                        if words[place].end >= end + region.end() - 1
                    ),
                    last,
                )
            found.append(
                Mention("entity", start, start + len(span), span, span, weight=0.4 if single else 1.0)
            )
        position = max(last, position) + 1
    return found


def _capital(word: Word) -> bool:
    return word.text[0].isupper()


def _not_name(word: Word, *, opening: bool) -> bool:
    lower = word.lower
    if len(word.text) in (2, 3) and word.text.isupper() and word.text not in ("OK", "AM", "PM", "I'M", "TV"):
        return False
    if lower in UNITS or word.stem in _MEASURES:
        return True
    if lower in ("i", "i'm", "i'd", "i'll", "i've") or lower in MONTHS or lower in WEEKDAYS:
        return True
    if opening or lower in STOP:
        return lower in STOP or lower in _VERBS or lower in QUESTION_WORDS
    return False


def _entity_end(text: str, words: tuple[Word, ...], position: int) -> int:
    last = position
    while last + 1 < len(words):
        gap = text[words[last].end : words[last + 1].start]
        following = words[last + 1]
        if gap not in (" ", ". ") or (
            gap == ". " and len(words[last].text) > 2 and words[last].text not in ("Mr", "Mrs", "Dr", "St")
        ):
            break
        if words[last].lower.endswith("'s") and last > position and not _capital(following):
            break
        if _capital(following) or (
            following.text.isdigit() and last + 1 < len(words) and len(following.text) < 3
        ):
            last += 1
        elif (
            following.lower in _CONNECTORS
            and following.lower not in ("and", "for", "in", "on", "&")
            and last + 2 < len(words)
            and text[following.end : words[last + 2].start] == " "
            and (
                _capital(words[last + 2])
                or (words[last + 2].lower == "the" and last + 3 < len(words) and _capital(words[last + 3]))
            )
        ):
            last += 2
        else:
            break
    return last


def _phrases(text: str, words: tuple[Word, ...], hard: list[Mention]) -> list[Mention]:
    """Return runs of words that name something, broken by function words and punctuation."""
    found: list[Mention] = []
    run: list[Word] = []

    def close() -> None:
        if run:
            start, end = run[0].start, run[-1].end
            span = text[start:end]
            found.append(Mention("phrase", start, end, span, span, weight=0.6))
            run.clear()

    for word in words:
        broken = bool(run) and not re.fullmatch(r"[\s-]*", text[run[-1].end : word.start])
        covered = any(other.start <= word.start < other.end for other in hard)
        if broken or len(run) >= 5:
            close()
        if word.lower in STOP or covered or word.lower in NUMERALS or word.lower in SUPERLATIVES:
            close()
        elif word.lower in VAGUE and not run:
            continue
        elif word.lower in _VERBS and not run and _imperative(text, words, word):
            continue
        else:
            run.append(word)
    close()
    return found


def _imperative(text: str, words: tuple[Word, ...], word: Word) -> bool:
    before = text[max(0, word.start - 12) : word.start].rstrip().lower()
    return (
        not before
        or before[-1] in ".!?:;,\n"
        or before.endswith((" to", " and", "please", " then", "you", "me"))
    )


def _grouped(text: str, found: list[Mention]) -> list[Mention]:
    """Number the coordinated lists: mentions of one kind with only commas and ``and`` between them."""
    grouped = list(found)
    number = 0
    for kind in ("number", "quoted", "entity", "id", "email", "when", "phrase", "url", "path", "phone"):
        places = [place for place, mention in enumerate(grouped) if mention.kind == kind]
        for left, right in zip(places, places[1:], strict=False):
            one, two = grouped[left], grouped[right]
            gap = text[one.end : two.start]
            if kind == "entity" and gap.strip() == "," and not _listed(text, grouped, places, right):
                continue
            if (
                len(gap) <= 24
                and one.end <= two.start
                and (
                    _GAP.fullmatch(gap)
                    or (kind == "number" and re.fullmatch(r"\s*[a-z]*\s*(?:,|and|,\s*and)\s*", gap))
                )
            ):
                if not one.group:
                    number += 1
                    grouped[left] = replace(one, group=number)
                grouped[right] = replace(two, group=grouped[left].group)
    return grouped


def _listed(text: str, mentions: list[Mention], places: list[int], right: int) -> bool:
    """Return whether a comma before a name belongs to a list that ends with ``and``, not to ``Paris, France``."""
    rank = places.index(right)
    here = mentions[right].end
    after = text[here : here + 8]
    if re.match(r",?\s+(?:and|or)\s", after):
        return True
    if rank + 1 < len(places):
        gap = text[here : mentions[places[rank + 1]].start]
        return gap.strip() == "," and _listed(text, mentions, places, places[rank + 1])
    return False
