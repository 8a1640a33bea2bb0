"""Tools that other tools' descriptions name: the ones that give what those need.

An API's author writes "the id comes from `searchPlaces`"; whoever is offered the one tool needs the other.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator

from toolhaft.types import ToolSpec

_NAME = re.compile(r"`([a-zA-Z0-9_-]{1,64})`|\b([a-z0-9]+[A-Z_-][A-Za-z0-9_-]*)\b")
"""A name in backticks, or a word that only an identifier looks like (camelCase, snake_case)."""
_LONGEST_READ = 20_000
"""Characters of one tool's texts that are read."""


def mentioned_tools(specs: Iterable[ToolSpec], names: Container[str], *, limit: int) -> list[str]:
    """Return the names of tools that the specs' texts mention and that are not among them.

    Args:
        specs: Tools that were chosen.
        names: Names of all tools there are.
        limit: How many at most; those mentioned by the first specs come first.
    """
    chosen = list(specs)
    known = {spec.name for spec in chosen}
    found: dict[str, None] = {}
    for spec in chosen:
        left = _LONGEST_READ
        for text in _texts(spec):
            read, left = text[:left], max(0, left - len(text))
            for match in _NAME.finditer(read):
                name = match[1] or match[2]
                if name not in known and name not in found and name in names:
                    found[name] = None
                    if len(found) >= limit:
                        return list(found)
    return list(found)


def _texts(spec: ToolSpec) -> Iterator[str]:
    yield spec.description
    for schema in spec.properties.values():
        if isinstance(schema, dict):
            yield str(schema.get("description", ""))
