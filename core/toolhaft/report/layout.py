"""Where the steps of a rollout stand in a drawing: depth to the right, a row for each way tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from toolhaft.report.tree import answer_path, parent_of
from toolhaft.types import Step

_STEPS = 300
_COLUMNS = 60
_HEAD = 40
"""Columns from the start that are kept where a rollout is deeper than ``_COLUMNS``."""
_AROUND = 9
"""Columns before and after the answer that are kept as well."""
_START = -1
_FREE = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One step in the drawing.

    Attributes:
        position: Of the step in the trajectory.
        column: Its depth, from 1; the task itself stands in column 0.
        row: 0 is the way to the answer.
        parent: Position of the drawn step it hangs on; None is the task.
        skips: Whether steps between it and its parent are left out.
        on_path: Whether it lies on the path to the answer.
    """

    position: int
    column: int
    row: int
    parent: int | None
    skips: bool
    on_path: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A drawing's places.

    Attributes:
        places: In the order in which the steps were made.
        columns: Used columns, the task's one among them.
        rows: Used rows.
        left_out: Steps that have no place.
    """

    places: tuple[Place, ...]
    columns: int
    rows: int
    left_out: int


def lay_out(steps: Sequence[Step], answer_step: int | None) -> Layout:
    """Give the steps their places: the way to the answer straight on, what was given up below it.

    A branch takes the nearest row in which it crosses nothing. At most 300 steps are placed, the path
    to the answer before others, and at most about 60 columns: of deeper trees the beginning and what
    surrounds the answer. Takes no recursion.
    """
    path = answer_path(steps, answer_step)
    columns = _number_columns(steps, answer_step)
    kept = _choose(columns, path)
    parents = _anchor(steps, kept)
    children: dict[int, list[int]] = {}
    for position in sorted(kept):
        children.setdefault(parents[position], []).append(position)
    rows, used = _stack(_chains(children, path), columns)
    places = tuple(
        Place(
            position=position,
            column=columns[position],
            row=rows[position],
            parent=None if parents[position] == _START else parents[position],
            skips=_own_parent(steps, position) != parents[position],
            on_path=position in path,
        )
        for position in sorted(kept)
    )
    return Layout(
        places=places,
        columns=1 + max((place.column for place in places), default=0),
        rows=used,
        left_out=len(steps) - len(places),
    )


def _own_parent(steps: Sequence[Step], position: int) -> int:
    parent = parent_of(steps, position)
    return _START if parent is None else parent


def _number_columns(steps: Sequence[Step], answer_step: int | None) -> dict[int, int]:
    """Return the columns of the steps whose depth is shown; one stays empty where depths are left out."""
    depths: list[int] = []
    for position in range(len(steps)):
        parent = parent_of(steps, position)
        depths.append(1 if parent is None else depths[parent] + 1)
    deepest = max(depths, default=0)
    shown: Sequence[int] = range(1, deepest + 1)
    if deepest > _COLUMNS:
        known = answer_step is not None and 0 <= answer_step < len(steps)
        middle = depths[answer_step] if known and answer_step is not None else deepest
        shown = sorted(
            {*range(1, _HEAD + 1), *range(max(1, middle - _AROUND), min(deepest, middle + _AROUND) + 1)}
        )
    column_of: dict[int, int] = {}
    column = last = 0
    for depth in shown:
        column += 1 if depth == last + 1 else 2
        column_of[depth] = column
        last = depth
    return {position: column_of[depth] for position, depth in enumerate(depths) if depth in column_of}


def _choose(columns: dict[int, int], path: frozenset[int]) -> frozenset[int]:
    wanted = sorted(columns, key=lambda position: (position not in path, position))
    return frozenset(wanted[:_STEPS])


def _anchor(steps: Sequence[Step], kept: frozenset[int]) -> dict[int, int]:
    """Return for each step with a place the nearest step before it that has one too."""
    nearest: list[int] = []
    parents: dict[int, int] = {}
    for position in range(len(steps)):
        parent = parent_of(steps, position)
        before = _START if parent is None else nearest[parent]
        parents[position] = before
        nearest.append(position if position in kept else before)
    return {position: parents[position] for position in kept}


@dataclass(slots=True, kw_only=True)
class _Chain:
    """Steps that follow each other in one row, with the branches that leave it.

    ``spans`` holds, for each row of the chain with its branches, the column that its leftmost line
    comes from and the column of its rightmost step.
    """

    steps: list[int]
    parent: int
    branches: list[_Chain] = field(default_factory=list)
    offset: int = 0
    spans: list[tuple[int, int]] = field(default_factory=list)


def _chains(children: dict[int, list[int]], path: frozenset[int]) -> list[_Chain]:
    """Return every chain, those that branches leave before the branches."""
    found = [_Chain(steps=[_START], parent=_START)]
    for chain in found:  # grows while it is gone through
        at = chain.steps[0]
        while following := children.get(at):
            main = next((position for position in following if position in path), following[-1])
            chain.branches += [
                _Chain(steps=[position], parent=at) for position in following if position != main
            ]
            chain.steps.append(main)
            at = main
        found += chain.branches
    return found


def _stack(chains: list[_Chain], columns: dict[int, int]) -> tuple[dict[int, int], int]:
    """Return the row of every step, and how many rows there are."""
    columns = {**columns, _START: 0}
    for chain in reversed(chains):
        _place_branches(chain, columns)
    rows: dict[int, int] = {}
    tops = {id(chains[0]): 0}
    for chain in chains:
        top = tops[id(chain)]
        rows.update(dict.fromkeys(chain.steps, top))
        tops.update({id(branch): top + branch.offset for branch in chain.branches})
    return rows, len(chains[0].spans)


def _place_branches(chain: _Chain, columns: dict[int, int]) -> None:
    """Put each branch of a chain into the nearest rows where it crosses nothing, the rightmost first."""
    chain.spans = [(columns[chain.parent], columns[chain.steps[-1]])]
    for branch in sorted(chain.branches, key=lambda one: (-columns[one.parent], one.steps[0])):
        begins = columns[branch.parent]
        offset = 1
        while any(
            right >= chain.spans[offset + row][0]
            for row, (_, right) in enumerate(branch.spans)
            if offset + row < len(chain.spans)
        ):
            offset += 1
        branch.offset = offset
        missing = offset + len(branch.spans) - len(chain.spans)
        chain.spans += [(_FREE, 0)] * max(0, missing)
        for row in range(1, offset + len(branch.spans)):
            left, right = chain.spans[row]
            own = branch.spans[row - offset] if row >= offset else (begins, 0)
            comes_from = begins if row <= offset else own[0]
            chain.spans[row] = (min(left, comes_from), max(right, own[1]))
