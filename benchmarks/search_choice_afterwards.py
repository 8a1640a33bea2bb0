"""Ways of changing a ranking afterwards that ``search_choices.py`` tries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from search_choice_scores import Bags, Choice, gains


def coverage(power: float) -> Callable[[Any, Bags], Any]:
    """Multiply scores by the share of the query's words, by rarity, that a tool holds."""

    def apply(scores: Any, bags: Bags) -> Any:
        bag = (bags.bag(Choice(pair=0.0)) > 0).astype(float)
        queries = (bags.queries(Choice(pair=0.0, damping=0.0, idf_power=1.0), bag)).tocsr()
        held = np.asarray((queries @ bag.T).todense())
        return scores * (held / np.maximum(np.asarray(queries.sum(axis=1)), 1e-9)) ** power

    return apply


def mention(name: str, share: float) -> Callable[[Any, Bags], Any]:
    """Raise tools of which the query says the whole name, or the parent's."""

    def apply(scores: Any, bags: Bags) -> Any:
        named = (bags.fields[name] @ sparse.diags((~bags.is_pair).astype(float)) > 0).astype(float)
        queries = (bags.queries(Choice(pair=0.0, damping=0.0), bags.bag(Choice(pair=0.0))) > 0).astype(float)
        wanted = np.asarray(named.sum(axis=1)).ravel()
        said = np.asarray((queries @ named.T).todense()) >= wanted - 0.01
        return scores * (1 + share * (said & (wanted > 0)))

    return apply


def spread(discount: float, depth: int = 30) -> Callable[[Any, Bags], Any]:
    """Pick greedily, each time discounting the words that those picked before it hold."""

    def apply(scores: Any, bags: Bags) -> Any:
        choice = Choice()
        bag = bags.bag(choice)
        weighed, queries = gains(bag, choice.k1, choice.b, choice.idf), bags.queries(choice, bag)
        picked = np.zeros_like(scores)
        for row in range(len(scores)):
            top = [tool for tool in np.argsort(-scores[row], kind="stable")[:depth] if scores[row, tool] > 0]
            if not top:
                continue
            parts = np.asarray(weighed[top].multiply(queries[row]).todense())
            parts = parts[:, parts.any(axis=0)]
            rest, left = scores[row, top] - parts.sum(axis=1), np.ones(parts.shape[1])
            most = np.maximum(parts.max(axis=0), 1e-9) if parts.size else left
            for place in range(min(5, len(top))):
                best = int(np.argmax(rest + parts @ left))
                picked[row, top[best]] = 100 - place
                left = left * (1 - discount * parts[best] / most)
                rest[best] = -1e9
        return picked

    return apply


AFTERWARDS: dict[str, Callable[[Any, Bags], Any]] = {
    "share of the query's words held, power 0.1": coverage(0.1),
    "share of the query's words held, power 0.25": coverage(0.25),
    "name said as a whole, +10 %": mention("name", 0.1),
    "parent said as a whole, +10 %": mention("parent", 0.1),
    "greedy, words held already discounted by 0.2": spread(0.2),
    "greedy, words held already discounted by 0.4": spread(0.4),
}
