"""The order in which rows by tag are read: what kind of task, what makes it hard, where it plays."""

from __future__ import annotations

from collections.abc import Iterable

KINDS = ("one_call", "multi_call", "cross_service", "dead_end", "approval", "ask", "unsolvable")
"""What kinds of tasks there are; see ``docs/explanation/world.md``."""
TRAITS = ("look_alike", "write", "pagination", "fault", "empty_result", "form_body", "nested_body")
"""What a task may have beside its kind."""
_RANKS = {tag: rank for rank, tag in enumerate((*KINDS, *TRAITS))}


def in_order(tags: Iterable[str]) -> list[str]:
    """Return tags in the order of a table: kinds, then traits, then all others as they came."""
    return sorted(tags, key=lambda tag: _RANKS.get(tag, len(_RANKS)))
