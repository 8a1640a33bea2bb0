"""How arguments are said: as phrases of a sentence, or as a list of what goes where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import Any, Literal

from toolhaft.generators.asking import noun_of
from toolhaft.generators.schemas import singular, words_of
from toolhaft.generators.texts import lines
from toolhaft.generators.wording import label_of, say_value

Manner = Literal["prose", "listed", "stated"]
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:T[\d:]+Z?)?")
_BEFORE = frozenset({"to", "from", "into", "in", "at", "until", "since", "after", "before", "via"})
"""Names that are said in front of their value, and nothing else is."""
_BEHIND = frozenset({"until", "since", "after", "before", "on", "at", "by"})
_STARTS = frozenset({"from", "start", "first", "begin", "since"})
_ENDS = frozenset({"to", "end", "last", "until"})
_LIMITS = {"min": "least", "minimum": "least", "max": "most", "maximum": "most"}
PLACES = frozenset({"city", "town", "country"})
"""What is known by its name alone: one says ``Oslo``, and not ``city Oslo``."""


def say_alone(name: str, schema: Mapping[str, Any], value: Any, random: Random) -> str:
    """Return an argument as a phrase that stands in a sentence by itself, ``from 2 June``, or nothing."""
    words = words_of(name)
    if not words or isinstance(value, bool | dict | list) or (words == ["to"] and "@" in str(value)):
        return ""
    said = say_value(value, schema, random)
    if words[0] in _BEFORE if len(words) == 1 else words[-1] in _BEHIND:
        return f"{' '.join(words)} {said}"
    if isinstance(value, str):
        return _alone_text(words, value, said)
    bound = _LIMITS.get(words[0])
    if bound is None or len(words) == 1:
        return ""
    thing = " ".join(words[1:])
    if singular(words[-1]) != words[-1]:
        return f"with at {bound} {said} {thing}"
    return f"with a {'minimum' if bound == 'least' else 'maximum'} {thing} of {said}"


def say_arguments(
    members: Mapping[str, Mapping[str, Any]], arguments: Mapping[str, Any], random: Random, manner: Manner
) -> str:
    """Return arguments in words, so that the value of each stands in them."""
    if manner == "stated" and any(isinstance(value, bool | dict) for value in arguments.values()):
        return ""
    names = random.sample(list(arguments), len(arguments))
    patterns = lines("phrase" if manner == "prose" else manner)
    style = random.choice(patterns)
    said = []
    for name in names:
        # Lists of what goes where look alike from line to line; sentences need not.
        pattern = style if manner == "listed" or random.random() < 0.6 else random.choice(patterns)
        said.append(_said(name, members.get(name, {}), arguments[name], random, manner, pattern))
    if len(said) == 1:
        return said[0]
    last = ", " if manner == "listed" else " and "
    return f"{', '.join(said[:-1])}{last}{said[-1]}"


def _said(
    name: str, schema: Mapping[str, Any], value: Any, random: Random, manner: Manner, pattern: str
) -> str:
    label = label_of(name, value, random)
    if isinstance(value, bool):
        file = ("yes" if value else "no") + ("_listed" if manner == "listed" else "")
        pattern = random.choice(lines(file))
    elif isinstance(value, list) and len(value) == 1:
        label = " ".join([*label.split()[:-1], singular(label.split()[-1])]) if label.split() else label
    elif manner == "stated":
        is_plural = singular(label.split()[-1]) != label.split()[-1]
        if is_plural and isinstance(value, int):
            label = f"number of {label}"
        elif is_plural:
            pattern = pattern.replace("} is", "} are")
    return pattern.replace("{label}", label).replace("{value}", say_value(value, schema, random))


def _alone_text(words: list[str], value: str, said: str) -> str:
    if _MOMENT.fullmatch(value):
        if words[0] in _STARTS or words[-1] in _STARTS:
            return f"from {said}"
        if words[0] in _ENDS or words[-1] in _ENDS:
            return f"until {said}"
        return f"on {said}" if words in (["date"], ["day"]) else ""
    if len(words) == 2 and words[0] in ("from", "to"):
        return f"{' '.join(words)} {said}"
    if len(words) == 1 and words[0] in PLACES:
        return f"in {said}"
    if words in (["origin"], ["destination"]) and " " not in value:
        return f"{'from' if words == ['origin'] else 'to'} {said}"
    return ""


def place(action: str, name: str, schema: Mapping[str, Any], value: Any, random: Random) -> str:
    """Return an action with an argument in place of the thing that it is: ``cancel booking BK-2001``.

    The action comes back as it is where nothing in it is that thing.
    """
    noun = noun_of(name)
    if not noun:
        return action
    said = say_value(value, schema, random)
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        plural = noun if singular(noun) != noun else f"{noun}s"
        return _replaced(_PLURAL, action, plural, f"{plural if len(value) > 1 else singular(plural)} {said}")
    if not isinstance(value, str):
        return action
    if noun in PLACES:
        return _replaced(_THING, action, noun, said)
    if found := _find_kind(action, noun):
        return _put(action, found, f"{found.group(1)} {said}")
    is_name = noun == " ".join(words_of(name)) and not re.fullmatch(r"[A-Za-z]+[-_]?[\w-]*\d[\w-]*", value)
    return _replaced(_THING, action, noun, f"the {noun} {said}" if is_name else f"{noun} {said}")


def refer(action: str, noun: str, reference: str) -> str:
    """Return an action with a reference in place of the thing, or behind it where there is no such thing."""
    kind = _find_kind(action, noun)
    if kind is not None:
        reference, noun = reference.replace(noun, kind.group(1)), kind.group(1)
    found = kind or _find(_THING, action, noun)
    if found is None:
        pointing = reference in ("it", "that one", "this one")
        return f"{action} for {f'that {noun}' if pointing and noun else reference}"
    # What belongs to the thing, ``a report about the map``, cannot stand behind a pronoun.
    if reference in ("it", "that one", "this one") and _BELONGING.match(action[found.end() :]):
        reference = f"that {noun}"
    elif reference in ("the first one", "the first of them") and _BELONGING.match(action[found.end() :]):
        reference = f"the first {noun}"
    return _put(action, found, reference)


_NEXT = (
    r"(?=$|[,;:]|\s(?:of|for|to|from|on|in|with|at|about|by|and|into|as|off|again|now|right|side|back|away|out|up"
    r"|down|over|before|after|is|are|was|has|can|that|which|without|through|under|within|another)\b)"
)
_THING = (
    r"\b(?:a|an|one|the|your|this|another)\s(?:[a-z-]+\s(?:or\s[a-z-]+\s)?)?NOUN(?:\sor\s[a-z]+)?(?:\sof\s(?:(?:a|an|the)\s)?[a-z]+(?!\S))?"
    + _NEXT
)
"""A thing in a purpose that is not the beginning of a longer name: ``a ticket``, not ``a ticket label``."""
_PLURAL = r"\b(?:the\s|some\s|several\s)?NOUN" + _NEXT
_BELONGING = re.compile(r"\s(?:about|to|of|for|on|in|at)\b")


def _find_kind(action: str, noun: str) -> re.Match[str] | None:
    """Return where a thing stands that is named by what became of it: for ``saved_id``, a saved place."""
    if not noun.endswith("ed"):
        return None
    return re.search(rf"\ba\s({re.escape(noun)}\s[a-z]+)(?=$|\s)", action)


def _find(pattern: str, action: str, noun: str) -> re.Match[str] | None:
    return re.search(pattern.replace("NOUN", re.escape(noun)), action, re.IGNORECASE) if noun else None


def _replaced(pattern: str, action: str, noun: str, words: str) -> str:
    found = _find(pattern, action, noun)
    return action if found is None else _put(action, found, words)


def _put(action: str, found: re.Match[str], words: str) -> str:
    return f"{action[: found.start()]}{words}{action[found.end() :]}"
