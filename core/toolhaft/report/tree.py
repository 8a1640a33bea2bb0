"""The steps of a rollout in the order and depth in which a person reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolhaft.report.visible import make_line
from toolhaft.types import Step

_NAMED = 8
"""Tools of one change that are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferChange:
    """How what a step was offered differs from what the step before it was.

    Attributes:
        added: Names of the tools that came, in the order of the offer.
        left: Names of those that went.
    """

    added: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [f"{sign}{len(names)}: {_listed(names)}" for sign, names in self._signed() if names]
        return f"tools {'; '.join(parts)}" if parts else ""

    def _signed(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return ("+", self.added), ("-", self.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One step in its place.

    Attributes:
        position: Of the step in the trajectory.
        depth: Branches it lies within; a path that goes straight on stays at one depth.
        on_path: Whether it lies on the path to the answer.
        opens: Whether a branch begins with it.
        leaf: Whether nothing follows on it.
        offer: How its tools differ from those of the step before it.
    """

    step: Step
    position: int
    depth: int
    on_path: bool
    opens: bool
    leaf: bool
    offer: OfferChange


def arrange_steps(steps: Sequence[Step], answer_step: int | None) -> list[Row]:
    """Return the rows of a tree: given-up branches first, one deeper, then the way that went on.

    Steps whose parent does not come before them are shown as roots, so that a damaged record is drawn
    too. Takes no recursion and linear time.
    """
    children: dict[int | None, list[int]] = {}
    for position in range(len(steps)):
        children.setdefault(parent_of(steps, position), []).append(position)
    path = answer_path(steps, answer_step)
    rows: list[Row] = []
    waiting = _in_order(children.get(None, []), path, 0)
    while waiting:
        position, depth, opens = waiting.pop()
        following = children.get(position, [])
        row = Row(
            step=steps[position],
            position=position,
            depth=depth,
            on_path=position in path,
            opens=opens,
            leaf=not following,
            offer=offer_change(steps, position),
        )
        rows.append(row)
        waiting.extend(_in_order(following, path, depth))
    return rows


def offer_change(steps: Sequence[Step], position: int) -> OfferChange:
    """Return what changed of the offer since the step before; nothing for a root."""
    parent = parent_of(steps, position)
    if parent is None or steps[parent].offered == steps[position].offered:
        return OfferChange()
    before, now = steps[parent].offered, steps[position].offered
    known, kept = set(before), set(now)
    return OfferChange(
        added=tuple(name for name in now if name not in known),
        left=tuple(name for name in before if name not in kept),
    )


def answer_path(steps: Sequence[Step], answer_step: int | None) -> frozenset[int]:
    """Return the positions from the root to the answer; empty if there is none."""
    found: set[int] = set()
    position = answer_step
    while position is not None and 0 <= position < len(steps):
        found.add(position)
        position = parent_of(steps, position)
    return frozenset(found)


def parent_of(steps: Sequence[Step], position: int) -> int | None:
    """Return the step before one on its path; a parent that does not come before it is none."""
    parent = steps[position].parent
    return parent if parent is not None and 0 <= parent < position else None


def ancestors(steps: Sequence[Step], position: int) -> list[int]:
    """Return the positions of the steps before the given one on its path, the root first."""
    found: list[int] = []
    parent = parent_of(steps, position)
    while parent is not None:
        found.append(parent)
        parent = parent_of(steps, parent)
    return found[::-1]


def _in_order(siblings: list[int], path: frozenset[int], depth: int) -> list[tuple[int, int, bool]]:
    """Return ``(position, depth, opens)`` of siblings as a stack: what is read first comes last."""
    if not siblings:
        return []
    main = next((position for position in siblings if position in path), siblings[-1])
    branches = [(position, depth + 1, True) for position in siblings if position != main]
    return [(main, depth, False), *reversed(branches)]


def _listed(names: Sequence[str]) -> str:
    shown = [make_line(name, 64) for name in names[:_NAMED]]
    return ", ".join([*shown, "..."] if len(names) > _NAMED else shown)
