"""Names of tools from names of models."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence

_LONGEST = 64
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]+")


def names_of(wishes: Sequence[tuple[str, str]]) -> list[str]:
    """Return one name per model, legal, unique, and the same whatever the order.

    Of several that want one name, the one whose content has the smallest hash keeps it, and the others get
    their hash behind it.

    Args:
        wishes: The model's name and its content, which tells models of one name apart.
    """
    rivals: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for position, (wish, content) in enumerate(wishes):
        digest = hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:8]
        legal = _ILLEGAL.sub("_", wish).strip("_") or "model"
        rivals[legal if len(legal) <= _LONGEST else f"{legal[: _LONGEST - 9]}_{digest}"].append(
            (digest, position)
        )
    names = [""] * len(wishes)
    taken = set(rivals)
    for name, several in rivals.items():
        several.sort()
        names[several[0][1]] = name
        for digest, position in several[1:]:
            names[position] = _free(f"{name[: _LONGEST - 9]}_{digest}", taken)
    return names


def _free(name: str, taken: set[str]) -> str:
    count, found = 2, name
    while found in taken:
        found, count = f"{name[: _LONGEST - 4]}_{count}", count + 1
    taken.add(found)
    return found
