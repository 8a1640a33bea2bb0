"""Which words of a clause name which of several things that a tool wants the identifiers of."""

from __future__ import annotations

from typing import Any

from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.matching import cue_score
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.scene import Scene
from toolhaft.models.heuristic.slots import Path, Slot
from toolhaft.models.heuristic.words import concept, split_words


def name_rivals(
    slots: tuple[Slot, ...],
    scene: Scene,
    goal: Goal,
    values: dict[Path, Any],
    names: dict[Path, Mention],
) -> None:
    """Give each identifier that is missing the phrase that ends with its noun, where there are several.

    ``From my savings account to the household account`` names two accounts; the words before each say which
    argument it is for.
    """
    wanting = [
        slot
        for slot in slots
        if slot.kind == "id" and slot.required and not slot.many and slot.noun and slot.path not in values
    ]
    if len(wanting) + len(names) < 2:
        return
    phrases = [
        one
        for one in scene.mentions
        if one.kind == "phrase" and goal.start <= one.start < goal.end and len(split_words(one.text)) > 1
    ]
    pairs = [
        (cue_score(slot, one, scene), place, one)
        for place, slot in enumerate(wanting)
        for one in phrases
        if slot.path not in names and _heads(one) == concept(slot.noun[-1])
    ]
    pairs.sort(key=lambda pair: (-round(pair[0], 2), pair[1], pair[2].start))
    for _, place, mention in pairs:
        slot = wanting[place]
        if slot.path not in names and not any(one.overlaps(mention) for one in names.values()):
            names[slot.path] = mention


def _heads(mention: Mention) -> str:
    return concept(split_words(mention.text)[-1].stem)
