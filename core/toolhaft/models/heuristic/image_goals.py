"""The goals of an instruction on images, however curtly they are said: ``left half, 2x, edges``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from toolhaft.models.heuristic.clauses import Goal, split_goals
from toolhaft.models.heuristic.image_words import CUTTING, EMPTY, GENERAL, MEDIA, spoken_verb, with_aliases
from toolhaft.models.heuristic.lexicon import READ_VERBS, STOP
from toolhaft.models.heuristic.pictures import without_references
from toolhaft.models.heuristic.placing import needs_place, takes_image, takes_size
from toolhaft.models.heuristic.ranking import Entry
from toolhaft.models.heuristic.regions import TEXT_CAP, Measure, find_measures, masked
from toolhaft.models.heuristic.sequences import in_order, is_aside
from toolhaft.models.heuristic.words import concept, content_stems, name_stems, split_words, stem

CURT = 6
"""Words of a clause without a verb that may still be an order."""
OPENING = 6
"""Words by which a clause shows that it only tells something."""
CHUNK_CAP = 48
ACT_CAP = 24
"""Goals of one instruction; a longer one is read as far as that."""
_SEPARATOR = re.compile(
    r"[,;:!?|→…]+(?=\s|$)|\.+(?=\s|$)|\s(?:-+>?|=>|>|\+|&|–|—)\s|->|→"
    r"|\b(?:and|then|plus|next|later|thereafter|thereupon)\b|\bafter(?:wards)?\b(?:\s(?:it|this|that)\b)?(?=\s+(?P<verb>[a-z]+))",
    re.IGNORECASE,
)
_TOLD = re.compile(r"\b(?:is|are|was|were|has|have|carries|contains|shows)\b|'s\b|'ve\b", re.IGNORECASE)
_ASKS = re.compile(r"\b(?:what|which|how|who|where|whether)\b|\?", re.IGNORECASE)
_IT = re.compile(r"\b(?:it|him|her|them|that|this|those|these)\b", re.IGNORECASE)
_ORDERS = re.compile(r"\b(?:please|want|need|like|can|could|would|will|once|after|when)\b", re.IGNORECASE)
_WANTS = re.compile(r"\b(?:want|need|like|can|could|would)\b", re.IGNORECASE)
_TELLS = frozenset(["i", "we", "my", "our", "this", "there", "it", "he", "she", "thank", "thanks"])
_LEADING = frozenset(
    [
        "at",
        "in",
        "with",
        "within",
        "of",
        "from",
        "inside",
        "on",
        "by",
        "to",
        "for",
        "into",
        "as",
        "so",
        "that",
    ]
)
_SIZING = re.compile(r"\b(?:bigger|smaller|larger|thumbnail)\b", re.IGNORECASE)
_CUTOUT = re.compile(r"\bcut-?outs?\b", re.IGNORECASE)
_MADE = re.compile(
    r"\b(?:of|in|from|on|to)\s+(?:the|a|an)\s+"
    r"(?P<made>(?:[a-z]+(?:ed|en)\s)[a-z]+|edge (?:map|picture|image)|cut-?out|thumbnail)\b",
    re.IGNORECASE,
)
_SIZED_THING = re.compile(
    r"\b(?:make|scale|resize|bring|blow|set|get|turn|shrink|enlarge|reduce)\s(?:up |down )?"
    r"(?:the|that|this|it|them|its)\b",
    re.IGNORECASE,
)
_THEN = re.compile(r"(?:\b(?:then|next|later|afterwards?|after)\b|>|→)\s*$", re.IGNORECASE)
_SAME = re.compile(r"\b(?:the same|likewise|again|ditto)\b", re.IGNORECASE)


def image_goals(
    text: str, verbs: Mapping[str, str], openers: Mapping[str, str], entries: Sequence[Entry]
) -> tuple[Goal, ...]:
    """Return one goal for each thing that a tool is to do, in the order in which they are to be done.

    A clause that names the work of two tools is two goals, and what was no clause to the general reading but
    names the work of one, as ``OCR`` or ``edges`` alone, is a goal.

    Args:
        text: The instruction.
        verbs: Intents by stem of the verbs; see `split_goals`.
        openers: Likewise of words that are verbs only where they open a sentence.
        entries: What is offered.
    """
    clauses = Clauses(text, Work(entries))
    found = clauses.with_curt(split_goals(masked(text, clauses.measures), verbs, openers))
    acts = [
        act
        for goal in in_order(found, text)[:ACT_CAP]
        for act in clauses.acts(replace(goal, text=text[goal.start : goal.end].strip()))
    ][:ACT_CAP]
    said = [one for one in acts if _says_something(one, clauses.measures)]
    return tuple(_repeated(said or acts))


class Work:
    """Which of the tools for images a few words name."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._tools = {entry.spec.name: entry for entry in entries if takes_image(entry.slots)}
        self._nouns: dict[str, set[str]] = {}
        self._verbs: dict[str, set[str]] = {}
        self._told: dict[str, set[str]] = {}
        reads = {stem(word) for word in READ_VERBS}
        for name, entry in self._tools.items():
            stems = set(name_stems(name)) - MEDIA - GENERAL
            for one in stems:
                if (one in reads and stems - reads) or one in STOP:
                    continue
                known = self._nouns if one in entry.nouns and one not in entry.verbs else self._verbs
                known.setdefault(concept(one), set()).add(name)
            for one in content_stems(entry.spec.description[:300].partition(". ")[0]):
                self._told.setdefault(concept(one), set()).add(name)
        self._sizes = frozenset(name for name, entry in self._tools.items() if takes_size(entry.slots))
        self._places = frozenset(name for name, entry in self._tools.items() if needs_place(entry.slots))

    def named(self, clause: str, plain: str, measures: Sequence[Measure]) -> frozenset[str]:
        """Return the names of the tools whose work a clause names.

        Args:
            clause: Its words.
            plain: Likewise, without those that only say which image is meant.
            measures: The places and sizes in it.
        """
        plain = _CUTOUT.sub("background", plain)
        words = [word for word in split_words(plain) if word.lower not in STOP]
        opening = self._verbs.get(concept(words[0].stem), set()) if words else set()
        sized = any(one.width or one.height or one.factor for one in measures)
        placed = any(one.box or one.part for one in measures)
        fit = self._sizes if sized else self._places if placed else frozenset()
        if both := opening & fit:
            return frozenset(both)
        said = {concept(one) for one in content_stems(with_aliases(plain))}
        nouns = frozenset(name for one in said for name in self._nouns.get(one, ()))
        done = frozenset(name for one in said for name in self._verbs.get(one, ()))
        if sized and self._sizes and _SIZED_THING.search(clause):
            return self._sizes
        if nouns or done:
            return nouns | done
        if (sized and _orders_size(clause)) or _SIZING.search(plain):
            return self._sizes
        idle = MEDIA | GENERAL | CUTTING | EMPTY
        told = [self._told.get(one, set()) for one in said if one not in idle and not spoken_verb(one)]
        found = frozenset(name for names in told if len(names) == 1 for name in names)
        return self._places if placed and not found and words and words[0].stem in CUTTING else found

    def label(self, names: frozenset[str]) -> str:
        """Return the words that a tool is called by, where only one is meant."""
        if len(names) != 1:
            return ""
        return re.sub(r"[\W_]+", " ", next(iter(names))).lower()


class Clauses:
    """The stretches of an instruction, and which tools' work each asks for."""

    def __init__(self, text: str, work: Work) -> None:
        self.measures = find_measures(text)
        self._text = text
        self._work = work
        self._named: dict[tuple[int, int], frozenset[str]] = {}
        self._told: list[tuple[int, frozenset[str]]] | None = None

    def with_curt(self, goals: Sequence[Goal]) -> tuple[Goal, ...]:
        """Return goals with what stands between them and names work, though it was read as none."""
        if len(goals) == 1 and (goals[0].start, goals[0].end) == (0, len(self._text)):
            return tuple(goals)
        found: list[Goal] = []
        place = 0
        for goal in (*goals, None):
            end = goal.start if goal is not None else len(self._text)
            for start, stop in () if is_aside(self._text[place:end]) else self._chunks(place, end):
                clause = self._text[start:stop]
                words = [word.lower for word in split_words(clause)]
                ordered = len(words) <= CURT or any(spoken_verb(word) for word in words[:3])
                if words and words[0] not in _TELLS and ordered and self._names(start, stop):
                    found.append(Goal(start, stop, clause, words[0], "read"))
            if goal is not None:
                found.append(goal)
                place = goal.end
        return tuple(found)

    def acts(self, goal: Goal) -> list[Goal]:
        """Return a goal as one for each tool whose work it names."""
        spans: list[tuple[int, int, frozenset[str]]] = []
        for start, end in self._chunks(goal.start, goal.end):
            names = self._names(start, end)
            if not spans:
                spans.append((goal.start, end, names))
            elif not names or not spans[-1][2] or names & spans[-1][2] or self._goes_on(start, end):
                spans[-1] = (spans[-1][0], end, spans[-1][2] or names)
            else:
                spans.append((start, end, names))
        if not spans:
            return [goal]
        spans[-1] = (spans[-1][0], goal.end, spans[-1][2])
        found: list[Goal] = []
        for place, (start, end, names) in enumerate(spans):
            made, head = self._made_first(replace(goal, start=start, end=end))
            found.extend(made)
            clause = self._text[start:end].strip()
            verb = goal.verb if place == 0 else _verb_of(clause)
            text = f"{self._work.label(head if made else names)} {clause}".strip()
            one = replace(goal, start=start, end=end, text=text, verb=verb)
            found.append(one if place == 0 else replace(one, intent="read", condition="", wish=False))
        return found

    def _goes_on(self, start: int, end: int) -> bool:
        """Return whether a stretch says more of what stands before it: nothing that ``then`` opens does."""
        opened = _THEN.search(self._text[max(0, start - 14) : start])
        return opened is None and _goes_on(self._text[start:end])

    def _chunks(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the stretches between commas, colons, ``and`` and ``then``; none ends within a measure."""
        found: list[tuple[int, int]] = []
        first = start
        for match in _SEPARATOR.finditer(self._text, start, min(end, TEXT_CAP)):
            if any(one.start < match.end() and match.start() < one.end for one in self.measures):
                continue
            verb = (match["verb"] or "").lower()
            if verb and (not spoken_verb(verb) or verb.endswith(("ing", "ed"))):
                continue
            if self._text[first : match.start()].strip():
                found.append((first, match.start()))
            first = match.end()
            if len(found) >= CHUNK_CAP:
                break
        if self._text[first:end].strip():
            found.append((first, end))
        return found

    def _names(self, start: int, end: int) -> frozenset[str]:
        """Return the tools whose work a clause asks for; one that only tells something asks for none."""
        known = self._named.get((start, end))
        if known is None:
            known = self._named[start, end] = self._read_names(start, end)
        return known

    def _read_names(self, start: int, end: int) -> frozenset[str]:
        clause = self._text[start:end]
        if _only_tells(clause):
            return frozenset()
        found = self._said(start, end)
        ordered = any(spoken_verb(word.lower) for word in split_words(clause))
        measured = any(start <= one.start < end for one in self.measures)
        if found or measured or not ordered or not (_IT.search(clause) or len(content_stems(clause)) == 1):
            return found
        return next((names for place, names in reversed(self._told_of()) if place <= start), found)

    def _told_of(self) -> list[tuple[int, frozenset[str]]]:
        """Return what is only told of, and where that ends: ``The code is small. Enlarge it and read it``."""
        if self._told is None:
            spans = [one for one in self._chunks(0, len(self._text)) if _only_tells(self._text[slice(*one)])]
            told = [(end, self._said(start, end)) for start, end in spans]
            self._told = [one for one in told if one[1]]
        return self._told

    def _said(self, start: int, end: int) -> frozenset[str]:
        own = [one for one in self.measures if start <= one.start < end]
        goal = Goal(start, end, self._text[start:end], "", "read")
        return self._work.named(goal.text, without_references(goal, self._text), own)

    def _made_first(self, goal: Goal) -> tuple[list[Goal], frozenset[str]]:
        """Return what has to be made before: to find ``the edges of the isolated object``, it is isolated.

        And the tools whose work the rest of the clause names.
        """
        match = _MADE.search(self._text, goal.start, goal.end)
        if match is None or any(one.start <= match.start("made") < one.end for one in self.measures):
            return [], frozenset()
        thing = match["made"]
        needed = self._work.named(thing, thing, ())
        rest = f"{self._text[goal.start : match.start()]} {self._text[match.end() : goal.end]}"
        own = [one for one in self.measures if goal.start <= one.start < goal.end]
        head = self._work.named(rest, rest, own)
        before = [self._names(*one) for one in self._chunks(0, goal.start)]
        if not needed or not head or needed & head or any(needed & names for names in before):
            return [], frozenset()
        label = f"{self._work.label(needed)} {thing}".strip()
        verb = split_words(label)[0].lower
        start, end = match.span("made")
        return [Goal(start, end, label, verb, "read")], head


def _says_something(goal: Goal, measures: Sequence[Measure]) -> bool:
    """Return whether a goal has more than words that go with any: ``First of all``, ``and keep it``."""
    if any(goal.start <= one.start < goal.end for one in measures) or _SAME.search(goal.text):
        return True
    return bool(set(content_stems(goal.text)) - CUTTING - MEDIA - GENERAL - EMPTY)


def _orders_size(clause: str) -> bool:
    """Return whether a clause with a size asks for it, and does not only go on: ``at half the size``."""
    words = [word.lower for word in split_words(clause) if word.lower not in ("but", "and", "only", "though")]
    return bool(words) and words[0] not in _LEADING


def _only_tells(clause: str) -> bool:
    """Return whether a clause says how something is, and orders and asks nothing."""
    words = split_words(clause)
    if not words or _ASKS.search(clause) or any(spoken_verb(word.lower) for word in words[:1]):
        return False
    opening = clause[: words[min(len(words), OPENING) - 1].end]
    return _TOLD.search(opening) is not None and not _ORDERS.search(clause)


def _goes_on(clause: str) -> bool:
    words = split_words(clause)
    # "edges, half size" says how large the image is to be in which they are found
    leads = not _orders_size(clause) or _is_bare_size(clause)
    return leads and _WANTS.search(clause) is None and not any(spoken_verb(word.lower) for word in words)


def _is_bare_size(clause: str) -> bool:
    """Return whether a clause is a size and no more: ``half size``, ``1.5x bigger``."""
    sizes = [one for one in find_measures(clause) if one.width or one.height or one.factor]
    return len(sizes) == 1 and len(split_words(clause)) <= 3


def _verb_of(clause: str) -> str:
    return next((word.lower for word in split_words(clause) if spoken_verb(word.lower)), "")


def _repeated(goals: Sequence[Goal]) -> list[Goal]:
    """Return goals in which ``do the same for the left half`` says what is to be done."""
    found: list[Goal] = []
    for goal in goals:
        before = found[-1] if found else None
        if before is not None and _SAME.search(goal.text):
            plain = " ".join(dict.fromkeys(word.lower for word in split_words(before.text)[:3]))
            goal = replace(goal, text=f"{plain}, {goal.text}", verb=before.verb, intent=before.intent)
        found.append(goal)
    return found
