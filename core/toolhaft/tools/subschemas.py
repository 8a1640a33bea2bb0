"""Where schemas stand inside a JSON Schema 2020-12."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from toolhaft.types.pointer import at_pointer

ONE = (
    "items",
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "propertyNames",
    "contains",
    "not",
    "if",
    "then",
    "else",
)
"""Keywords whose value is a schema."""
LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
"""Keywords whose value is a list of schemas."""
NAMED = ("properties", "patternProperties", "dependentSchemas", "$defs")
"""Keywords whose value is an object of schemas, the keys of which are names."""

_LONGEST_CHAIN = 20
_ONE = frozenset(ONE)
_LISTS = frozenset(LISTS)
_NAMED = frozenset(NAMED)


def children(schema: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Yield the schemas directly inside a schema, each with its path; boolean ones are left out."""
    for keyword, value in schema.items():
        if keyword in _ONE:
            if isinstance(value, dict):
                yield (keyword,), value
        elif keyword in _LISTS:
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    yield (keyword, index), item
        elif keyword in _NAMED:
            for name, item in value.items():
                if isinstance(item, dict):
                    yield (keyword, name), item


def map_children(
    schema: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    """Return a schema with each schema directly inside it changed; the same one where none was changed."""
    made: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in _ONE and isinstance(value, dict):
            new: Any = change(value)
        elif keyword in _LISTS:
            new = _list(value, change)
        elif keyword in _NAMED:
            new = _named(value, change)
        else:
            continue
        if new is not value:
            made[keyword] = new
    return {**schema, **made} if made else schema


def _list(value: list[Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> list[Any]:
    new = [change(item) if isinstance(item, dict) else item for item in value]
    return value if all(one is other for one, other in zip(new, value, strict=True)) else new


def _named(value: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    new = {name: change(item) if isinstance(item, dict) else item for name, item in value.items()}
    return value if all(new[name] is value[name] for name in value) else new


def referred(root: Any, reference: Any) -> Any:
    """Return what a reference inside a schema names; None where that is nothing, or outside of it."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    return at_pointer(root, unquote(reference[1:]))


def resolved(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema with its references inside the root followed; an empty one where one leads nowhere.

    What stands beside a reference goes before what it leads to.
    """
    for _ in range(_LONGEST_CHAIN):
        if not isinstance(schema, Mapping):
            return {}
        if not isinstance(schema.get("$ref"), str):
            return schema
        target = referred(root, schema["$ref"])
        own = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**target, **own} if own and isinstance(target, Mapping) else target
    return {}


def references(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the texts of ``$ref`` in a schema, at any depth."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        waiting.extend(child for _, child in children(node))


def reached(schema: dict[str, Any], definitions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the definitions that a schema refers to, over any number of steps, by their names."""
    found: dict[str, Any] = {}
    waiting = [schema]
    while waiting:
        for reference in references(waiting.pop()):
            name = reference.removeprefix("#/$defs/")
            if name in definitions and name not in found:
                found[name] = definitions[name]
                waiting.append(definitions[name])
    return dict(sorted(found.items()))
