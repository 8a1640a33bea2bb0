"""What a profile makes of the arguments schema of a tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from toolhaft.tools.merging import ANNOTATIONS, merge
from toolhaft.types.pointer import unescape

ProfileName = Literal["plain", "openai", "openai-strict", "anthropic", "gemini"]
PROFILES: tuple[ProfileName, ...] = get_args(ProfileName)
"""Names of the profiles; ``plain`` is JSON Schema 2020-12 as it is."""

PREFIX = "#/$defs/"
SCALARS = ("string", "number", "boolean")
_LONGEST_CHAIN = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiled:
    """An arguments schema as a provider takes it.

    Attributes:
        parameters: What is sent; empty where a provider wants none for a tool without arguments.
        notes: What was given up, each with its JSON pointer.
        renamed: Name of an argument that is sent -> its own name.
    """

    parameters: dict[str, Any]
    notes: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Given:
    """What was given up so far, each thing once."""

    notes: dict[str, None] = field(default_factory=dict)

    def note(self, pointer: str, message: str) -> None:
        """Add a note."""
        self.notes.setdefault(f"{pointer or '/'}: {message}")


class Definitions:
    """The ``$defs`` of one schema.

    Args:
        parameters: The whole schema.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        found = parameters.get("$defs")
        self._named = found if isinstance(found, dict) else {}

    def find(self, reference: Any) -> dict[str, Any] | None:
        """Return what a reference names, or None if that is nothing."""
        if not isinstance(reference, str) or not reference.startswith(PREFIX):
            return None
        found = self._named.get(unescape(reference.removeprefix(PREFIX)))
        return {} if found is True else found if isinstance(found, dict) else None

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        """Return a schema without a reference at its top; what leads nowhere is any value."""
        for _ in range(_LONGEST_CHAIN):
            if "$ref" not in node:
                return node
            target = self.find(node["$ref"]) or {}
            rest = {key: value for key, value in node.items() if key != "$ref"}
            merged = merge(target, rest)
            node = merged if merged is not None else {**target, **rest}
        return {}

    def merged(
        self, node: dict[str, Any], given: Given, pointer: str, seen: set[str] | None = None
    ) -> dict[str, Any]:
        """Return a schema without reference and ``allOf`` at its top; what cannot be merged is given up."""
        seen = set() if seen is None else seen
        found = self.resolve(node)
        if "allOf" not in found:
            return found
        made = {key: value for key, value in found.items() if key != "allOf"}
        for member in found["allOf"]:
            reference = member.get("$ref") if isinstance(member, dict) else None
            if not isinstance(member, dict) or reference in seen:
                continue  # what is said twice, or says itself, adds nothing
            if isinstance(reference, str):
                seen.add(reference)
            plain = self.merged(member, given, pointer, seen)
            plain = {key: value for key, value in plain.items() if key not in ANNOTATIONS or key not in made}
            united = merge(plain, made)
            if united is None:
                given.note(pointer, "allOf cannot be merged; what part of it says is given up")
            else:
                made = united
        return made

    def written_out(self, node: dict[str, Any]) -> list[str]:
        """Return the references that `merged` puts the targets of in place of."""
        found: dict[str, None] = {}
        waiting = [node]
        while waiting:
            inner = waiting.pop()
            reference = inner.get("$ref")
            if isinstance(reference, str) and reference not in found:
                found[reference] = None
                waiting.append(self.find(reference) or {})
            waiting.extend(member for member in inner.get("allOf", ()) if isinstance(member, dict))
        return list(found)


def types_of(node: dict[str, Any]) -> tuple[str, ...]:
    """Return the types that a schema names or means; none is any."""
    named = node.get("type")
    if isinstance(named, str):
        return (named,)
    if isinstance(named, list):
        return tuple(name for name in named if isinstance(name, str))
    values = node.get("enum", [node["const"]] if "const" in node else None)
    if isinstance(values, list) and values:
        return tuple(dict.fromkeys(type_of(value) for value in values))
    if "properties" in node or "additionalProperties" in node or "required" in node:
        return ("object",)
    return ("array",) if "items" in node or "prefixItems" in node else ()


def type_of(value: Any) -> str:
    """Return the name of a JSON value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list | tuple):
        return "array"
    if isinstance(value, str):
        return "string"
    return "integer" if isinstance(value, int) else "number"


def said(node: Mapping[str, Any], note: str) -> str:
    """Return the description of a schema with a note behind it."""
    return f"{node.get('description', '')} {note}".strip()


def unions_of(node: dict[str, Any]) -> list[Any]:
    """Return the branches of ``anyOf``, else of ``oneOf``; none if there is neither."""
    for keyword in ("anyOf", "oneOf"):
        listed = node.get(keyword)
        if isinstance(listed, list) and listed:
            return listed
    return []
