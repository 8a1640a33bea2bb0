"""Arguments for a tool from what the text states."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.codes import wanted_codes
from toolhaft.models.heuristic.coding import fill_codes
from toolhaft.models.heuristic.coercion import as_value
from toolhaft.models.heuristic.limits import checked
from toolhaft.models.heuristic.matching import is_taken, match_score, trimmed
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.naming_slots import name_rivals
from toolhaft.models.heuristic.placing import UNKNOWN, Pixels, place_mentions, plain_choices, takes_image
from toolhaft.models.heuristic.scene import Scene, scene_of
from toolhaft.models.heuristic.slots import Path, Slot
from toolhaft.models.heuristic.spelling import spelled_value, stems_of_choices
from toolhaft.models.heuristic.words import content_stems, name_stems, split_words, stem
from toolhaft.types import ToolSpec

OPTIONAL_FLOOR = 1.35
"""Score that an optional slot needs; a value whose kind fits and that nothing speaks for has about 1."""
REQUIRED_FLOOR = 0.2
SPOKEN_FOR = 0.7
"""What a value loses that another argument has: only what must be given may use it again."""
SPREAD_CAP = 12

_SORTING = frozenset(stem(word) for word in ["sort", "order", "orderby", "sortby", "direction"])


@dataclass(frozen=True, slots=True)
class Filled:
    """What the text gives for a tool.

    Attributes:
        values: Values by path.
        missing: Required slots that the text gives nothing for.
        spreads: Values that make one call each, by path: ``Paris, Rome and Oslo`` for one city.
        used: Mentions that went into a value.
        names: Mentions that name what a slot wants by a code or identifier: ``Oslo`` for an airport.
        strength: Mean score of the required slots, 0 if there are none.
    """

    values: dict[Path, Any] = field(default_factory=dict)
    missing: tuple[Slot, ...] = ()
    spreads: dict[Path, list[Any]] = field(default_factory=dict)
    used: tuple[Mention, ...] = ()
    strength: float = 0.0
    names: dict[Path, Mention] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Consumer:
    """The tool that wants a value from another one.

    Attributes:
        nouns: Stems of its name's nouns, which say nothing about what to search for.
        used: Mentions that are its own arguments.
    """

    nouns: frozenset[str]
    used: tuple[Mention, ...]


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Where values may come from.

    Attributes:
        spoken: All goals of the instruction.
        taken: Mentions that belong to the tool that the value is for.
        required: Names that really have to be given.
        names: Takes the mentions that fit a required slot but for its pattern.
        sought: Optional key words; what only says what the tool is about is none.
    """

    spoken: Sequence[Goal]
    taken: tuple[Mention, ...]
    required: tuple[str, ...]
    names: dict[Path, Mention]
    sought: frozenset[Path] = frozenset()


def _sought(slot: Slot) -> Slot:
    """Return a search's key words as if they had to be given: without them it lists everything."""
    return slot if slot.required else replace(slot, required=True)


def _optional_queries(spec: ToolSpec, slots: tuple[Slot, ...]) -> frozenset[Path]:
    wanted = spec.required
    return frozenset(
        slot.path
        for slot in slots
        if slot.kind == "query" and len(slot.path) == 1 and slot.path[0] not in wanted
    )


def fill(
    spec: ToolSpec,
    slots: tuple[Slot, ...],
    text: str,
    mentions: tuple[Mention, ...],
    goal: Goal,
    topic: frozenset[str] = frozenset(),
    spoken: Sequence[Goal] = (),
    consumer: Consumer | None = None,
    claims: Mapping[str, frozenset[str]] | None = None,
    image: Pixels = UNKNOWN,
) -> Filled:
    """Return arguments from a text.

    Args:
        spec: The tool.
        slots: Its arguments.
        goal: The clause that the tool is to serve.
        text: The whole instruction; what stands outside the goal's clause counts for less.
        mentions: The values that the text states.
        topic: Stems of the tool's nouns.
        spoken: All goals; what stands in none of them is said for all of them.
        consumer: What the tool is to bring a value for, if it is not called for the goal itself.
        claims: Stems of what identifiers stand for, by the letters that these begin with.
        image: Size of the image that the user gave first.
    """
    taken = frozenset(name_stems(spec.name)) | frozenset(content_stems(spec.description[:300]))
    taken |= frozenset(content_stems(spec.parent[:80]))
    if consumer is not None:
        taken |= consumer.nouns
    reads = spec.effect == "read"
    slots = tuple(
        _sought(slot) if reads and slot.kind == "query" and not slot.many else slot for slot in slots
    )
    values: dict[Path, Any] = {}
    used: list[Mention] = []
    if takes_image(slots):
        mentions = place_mentions(slots, text, goal, spoken, image, mentions, values, used)
    scene = replace(scene_of(text, mentions, slots, taken, topic), claims=claims or {}, writes=not reads)
    clause = text[goal.start : goal.end]
    choices = _without_verb(clause, goal) if reads and goal.intent != "read" else clause
    choices = plain_choices(slots, choices) if takes_image(slots) else choices
    for slot in slots:
        if slot.path in values or slot.kind == "artifact":
            continue
        idle = not slot.required and (slot.name & _SORTING or slot.kind == "boolean")
        if wanted_codes(slot) or (consumer is not None and idle):
            continue
        if (value := spelled_value(slot, clause, choices, text)) is not None:
            values[slot.path] = value
    matched = [slot for slot in slots if slot.path not in values and _is_matched(slot)]
    matched = fill_codes(matched, scene, goal, values, used)
    spoken_for = consumer.used if consumer is not None else ()
    names: dict[Path, Mention] = {}
    strengths = _assign(
        matched,
        replace(scene, taken=taken | stems_of_choices(slots, values)),
        goal,
        values,
        used,
        _Bounds(spoken, spoken_for, spec.required, names, _optional_queries(spec, slots)),
    )
    name_rivals(slots, scene, goal, values, names)
    spreads = _spreads(slots, scene, goal, values, used)
    missing = tuple(
        slot
        for slot in _complete(slots, values)
        if slot.path not in _optional_queries(spec, slots) and slot.kind != "artifact"
    )
    needed = {slot.path for slot in slots if slot.required}
    required = [score for path, score in strengths.items() if path in needed]
    return Filled(
        values, missing, spreads, tuple(used), sum(required) / len(required) if required else 0.0, names
    )


def _assign(
    slots: list[Slot],
    scene: Scene,
    goal: Goal,
    values: dict[Path, Any],
    used: list[Mention],
    bounds: _Bounds,
) -> dict[Path, float]:
    pairs: list[tuple[float, int, int]] = []
    orders = _positions(slots, scene)
    for place, slot in enumerate(slots):
        for rank, mention in enumerate(scene.mentions):
            score = _pair_score(slot, mention, scene, goal, bounds)
            if score is not None:
                score += 0.15 * (1.0 - abs(orders[0][place] - orders[1][rank]))
                pairs.append((score, place, rank))
    pairs.sort(key=lambda pair: (-round(pair[0], 2), pair[1], pair[2]))
    strengths: dict[Path, float] = {}
    for score, place, rank in pairs:
        slot, mention = slots[place], scene.mentions[rank]
        if slot.path in values or any(mention.overlaps(other) for other in used):
            continue
        if score < (REQUIRED_FLOOR if slot.required else OPTIONAL_FLOOR):
            continue
        given = _value(slot, mention, scene, used)
        if given is None:
            continue
        value, spent = given
        if not all(checked(slot, one) for one in (value if isinstance(value, list) else [value])):
            if slot.required and mention.kind in ("entity", "quoted") and slot.path not in bounds.names:
                bounds.names[slot.path] = mention
                used.append(mention)
            continue
        if slot.path in bounds.names:
            continue
        values[slot.path] = value
        strengths[slot.path] = score
        used.extend(spent)
    return strengths


def _pair_score(slot: Slot, mention: Mention, scene: Scene, goal: Goal, bounds: _Bounds) -> float | None:
    """Return how well a mention would fill a slot, or None if it cannot."""
    score = match_score(slot, mention, scene)
    if score <= 0.0:
        return None
    if any(mention.overlaps(other) for other in bounds.taken):
        if slot.path[0] not in bounds.required:
            return None
        score -= SPOKEN_FOR
    if slot.path in bounds.sought and mention.kind in ("phrase", "entity") and is_taken(mention, scene):
        return None
    if not (goal.start <= mention.start < goal.end):
        elsewhere = any(other.start <= mention.start < other.end for other in bounds.spoken)
        score = score * 0.55 - 0.1 if elsewhere or not bounds.spoken else score * 0.85
    return score + (0.35 if slot.required else 0.0)


def _is_matched(slot: Slot) -> bool:
    """Return whether a slot takes a value as the text states it."""
    return slot.kind not in ("enum", "boolean", "object", "artifact") or bool(wanted_codes(slot))


def _without_verb(clause: str, goal: Goal) -> str:
    """Return a clause without its verb: to cancel a booking is not to look among the cancelled ones."""
    place = clause.lower().find(goal.verb) if goal.verb else -1
    return clause if place < 0 else clause[:place] + clause[place + len(goal.verb) :]


def _positions(slots: list[Slot], scene: Scene) -> tuple[list[float], list[float]]:
    """Return where each slot stands among those of its type, and each mention among its kind, in [0, 1]."""

    def shares(kinds: list[str]) -> list[float]:
        counts = {kind: kinds.count(kind) for kind in kinds}
        seen: dict[str, int] = {}
        found = []
        for kind in kinds:
            found.append(seen.get(kind, 0) / max(counts[kind] - 1, 1))
            seen[kind] = seen.get(kind, 0) + 1
        return found

    types = [str(slot.schema.get("type")) for slot in slots]
    figures = ["figure" if one in ("integer", "number") else one for one in types]
    return shares(figures), shares([mention.kind for mention in scene.mentions])


def _value(
    slot: Slot, mention: Mention, scene: Scene, used: list[Mention]
) -> tuple[Any, list[Mention]] | None:
    if not slot.many:
        if mention.kind == "list":
            return None
        raw = trimmed(slot, mention, scene) if mention.kind in ("phrase", "entity") else None
        value = as_value(slot, mention, raw)
        return None if value is None else (value, [mention])
    if mention.kind == "list":
        return mention.value, [mention]
    members = [mention]
    if mention.group:
        members = [
            other
            for other in scene.mentions
            if other.group == mention.group and not any(other.overlaps(one) for one in used)
        ]
    listed = [
        as_value(slot, one, trimmed(slot, one, scene) if one.kind == "phrase" else None) for one in members
    ]
    clean = [one for one in listed if one is not None]
    return (clean, members) if clean else None


def _spreads(
    slots: tuple[Slot, ...], scene: Scene, goal: Goal, values: dict[Path, Any], used: list[Mention]
) -> dict[Path, list[Any]]:
    """Return the coordinated values of single slots, where more than one stands in the clause."""
    spreads: dict[Path, list[Any]] = {}
    for slot in slots:
        if slot.many or slot.path not in values or slot.kind in ("boolean", "object", "free"):
            continue
        source = next(
            (one for one in used if one.group and _gives(slot, one, values[slot.path], scene)), None
        )
        if source is None or sum(one.group == source.group for one in used) > 1:
            continue
        others = [
            one
            for one in scene.mentions
            if one.group == source.group
            and one is not source
            and not any(one.overlaps(other) for other in used)
        ]
        if not others or not all(goal.start <= one.start < goal.end for one in others):
            continue
        members = sorted([source, *others], key=lambda one: one.start)
        listed = [
            as_value(slot, one, trimmed(slot, one, scene) if one.kind == "phrase" else None)
            for one in members
        ]
        distinct = list(dict.fromkeys(one for one in listed if one is not None))
        if len(distinct) > 1:
            spreads[slot.path] = distinct[:SPREAD_CAP]
            used.extend(others)
    return spreads


def _gives(slot: Slot, mention: Mention, value: Any, scene: Scene) -> bool:
    raw = trimmed(slot, mention, scene) if mention.kind in ("phrase", "entity") else None
    return bool(as_value(slot, mention, raw) == value)


def _complete(slots: tuple[Slot, ...], values: dict[Path, Any]) -> tuple[Slot, ...]:
    """Leave out defaults, take the only choice there is, and return what is still missing."""
    missing: list[Slot] = []
    begun = {path[:depth] for path in values for depth in range(1, len(path))}
    for slot in slots:
        if slot.path in values:
            continue
        inner = len(slot.path) > 1 and slot.path[:-1] in begun and slot.label in _required_beside(slot)
        if not (slot.required or inner):
            continue
        if "const" in slot.schema:
            values[slot.path] = slot.schema["const"]
        elif slot.kind == "enum" and len(slot.schema.get("enum") or ()) == 1:
            values[slot.path] = slot.schema["enum"][0]
        elif slot.kind == "object" and not slot.required:
            continue
        elif "default" in slot.schema and slot.schema["default"] is not None:
            values[slot.path] = slot.schema["default"]
        else:
            missing.append(slot)
    return tuple(missing)


def _required_beside(slot: Slot) -> tuple[str, ...]:
    return (slot.label,) if slot.required else ()


def build(values: dict[Path, Any]) -> dict[str, Any]:
    """Return nested arguments from values by path."""
    arguments: dict[str, Any] = {}
    for path, value in values.items():
        here: Any = arguments
        for part, following in pairwise(path):
            empty: Any = [] if isinstance(following, int) else {}
            if isinstance(part, int):
                while len(here) <= part:
                    here.append({})
                here = here[part]
            else:
                here = here.setdefault(part, empty)
        if isinstance(path[-1], int):
            here.append(value)
        else:
            here[path[-1]] = value
    return arguments


def leftover_query(spec: ToolSpec, clause: str, limit: int = 6) -> str:
    """Return the clause's words that do not name the tool, for a search that wants some words."""
    taken = frozenset(name_stems(spec.name)) | frozenset(content_stems(spec.description[:160]))
    kept = [
        word.text
        for word in split_words(clause)
        if (stems := content_stems(word.text)) and not all(one in taken for one in stems)
    ]
    return re.sub(r"['’]s$", "", " ".join(kept[:limit]))
