"""``$dynamicRef`` where a part replaces what another left open: the other is copied for it.

A list of anything is written once, with a ``$dynamicAnchor`` for its items; a list of pets refers to it and
says, by the same anchor, what the items are. What they are hangs on the way by which the list was reached,
which no reference that means the same everywhere can say, so the list of pets gets a list of its own.

Source: JSON Schema 2020-12 Core, section 8.2.3.2. Deviation: an anchor is replaced by the part that refers to
its owner directly, not by one that comes to it over others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from toolhaft.errors import SpecError
from toolhaft.openapi.documents.copying import copy_value
from toolhaft.openapi.documents.document import LIMITS
from toolhaft.openapi.documents.identifiers import Resource
from toolhaft.openapi.documents.pointers import as_fragment

_MOST_COPIES = 200
_COPY_LIMITS = replace(LIMITS, nodes=20_000)


@dataclass(slots=True)
class Use:
    """A reference from one identified part to the beginning of another."""

    holder: dict[str, Any]
    user: Resource
    used: Resource


@dataclass(slots=True)
class Opening:
    """A ``$dynamicRef``: what stands there may be replaced."""

    holder: dict[str, Any]
    owner: Resource
    anchor: str


def fill_openings(uses: list[Use], openings: list[Opening]) -> dict[str, Any]:
    """Give each part that replaces anchors its own copies of the parts it uses.

    Returns:
        Name -> copy, to be kept like further files.
    """
    made: dict[str, Any] = {}
    for use in uses:
        wanted = {
            opening.anchor
            for opening in openings
            if opening.owner is use.used and opening.anchor in use.user.dynamic & use.used.dynamic
        }
        name = f"{use.used.uri}~{use.user.uri}".replace("#", "%23")
        if not wanted or use.user is use.used or (name not in made and len(made) == _MOST_COPIES):
            continue
        if name not in made:
            try:
                made[name] = copy_value(use.used.node, _COPY_LIMITS, name).value
            except SpecError:  # too large to be copied: the part's own meaning stands
                continue
            _point(made[name], _replacements(use, wanted, name))
        use.holder["$ref"] = f"{name}#"
    return made


def _replacements(use: Use, wanted: set[str], name: str) -> dict[tuple[str, str], str]:
    """Return (keyword, reference) -> the reference that takes its place in the copy."""
    used, user = use.used, use.user
    own = f"{used.file}#{as_fragment(used.pointer)}"
    found = {("$ref", own): f"{name}#"}
    for anchor in wanted:
        before = f"{used.file}#{as_fragment(used.anchors[anchor])}"
        found["$dynamicRef", before] = f"{user.file}#{as_fragment(user.anchors[anchor])}"
    return found


def _point(copy: Any, replacements: dict[tuple[str, str], str]) -> None:
    waiting = [copy]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            for keyword in ("$ref", "$dynamicRef"):
                if isinstance(node.get(keyword), str):
                    node[keyword] = replacements.get((keyword, node[keyword]), node[keyword])
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
