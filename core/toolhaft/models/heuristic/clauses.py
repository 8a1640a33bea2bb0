"""An instruction as goals: what is asked or ordered, one after the other, and what is said beside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from toolhaft.models.heuristic.lexicon import (
    CREATE_VERBS,
    DELETE_VERBS,
    QUESTION_WORDS,
    READ_VERBS,
    STOP,
    UPDATE_VERBS,
)
from toolhaft.models.heuristic.words import Word, content_stems, split_words, stem

GOAL_CAP = 12
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|vs|etc|no|inc|ltd|approx|e\.g|i\.e|[A-Z])\.)$", re.IGNORECASE
)
_POLITE = re.compile(
    r"^\W*(?:(?:and|then|also|next|finally|afterwards|after that|please|hi|hello|hey|ok|okay|first|"
    r"secondly|lastly|can you|could you|would you|will you|can i|could i|may i|i want you to|i want to|"
    r"i would like to|i'd like to|i would like you to|i'd like you to|i need you to|i need to|"
    r"we need to|help me to|help me|let me|"
    r"i'm trying to|i am trying to|kindly|go ahead and|make sure to|be sure to|try to|just|now)\b[\s,:]*)+",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"\b(?:i|we)(?:'m| am|'re| are)? (?:want|need|would like|wish|looking for|look for|"
    r"interested in)\b|\b(?:i|we)'d like\b|"
    r"\bwonder(?:ing)?\b",
    re.IGNORECASE,
)
_DETERMINERS = frozenset(
    [
        "a",
        "an",
        "the",
        "my",
        "our",
        "your",
        "his",
        "her",
        "its",
        "their",
        "this",
        "that",
        "these",
        "those",
        "all",
        "any",
        "each",
        "every",
        "both",
        "it",
        "them",
        "him",
        "me",
        "us",
        "another",
        "one",
        "two",
        "three",
        "four",
        "five",
        "some",
        "to",
        "for",
        "with",
        "new",
    ]
)
_OBJECTS = frozenset({"a", "an", "the", "my", "our", "all", "every", "each", "me", "us", "this", "that"})
_PREPOSITIONS = frozenset(
    ["under", "in", "on", "at", "for", "to", "from", "with", "by", "of", "until", "since"]
)
_JOINTS = frozenset(["and", "then", "also", "afterwards", "finally", "next", "plus"])
_VERBS = READ_VERBS | CREATE_VERBS | UPDATE_VERBS | DELETE_VERBS
_PLAIN_VERBS = READ_VERBS | frozenset(
    {"cancel", "delete", "add", "send", "create", "remove", "buy", "pay", "invite"}
)
_CHANGES = CREATE_VERBS | UPDATE_VERBS | DELETE_VERBS


@dataclass(frozen=True, slots=True)
class Goal:
    """One thing to find out or to do.

    Attributes:
        start: First character in the instruction; ``end`` is one past the last.
        text: The clause.
        verb: The verb that opens it, lower-case, or empty.
        intent: ``read``, ``create``, ``update`` or ``delete``; ``any`` if the verb is unknown.
        wish: It only says what somebody wants; an order may follow.
        name: What is sought is called so, and what is found must bear it.
        condition: Opens with ``if``: it hangs on what was found before.
    """

    start: int
    end: int
    text: str
    verb: str
    intent: str
    condition: str = ""
    name: str = ""
    wish: bool = False


class Verbs:
    """The verbs of general English and those of the offered tools."""

    def __init__(self, offered: Mapping[str, str], openers: Mapping[str, str] | None = None) -> None:
        self._offered = offered
        self._openers = openers or {}

    def opener(self, word: str) -> str:
        """Return the intent of a word that opens a sentence and orders a change, or empty."""
        intent = self._openers.get(stem(word), "")
        return "" if intent == "read" or word in STOP else intent

    def __contains__(self, word: str) -> bool:
        return word in _VERBS or stem(word) in self._offered

    def intent(self, verb: str) -> str:
        """Return ``read``, ``create``, ``update`` or ``delete``."""
        if verb in DELETE_VERBS:
            return "delete"
        if verb in READ_VERBS and self._offered.get(stem(verb), "read") == "read":
            return "read"
        if stem(verb) in self._offered:
            return self._offered[stem(verb)]
        if verb in UPDATE_VERBS:
            return "update"
        return "create" if verb in CREATE_VERBS else "read"

    def offered(self, word: str) -> bool:
        """Return whether a tool is named or described with the verb."""
        return stem(word) in self._offered

    def changes(self, verb: str) -> bool:
        """Return whether a verb orders a change."""
        return verb in _CHANGES or self._offered.get(stem(verb), "read") != "read"


def split_goals(
    text: str, verbs: Mapping[str, str] | None = None, openers: Mapping[str, str] | None = None
) -> tuple[Goal, ...]:
    """Return the goals of an instruction, in order; sentences that only tell something are left out.

    Args:
        text: The user's words.
        verbs: Intents by verb stem, of the verbs that the offered tools are named or described with.
        openers: Likewise, of words that are a verb only where they open a sentence.
    """
    known = Verbs(verbs or {}, openers)
    goals: list[Goal] = []
    for start, end in _sentences(text):
        for first, last in _parts(text, start, end, known):
            goal = _goal(text, first, last, known)
            hangs = goals and goals[-1].end == first and (goal is None or _says_nothing(goal, goals[-1]))
            if goal is not None and not hangs and len(goals) < GOAL_CAP:
                goals.append(goal)
            elif hangs:
                # what is said after an order is said about it
                goals[-1] = replace(goals[-1], end=last, text=text[goals[-1].start : last])
    if not goals:
        verb = next((word.lower for word in split_words(text) if word.lower in known), "")
        goals.append(Goal(0, len(text), text, verb, known.intent(verb)))
    return tuple(goals)


def _says_nothing(goal: Goal, before: Goal) -> bool:
    """Return whether a question only goes on with the one before: ``and how many``, ``and when``."""
    return goal.intent == "read" and before.intent == "read" and not content_stems(goal.text)


def _sentences(text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    start = 0
    for match in re.finditer(r"[.!?;]+[\"'”)]*(?=\s|$)|\n+", text):
        if match[0].startswith(".") and _ABBREVIATION.search(
            text[max(0, match.start() - 8) : match.start() + 1]
        ):
            continue
        if _inside_quotes(text, start, match.start()):
            continue
        if text[start : match.end()].strip():
            found.append((start, match.end()))
        start = match.end()
    if text[start:].strip():
        found.append((start, len(text)))
    return found


def _inside_quotes(text: str, start: int, place: int) -> bool:
    before = text[start:place]
    return (
        before.count('"') % 2 == 1
        or before.count("“") > before.count("”")
        or before.count("[") > before.count("]")
    )


def _parts(text: str, start: int, end: int, known: Verbs) -> list[tuple[int, int]]:
    words = [word for word in split_words(text) if start <= word.start < end]
    found: list[tuple[int, int]] = []
    first = start
    for place, word in enumerate(words[:-1]):
        if place == 0 or _inside_quotes(text, start, word.start) or text[word.start - 1] == "'":
            continue
        cut = -1
        gap = text[words[place - 1].end : word.start]
        if (word.lower in _JOINTS and _opens(words, place + 1, known)) or (
            "," in gap and word.lower not in _JOINTS and _opens(words, place, known, strict=True)
        ):
            cut = word.start
        if cut > first and len(text[first:cut].split()) > 1:
            found.append((first, cut))
            first = cut
    found.append((first, end))
    return found


def _opens(words: list[Word], place: int, known: Verbs, *, strict: bool = False) -> bool:
    """Return whether a clause of its own begins at a word."""
    while place < len(words) and words[place].lower in (*_JOINTS, "please", "finally"):
        place += 1
    if place >= len(words):
        return False
    word = words[place].lower
    after = words[place + 1] if place + 1 < len(words) else None
    if word in ("what", "what's", "who", "when", "where", "how", "which", "tell", "let"):
        return not strict or word != "which"
    if word not in known or word in QUESTION_WORDS or words[place].text[0].isupper():
        return False
    if after is None:
        return False
    return (
        after.lower in _DETERMINERS
        or after.text[0].isupper()
        or after.text[0].isdigit()
        or (not strict and (word in _PLAIN_VERBS or known.offered(word)))
    )


def _goal(text: str, start: int, end: int, known: Verbs) -> Goal | None:
    clause = text[start:end].strip()
    polite = _POLITE.match(clause)
    core = clause[polite.end() :] if polite else clause
    words = split_words(core)
    if not words:
        return None
    first = words[0].lower
    condition = ""
    if first in ("if", "when", "once", "unless", "after") and "," in core and not core.rstrip().endswith("?"):
        condition, _, rest = core.partition(",")
        if not rest.strip():
            return None
        tail = _goal(text, start + text[start:end].find(rest), end, known)
        return None if tail is None else Goal(start, end, clause, tail.verb, tail.intent, condition)
    first = first.removesuffix("'s")
    if first in known and first not in QUESTION_WORDS:
        return Goal(start, end, clause, first, known.intent(first))
    asks = first in _PREPOSITIONS and len(words) > 1 and words[1].lower in ("which", "what", "whose", "whom")
    if asks or first in QUESTION_WORDS or clause.rstrip().endswith("?"):
        return Goal(start, end, clause, first, _asked(words, known))
    if (opened := known.opener(first)) and len(words) > 2:
        return Goal(start, end, clause, first, opened)
    if _WISH.search(clause) or polite:
        verb = next((word.lower for word in words if known.changes(word.lower)), "find")
        return Goal(start, end, clause, verb, known.intent(verb), wish=polite is None)
    if len(words) > 1 and words[1].lower in _OBJECTS and first not in STOP and words[0].text.isalpha():
        return Goal(start, end, clause, first, "any")
    second = next((word.lower for word in words[1:4] if word.lower in _CHANGES), "")
    if second and first not in (
        "i",
        "my",
        "we",
        "our",
        "it",
        "the",
        "this",
        "that",
        "i'm",
        "there",
        "he",
        "she",
        "they",
    ):
        return Goal(start, end, clause, second, known.intent(second))
    return None


def _asked(words: tuple[Word, ...], known: Verbs) -> str:
    if words[0].lower in ("can", "could", "would", "will"):
        verb = next((word.lower for word in words[1:6] if word.lower in known), "")
        return known.intent(verb)
    return "read"
