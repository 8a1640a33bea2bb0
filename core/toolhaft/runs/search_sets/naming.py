"""Legal and unique names for documents that are searched as tools."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from toolhaft.openapi.names import LONGEST, short_hash

_ILLEGAL = re.compile(r"[^a-zA-Z0-9]+")
_ROOM = LONGEST - 9


def name_documents(parts: Sequence[Sequence[str]], ids: Sequence[str]) -> list[str]:
    """Return a name of at most 64 letters, digits and underscores for each document.

    Args:
        parts: What each is called, for example its service and its own name.
        ids: Unique; where a name had to lose something, or several want it, a hash of the id ends it.
    """
    wishes = ["_".join(filter(None, (_plain(part) for part in each))) for each in parts]
    wanted = Counter(wish.casefold() for wish in wishes)
    return [
        wish
        if wish and len(wish) <= LONGEST and wanted[wish.casefold()] == 1 and _whole(each)
        else f"{wish[:_ROOM].rstrip('_') or 'tool'}_{short_hash(id)}"
        for wish, each, id in zip(wishes, parts, ids, strict=True)
    ]


def _plain(part: str) -> str:
    return _ILLEGAL.sub("_", part).strip("_")


def _whole(parts: Sequence[str]) -> bool:
    return all(part.isascii() for part in parts)
