"""Discriminators: which value names which schema, also where schemas extend the one that has it.

Source: OpenAPI 3.1.1, section "Discriminator Object".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolhaft.openapi.documents.cleaning import clean_string
from toolhaft.openapi.documents.document import as_dict, as_list
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.types.pointer import escape, unescape

MOST_CHILDREN = 200
"""Schemas that extend one; of more, none is named."""
_PLACES = (("components", "schemas"), ("definitions",))
_MICROSOFT = "x-ms-discriminator-value"


@dataclass(frozen=True, slots=True)
class Branch:
    """A schema that a discriminator may choose.

    Attributes:
        pointer: Where it stands.
        values: Values of the property that choose it.
    """

    pointer: str
    values: tuple[str, ...]


class Inheritance:
    """Knows which schemas of a document extend which.

    Args:
        root: The document.
        resolver: Of the document.
    """

    def __init__(self, root: dict[str, Any], resolver: Resolver) -> None:
        self._root = root
        self._resolver = resolver
        self._children: dict[str, list[str]] | None = None

    def branches(self, node: dict[str, Any], pointer: str) -> list[Branch]:
        """Return the schemas that stand for a base schema: those that extend it, and itself where it may.

        Args:
            node: The base, which has the discriminator.
            pointer: Where it stands.
        """
        if property_name(node) is None:
            return []
        chosen = self.values(node)
        below = [pointer, *self._descendants(pointer)]
        below += [other for other in chosen if other not in below]
        if not 1 < len(below) <= MOST_CHILDREN:
            return []
        found = [Branch(other, self._values_of(other, chosen)) for other in below]
        # A base that the mapping leaves out is not sent itself.
        return found[1:] if chosen and pointer not in chosen else [*found[1:], found[0]]

    def extends(self, pointer: str, member: Any) -> bool:
        """Whether a branch of a union extends what stands at a pointer."""
        return self._pointer(member) in self._descendants(pointer)

    def values(self, node: dict[str, Any]) -> dict[str, list[str]]:
        """Return pointer -> the values that the mapping gives it."""
        found: dict[str, list[str]] = {}
        discriminator = as_dict(node.get("discriminator"))
        for value, target in as_dict(discriminator.get("mapping")).items():
            pointer = self._mapped(target)
            if pointer:
                found.setdefault(pointer, []).append(clean_string(str(value)))
        return found

    def branch_of(self, member: Any, chosen: dict[str, list[str]]) -> Branch | None:
        """Return the branch that a member of a union is, or None if it is no reference."""
        pointer = self._pointer(member)
        return Branch(pointer, self._values_of(pointer, chosen)) if pointer else None

    def _values_of(self, pointer: str, chosen: dict[str, list[str]]) -> tuple[str, ...]:
        if pointer in chosen:
            return tuple(chosen[pointer])
        named = as_dict(self._resolver.at(pointer)).get(_MICROSOFT)
        if isinstance(named, str) and named:
            return (clean_string(named),)
        return (clean_string(unescape(pointer.rpartition("/")[2])),)

    def _pointer(self, member: Any) -> str:
        if not isinstance(member, dict) or not isinstance(member.get("$ref"), str):
            return ""
        try:
            return self._resolver.find(member["$ref"])[1]
        except BrokenReferenceError:
            return ""

    def _mapped(self, target: Any) -> str:
        """Return where a mapping leads: to a schema by its name, or by a reference."""
        if not isinstance(target, str):
            return ""
        for place in _PLACES:
            if target in as_dict(self._at(place)):
                return "/" + "/".join((*place, escape(target)))
        return self._pointer({"$ref": target})

    def _at(self, place: tuple[str, ...]) -> Any:
        node: Any = self._root
        for key in place:
            node = as_dict(node).get(key)
        return node

    def _descendants(self, pointer: str) -> list[str]:
        found: dict[str, None] = {}
        waiting = [pointer]
        while waiting:
            for child in self._index().get(waiting.pop(), ()):
                if child not in found and child != pointer:
                    found[child] = None
                    waiting.append(child)
        return list(found)

    def _index(self) -> dict[str, list[str]]:
        if self._children is None:
            self._children = {}
            for place in _PLACES:
                for name, node in as_dict(self._at(place)).items():
                    own = "/" + "/".join((*place, escape(name)))
                    for member in as_list(as_dict(node).get("allOf")):
                        if parent := self._pointer(member):
                            self._children.setdefault(parent, []).append(own)
        return self._children


def property_name(node: dict[str, Any]) -> str | None:
    """Return the property that a discriminator reads, or None if there is none."""
    discriminator = node.get("discriminator")
    name = discriminator if isinstance(discriminator, str) else as_dict(discriminator).get("propertyName")
    return clean_string(name) if isinstance(name, str) and name else None
