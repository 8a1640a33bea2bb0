"""Tools to begin with: what is offered where a retriever finds fewer tools than may be offered.

An instruction may share no word with the tool that it needs. Whoever is offered nothing can do nothing;
tools that read and need no argument let a model see what there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from toolhaft.types import ToolSpec


def opening_tools(chosen: Sequence[ToolSpec], specs: Iterable[ToolSpec], *, limit: int) -> list[str]:
    """Return the names of further tools to offer, the most useful to begin with first.

    Those of the services of the chosen tools come first, in the services' order; then the other services
    take turns. Within a service, tools that read and need no argument come first, then others that read,
    then the rest.

    Args:
        chosen: Tools that are offered already, best first.
        specs: All tools there are.
        limit: How many at most.
    """
    if limit <= 0:
        return []
    known = {spec.name for spec in chosen}
    near = {parent: place for place, parent in enumerate(dict.fromkeys(spec.parent for spec in chosen))}
    turns: dict[tuple[str, int], int] = {}
    ranked: list[tuple[int, int, int, int, str]] = []
    for order, spec in enumerate(specs):
        if spec.name in known:
            continue
        ease = _ease(spec)
        turn = turns[spec.parent, ease] = turns.get((spec.parent, ease), 0) + 1
        place = near.get(spec.parent, len(near))
        ranked.append((place, ease, turn if place == len(near) else 0, order, spec.name))
    return [name for *_, name in sorted(ranked)[:limit]]


def _ease(spec: ToolSpec) -> int:
    """Return how much a tool needs before it can be called: 0 nothing, 1 arguments, 2 a wish to change."""
    if spec.effect != "read":
        return 2
    return 1 if spec.required else 0
