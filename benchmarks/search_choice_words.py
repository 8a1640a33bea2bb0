"""Ways of taking a tool's text or a query apart that ``search_choices.py`` tries."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from toolhaft.retrievers.pairs import pair_terms
from toolhaft.retrievers.queries import DAMPING
from toolhaft.text import STOP_WORDS, identifier_words, tokenize

_WORD = re.compile(r"[^\W_]+")
_QUOTED = re.compile(r"(?<!\w)'[^'\n]{1,80}'(?!\w)|\"[^\"\n]{1,120}\"|“[^”\n]{1,120}”")
_NAMED = re.compile(r"(?<=[a-z,;:] )[A-Z]\w*")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_CLAUSE = re.compile(r"(?<=[.!?;,])\s+|\b(?:and|then|also|additionally)\b")
_ASKING = frozenset(
    tokenize(
        "additionally provide information details help find looking like tell know suggest recommend fetch "
        "retrieve give show get interested assist available"
    )
)
_SYNONYMS = """
create add new make insert register
delete remove cancel erase
update change edit modify set replace
get fetch retrieve read show obtain
search find lookup query discover
send post
message sms chat
image photo picture
movie film
series television tv
song track music
artist singer musician band
price cost rate quote
weather forecast temperature climate
city town
country nation
location place address
coordinates latitude longitude geocode
user account profile
company business firm
job career vacancy employment
flight airline airport
hotel accommodation lodging
car vehicle
news article headline
match game fixture
team club
league competition tournament
summary overview synopsis
speech audio voice
detect recognize identify
similar recommend related
popular trending top
distance route directions
buy purchase order
book reserve reservation booking
"""


def with_pairs(terms: Sequence[str]) -> list[str]:
    """Return terms with their pairs; those that are no words have none."""
    plain = [term for term in terms if not term.startswith("~")]
    return [*terms, *pair_terms(plain)]


def schema_words(schema: Any, depth: int = 3) -> str:
    """Return the names of a schema's properties."""
    if depth == 0 or not isinstance(schema, dict):
        return ""
    properties = schema.get("properties")
    found = [schema_words(schema.get("items"), depth - 1)]
    for name, inner in (properties if isinstance(properties, dict) else {}).items():
        found += [str(name), schema_words(inner, depth - 1)]
    return " ".join(part for part in found if part)[:4000]


def counted(pieces: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Return the terms and pairs of pieces of text, each counted by the piece's weight."""
    weights: dict[str, float] = {}
    for text, weight in pieces:
        for term, count in Counter(with_pairs(tokenize(text))).items():
            weights[term] = weights.get(term, 0.0) + weight * count
    return weights


def _undamped(weight: float) -> float:
    """Return what becomes this weight when it is damped as counts are."""
    return weight ** (1 / DAMPING)


def _sentences(text: str, first: float, last: float, question: float) -> dict[str, float]:
    parts = _SENTENCE.split(text)
    pieces = []
    for place, part in enumerate(parts):
        weight = question if part.endswith("?") else 1.0
        if len(parts) > 1:
            weight *= first if place == 0 else last if place == len(parts) - 1 else 1.0
        pieces.append((part, weight))
    return counted(pieces)


def _lowered(pattern: re.Pattern[str], weight: float) -> Callable[[str], dict[str, float]]:
    def weigh(text: str) -> dict[str, float]:
        weights = counted([(text, 1.0)])
        for term, count in Counter(with_pairs(tokenize(" ".join(pattern.findall(text))))).items():
            if term in weights:
                weights[term] = max(weights[term] - (1 - weight) * count, 0.0)
        return weights

    return weigh


def _asking(weight: float) -> Callable[[str], dict[str, float]]:
    def weigh(text: str) -> dict[str, float]:
        found = counted([(text, 1.0)])
        return {
            term: (value * _undamped(weight) if term in _ASKING else value) for term, value in found.items()
        }

    return weigh


def _synonyms(weight: float) -> Callable[[str], dict[str, float]]:
    groups = [[tokenize(word)[0] for word in line.split()] for line in _SYNONYMS.strip().splitlines()]
    near: dict[str, set[str]] = {}
    for group in groups:
        for word in group:
            near.setdefault(word, set()).update(set(group) - {word})

    def weigh(text: str) -> dict[str, float]:
        said = counted([(text, 1.0)])
        found = dict(said)
        for term, value in said.items():
            for other in near.get(term, ()):
                if other not in said:
                    found[other] = max(found.get(other, 0.0), value * _undamped(weight))
        return found

    return weigh


def _clauses(text: str) -> dict[str, float]:
    """Pairs within clauses alone."""
    return counted([(part, 1.0) for part in _CLAUSE.split(text) if part])


QUERY_RULES: dict[str, Callable[[str], dict[str, float]]] = {
    "first sentence at half": lambda text: _sentences(text, 0.5, 1.0, 1.0),
    "last sentence at half": lambda text: _sentences(text, 1.0, 0.5, 1.0),
    "questions at double": lambda text: _sentences(text, 1.0, 1.0, 2.0),
    "clauses apart": _clauses,
    "what is in quotes at half": _lowered(_QUOTED, 0.5),
    "capitalised names at half": _lowered(_NAMED, 0.5),
    "capitalised names at double": _lowered(_NAMED, 2.0),
    "words of asking at half": _asking(0.5),
    "words of asking left out": _asking(0.0),
    "synonyms of 40 groups at 0.1": _synonyms(0.1),
    "synonyms of 40 groups at 0.2": _synonyms(0.2),
}


@cache
def _stemmer(name: str) -> Any:
    import snowballstemmer

    return cache(snowballstemmer.stemmer(name).stemWord)


def porter(text: str) -> list[str]:
    return [_stemmer("porter")(word) for word in unstemmed(text)]


def unstemmed(text: str) -> list[str]:
    return [word for word in identifier_words(text) if word not in STOP_WORDS]


def plurals(text: str) -> list[str]:
    return [word[:-1] if re.search(r"[^su]s$", word) and len(word) > 3 else word for word in unstemmed(text)]


def with_stop_words(text: str) -> list[str]:
    return [_stemmer("english")(word) for word in identifier_words(text)]


def identifiers_whole(text: str) -> list[str]:
    return [
        _stemmer("english")(word.lower()) for word in _WORD.findall(text) if word.lower() not in STOP_WORDS
    ]


def without_joined(text: str) -> list[str]:
    return [_stemmer("english")(word) for word in unstemmed(text)]


def with_joined_neighbours(text: str) -> list[str]:
    """Terms, and each two neighbouring words written as one: ``face book`` meets ``facebook``."""
    plain = unstemmed(text)
    return [*tokenize(text), *(f"~{first}{second}" for first, second in pairwise(plain))]


def with_grams(text: str) -> list[str]:
    """Terms, and the runs of five characters of each word."""
    grams = [
        f"~{padded[start : start + 5]}"
        for padded in (f"<{word}>" for word in unstemmed(text))
        for start in range(max(1, len(padded) - 4))
    ]
    return [*tokenize(text), *grams]


def gram_query(weight: float) -> Callable[[str], dict[str, float]]:
    def weigh(text: str) -> dict[str, float]:
        found = Counter(with_pairs(with_grams(text)))
        return {
            term: count * (_undamped(weight) if term.startswith("~") else 1.0)
            for term, count in found.items()
        }

    return weigh


TOKENS: dict[str, Callable[[str], list[str]]] = {
    "not stemmed": unstemmed,
    "plurals alone": plurals,
    "Porter's first stemmer": porter,
    "stop words kept": with_stop_words,
    "identifiers not split": identifiers_whole,
    "split identifiers not kept whole": without_joined,
    "neighbours joined too": with_joined_neighbours,
}
