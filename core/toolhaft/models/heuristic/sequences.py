"""Steps on images in the order in which they are to be done: ``count the circles after cropping it``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.image_words import (
    CUTTING,
    GENERAL,
    IRREGULAR,
    MEDIA,
    PLACES,
    spoken_verb,
    with_aliases,
)
from toolhaft.models.heuristic.pictures import referring_stems
from toolhaft.models.heuristic.placing import needs_place, takes_image, takes_place, takes_size
from toolhaft.models.heuristic.ranking import Entry
from toolhaft.models.heuristic.regions import Measure, find_measures
from toolhaft.models.heuristic.words import concept, content_stems, name_stems, name_words, split_words, stem

_WHOM = r"(?:it|you|i|we|they|that|this|the \w+|\w+ (?:image|picture|photo))"
_IS = r"(?:'s|'ve| is| are| has| have| was| were)"
_BEFORE = re.compile(
    rf"\b(?:(?:only |right |but |and )*after(?:wards)?(?: {_WHOM}{_IS}?)?(?: having)?"
    rf"|(?:as soon as|once|when|if)(?: {_WHOM}{_IS}?)?(?: been)?|having)"
    r"\s+(?=(?:first |you |been )?(?P<verb>[a-z]+))",
    re.IGNORECASE,
)
_THEN = re.compile(
    r"\b(?:after (?:which|that)|whereupon|upon which|following that|and then|then)"
    r"\s+(?:please )?(?=(?P<verb>[a-z]+))",
    re.IGNORECASE,
)
_SAME = re.compile(r"\bthe same\b|\blikewise\b|\bditto\b", re.IGNORECASE)
_BARE_AFTER = re.compile(r"\bafter(?:wards)?(?:\s(?:it|this|that|which))?\s*$", re.IGNORECASE)
_LATER = re.compile(
    r"\b(?:but |and )?(?:before(?: you)?(?: go| start| begin)?|prior to)\s+(?=(?P<verb>[a-z]+))",
    re.IGNORECASE,
)


def is_aside(gap: str) -> bool:
    """Return whether words that are no goal say when something is done: ``After cropping it,``."""
    early, late = _unread(gap, 0, len(gap))
    return bool(early or late)


def in_order(goals: Sequence[Goal], text: str) -> tuple[Goal, ...]:
    """Return goals with what is to be done first before what is to be done after it."""
    found: list[Goal] = []
    late: list[Goal] = []
    place = 0
    for goal in (*goals, None):
        end = goal.start if goal is not None else len(text)
        early, after = _unread(text, place, end)
        found.extend(early)
        if goal is not None:
            found.extend([*_parted(goal, text), *late])
            late = after
            place = goal.end
    return (*found, *late)


def _goes_on(match: re.Match[str]) -> bool:
    """Return whether the words only lead to what comes next: ``after that trace it``."""
    word = match["verb"].lower()
    if word not in IRREGULAR and not word.endswith(("ing", "ed")) and _BARE_AFTER.search(match[0]):
        return True
    leads = re.search(r"\b(?:that|this|which)\s*$", match[0], re.IGNORECASE)
    return leads is not None and not match["verb"].lower().endswith(("ing", "ed"))


def _unread(text: str, start: int, end: int) -> tuple[list[Goal], list[Goal]]:
    """Return the steps in what was read as no goal, ``After cropping it,``: for now, and for later."""
    gap = text[start:end]
    for pattern, now in ((_BEFORE, True), (_LATER, False)):
        match = pattern.search(gap)
        verb = spoken_verb(match["verb"]) if match is not None else ""
        if match is not None and verb and not _goes_on(match):
            step = Goal(start + match.end(), end, gap[match.end() :].strip(" ,"), verb, "read")
            return ([step], []) if now else ([], [step])
    return [], []


def _parted(goal: Goal, text: str) -> list[Goal]:
    clause = text[goal.start : goal.end]
    for match in _THEN.finditer(clause):
        if spoken_verb(match["verb"]) and len(split_words(clause[: match.start()])) > 1:
            after = _part(goal, clause, match.end(), len(clause), match["verb"].lower())
            return [*_parted(_part(goal, clause, 0, match.start(), goal.verb), text), *_parted(after, text)]
    for pattern, earlier in ((_BEFORE, True), (_LATER, False)):
        for match in pattern.finditer(clause):
            verb = spoken_verb(match["verb"])
            if not verb or (not earlier and not match["verb"].lower().endswith("ing")) or _goes_on(match):
                continue
            if match.start() == len(clause) - len(clause.lstrip()) or not clause[: match.start()].strip(" ,"):
                return _opened(goal, clause, match, earlier=earlier)
            if len(split_words(clause[: match.start()])) < 2:
                continue
            main = _part(goal, clause, 0, match.start(), goal.verb)
            side = _part(goal, clause, match.end(), len(clause), verb)
            return [side, replace(main, condition=side.text)] if earlier else [main, side]
    return [goal]


def _opened(goal: Goal, clause: str, match: re.Match[str], *, earlier: bool) -> list[Goal]:
    """Return the parts of ``After cropping it to ..., count ...``."""
    for comma in re.finditer(r",(?=\s+[a-zA-Z])", clause):
        if comma.start() > match.end():
            after = [word for word in split_words(clause[comma.end() :])][:1]
            side = _part(goal, clause, match.end(), comma.start(), spoken_verb(match["verb"]))
            main = _part(goal, clause, comma.end(), len(clause), after[0].lower if after else "")
            return [side, main] if earlier else [main, side]
    return [goal]


def _part(goal: Goal, clause: str, start: int, end: int, verb: str) -> Goal:
    first = goal.start + start
    return replace(
        goal,
        start=first,
        end=goal.start + end,
        text=clause[start:end].strip(),
        verb=verb,
        intent="read",
        condition="",
    )


def with_means(
    goals: Sequence[Goal], text: str, entries: Sequence[Entry], chosen: Sequence[Entry | None]
) -> tuple[Goal, ...]:
    """Put a cut before a question about a part of an image, where its tool looks at whole images.

    Likewise a change of size before what is asked of an image of another size.

    Args:
        goals: In their order.
        text: The instruction.
        entries: What is offered.
        chosen: The best tool for each goal, or None.
    """
    found: list[Goal] = []
    measures = find_measures(text)
    for goal, entry in zip(goals, chosen, strict=True):
        own = [one for one in measures if goal.start <= one.start < goal.end]
        # what stands in no step, as in "In the left half, how many are there?", is said of the one after it
        free = [one for one in measures if not any(each.start <= one.start < each.end for each in goals)]
        own = own or [one for one in free if one.start < goal.start and goal is goals[0]]
        if len(goals) > 1 and not own and not set(content_stems(goal.text)) - GENERAL - CUTTING - MEDIA:
            continue
        spoken = entry is not None and _speaks_for(entry, goal, text, own)
        alone = entry is None or ((stem(goal.verb) in CUTTING or goal.wish) and not spoken)
        for part, means in _means(own, entries, entry, spoken=spoken):
            words = " ".join(name_words(means.spec.name))
            said = text[part.start : part.end]
            start, end = (goal.start, goal.end) if alone else (part.start, part.end)
            # the same for a part means a part of what the user gave, not of what was made of it
            whole = " of the original image" if _SAME.search(goal.text) else ""
            told = f"{words} {goal.text if alone else said}{whole}"
            found.append(Goal(start, end, told, words.split()[0], "read"))
            if alone:
                break
        else:
            # what was cut out for a goal is what it means by "the photo"
            cut = found and found[-1].start >= goal.start and _means(own, entries, entry, spoken=spoken)
            found.append(replace(goal, condition=goal.condition or goal.text) if cut else goal)
    return tuple(found) or tuple(goals)


def _means(
    measures: Sequence[Measure], entries: Sequence[Entry], chosen: Entry | None, *, spoken: bool
) -> list[tuple[Measure, Entry]]:
    """Return the measures that the chosen tool has no use for, each with the tool that has."""
    found: list[tuple[Measure, Entry]] = []
    for one in sorted(measures, key=lambda each: each.box is None):
        takes = takes_place if one.box or one.part else takes_size
        if chosen is not None and (
            needs_place(chosen.slots) or (takes(chosen.slots) and (spoken or takes is takes_size))
        ):
            continue
        able = [entry for entry in entries if takes_image(entry.slots) and takes(entry.slots)]
        if takes is takes_place:
            able = [entry for entry in able if needs_place(entry.slots)] or able
        if able and all(able[0] is not entry for _, entry in found):
            found.append((one, next(iter([entry for entry in able if _cuts(entry)] or able))))
    return found


def place_stems(measures: Sequence[Measure], goal: Goal, text: str) -> frozenset[str]:
    """Return stems of the words that only say where or how large: ``the box [0, 0, 9, 9]``."""
    said: set[str] = set()
    for one in measures:
        said.update(content_stems(text[one.start : one.end]))
        before = split_words(text[goal.start : one.start])[-1:]
        said.update(word.stem for word in before if word.stem in PLACES)
    return frozenset(said)


def _speaks_for(entry: Entry, goal: Goal, text: str, measures: Sequence[Measure]) -> bool:
    """Return whether a goal has a word for a tool, beside its verb, places and what all tools take."""
    said = referring_stems(goal, text) | place_stems(measures, goal, text)
    words = set(content_stems(with_aliases(goal.text))) - said - GENERAL
    words -= CUTTING if stem(goal.verb) in CUTTING or goal.wish else set()
    return any(one in entry.weights or concept(one) in entry.concepts for one in words)


def _cuts(entry: Entry) -> bool:
    """Return whether a tool cuts a part out of an image."""
    said = {*name_stems(entry.spec.name), *entry.verbs}
    return bool(said & {"crop", "cut"}) and takes_place(entry.slots)
