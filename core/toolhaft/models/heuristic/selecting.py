"""The tools that are worth trying for a goal, and which of them may change something."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.codes import CURRENCIES, named_codes
from toolhaft.models.heuristic.identifying import prefix_of
from toolhaft.models.heuristic.image_words import MEDIA, with_aliases
from toolhaft.models.heuristic.lexicon import READ_VERBS, VERB_CLASSES
from toolhaft.models.heuristic.pictures import referring_stems
from toolhaft.models.heuristic.placing import takes_image
from toolhaft.models.heuristic.ranking import Entry, Ranked, ToolIndex
from toolhaft.models.heuristic.references import REFERRING
from toolhaft.models.heuristic.regions import find_measures
from toolhaft.models.heuristic.sequences import place_stems
from toolhaft.models.heuristic.walk import Walk
from toolhaft.models.heuristic.words import content_stems, name_stems, stem

_STEMMED = {intent: frozenset(map(stem, words)) for intent, words in VERB_CLASSES.items()}
_PRONOUN = re.compile(r"\b(?:it|them|one|ones|him|her|us)\b(?! of)", re.IGNORECASE)
ALTERNATIVES = 4
COVERAGE_FLOOR = 0.22
PROBE_CAP = 3
_SOUGHT = ("entity", "quoted")
WRITE_FLOOR = 0.3
NEAR = 0.6


def candidates(walk: Walk, goal: Goal, index: ToolIndex) -> list[Ranked]:
    """Return the tools worth trying for a goal, best first; none if no tool knows its words."""
    values = frozenset(
        one
        for mention in walk.mentions
        if mention.kind in ("quoted", "entity", "email", "url", "id", "path")
        and goal.start <= mention.start < goal.end
        for one in content_stems(mention.text)
    )
    if walk.turn.artifacts:
        own = [one for one in find_measures(walk.turn.text) if goal.start <= one.start < goal.end]
        values |= place_stems(own, goal, walk.turn.text) | referring_stems(goal, walk.turn.text) | MEDIA
        goal = replace(goal, text=with_aliases(goal.text))
        if (named := called(walk, goal)) is not None:
            others = [one for one in index.rank(goal, values) if one.entry is not named]
            return [Ranked(named, 1.0, 1.0, True), *others[: ALTERNATIVES - 1]]
    if converters := _converters(walk, goal):
        return converters[:1]
    ranked = index.rank(goal, values)
    if walk.turn.artifacts:
        ranked = _beyond_media(ranked, goal)
    if not (ranked and _trusted(ranked[0], goal)) and (context := _context(walk, goal)):
        ranked = index.rank(goal, values, context)
    if not ranked:
        return _identified(walk, goal, None) or _probes(walk, goal)
    best = next((one for one in ranked[:3] if not _oversteps(one, goal)), ranked[0])
    if known := _identified(walk, goal, best):
        return known
    if not _trusted(best, goal):
        return _searches(walk, goal, ranked) or _guesses(walk, goal, ranked) or _probes(walk, goal)
    ordered = any(one.entry.spec.effect != "read" and _does(one.entry, goal) for one in ranked)
    near = [
        one
        for one in ranked[: ALTERNATIVES * 2]
        if not (ordered and one.entry.spec.effect == "irreversible" and not _does(one.entry, goal))
        and one.score >= NEAR * best.score
        and not _oversteps(one, goal)
        and _safe(goal, one, best)
    ]
    near.sort(key=lambda one: -one.score * _fit(walk, goal, one))
    return _changing_first(near, ranked, goal)[:ALTERNATIVES]


def _beyond_media(ranked: list[Ranked], goal: Goal) -> list[Ranked]:
    """Return the tools that know more of a goal than that it is about a picture, where it says more."""
    telling = set(content_stems(goal.text)) - MEDIA
    return [one for one in ranked if one.entry.knows(telling)] if telling else ranked


def called(walk: Walk, goal: Goal) -> Entry | None:
    """Return the tool for images that a goal opens with the name of, where it changes nothing."""
    text = f"{goal.text.lower()} "
    for entry in walk.entries:
        name = re.sub(r"[\W_]+", " ", entry.spec.name).lower()
        if takes_image(entry.slots) and entry.spec.effect == "read" and text.startswith(f"{name} "):
            return entry
    return None


def _changing_first(near: list[Ranked], ranked: Sequence[Ranked], goal: Goal) -> list[Ranked]:
    """Return tools with those that change something first, where an order names one and its verb."""
    if goal.intent not in ("create", "update", "delete") or not near or near[0].entry.spec.effect != "read":
        return near
    able = [one for one in near if one.entry.spec.effect != "read" and one.named]
    able = (
        able
        or [
            one
            for one in ranked
            if one.entry.spec.effect == "write" and one.coverage >= WRITE_FLOOR and _does(one.entry, goal)
        ][:1]
    )
    return able + [one for one in near if one not in able]


def _trusted(best: Ranked, goal: Goal) -> bool:
    """Return whether enough of a goal's words speak for the best tool; a change takes more."""
    if best.coverage < COVERAGE_FLOOR:
        return False
    if not best.named and best.coverage < 0.5:
        return best.described and goal.intent != "read" and _does(best.entry, goal)
    return best.named or best.entry.spec.effect == "read" or _does(best.entry, goal)


def _oversteps(one: Ranked, goal: Goal) -> bool:
    """Return whether a tool would change something that a goal says too little of."""
    return one.entry.spec.effect != "read" and not _trusted(one, goal)


def _identified(walk: Walk, goal: Goal, best: Ranked | None) -> list[Ranked]:
    """Return what reads the thing whose identifier a question states, where the best tool has no use for it.

    Only tools that show what their identifiers look like are taken, and only where one of them is meant.
    """
    stated = {one.text for one in walk.mentions if one.kind == "id" and goal.start <= one.start < goal.end}
    if not stated or goal.intent not in ("read", "any"):
        return []
    if best is not None:
        given = walk.filled(best.entry, goal).values
        used = any(slot.kind == "id" and str(given.get(slot.path)) in stated for slot in best.entry.slots)
        if best.entry.spec.effect != "read" or (used and _trusted(best, goal)):
            return []
    able = []
    for entry in walk.entries:
        required = [slot for slot in entry.slots if slot.required]
        if entry.spec.effect != "read" or len(required) != 1 or required[0].kind != "id":
            continue
        value = str(walk.filled(entry, goal).values.get(required[0].path))
        if value in stated and prefix_of(value) in {prefix for prefix, _ in entry.claims}:
            able.append(Ranked(entry, 1.0, 1.0, True))
    return able if len(able) == 1 else []


def _does(entry: Entry, goal: Goal) -> bool:
    """Return whether a tool is called by the goal's own verb."""
    return bool(goal.verb) and stem(goal.verb) in entry.verbs


def _guesses(walk: Walk, goal: Goal, ranked: Sequence[Ranked]) -> list[Ranked]:
    """Return tools that do what the verb says, where only their records can tell what it is done to."""
    return [
        replace(one, guess=True)
        for one in ranked
        if goal.intent != "read"
        and one.entry.spec.effect != "read"
        and _does(one.entry, goal)
        and any(slot.kind == "id" for slot in walk.filled(one.entry, goal).missing)
    ][:ALTERNATIVES]


def _context(walk: Walk, goal: Goal) -> str:
    """Return what was said before a goal that speaks of it by a pronoun only."""
    return walk.turn.text[: goal.start] if _PRONOUN.search(goal.text) is not None else ""


def _converters(walk: Walk, goal: Goal) -> list[Ranked]:
    """Return the tools that turn one currency into another, where a goal names two and an amount."""
    if len(named_codes(CURRENCIES, goal.text)) < 2:
        return []
    able = (entry for entry in walk.entries if entry.currencies > 1 and entry.intent == "read")
    return [Ranked(entry, 1.0, 1.0, True) for entry in able if not walk.filled(entry, goal).missing]


def _searches(walk: Walk, goal: Goal, ranked: Sequence[Ranked]) -> list[Ranked]:
    """Return the searches of the services that a question names, where no tool is named itself."""
    if goal.intent != "read":
        return []
    found = []
    for one in ranked:
        belongs = set(name_stems(one.entry.spec.parent)) & set(content_stems(goal.text))
        query = next((slot for slot in one.entry.slots if slot.kind == "query"), None)
        if (
            belongs
            and query is not None
            and one.entry.intent == "read"
            and query.path in walk.filled(one.entry, goal).values
        ):
            found.append(one)
    return found[:2]


def _probes(walk: Walk, goal: Goal) -> list[Ranked]:
    """Return searches by key words for what a question names, where no tool knows the question's words.

    Only what they find may tell that they are for it.
    """
    if goal.intent != "read" or walk.known:
        return []
    inside = [one for one in walk.mentions if goal.start <= one.start < goal.end]
    if any(one.kind == "id" for one in inside):
        return []
    found = []
    for entry in walk.entries:
        if entry.spec.effect != "read" or any(slot.required for slot in entry.slots):
            continue
        query = next((slot for slot in entry.slots if slot.kind == "query" and not slot.many), None)
        value = walk.filled(entry, goal).values.get(query.path) if query is not None else None
        if any(one.text == value and (one.kind in _SOUGHT or " " in one.text) for one in inside):
            found.append(Ranked(entry, 1.0, 0.0, False, guess=True))
    return found[:PROBE_CAP]


def _safe(goal: Goal, one: Ranked, best: Ranked) -> bool:
    """Return whether a tool may stand in for the best: nothing is changed for a question or on a guess."""
    if one.entry.spec.effect == "read":
        return goal.intent == "read" or best.entry.spec.effect == "read"
    if goal.intent == "read" and goal.verb in READ_VERBS:
        return False
    if one is not best and not _known(one.entry) and not _does(one.entry, goal):
        return False
    return (
        one is best
        or (one.named and one.entry.intent == best.entry.intent)
        or best.entry.spec.effect == "read"
    )


def _known(entry: Entry) -> bool:
    """Return whether the verb of a tool that changes something is known: another may do anything."""
    return any(entry.verbs & _STEMMED[intent] for intent in ("create", "update", "delete"))


def _fit(walk: Walk, goal: Goal, ranked: Ranked) -> float:
    """Return by how much what the instruction gives speaks for a tool."""
    filled = walk.filled(ranked.entry, goal)
    required = [slot for slot in ranked.entry.slots if slot.required]
    identified = any(
        slot.kind == "id"
        and slot.path in filled.values
        and any(char.isdigit() for char in str(filled.values[slot.path]))
        for slot in required
    )
    unsaid = sum(slot.kind not in REFERRING for slot in filled.missing)
    unknown = len(filled.missing) - unsaid
    explained = sum(
        one.kind not in ("phrase", "unit") and goal.start <= one.start < goal.end for one in filled.used
    ) + sum(slot.kind == "enum" and slot.path in filled.values for slot in ranked.entry.slots)
    factor = (1.3 if identified else 1.0) * (1.1 if required and not filled.missing else 1.0)
    return (
        factor
        * 0.8**unsaid
        * (0.85 if ranked.entry.intent == "read" else 0.92) ** unknown
        * (1.0 + 0.08 * min(explained, 5))
    )
