"""Which of the offered tools a goal asks for, by the words they share."""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.codes import CURRENCIES, wanted_codes
from toolhaft.models.heuristic.identifying import prefix_of
from toolhaft.models.heuristic.lexicon import READ_VERBS, STOP, VERB_CLASSES
from toolhaft.models.heuristic.slots import Slot, slots_of
from toolhaft.models.heuristic.words import concept, content_stems, name_stems, name_words, split_words, stem
from toolhaft.types import ToolSpec

CACHE_SIZE = 1024
OBJECT_FACTOR = 1.2
CONTEXT = 400
"""Characters of what was said before that are looked at."""
NAME_WEIGHT = 3.0
TAG_WEIGHT = 1.2
PARENT_WEIGHT = 1.0
DESCRIPTION_WEIGHT = 1.4
REST_WEIGHT = 0.6
SLOT_WEIGHT = 0.8
_BESIDE = frozenset({"a", "an", "the", "my", "our", "this", "that", "these", "those", "all", "one", "new"})
_STOPS = re.compile(r"[\"'“,:;]")
_READS = frozenset(stem(word) for word in READ_VERBS)


@dataclass(frozen=True, slots=True)
class Entry:
    """A tool with what is asked of it again and again.

    Attributes:
        weights: How strongly a stem belongs to the tool; ``concepts`` likewise for heads of synonyms.
        intent: ``read``, ``create``, ``update`` or ``delete``.
        nouns: Stems of its name without the verb.
        verbs: Stems of the words that open its name and description.
        claims: Letters that the identifiers it shows begin with, each with the stem of what they stand for.
        objects: Stems of the first sentence about it, without the verb that opens it.
        currencies: How many of its slots want the code of a currency.
    """

    spec: ToolSpec
    slots: tuple[Slot, ...]
    weights: dict[str, float]
    concepts: dict[str, float]
    intent: str
    nouns: frozenset[str]
    currencies: int = 0
    verbs: frozenset[str] = frozenset()
    claims: frozenset[tuple[str, str]] = frozenset()
    objects: frozenset[str] = frozenset()

    def knows(self, stems: Iterable[str]) -> bool:
        """Whether one of the stems, or a synonym of it, belongs to the tool."""
        return any(one in self.weights or concept(one) in self.concepts for one in stems)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A tool for a goal.

    Attributes:
        score: Higher is better, comparable within one goal.
        coverage: Share of the goal's telling words that the tool knows, in [0, 1].
        guess: Only what is found may tell whether it is for the goal.
        named: Whether its name shares a telling word with the goal.
        described: Whether the first sentence about it does, apart from its verb.
    """

    entry: Entry
    score: float
    coverage: float
    named: bool
    guess: bool = False
    described: bool = False


class ToolIndex:
    """The offered tools, read once for as long as the same specs are offered."""

    def __init__(self) -> None:
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._offered: tuple[ToolSpec, ...] = ()
        self._current: tuple[Entry, ...] = ()
        self._frequency: dict[str, int] = {}
        self.verbs: dict[str, str] = {}
        self.openers: dict[str, str] = {}

    def offer(self, tools: Sequence[ToolSpec]) -> tuple[Entry, ...]:
        """Take the tools that are offered now and return their entries, in the same order."""
        offered = tools if isinstance(tools, tuple) else tuple(tools)
        same = offered is self._offered or (
            len(offered) == len(self._offered)
            and all(one is other for one, other in zip(offered, self._offered, strict=True))
        )
        if not same:
            self._current = tuple(self._entry(spec) for spec in offered)
            self._offered = offered
            self._frequency = {}
            self.openers = opening_verbs(self._current)
            self.verbs = inner_verbs(self._current, self.openers)
            for entry in self._current:
                for one in entry.concepts:
                    self._frequency[one] = self._frequency.get(one, 0) + 1
        return self._current

    def rank(self, goal: Goal, values: frozenset[str] = frozenset(), context: str = "") -> list[Ranked]:
        """Return the tools for a goal, best first; those that share no word with it are left out.

        Args:
            goal: The clause.
            values: Stems that stand in values (names, quoted text), which count for less.
            context: What was said before, where the goal speaks of it by a pronoun.
        """
        query: dict[str, float] = {}
        for one in content_stems(goal.text):
            weight = 0.3 if one in values or one in _READS else 1.0
            if one[0].isdigit():
                continue
            query[one] = max(query.get(one, 0.0), weight)
        if goal.verb and goal.verb not in STOP:
            query[stem(goal.verb)] = max(query.get(stem(goal.verb), 0.0), 0.9)
        for one in content_stems(context[-CONTEXT:]):
            if not one[0].isdigit():
                query.setdefault(one, 0.25)
        head = _object_of(goal)
        ranked = [self._score(entry, goal, query, head) for entry in self._current]
        found = [one for one in ranked if one.score > 0.0]
        found.sort(key=lambda one: -one.score)
        return found

    def _score(self, entry: Entry, goal: Goal, query: dict[str, float], head: str) -> Ranked:
        total = score = covered = 0.0
        named = described = False
        size = max(len(self._current), 1)
        for one, weight in query.items():
            rarity = math.log(1.0 + (size + 1.0) / (self._frequency.get(concept(one), 0) + 0.5))
            total += weight
            strength = entry.weights.get(one, 0.0) or 0.75 * entry.concepts.get(concept(one), 0.0)
            if strength <= 0.0:
                continue
            score += weight * rarity * strength / (strength + 1.0)
            covered += weight
            described = described or one in entry.objects
            named = named or one in entry.nouns or any(concept(noun) == concept(one) for noun in entry.nouns)
        if score <= 0.0:
            return Ranked(entry, 0.0, 0.0, False)
        score *= _intent_factor(goal, entry) * (OBJECT_FACTOR if head and head in entry.nouns else 1.0)
        surplus = len(entry.nouns - set(query)) / (len(entry.nouns) + 1)
        coverage = covered / total if total else 0.0
        return Ranked(entry, score * (1.0 - 0.25 * surplus), coverage, named, described=described)

    def _entry(self, spec: ToolSpec) -> Entry:
        known = self._entries.get(id(spec))
        if known is not None and known.spec is spec:
            self._entries.move_to_end(id(spec))
            return known
        entry = read_entry(spec)
        self._entries[id(spec)] = entry
        while len(self._entries) > CACHE_SIZE:
            self._entries.popitem(last=False)
        return entry


def _object_of(goal: Goal) -> str:
    """Return the stem of what an order is about: the last of the words that follow its verb directly."""
    if goal.intent == "read" or not goal.verb:
        return ""
    found = ""
    after = goal.text[goal.text.lower().find(goal.verb) + len(goal.verb) :]
    for word in split_words(after)[:6]:
        if word.lower in _BESIDE:
            continue
        if word.lower in STOP or not word.text.islower() or _STOPS.search(after[: word.start]):
            break
        found = word.stem
    return found


def inner_verbs(entries: Sequence[Entry], openers: dict[str, str]) -> dict[str, str]:
    """Return the verbs that are no noun of any tool: these would cut instructions in the middle."""
    nouns = {one for entry in entries for slot in entry.slots for one in slot.name}
    return {verb: intent for verb, intent in openers.items() if verb not in nouns}


def opening_verbs(entries: Sequence[Entry]) -> dict[str, str]:
    """Return intents by stem of the words that open the tools' names and descriptions."""
    found: dict[str, str] = {}
    for entry in entries:
        words = name_words(entry.spec.name)
        opening = entry.spec.description[:60].split()[:1]
        candidates = words[:1] if len(words) > 1 else ()
        for word in (*candidates, *(one.lower().strip(".,:") for one in opening)):
            bare = word.removesuffix("s") if word not in words else word
            if word.isalpha() and word not in STOP and len(word) > 2:
                # a verb that reads anywhere among what is offered does not order a change
                reads = entry.intent == "read" or found.get(stem(bare)) == "read"
                found[stem(bare)] = "read" if reads else found.get(stem(bare), entry.intent)
    return found


def read_entry(spec: ToolSpec) -> Entry:
    """Return what ranking and filling need to know of a tool."""
    slots = slots_of(spec)
    weights: dict[str, float] = {}

    def add(stems: Sequence[str], weight: float) -> None:
        for one in set(stems):
            weights[one] = weights.get(one, 0.0) + weight

    add(name_stems(spec.name), NAME_WEIGHT)
    for tag in spec.tags[:12]:
        add(content_stems(tag[:80]), TAG_WEIGHT / 2)
    add(content_stems(spec.parent[:80]), PARENT_WEIGHT)
    first, _, rest = spec.description[:1200].partition(". ")
    add(content_stems(first), DESCRIPTION_WEIGHT)
    add(content_stems(rest), REST_WEIGHT)
    for slot in slots:
        add(tuple(slot.name), SLOT_WEIGHT)
        add(tuple(slot.about)[:40], SLOT_WEIGHT / 3)
        for choice in (
            (slot.schema.get("enum") or ())[:20] if isinstance(slot.schema.get("enum"), list) else ()
        ):
            if isinstance(choice, str):
                add(name_stems(choice), SLOT_WEIGHT / 2)
    concepts: dict[str, float] = {}
    for one, weight in weights.items():
        concepts[concept(one)] = max(concepts.get(concept(one), 0.0), weight)
    coded = sum(wanted_codes(slot) is CURRENCIES for slot in slots)
    words = name_words(spec.name)
    verbs = {word for word in words if any(word in known for known in VERB_CLASSES.values())}
    nouns = frozenset(stem(word) for word in words if word not in verbs and word not in STOP)
    return Entry(
        spec,
        slots,
        weights,
        concepts,
        _intent_of(spec, words),
        nouns or frozenset(name_stems(spec.name)),
        coded,
        _opening(spec, words),
        _claims(slots),
        frozenset(content_stems(first[:80])[1:]),
    )


def _claims(slots: Sequence[Slot]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (prefix, slot.noun[-1])
        for slot in slots
        if slot.kind == "id" and slot.noun
        for example in slot.examples
        if (prefix := prefix_of(example))
    )


def _opening(spec: ToolSpec, words: tuple[str, ...]) -> frozenset[str]:
    described = [part.split()[:1] for part in re.split(r"\.\s+", spec.description[:400])[:2]]
    opening = [*words[:1], *(one.lower().strip(".,:;") for part in described for one in part)]
    return frozenset(stem(word) for word in opening if word)


def _intent_of(spec: ToolSpec, words: tuple[str, ...]) -> str:
    described = [word.lower().rstrip("s") for word in spec.description[:60].split()[:1]]
    for word in (*words[:1], *words[-1:], *described):
        for intent in ("delete", "update", "create", "read"):
            if word in VERB_CLASSES[intent]:
                if intent == "read" and spec.effect != "read":
                    continue
                return "read" if spec.effect == "read" else intent
    return "read" if spec.effect == "read" else "create"


def _intent_factor(goal: Goal, entry: Entry) -> float:
    if goal.intent == "any":
        return 1.0
    if goal.intent == entry.intent:
        return 1.25
    reads = entry.spec.effect == "read" or entry.intent == "read"
    if goal.intent == "read":
        return 1.0 if reads else 0.55
    if reads:
        return 0.7
    return 0.85 if {goal.intent, entry.intent} <= {"create", "update"} else 0.6
