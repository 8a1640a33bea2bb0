"""Synthetic queries: instructions put together from the tools' own documents.

They teach the words of a catalog, and that tools of one service belong together; not how people ask. Each
is labelled ``synthetic``, is never measured, and stands so in the model card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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
_LEFT_OUT = 0.05
"""Share of the words that a query loses, for people do not say everything that a document says."""
_NAMED = 0.3
"""Share of queries that name the service."""
_SET = 0.6
"""Share of queries that begin with what they are for."""
_TOPICAL = 0.7
"""Share of these that name the category."""
_LONGEST_CLAUSE = 40
_LONGEST_VALUE = 40
_SETTINGS = (
    *(
        "I'm working on a {c} project.",
        "My friend is interested in {c}.",
        "I'm writing an article about {c}.",
    ),
    *("I'm building an app for {c} and I need some data.", "My team is comparing {c} services."),
    *("I'm new to {c} and don't know where to look.", "For my class I am collecting facts about {c}."),
)
_SETTINGS_OF_ANY = (
    *("I'm planning something with my family next week.", "We are preparing an event at my company."),
    *("I want to surprise my friends.", "I'm doing some research for my boss.", "I run a small website."),
)
_OPENINGS = (
    *("I want to {a}.", "Can you {a}?", "Could you please {a}?", "Please {a}.", "I need to {a}.", "{A}."),
    *("I'd like to {a}.", "Help me {a}.", "Is there a way to {a}?", "For my company I have to {a}."),
    *("It would help me a lot if you could {a}.", "Would you {a} for me?"),
)
_FURTHER = (
    *("Also, {a}.", "Additionally, I want to {a}.", "And can you {a}?", "I would also like to {a}."),
    *("Moreover, please {a}.", "Then {a}.", "After that I need to {a}.", "On top of it, could you {a}?"),
)
_NAMINGS = ("I am using {s}.", "It is for {s}.", "Use {s} for it.", "Take {s}, please.")
_LOOKING = ("get", "find", "see", "look up", "fetch", "check", "obtain", "learn about", "have")
_WITH = ("by", "for a given", "using the", "with a certain", "for this")
_VALUED = ("with the {p} '{v}'", "for the {p} '{v}'", "where the {p} is {v}", "for '{v}'")
_LOOKED_UP = frozenset({"fetch", "get", "retrieve", "return", "list", "show"})
"""Verbs that stand for each other when people ask."""
_MORE_VERBS = frozenset({"fetch", "get", "give", "retrieve", "return", "convert", "generate", "lookup"})
_LINK = re.compile(r"https?://\S+|<[^>]{0,400}>|[*_`#|]+")
_STOCK = re.compile(
    r"^(this|the|an?)\s+(api\s+)?(endpoint|api|method|function|call|route|request|operation)s?\s+"
    r"((will|can|is|to|used|use|lets|allows|allow|you|for|that|which|us|it|be)\s+){0,6}",
    re.IGNORECASE,
)
"""How documents begin and nobody asks."""
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
    topic = clean(" ".join(first.tags[:1]), 60).lower()
    parts = []
    if chance.random() < _SET:
        setting = chance.choice(_SETTINGS if topic and chance.random() < _TOPICAL else _SETTINGS_OF_ANY)
        parts.append(setting.format(c=topic))
    said = clauses[0][1]
    parts.append(chance.choice(_OPENINGS).format(a=said, A=said[:1].upper() + said[1:]))
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
    if name := _own_words(tool):
        looking = f"{chance.choice(_LOOKING)} {chance.choice(('', 'the '))}{name}"
        options.append(_as_action(name, chance) or looking)
    sentence = _first_sentence(tool.description)
    if len(sentence.split()) >= 4:
        said = _as_action(sentence, chance)
        options += [said] * 2 if said else [f"{chance.choice(_LOOKING)} {sentence[0].lower()}{sentence[1:]}"]
    if not options:
        return ""
    clause = chance.choice(options)
    names = [words for each in list(tool.properties)[:6] if (words := _words(str(each)[:60]))]
    if names and chance.random() < 0.4:
        chosen = chance.sample(names, min(len(names), chance.choice((1, 1, 2))))
        clause += f" {_with(tool, chosen, chance)}"
    return " ".join(clause.split()[:_LONGEST_CLAUSE]).replace("{", "(").replace("}", ")")


def _with(tool: ToolSpec, chosen: Sequence[str], chance: Random) -> str:
    """Return what is known when a tool is asked for, with an example where its document has one."""
    for name, schema in list(tool.properties.items())[:6]:
        value = _example(schema)
        if value and chance.random() < 0.5:
            return chance.choice(_VALUED).format(p=_words(str(name)[:60]), v=value)
    return f"{chance.choice(_WITH)} {' and '.join(chosen)}"


def _example(schema: object) -> str:
    """Return a short value that the schema of a parameter gives; empty if there is none."""
    if not isinstance(schema, Mapping):
        return ""
    for key in ("example", "default"):
        value = schema.get(key)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            said = clean(str(value), _LONGEST_VALUE + 1)
            if 0 < len(said) <= _LONGEST_VALUE:
                return said
    return ""


def _as_action(text: str, chance: Random) -> str:
    """Return a text that begins with a verb, that verb in its plain form; else nothing."""
    first, _, rest = text.partition(" ")
    for word in _plain_forms(first.lower()):
        if word in _LOOKED_UP and rest:
            return f"{chance.choice(_LOOKING)} {rest}"
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
    plain = _STOCK.sub("", " ".join(_LINK.sub(" ", clean(description, 1_000)).split()))
    return _SENTENCE_END.split(plain)[0][:160].rstrip(".!? ")


def _own_words(tool: ToolSpec) -> str:
    """Return the words of a tool's name without those of its service, which people seldom say."""
    words = _words(clean(tool.name, 120)).split()
    service = _words(clean(tool.parent, 80)).lower().split() if tool.parent else []
    start = len(service) if [word.lower() for word in words[: len(service)]] == service else 0
    return " ".join(words[start:] or words)


def _words(name: str) -> str:
    return " ".join(identifier_words(name)) or name.strip()
