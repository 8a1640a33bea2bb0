"""Whether what a text states can be the identifier, or the name, that a slot wants.

Numbers and filler words stand everywhere; sent as an identifier, one of them reaches whatever happens to
bear it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from toolhaft.models.heuristic.limits import checked, plain_pattern
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.scene import Scene
from toolhaft.models.heuristic.slots import Slot
from toolhaft.models.heuristic.words import concept, stem

_CALLED = frozenset(["id", "ids", "identifier", "number", "numbered", "no", "nr", "code", "reference", "ref"])
_BETWEEN = frozenset(["is", "are", "of", "the", "and", "or", "as", "to", "with", "for", "a", "an", "in"])
_NAMING = frozenset(
    ["for", "name", "named", "names", "called", "by", "with", "i'm", "am", "name's", "under", "to", "of"]
)
_PREFIX = re.compile(r"[A-Za-z]{1,6}(?=[-_]?\d)")
SHORTEST = 3
"""Digits of a number that may be told as an identifier by its length alone."""


def shape_of(text: str) -> str:
    """Return the form of an identifier: runs of capitals, small letters and digits as one sign each."""
    return re.sub(r"[0-9]+", "9", re.sub(r"[a-z]+", "a", re.sub(r"[A-Z]+", "A", text.lstrip("#")[:60])))


def prefix_of(text: str) -> str:
    """Return the letters that a numbered identifier begins with, lower-case, or an empty text."""
    match = _PREFIX.match(text.lstrip("#"))
    return match[0].lower() if match is not None else ""


def is_claimed(slot: Slot, mention: Mention, claims: Mapping[str, frozenset[str]]) -> bool:
    """Return whether an identifier has the form of another thing's than the slot identifies.

    Args:
        slot: What asks for an identifier.
        mention: An identifier.
        claims: Stems of what identifiers stand for, by the letters that these begin with.
    """
    nouns = claims.get(prefix_of(mention.text))
    if not nouns or any(shape_of(one) == shape_of(mention.text) for one in slot.examples):
        return False
    own = {*slot.noun, *slot.name, *slot.about}
    return not ({concept(one) for one in own} & {concept(one) for one in nouns})


def is_numbered(slot: Slot, mention: Mention, scene: Scene) -> bool:
    """Return whether a number is said to be an identifier, or looks like one of those that a slot shows."""
    if scene.text[mention.start : mention.start + 1] == "#" or scene.text[: mention.start].endswith("#"):
        return True
    digits = mention.text.lstrip("#")
    if len(digits) >= SHORTEST:
        if any(one.isdigit() and abs(len(one) - len(digits)) <= 1 for one in slot.examples):
            return True
        if plain_pattern(slot.schema.get("pattern")) is not None and checked(slot, digits):
            return True
    nouns = {concept(one) for one in slot.noun}
    for place, word in enumerate(scene.before(mention, 5)):
        if word.lower in _CALLED:
            return True
        if concept(word.stem) in nouns:
            return True
        if place >= 3 or not (word.lower in _BETWEEN or word.lower.isdigit()):
            return False
    return False


def may_name(mention: Mention, scene: Scene) -> bool:
    """Return whether words may be somebody's name: small ones only where the text says whose it is."""
    before = scene.before(mention, 1)
    if mention.kind != "phrase":
        # ``a Miller`` is one of that name and nobody's name
        return not (mention.kind == "entity" and before and before[0].lower in ("a", "an", "another"))
    return bool(before) and (before[0].lower in _NAMING or before[0].stem == stem("name"))
