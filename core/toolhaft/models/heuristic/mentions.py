"""Values that a text states: quoted text, addresses, dates, numbers, identifiers, names, noun phrases."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

from toolhaft.models.heuristic.dates import find_dates
from toolhaft.models.heuristic.figures import find_figures, find_units
from toolhaft.models.heuristic.mention import Kind, Mention
from toolhaft.models.heuristic.naming import find_names, find_phrases
from toolhaft.models.heuristic.words import TEXT_CAP, split_words

MENTION_CAP = 200


_QUOTED = re.compile(
    r"\"([^\"\n]{1,2000})\"|“([^”\n]{1,2000})”|(?<![\w])'([^'\n]{1,500}(?:'(?=\w)[^'\n]{0,500})?)'(?!\w)|`([^`\n]{1,500})`"
)
_URL = re.compile(r"\bhttps?://[^\s<>\"')\]]{1,500}")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_PATH = re.compile(
    r"(?<![\w/.])(?:~|\.{1,2})?/[\w.-]{1,80}(?:/[\w.-]{1,80}){0,12}|"
    r"\b[\w-]{1,80}\.(?:csv|txt|json|pdf|png|jpe?g|xlsx?|docx?|md|py|xml|html?|nii|zip|db)\b"
)
_TUPLE = re.compile(r"\(\s*-?\d+(?:\.\d+)?(?:\s*,\s*-?\d+(?:\.\d+)?){1,20}\s*\)")
_SNAKE = re.compile(r"(?<![\w/.@])[A-Za-z][A-Za-z0-9]{0,40}(?:_[A-Za-z0-9]{1,40}){1,8}(?![\w@])")
_FORMULA = re.compile(
    r"(?<![\w.])[\w.()]{1,16}(?:\^\d{1,2})?(?:\s?(?:\*\*|[-+*/^=])\s?[\w.()]{1,24}(?:\^\d{1,2})?){1,10}(?![\w])"
)
_TAIL = re.compile(
    r"\b(?:saying|says|that says|which says|that reads|reading|telling (?:him|her|them)(?: that)?|"
    r"to say(?: that)?|with the (?:message|text|note|comment|body|content)|"
    r"(?:message|note|comment|text|body):)\s*:?\s*(?P<body>[^\n\"“]{2,600})",
    re.IGNORECASE,
)
_BRACKETS = re.compile(
    r"\[[^\[\]]{1,1000}\](?:\s*,\s*\[[^\[\]]{1,1000}\]){0,20}|\[(?:\s*\[[^\[\]]{1,300}\](?:\s*,)?){1,50}\s*\]"
)
_ID = re.compile(
    r"(?<![\w@#])#?(?=[\w-]{0,60}\d)(?=[\w-]{0,60}[A-Za-z])[A-Za-z0-9]{1,40}(?:[-_][A-Za-z0-9]{1,40}){0,8}(?![\w@])"
)
_PHONE = re.compile(
    r"(?<![\w+])(?:\+\d{1,3}[\s-]?)?(?:\(\d{2,4}\)[\s-]?)?\d{2,4}(?:[\s-]\d{2,4}){1,4}(?![\w-])|\+\d{7,15}\b"
)
_GAP = re.compile(r"\s*(?:,\s*(?:and|or)?|and|or|&|/|versus|vs\.?)\s*(?:an?\s+|the\s+|my\s+)?", re.IGNORECASE)


def find_mentions(text: str, today: date | None, verbs: Container[str] = frozenset()) -> tuple[Mention, ...]:
    """Return the values that a text states, in order; those of different kinds may overlap.

    Args:
        text: At most its first 8,000 characters are read.
        today: What relative dates are relative to.
        verbs: Stems of verbs beside those of general English; they begin no name.
    """
    text = text[:TEXT_CAP]
    found: list[Mention] = []
    hard: list[Mention] = []
    for mention in _written(text, today):
        if len(found) < MENTION_CAP and not any(mention.overlaps(other) for other in hard):
            found.append(mention)
            if mention.kind != "formula" or "^" in mention.text:
                hard.append(mention)
    words = split_words(text)
    numbers = find_figures(text, words)
    for mention in numbers:
        inside = next((other for other in hard if mention.overlaps(other)), None)
        if inside is None:
            found.append(mention)
        elif inside.kind == "when" and _is_year(mention):
            found.append(replace(mention, weight=0.6))
    if len(found) < MENTION_CAP:
        found.extend(_tails(text))
        found.extend(find_units(text, numbers))
        found.extend(find_names(text, words, hard, verbs))
        found.extend(find_phrases(text, words, hard, verbs))
    found.sort(key=lambda mention: (mention.start, -mention.end))
    return tuple(_grouped(text, found[:MENTION_CAP]))


def _written(text: str, today: date | None) -> Iterator[Mention]:
    """Yield what can be told by its form alone, the surest first."""
    for match in _QUOTED.finditer(text):
        body = next(group for group in match.groups() if group is not None)
        yield Mention("quoted", match.start(), match.end(), body, body)
    for match in _URL.finditer(text):
        link = match[0].rstrip(".,;:!?")
        yield Mention("url", match.start(), match.start() + len(link), link, link)
    for match in _EMAIL.finditer(text):
        yield _plain("email", match)
    for match in (*_BRACKETS.finditer(text), *_TUPLE.finditer(text)):
        value = _bracketed(match[0] if match[0].startswith("[") else f"[{match[0][1:-1]}]")
        if value is not None:
            yield Mention("list", match.start(), match.end(), match[0], value)
    for match in _FORMULA.finditer(text):
        signed = re.search(r"[\^*+=]|\d[a-z]", match[0])
        if signed and re.search(r"[a-z]", match[0]) and not re.search(r"[a-z]{4}", match[0]):
            yield _plain("formula", match)
    for when in find_dates(text, today):
        yield Mention("when", when.start, when.end, text[when.start : when.end], when)
    for match in _PATH.finditer(text):
        yield _plain("path", match)
    for match in _SNAKE.finditer(text):
        yield Mention("quoted", match.start(), match.end(), match[0], match[0], weight=0.8)
    yield from _identifiers(text)


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


def _tails(text: str) -> list[Mention]:
    found = []
    for match in _TAIL.finditer(text):
        body = re.split(r"[.!?](?:\s|$)|,? and (?:then|also)\b|;", match["body"], maxsplit=1)[0].strip(" '")
        if body:
            found.append(Mention("tail", match.start("body"), match.start("body") + len(body), body, body))
    return found


def _grouped(text: str, found: list[Mention]) -> list[Mention]:
    """Number the coordinated lists: mentions of one kind with only commas and ``and`` between them."""
    grouped = list(found)
    number = 0
    for kind in ("number", "quoted", "entity", "id", "email", "when", "phrase", "url", "path", "phone"):
        places = [place for place, mention in enumerate(grouped) if mention.kind == kind]
        for left, right in pairwise(places):
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
    """Return whether a comma before a name belongs to a list with ``and``, not to ``Paris, France``."""
    rank = places.index(right)
    here = mentions[right].end
    after = text[here : here + 8]
    if re.match(r",?\s+(?:and|or)\s", after):
        return True
    if rank + 1 < len(places):
        gap = text[here : mentions[places[rank + 1]].start]
        return gap.strip() == "," and _listed(text, mentions, places, places[rank + 1])
    return False
