"""Which image or file a clause means: the user's, what a call before made, or both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.image_words import BESIDE, NOUNS, RESULTS
from toolhaft.models.heuristic.placing import Pixels
from toolhaft.models.heuristic.readings import Reading
from toolhaft.models.heuristic.slots import Path, Slot
from toolhaft.models.heuristic.words import content_stems, name_stems, split_words, stem
from toolhaft.types import Artifact

if TYPE_CHECKING:
    from toolhaft.models.heuristic.ranking import Entry
    from toolhaft.models.heuristic.walk import Walk

SPREAD_CAP = 12
_SHOWN = frozenset(stem(word) for word in BESIDE)
_PLAIN = frozenset(stem(word) for word in ("image", "picture", "photo", "result", "output", "the", "an", "a"))
_HANDLE = re.compile(r"\b(?:img|file)-\d{1,4}\b")
_ORIGINAL = re.compile(
    r"\b(?:original(?:ly)?|initial|uploaded|attached|unchanged|untouched|unmodified|unedited|uncropped|source|"
    r"(?:that|which) i (?:gave|sent|uploaded|attached)|i started with|"
    r"(?:whole|full|entire|complete) (?:image|picture|photo|thing))\b",
    re.IGNORECASE,
)
_PHOTO = re.compile(r"\b(?:the|my|your)\s+(?:photo|photograph|input(?: image| picture)?)\b", re.IGNORECASE)
"""What means the user's own image, but for a step of which is said that another comes before it."""
_ORDER = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3}
_ORDINAL = re.compile(
    rf"\b(?:the|image|picture)\s+(?P<order>{'|'.join(_ORDER)}|other|last|latter|former)\b"
    rf"(?!\s+(?:step|thing|find|half))(?:\s+(?:{NOUNS})\b)?"
    r"|\b(?:image|picture|photo|file)\s+(?P<number>\d)\b",
    re.IGNORECASE,
)
_BOTH = re.compile(
    r"\b(?:(?:both|the two|two|all|each|every|these|those|the three|the)(?: of)?(?: the| these| those| my)?"
    r"\s+(?:images|pictures|photos|files|pics|photographs|them)|(?:each|every) (?:image|picture|photo|file)"
    r"|both|the two)\b",
    re.IGNORECASE,
)
_MADE = re.compile(
    rf"\b(?:the|that|this|its|each|resulting|new)\s+(?P<words>(?:[\w-]+\s+){{0,3}}?)(?P<noun>{NOUNS})\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(?:it|its|that|this|them|there|therein|result(?:ing|s)?|output|outcome|"
    r"what (?:you|came|comes|is left|remains))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Made:
    """An image or file that a call made.

    Attributes:
        stems: What it may be called by: the tool's words.
        keys: Stems of the keys under which its handle stands in the result.
        beside: It only shows what was found, or came with another that is what was asked for.
    """

    artifact: Artifact
    stems: frozenset[str]
    keys: frozenset[str]
    beside: bool


@dataclass(slots=True)
class Depicted:
    """The images and files for a tool's arguments.

    Attributes:
        values: Handles by path.
        spreads: Handles that make one call each, by path.
        waits: Whether the choice hangs on what calls before bring.
        missing: A slot that must be given and is not.
        pixels: Size of the first.
    """

    values: dict[Path, object] = field(default_factory=dict)
    spreads: dict[Path, list[str]] = field(default_factory=dict)
    waits: bool = False
    missing: Slot | None = None
    pixels: Pixels = Pixels()


def depict(walk: Walk, entry: Entry, goal: Goal) -> Depicted:
    """Choose the images and files for the arguments of a tool."""
    slots = [slot for slot in entry.slots if slot.kind == "artifact"]
    found = Depicted()
    if not slots:
        return found
    made = made_before(walk)
    later = bool(walk.goals) and goal != walk.goals[0]
    said, several = _references(goal, walk.turn.artifacts, made)
    needed = max(1, sum(slot.required for slot in slots))
    found.waits = later and not (len(said) >= needed and all(one in walk.turn.artifacts for one in said))
    pool = _in_turn(said, walk.turn.artifacts, made, later=later)
    taken: list[Artifact] = []
    for slot in slots:
        fitting = [one for one in pool if _fits(one, slot)]
        fresh = [one for one in fitting if one not in taken]
        if slot.many:
            chosen = [one for one in said if _fits(one, slot)] or fitting
        elif not slot.required and not any(one in said for one in fresh):
            continue
        else:
            chosen = (fresh or fitting)[:1]
        if not chosen:
            if slot.required:
                found.missing = found.missing or slot
            continue
        taken.extend(chosen)
        found.values[slot.path] = [one.handle for one in chosen] if slot.many else chosen[0].handle
    single = [slot for slot in slots if slot.required and not slot.many]
    fitting = [one for one in said if _fits(one, slots[0])]
    if len(slots) == 1 and single and several and len(fitting) > 1:
        found.spreads[single[0].path] = [one.handle for one in fitting[:SPREAD_CAP]]
    if taken:
        found.pixels = Pixels(taken[0].width, taken[0].height)
    return found


def referring_stems(goal: Goal, text: str) -> frozenset[str]:
    """Return stems of the words in a clause that only say which image is meant: ``the rotated version``."""
    earlier = {word.stem for word in split_words(text[: goal.start])}
    found: set[str] = set()
    for match in (*_ORDINAL.finditer(goal.text), *_BOTH.finditer(goal.text), *_ORIGINAL.finditer(goal.text)):
        found.update(word.stem for word in split_words(match[0]))
    for match in _MADE.finditer(goal.text):
        words = {word.stem for word in split_words(match["words"])}
        if words & (earlier | RESULTS) or (goal.start and not words):
            found.update(words | set(content_stems(match["noun"])))
    return frozenset(found)


def without_references(goal: Goal, text: str) -> str:
    """Return a clause without the words that only say which image is meant."""
    said = referring_stems(goal, text)
    earlier = set(content_stems(text[: goal.start]))
    parts, place = [], 0
    for match in _MADE.finditer(goal.text):
        words = set(content_stems(match[0]))
        if words & said and words & (earlier | RESULTS):
            parts.append(goal.text[place : match.start()])
            place = match.end()
    return " ".join([*parts, goal.text[place:]])


def made_before(walk: Walk) -> list[Made]:
    """Return what the calls so far made, in order, each once."""
    given = {one.id for one in walk.turn.artifacts}
    found: dict[str, Made] = {}
    for reading in (*walk.turn.earlier, *walk.known):
        main = False
        for artifact in () if reading.failed else reading.artifacts:
            if artifact.id not in given:
                keys = _keys_of(artifact.handle, reading)
                beside = main or (bool(keys) and all(BESIDE & set(key) for key in keys))
                main = main or not beside
                stems = frozenset(stem(word) for key in keys for word in key)
                found[artifact.id] = Made(artifact, _stems_of(reading), stems - _PLAIN, beside)
    return list(found.values())


def _keys_of(handle: str, reading: Reading) -> list[tuple[str, ...]]:
    return [
        tuple(word.lower() for part in key.split(".") for word in re.split(r"[_\W]+", part))
        for record in reading.records
        for key, value in record.fields.items()
        if value == handle or (isinstance(value, list) and handle in value)
    ]


def _stems_of(reading: Reading) -> frozenset[str]:
    """Return the stems by which what a call made may be called: the cropped part, the edge map."""
    stems = set(name_stems(reading.call.name))
    if reading.entry is not None:
        for tag in reading.entry.spec.tags:
            stems.update(name_stems(tag[:80]))
        stems.update(word.stem for word in split_words(reading.entry.spec.description[:120])[:3])
        stems |= reading.entry.verbs
    return frozenset(stems) - _PLAIN


def _in_turn(
    said: Sequence[Artifact], given: Sequence[Artifact], made: Sequence[Made], *, later: bool
) -> list[Artifact]:
    """Return everything there is, what is meant first."""
    latest = [one.artifact for one in reversed(made) if not one.beside]
    rest = [*latest, *given] if later or not given else [*given, *latest]
    return list({one.id: one for one in (*said, *rest)}.values())


def _fits(artifact: Artifact, slot: Slot) -> bool:
    wanted = slot.schema.get("contentMediaType")
    if not isinstance(wanted, str) or wanted in ("", "*/*"):
        return True
    return artifact.media_type.startswith(wanted.removesuffix("*"))


def _references(goal: Goal, given: Sequence[Artifact], made: Sequence[Made]) -> tuple[list[Artifact], bool]:
    """Return the images and files that a clause names, in its order, and whether each is meant for itself."""
    text = goal.text
    found: list[tuple[int, Artifact]] = []
    known = {one.handle: one for one in (*given, *(one.artifact for one in made))}
    for match in _HANDLE.finditer(text):
        if match[0] in known:
            found.append((match.start(), known[match[0]]))
    for artifact in (*given, *(one.artifact for one in made)):
        place = text.lower().find(artifact.name.lower()) if len(artifact.name) > 3 else -1
        if place >= 0:
            found.append((place, artifact))
    several = len(found) > 1
    spans: list[tuple[int, int]] = []
    originals = [*_ORIGINAL.finditer(text), *(() if goal.condition else _PHOTO.finditer(text))]
    for match in originals if given else ():
        if not _adjectives(text, match.start(), made):
            found.append((match.start(), given[0]))
            spans.append(match.span())
    ordered = _ordered(text, given, made)
    found.extend(ordered)
    several = several or len(ordered) > 1
    if (both := _BOTH.search(text)) is not None:
        pool = given if len(given) > 1 else [*given, *(one.artifact for one in made if not one.beside)]
        found.extend((both.start(), one) for one in pool)
        several = several or len(pool) > 1
    elif not ordered:
        found.extend(_made_ones(text, made, spans))
    if made and not any(one.artifact == artifact for one in made for _, artifact in found):
        pronoun = _PRONOUN.search(text)
        main = [one for one in made if not one.beside]
        if pronoun is not None and main:
            found.append((pronoun.start(), main[-1].artifact))
    found.sort(key=lambda one: one[0])
    return list({one.id: one for _, one in found}.values()), several


def _adjectives(text: str, start: int, made: Sequence[Made]) -> bool:
    """Return whether what stands before a word says that something made is meant: the cropped photo."""
    before = [word.stem for word in split_words(text[max(0, start - 30) : start])][-1:]
    return any(one in entry.stems for one in before for entry in made)


def _ordered(text: str, given: Sequence[Artifact], made: Sequence[Made]) -> list[tuple[int, Artifact]]:
    pool = list(given) if len(given) > 1 else [*given, *(one.artifact for one in made if not one.beside)]
    found: list[tuple[int, Artifact]] = []
    for match in _ORDINAL.finditer(text) if len(pool) > 1 else ():
        order = (match["order"] or "").lower()
        if match["number"]:
            place = int(match["number"]) - 1
        elif order in ("last", "latter"):
            place = len(pool) - 1
        elif order == "former":
            place = 0
        elif order == "other":
            place = next(
                (rank for rank, one in enumerate(pool) if all(one != known for _, known in found)), 1
            )
            place = place if found else 1
        else:
            place = _ORDER[order]
        if 0 <= place < len(pool):
            found.append((match.start(), pool[place]))
    return found


def _made_ones(
    text: str, made: Sequence[Made], spans: Sequence[tuple[int, int]]
) -> list[tuple[int, Artifact]]:
    """Return what is called by how it was made: the edge image, the cropped part."""
    found: list[tuple[int, Artifact]] = []
    for match in _MADE.finditer(text):
        if any(match.start() < end and start < match.end() for start, end in spans):
            continue
        words = {word.stem for word in split_words(match["words"])} | {stem(match["noun"].lower())}
        called = [one for one in made if words & (one.stems | one.keys)]
        shown = bool(words & _SHOWN)
        beside = [one for one in made if one.beside and (words & one.keys or (shown and one.keys & _SHOWN))]
        main = [one for one in made if not one.beside]
        if beside:
            found.append((match.start(), beside[-1].artifact))
        elif called and (plain := [one for one in called if not one.beside]):
            found.append((match.start(), plain[-1].artifact))
        elif main and words & RESULTS:
            found.append((match.start(), main[-1].artifact))
    return found
