"""References where the specification has none, as in ``description: {$ref: intro.md}``: made good."""

from __future__ import annotations

from typing import Any

from toolhaft.openapi.documents.linking import Misplaced
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.tools.report import Problem


def put_in_place(misplaced: list[Misplaced], resolver: Resolver) -> list[Problem]:
    """Put what each reference leads to in its place; return those that lead nowhere.

    The specification has references for whole path items, operations' parts and schemas alone. Lists, texts
    and maps behind one are common in descriptions of several files, and mean what they look like.
    """
    problems: dict[str, Problem] = {}
    for spot in misplaced:
        node = spot.holder if spot.key is None else spot.holder.get(spot.key)
        if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
            continue
        try:
            found, _ = resolver.follow(node, "")
        except BrokenReferenceError as error:
            problems.setdefault(error.reference, Problem(code=f"reference-{error.kind}", message=error.what))
            if spot.key is not None and spot.expected is not dict:
                spot.holder[spot.key] = None
            continue
        _put(spot, node, found)
    return list(problems.values())


def _put(spot: Misplaced, node: dict[str, Any], found: Any) -> None:
    if isinstance(found, dict):
        if spot.expected is dict:
            del node["$ref"]
            for name, value in found.items():
                node.setdefault(name, value)
    elif spot.key is not None and isinstance(found, spot.expected):
        spot.holder[spot.key] = found
