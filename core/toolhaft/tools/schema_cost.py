"""What a schema may cost to check: branches over branches are looked at one by one for the same value."""

from __future__ import annotations

from typing import Any

from toolhaft.tools.subschemas import referred

MOST_BRANCHES = 200_000
"""Schemas that one value may be held against; some tenths of a second."""
_LISTS = ("allOf", "anyOf", "oneOf")
_SINGLE = ("not", "if", "then", "else")


def branches(schema: Any) -> int:
    """Return how many schemas one value may be held against, at the place where they are the most.

    Schemas that come back to themselves count once. Values inside the value are not followed: how deep they
    go is known from the value alone.
    """
    known: dict[int, int] = {}
    most = 1
    for node in _every(schema):
        most = max(most, _count(node, schema, known))
        if most > MOST_BRANCHES:
            break
    return most


def _every(schema: Any) -> list[Any]:
    """Return all objects inside a schema that branch."""
    found, waiting = [], [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if any(key in node for key in _LISTS):
                found.append(node)
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return found


def _count(start: Any, root: Any, known: dict[int, int]) -> int:
    """Return the branches of one schema, by loop: each is left only after all it leads to."""
    waiting: list[tuple[Any, bool]] = [(start, False)]
    while waiting:
        node, is_left = waiting.pop()
        inner = _in_place(node, root)
        if is_left:
            known[id(node)] = 1 + sum(known.get(id(each), 1) for each in inner)
        elif id(node) not in known:
            known[id(node)] = 1
            waiting.append((node, True))
            waiting.extend((each, False) for each in inner)
    return known[id(start)]


def _in_place(node: Any, root: Any) -> list[Any]:
    """Return the schemas that the same value is held against."""
    if not isinstance(node, dict):
        return []
    found = [each for key in _LISTS if isinstance(node.get(key), list) for each in node[key]]
    found += [node[key] for key in _SINGLE if key in node]
    reference = node.get("$ref")
    if isinstance(reference, str):
        found.append(referred(root, reference))
    return [each for each in found if isinstance(each, dict)]
