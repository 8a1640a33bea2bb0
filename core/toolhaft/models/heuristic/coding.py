"""Slots that want a code, filled from what is called by its name."""

from __future__ import annotations

import re
from typing import Any

from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.codes import named_codes, wanted_codes
from toolhaft.models.heuristic.limits import checked
from toolhaft.models.heuristic.matching import BEGINS, ENDS, cue_score
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.scene import Scene
from toolhaft.models.heuristic.slots import Path, Slot


def fill_codes(
    slots: list[Slot], scene: Scene, goal: Goal, values: dict[Path, Any], used: list[Mention]
) -> list[Slot]:
    """Fill the slots that want a code for something named, and return the others."""
    pairs: list[tuple[float, int, Mention]] = []
    for place, slot in enumerate(slots):
        table = wanted_codes(slot)
        if not table or slot.many:
            continue
        spans = [
            Mention("entity", start, end, scene.text[start:end], code)
            for start, end, code in named_codes(table, scene.text)
        ]
        spans += [one for one in scene.mentions if one.kind == "entity" and one.text in table.values()]
        pairs.extend(
            (_code_score(slot, one, scene, goal), place, one) for one in spans if checked(slot, one.value)
        )
    pairs.sort(key=lambda pair: (-round(pair[0], 2), pair[1], pair[2].start))
    given: set[Any] = set()
    for score, place, mention in pairs:
        slot = slots[place]
        if slot.path in values or mention.value in given or score < (0.1 if slot.required else 1.0):
            continue
        values[slot.path] = mention.value
        given.add(mention.value)
        if not any(one.kind == "number" and one.overlaps(mention) for one in scene.mentions):
            used.append(mention)  # what stands in an amount of money leaves the amount to be used
        used.extend(one for one in scene.mentions if one.kind == "entity" and one.overlaps(mention))
    return [slot for slot in slots if slot.path not in values and slot.kind != "enum"]


def _code_score(slot: Slot, mention: Mention, scene: Scene, goal: Goal) -> float:
    inside = goal.start <= mention.start < goal.end
    before = scene.text[max(0, mention.start - 12) : mention.start].lower()
    score = (1.0 if inside else 0.6) + cue_score(slot, mention, scene)
    if re.search(r"\d\s*$", before):
        score += 0.7 * (bool(slot.name & BEGINS) - bool(slot.name & ENDS))
    elif re.search(r"\b(?:in|into|to)\s+$", before):
        score += 0.7 * (bool(slot.name & ENDS) - bool(slot.name & BEGINS))
    return score
