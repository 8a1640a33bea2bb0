"""Which of several ends a rollout takes for its answer: always the same one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from toolhaft.types import Status

_FIRST_FOUND: dict[Status, int] = {"answered": 0, "asked": 1, "refused": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end that a search came to.

    Attributes:
        step: The step that holds it; ends found earlier have lower numbers.
        status: What the rollout's status would be.
        answer: What the user would be told.
        doubted: Whether it is an answer to which the search looked for a better one.
        writes: Rounds on its path that changed something.
        productive: Calls on its path that returned something.
        length: Steps on its path.
    """

    step: int
    status: Status
    answer: str = ""
    doubted: bool = False
    writes: int = 0
    productive: int = 0
    length: int = 0


def choose(ends: Iterable[End]) -> End | None:
    """Return the end to take, or None if there is none.

    The first answer; else the first question to the user; else a doubted answer, else a refusal, else a
    give-up, else any other. Among doubted answers the one on whose path most was changed comes first, for it
    knows how things stand, then the one that was found first. Among the rest: most changed, most calls that
    returned something, the longest path, found first.
    """
    return min(ends, key=_order, default=None)


def _order(end: End) -> tuple[int, ...]:
    if end.doubted:
        return (2, -end.writes, end.step)
    if end.status in _FIRST_FOUND:
        return (_FIRST_FOUND[end.status], end.step)
    return (4 if end.status == "gave_up" else 5, -end.writes, -end.productive, -end.length, end.step)
