"""What a retriever reads of a tool: one composition for every retriever."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolhaft.retrievers.grams import gram_terms
from toolhaft.retrievers.pairs import pair_terms
from toolhaft.text import clean, tokenize
from toolhaft.types import ToolSpec

COMPOSITION = "3"
"""Names the way in which search terms are made of a tool; an index made in another way is of no use."""
_LONGEST_DESCRIPTION = 4_000
_LONGEST_PARAMETERS = 4_000
_MOST_TAGS = 32
_MOST_PARAMETERS = 200
_DEEPEST = 4
_SHORT_HASH = re.compile(r"_(?=[0-9a-f]*[0-9])[0-9a-f]{8}$")
"""What importers end a name with that would else stand twice."""
_PART = re.compile(r"[a-zA-Z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The text of one tool by field; clean, bounded.

    Attributes:
        name: As it is called.
        title: What of the name is its own: without the words of its parent and the hash that importers add.
        parameters: Names and descriptions of the arguments, nested ones too.
    """

    name: str
    title: str = ""
    parent: str = ""
    tags: str = ""
    description: str = ""
    parameters: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldWeights:
    """How often each field's words count: whole numbers, 0 leaves the field out.

    What a tool and its service are called says more than a sentence about them. Other defaults were no
    better on the development sets of ``benchmarks/search_choices.py``.

    Attributes:
        name: Of the title, which is the name without the parent's words.
    """

    name: int = 5
    parent: int = 2
    tags: int = 1
    description: int = 1
    parameters: int = 1


def compose_fields(spec: ToolSpec) -> Fields:
    """Return the searchable text of a tool."""
    pieces: list[str] = []
    length = 0
    for piece in _parameter_text(spec.parameters, _DEEPEST):
        pieces.append(piece)
        length += len(piece)
        if length > _LONGEST_PARAMETERS or len(pieces) >= 2 * _MOST_PARAMETERS:
            break
    name = clean(spec.name, 200)
    return Fields(
        name=name,
        title=own_title(name, spec.parent[:200]),
        parent=clean(spec.parent, 200),
        tags=clean(" ".join(spec.tags[:_MOST_TAGS]), 400),
        description=clean(spec.description, _LONGEST_DESCRIPTION),
        parameters=clean(" ".join(pieces), _LONGEST_PARAMETERS),
    )


def own_title(name: str, parent: str) -> str:
    """Return the words of a name that are its own.

    Importers put the service before the name of its operation and, where names would be alike, a hash
    behind it: ``Weather_by_City_forecast_1a2b3c4d`` of ``Weather by City`` is titled ``forecast``. Where
    nothing else is left the name stays as it is.
    """
    if parent:
        name = _SHORT_HASH.sub("", name)
    words = [word.lower() for word in _PART.findall(parent)]
    parts = list(_PART.finditer(name))
    if not words or len(parts) <= len(words):
        return name
    same = all(part[0].lower() == word for part, word in zip(parts, words, strict=False))
    return name[parts[len(words)].start() :] if same else name


def compose_text(spec: ToolSpec) -> str:
    """Return a tool's text as one passage, for retrievers that embed it."""
    fields = compose_fields(spec)
    heading = ", ".join(part for part in (fields.tags, fields.parent, fields.name) if part)
    parts = [heading, fields.description]
    if fields.parameters:
        parts.append(f"parameters: {fields.parameters}")
    return "\n".join(part for part in parts if part)


def compose_tokens(
    spec: ToolSpec, weights: FieldWeights = FieldWeights(), *, grams: bool = False
) -> list[str]:
    """Return a tool's search terms, those of each field repeated as often as its weight says.

    Title and description give their pairs of neighbouring terms too (see `pair_terms`); tags and
    parameters are lists, whose neighbours mean nothing.

    Args:
        spec: The tool.
        weights: How often each field counts.
        grams: Whether runs of characters are terms, too (see `gram_terms`).

    Source: S. Robertson, H. Zaragoza, M. Taylor, "Simple BM25 extension to multiple weighted fields",
    CIKM 2004: term frequencies are weighted and added before BM25, rather than scores after it.
    """
    fields = compose_fields(spec)
    tokens: list[str] = []
    for text, weight, paired in (
        (fields.title, weights.name, True),
        (fields.parent, weights.parent, False),
        (fields.tags, weights.tags, False),
        (fields.description, weights.description, True),
        (fields.parameters, weights.parameters, False),
    ):
        if text and weight:
            terms = tokenize(text)
            if paired:
                terms.extend(list(pair_terms(terms)))
            if grams:
                terms.extend(gram_terms(text))
            tokens.extend(terms * weight)
    return tokens


def _parameter_text(schema: Any, depth: int) -> Iterator[str]:
    """Yield names and descriptions of a schema's properties; the schema may be anything at all."""
    if depth == 0 or not isinstance(schema, Mapping):
        return
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        for name, inner in properties.items():
            yield str(name)[:200]
            if isinstance(inner, Mapping):
                description = inner.get("description")
                if isinstance(description, str):
                    yield description[:400]
                yield from _parameter_text(inner, depth - 1)
    yield from _parameter_text(schema.get("items"), depth - 1)
