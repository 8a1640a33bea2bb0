"""A text as the arguments of one tool see it: its values, and the words around each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.slots import Slot
from toolhaft.models.heuristic.words import Word, split_words


@dataclass(frozen=True, slots=True)
class Scene:
    """A text with the values it states, as one tool's slots see it.

    Attributes:
        taken: Stems of the tool's own name and description: what names the tool is seldom a value.
        weights: How telling a name stem is among the tool's slots, in (0, 1].
        topic: Stems of the tool's nouns: ``the contact Ann`` names what a search for contacts is to find.
        claims: Stems of what identifiers stand for, by the letters that these begin with.
        writes: The tool changes something, so that nothing is to be guessed.
        roles: ``low`` for the first and ``high`` for the second of a range, by place in the text.
    """

    text: str
    mentions: tuple[Mention, ...]
    taken: frozenset[str]
    weights: dict[str, float]
    words: tuple[Word, ...] = field(default=())
    topic: frozenset[str] = frozenset()
    roles: dict[int, str] = field(default_factory=dict)
    claims: Mapping[str, frozenset[str]] = field(default_factory=dict)
    writes: bool = False

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
        for one, two in pairwise(same):
            before = text[max(0, one.start - 12) : one.start].lower()
            gap = text[one.end : two.start].lower().strip(" ,")
            opened = re.search(r"\b(?:from|between|starting(?: on| at)?)\s+(?:the )?\W?$", before)
            if (opened and re.match(r"(?:\w+\s)?(?:to|until|till|through|and|-|–)\b|[-–]$", gap)) or (
                kind == "when" and gap in ("to", "until", "till", "-", "–", "through")
            ):
                roles[one.start], roles[two.start] = "low", "high"
    return roles
