"""How a tool's purpose and its arguments are put in words, without naming the tool."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from toolhaft.generators.asking import noun_of, spoken_day
from toolhaft.generators.schemas import properties_of, resolve, singular, words_of
from toolhaft.generators.texts import lines
from toolhaft.text import clean, terminal_safe
from toolhaft.types import ToolSpec

_SENTENCE = re.compile(r"[.!?](?:\s|$)|[\n;。！？]")
_ASIDE = re.compile(r"\s*[(\[][^()\[\]]{0,200}[)\]]")
_PREAMBLE = re.compile(
    r"^(?:(?:this|the)\s+)?(?:api|endpoint|method|function|tool|operation|call|route|request)s?\s+"
    r"(?:(?:will|can|is\s+used\s+to|allows?\s+(?:you|users?)\s+to|lets\s+you|helps\s+(?:you\s+)?to)\s+)?"
    r"|^(?:allows?\s+(?:you|users?)\s+to|lets\s+you|used?\s+(?:this\s+)?to|you\s+can)\s+",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"^(?:who|what|which|how|when|where|whether|why|if)\b", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:a|an|the|all|any|every|your|my|one|this|some|no)\b", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_PROPER = re.compile(r"[^\W\d_a-z][\w'-]*(?: [^\W\d_a-z][\w'-]*){1,2}")
"""Names of people and places, which are said without quotation marks."""
_SPOKEN = {
    "q": "search term",
    "to": "recipient",
    "query": "search term",
    "search": "search term",
    "due": "due date",
    "tracking": "tracking number",
    "cc": "copy to",
    "lat": "latitude",
    "lon": "longitude",
    "expires": "expiry date",
    "check in": "check-in date",
    "check out": "check-out date",
    "lng": "longitude",
    "lang": "language",
    "qty": "quantity",
}
_CHOICE = re.compile(
    r"^(\w+) (?:the )?[\w-]+(?: [\w-]+)?(?:, [\w -]{1,30}){0,5} or [\w -]{1,30}? of (?=(?:a|an|the|one)\b)"
)
"""What may be done to a thing: ``change the title or text of a note`` is to change a note."""
_CALLER = r"(?:caller|current user|authenticated user|(?:signed|logged)[- ]in user)"
_LONGEST_ACTION = 110
_LONGEST_VALUE = 600
_LONGEST_READ = 20_000


@dataclass(frozen=True, slots=True)
class Action:
    """What a tool does, in words.

    Attributes:
        words: For example ``cancel a booking``, or ``the weather at a place``.
        does: Whether it begins with a verb.
    """

    words: str
    does: bool


def action_of(spec: ToolSpec) -> Action:
    """Return what a tool does: the first sentence of its description, else its name in words."""
    text = _ASIDE.sub("", clean(terminal_safe(spec.description[:_LONGEST_READ]), 2_000))
    text = _PREAMBLE.sub("", " ".join(_SENTENCE.split(text, maxsplit=1)[0].split())).strip(" :,-`")
    if _QUESTION.match(text) and len(text) <= _LONGEST_ACTION:
        return Action(f"find out {text[:1].lower()}{text[1:]}", True)
    text = re.sub(
        rf"(?<!\w){re.escape(spec.name)}(?!\w)", " ".join(words_of(spec.name)), text, flags=re.IGNORECASE
    )
    if not text or len(text) > _LONGEST_ACTION:
        text = " ".join(words_of(spec.name)) or "use the service"
    text = _CHOICE.sub(r"\1 ", _mine(text, spec))
    first, _, rest = text.partition(" ")
    verb = _verb(first.casefold())
    if verb and not rest.startswith("of "):  # a list of things is none to be made
        return Action(f"{verb} {rest}".strip(), True)
    if spec.effect != "read" and rest and not _ARTICLE.match(text):
        return Action(text[:1].lower() + text[1:], True)  # what changes something says what it does
    if not first[1:2].isupper() and not rest[:1].isupper():  # a title keeps its capitals
        text = text[:1].lower() + text[1:]
    return Action(text if _ARTICLE.match(text) else f"the {text}", False)


def _mine(text: str, spec: ToolSpec) -> str:
    """Return a purpose as the one speaks of it whose account it is: ``my orders``."""
    text = re.sub(rf"\bthe {_CALLER}'s\b", "my", text, flags=re.IGNORECASE)
    text = re.sub(rf"\bthe {_CALLER}\b", "me", text, flags=re.IGNORECASE)
    named = {
        word
        for name in properties_of(resolve(spec.parameters, spec.parameters), spec.parameters)
        for word in words_of(name)
    }
    for owner in ("account", "member", "user", "customer"):
        if owner not in named:
            text = re.sub(rf"\bthe {owner}'s\b", "my", text, flags=re.IGNORECASE)
    return text


def label_of(name: str, value: Any, random: Random) -> str:
    """Return an argument's name in words; an identifier may go by what it is of."""
    words = " ".join(words_of(name)) or " ".join(clean(name, 60).split()) or "value"
    if words in _SPOKEN:
        spoken = _SPOKEN[words]
        return f"{spoken}s" if isinstance(value, list) and len(value) > 1 else spoken
    noun = noun_of(name)
    if not noun or noun == words or noun.endswith("ed") or random.random() < 0.4:
        return words
    if isinstance(value, list):
        return noun if singular(noun) != noun else f"{noun}s"
    return _SPOKEN.get(noun, noun) if isinstance(value, str) else words


def say_value(value: Any, schema: Mapping[str, Any], random: Random) -> str:
    """Return a value as people write it."""
    if isinstance(value, list):
        said = [say_value(item, {}, random) for item in value]
        *others, last = said or ["nothing"]
        return f"{', '.join(others)} and {last}" if others else last
    if isinstance(value, dict):
        if len(value) == 1:
            return say_value(next(iter(value.values())), {}, random)
        return ", ".join(
            f"{' '.join(words_of(name))} {say_value(part, {}, random)}" for name, part in value.items()
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if _DAY.fullmatch(text) and random.random() < 0.3:
        return spoken_day(text, american=random.random() < 0.5)
    if "enum" in schema and "_" in text:
        return text.replace("_", " ")
    if " " in text and '"' not in text and (not _PROPER.fullmatch(text) or random.random() < 0.5):
        return f'"{text}"'
    return text


def is_said(value: Any, text: str, label: str = "") -> bool:
    """Whether a text says a value: as it stands, or as `say_value` may put it."""
    if isinstance(value, bool) or value is None:
        return all(re.search(rf"\b{re.escape(word)}", text, re.IGNORECASE) for word in words_of(label))
    if isinstance(value, list):
        return all(is_said(item, text, label) for item in value)
    if isinstance(value, dict):
        return all(is_said(part, text, name) for name, part in value.items())
    plain = " ".join(str(value)[:_LONGEST_VALUE].casefold().split())
    said = " ".join(text.casefold().split())
    spellings = [plain, plain.replace("_", " ")]
    if _DAY.fullmatch(plain):
        spellings += [spoken_day(plain).casefold(), spoken_day(plain, american=True).casefold()]
    return any(_stands_in(spelling, said) for spelling in spellings)


def is_named(spec: ToolSpec, text: str) -> bool:
    """Whether a text names a tool as programs do; a name that is a plain word is in every mouth."""
    if len(words_of(spec.name)) < 2:
        return False
    return re.search(rf"(?<!\w){re.escape(spec.name)}(?!\w)", text, re.IGNORECASE) is not None


def _stands_in(value: str, text: str) -> bool:
    if not value:
        return True
    before = r"(?<![\w.])" if value[0].isalnum() else ""
    after = r"(?!\w|\.\d)" if value[-1].isalnum() else ""
    return re.search(f"{before}{re.escape(value)}{after}", text) is not None


def _verb(word: str) -> str:
    """Return the base of a verb, or nothing for another word."""
    known = frozenset(lines("verbs"))
    for base in (word, word.removesuffix("s"), word.removesuffix("es"), f"{word.removesuffix('ies')}y"):
        if base in known:
            return "get" if base == "return" else base
    return ""
