"""What an encoder is shown of a tool: one passage in words."""

from __future__ import annotations

import hashlib
import re

from toolhaft.errors import UsageError
from toolhaft.retrievers.fields import compose_fields
from toolhaft.text import identifier_words
from toolhaft.types import ToolSpec

COMPOSITION = "1"
"""Changes whenever `passage` does, so that vectors of the earlier passages are not used."""

KEY = 16
"""Bytes of a text's key."""

_LONGEST_QUERY = 20_000
_MOST_PARAMETERS = 24
_MOST_SENTENCES = 12
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")


def passage(spec: ToolSpec) -> str:
    """Return the words of a tool: service, name, what it does, names of its parameters; bounded.

    Names are split into words (``getPetById`` gives "get pet by id"), for an encoder of prose has hardly
    seen identifiers.
    """
    fields = compose_fields(spec)
    heading = " ".join(
        part for part in (fields.tags, " ".join(identifier_words(fields.parent)) or fields.parent) if part
    )
    name = " ".join(identifier_words(fields.name)) or fields.name
    names = [str(each)[:100] for each in list(spec.properties)[:_MOST_PARAMETERS]]
    parameters = ", ".join(" ".join(identifier_words(each)) or each for each in names)
    parts = [f"{heading}: {name}." if heading else f"{name}.", fields.description]
    if parameters:
        parts.append(f"Parameters: {parameters}.")
    return " ".join(" ".join(parts).split())


def check_query(query: str, k: int = 1) -> str:
    """Return a query as it is encoded: bounded, and empty where it holds no word.

    Raises:
        UsageError: It is no text, or ``k`` is no whole number.
    """
    if not isinstance(query, str):
        raise UsageError(f"the query is {repr(query)[:60]}", hint="Give text")
    if not isinstance(k, int) or isinstance(k, bool):
        raise UsageError(f"k is {repr(k)[:60]}", hint="Give a whole number")
    return query[:_LONGEST_QUERY] if query.strip() else ""


def query_parts(query: str) -> list[str]:
    """Return a query, and its sentences where it has several: each of them is compared for itself, too."""
    found = [part.strip() for part in _SENTENCE_END.split(query) if part.strip()]
    return [query, *found[:_MOST_SENTENCES]] if len(found) > 1 else [query]


def text_key(text: str) -> bytes:
    """Return the bytes, `KEY` of them, under which a passage's vector is kept."""
    content = f"{COMPOSITION}\0{text}".encode("utf-8", "replace")
    return hashlib.blake2b(content, digest_size=KEY).digest()
