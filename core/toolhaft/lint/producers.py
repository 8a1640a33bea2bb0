"""The rule about identifiers that no tool of the catalog gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolhaft.lint.finding import Finding
from toolhaft.lint.places import arguments
from toolhaft.text import identifier_words, stem
from toolhaft.types import ToolSpec

_MARKS = frozenset(["id", "ids", "uuid", "guid", "key", "slug"])
_GENERIC = frozenset(["id", "the", "by", "of", "external", "client", "api"])


class Producers:
    """Which things the tools of a catalog tell of without being asked for them first.

    Args:
        specs: All tools.
    """

    def __init__(self, specs: Sequence[ToolSpec]) -> None:
        self._nouns: dict[str, set[str]] = {}
        for spec in specs:
            needs = {noun for noun, _ in _identifiers(spec)}
            told = {stem(word) for word in (*identifier_words(spec.name), *_words(spec.returns))}
            told |= {stem(word) for word in identifier_words(str(spec.metadata.get("path", "")))}
            for noun in told - needs:
                self._nouns.setdefault(noun, set()).add(spec.name)

    def check(self, spec: ToolSpec) -> Iterator[Finding]:
        """Find required identifiers of things that no other tool lists, finds or makes."""
        for noun, (name, pointer) in _identifiers(spec):
            if not self._nouns.get(noun, set()) - {spec.name}:
                what = f"no other tool tells a {name!r}: add one that finds it, or say where it comes from"
                yield Finding(
                    rule="id-without-producer",
                    tool=spec.name,
                    what=what,
                    pointer=pointer,
                    cost=5,
                    mend="describe",
                )


def _identifiers(spec: ToolSpec) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the thing that each required identifier is of, with the argument's name and pointer."""
    path = str(spec.metadata.get("path", ""))
    for place in arguments(spec):
        words = identifier_words(place.name)
        if not place.required or not words or words[-1] not in _MARKS:
            continue
        nouns = [stem(word) for word in words[:-1] if word not in _GENERIC]
        if not nouns:  # plain {id}: what stands before it in the path
            before = path.partition("{" + place.name)[0].rstrip("/").rpartition("/")[2]
            nouns = [stem(word) for word in identifier_words(before) if word not in _GENERIC]
        if nouns:
            yield nouns[-1], (place.name, place.pointer)


def _words(schema: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the words of the names that a result has, near its top."""
    pending: list[tuple[Any, int]] = [(schema or {}, 0)]
    for node, depth in pending[:400]:
        if isinstance(node, Mapping) and depth < 4:
            for name, inner in (node.get("properties") or {}).items():
                yield from identifier_words(str(name))
                pending.append((inner, depth + 1))
            pending.append((node.get("items"), depth + 1))
