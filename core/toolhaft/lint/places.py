"""The schemas inside a tool's arguments, each visited once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolhaft.tools.subschemas import referred
from toolhaft.types import ToolSpec
from toolhaft.types.pointer import escape

_MOST = 1500
"""Places of one tool that are looked at; the rest is more of the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A schema inside the arguments.

    Attributes:
        name: Of the property; empty for an entry of a list or a branch of a union.
        schema: With its references followed.
        pointer: JSON pointer in the spec.
        depth: 1 for an argument, 2 for what stands directly in it.
        required: Whether it has to be given where it stands.
    """

    name: str
    schema: Mapping[str, Any]
    pointer: str
    depth: int
    required: bool


def places(spec: ToolSpec) -> Iterator[Place]:
    """Yield the arguments, and the schemas in them, from the outside in; shared definitions once."""
    pending = list(_properties(spec.parameters, "/parameters", 1))
    seen: set[int] = set()
    for count, (name, node, pointer, depth, required) in enumerate(pending):
        schema, identity = _resolved(node, spec.parameters)
        if count >= _MOST:
            return
        yield Place(name=name, schema=schema, pointer=pointer, depth=depth, required=required)
        if identity in seen or schema is _EMPTY:
            continue
        seen.add(identity)
        pending += _properties(schema, pointer, depth + 1)
        for key in ("items", "additionalProperties"):
            if isinstance(schema.get(key), Mapping):
                pending.append(("", schema[key], f"{pointer}/{key}", depth + 1, False))
        for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
            for n, branch in enumerate(_list(schema.get(key))):
                pending.append(("", branch, f"{pointer}/{key}/{n}", depth, False))


def arguments(spec: ToolSpec) -> Iterator[Place]:
    """Yield the arguments themselves."""
    for name, node, pointer, depth, required in _properties(spec.parameters, "/parameters", 1):
        schema, _ = _resolved(node, spec.parameters)
        yield Place(name=name, schema=schema, pointer=pointer, depth=depth, required=required)


_EMPTY: Mapping[str, Any] = {}


def _properties(schema: Mapping[str, Any], pointer: str, depth: int) -> Iterator[Any]:
    found = schema.get("properties")
    required = _list(schema.get("required"))
    for name, node in (found if isinstance(found, Mapping) else {}).items():
        place = f"{pointer}/properties/{escape(name)}"
        yield str(name), node, place, depth, name in required


def _resolved(node: Any, root: Mapping[str, Any]) -> tuple[Mapping[str, Any], int]:
    """Return a schema with its references followed, and what tells the definition it is of."""
    identity = id(node)
    for _ in range(20):
        if not isinstance(node, Mapping):
            return _EMPTY, identity
        reference = node.get("$ref")
        if not isinstance(reference, str):
            return node, identity
        target = referred(root, reference)
        identity = id(target)
        own = {key: value for key, value in node.items() if key != "$ref"}
        node = {**target, **own} if own and isinstance(target, Mapping) else target
    return _EMPTY, identity


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
