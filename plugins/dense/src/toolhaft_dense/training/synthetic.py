"""Synthetic queries: instructions put together from the tools' own documents.

They teach the words of a catalog, and that tools of one service belong together; not how people ask. Each
is labelled ``synthetic``, is never measured, and stands so in the model card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from random import Random

from toolhaft.errors import UsageError
from toolhaft.generators.texts import lines
from toolhaft.text import clean, identifier_words
from toolhaft.types import ToolSpec
from toolhaft_dense.training.batches import chance_of
from toolhaft_dense.training.examples import LearningQuery, LearningSet

_TOOLS_ASKED = (1, 1, 2, 2, 3)
"""How many tools of one service a query needs, each as likely."""
_LEFT_OUT = 0.1
"""Share of the words that a query loses, for people do not say everything that a document says."""
_NAMED = 0.3
"""Share of queries that name the service."""
_LONGEST_CLAUSE = 40
_OPENINGS = (
    *("I want to {a}.", "Can you {a}?", "Could you please {a}?", "Please {a}.", "I need to {a}.", "{A}."),
    *("I'd like to {a}.", "Help me {a}.", "Is there a way to {a}?", "For my company I have to {a}."),
    "I'm working on a {c} project and I need to {a}.",
    "My friend is interested in {c}. Can you {a}?",
    "I'm planning something around {c}. Could you {a}?",
)
_FURTHER = (
    *("Also, {a}.", "Additionally, I want to {a}.", "And can you {a}?", "I would also like to {a}."),
    *("Moreover, please {a}.", "Then {a}.", "After that I need to {a}."),
)
_NAMINGS = ("I am using {s}.", "It is for {s}.", "Use {s} for it.")
_LOOKING = ("get", "find", "see", "know", "look up", "show me")
_WITH = ("by", "for a given", "using the", "with a certain")
_MORE_VERBS = frozenset({"fetch", "get", "give", "retrieve", "return", "convert", "generate", "lookup"})
_LINK = re.compile(r"https?://\S+|<[^>]{0,400}>|[*_`#|]+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def make_queries(learning: LearningSet, number: int, seed: int = 0) -> list[LearningQuery]:
    """Return so many queries, the services asked in turn, in an order drawn by chance.

    Args:
        learning: The tools.
        number: At least 1.
        seed: The same seed gives the same queries.

    Raises:
        UsageError: The tools say nothing that a query could be made of.
    """
    members: dict[str, list[int]] = {}
    for place, group in enumerate(learning.groups()):
        members.setdefault(group, []).append(place)
    chance = chance_of(seed, "synthetic")
    services = sorted(members)
    chance.shuffle(services)
    found: list[LearningQuery] = []
    before = -1
    while before < len(found) < number:  # until a round makes nothing
        before = len(found)
        made = (_make(learning.tools, members[service], chance) for service in services)
        found += islice((query for query in made if query is not None), number - before)
    if not found:
        raise UsageError(
            "no query can be made: the tools have neither names nor descriptions in words",
            where="synthetic",
            hint="Describe the tools, or give queries",
        )
    return found


def _make(tools: Sequence[ToolSpec], places: Sequence[int], chance: Random) -> LearningQuery | None:
    number = min(len(places), _TOOLS_ASKED[chance.randrange(len(_TOOLS_ASKED))])
    chosen = chance.sample(list(places), number)
    clauses = [(place, said) for place in chosen if (said := _clause(tools[place], chance))]
    if not clauses:
        return None
    first = tools[clauses[0][0]]
    opening = chance.choice(_OPENINGS if first.tags else _OPENINGS[:-3])
    topic = clean(" ".join(first.tags[:1]), 60).lower()
    said = clauses[0][1]
    parts = [opening.format(a=said, A=said[:1].upper() + said[1:], c=topic)]
    parts += [chance.choice(_FURTHER).format(a=said) for _, said in clauses[1:]]
    if first.parent and chance.random() < _NAMED:
        parts.append(chance.choice(_NAMINGS).format(s=_words(clean(first.parent, 80))))
    words = " ".join(parts).split()
    kept = [word for word in words if chance.random() >= _LEFT_OUT]
    text = " ".join(kept if len(kept) > 3 else words)
    return LearningQuery(text=text, positives=tuple(place for place, _ in clauses), origin="synthetic")


def _clause(tool: ToolSpec, chance: Random) -> str:
    """Return what a tool does as words that follow "I want to"; empty if it does not say."""
    options: list[str] = []
    if name := _words(clean(tool.name, 120)):
        looking = f"{chance.choice(_LOOKING)} {chance.choice(('', 'the '))}{name}"
        options.append(_as_action(name) or looking)
    sentence = _first_sentence(tool.description)
    if len(sentence.split()) >= 4:
        said = _as_action(sentence)
        options += [said] * 2 if said else [f"{chance.choice(_LOOKING)} {sentence[0].lower()}{sentence[1:]}"]
    if not options:
        return ""
    clause = chance.choice(options)
    names = [words for each in list(tool.properties)[:6] if (words := _words(str(each)[:60]))]
    if names and chance.random() < 0.4:
        chosen = chance.sample(names, min(len(names), chance.choice((1, 1, 2))))
        clause += f" {chance.choice(_WITH)} {' and '.join(chosen)}"
    return " ".join(clause.split()[:_LONGEST_CLAUSE]).replace("{", "(").replace("}", ")")


def _as_action(text: str) -> str:
    """Return a text that begins with a verb, that verb in its plain form; else nothing."""
    first, _, rest = text.partition(" ")
    for word in _plain_forms(first.lower()):
        if word in _MORE_VERBS or word in lines("verbs"):
            return f"{word} {rest}"
    return ""


def _plain_forms(word: str) -> Iterator[str]:
    yield word
    if word.endswith("s"):
        yield word[:-1]
    if word.endswith("es"):
        yield word[:-2]


def _first_sentence(description: str) -> str:
    plain = " ".join(_LINK.sub(" ", clean(description, 1_000)).split())
    return _SENTENCE_END.split(plain)[0][:160].rstrip(".!? ")


def _words(name: str) -> str:
    return " ".join(identifier_words(name)) or name.strip()
