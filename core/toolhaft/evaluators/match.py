"""Were the right calls made? Judged by comparing them with the task's gold calls.

Source: the three ways of comparing are those of trajectory matching in agent frameworks (exact, in order,
any order). Deviation: only calls on the way to the answer that succeeded count (of a
prediction, those that it asks for), and in any order the calls are assigned by a maximum matching, so that
a call that fits two gold calls is never wasted on one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

from toolhaft.errors import UsageError
from toolhaft.evaluators.base import Evaluator
from toolhaft.evaluators.prediction import made_calls
from toolhaft.types import Score, Task, ToolCall, Trajectory

MatchMode = Literal["exact", "in_order", "any_order"]
_MOST = 500
"""Calls that are compared; what a rollout does beyond them is counted as extra."""
_SHOWN = 20
Pairs = dict[int, int]
"""Position of a gold call -> position of the made call that is it."""


class MatchEvaluator(Evaluator):
    """1 if the gold calls were made, else 0.

    Args:
        mode: ``exact`` wants the gold calls and no others, in this order; ``in_order`` allows others
            between them; ``any_order`` allows any order too.
        ignore_extra: Arguments that a gold call does not have may stand in the made one.
        tolerance: Numbers that differ by no more, absolutely or relatively, are equal.

    Raises:
        UsageError: There is no such mode, or the tolerance is less than 0.
    """

    name = "match"

    def __init__(
        self, *, mode: MatchMode = "in_order", ignore_extra: bool = False, tolerance: float = 1e-6
    ) -> None:
        if mode not in get_args(MatchMode):
            raise UsageError(f"there is no mode {mode!r:.40}", hint=f"Use {', '.join(get_args(MatchMode))}")
        if not tolerance >= 0:
            raise UsageError(f"the tolerance is {tolerance!r}", hint="Give a number of at least 0")
        self._mode: MatchMode = mode
        self._ignore_extra = ignore_extra
        self._tolerance = tolerance

    def check_task(self, task: Task) -> None:
        """Raise `UsageError` if the task has no gold calls."""
        if task.gold is None or not task.gold.calls:
            raise UsageError(
                "match needs the calls that a good solution makes",
                where=f"task {task.id}",
                hint="Give the task gold.calls",
            )

    async def evaluate(self, task: Task, trajectory: Trajectory) -> Score:
        """Return 1 or 0, with what is missing and what is extra in ``details``.

        Raises:
            UsageError: The task has no gold calls.
        """
        self.check_task(task)
        gold = task.gold.calls if task.gold is not None else ()
        made = made_calls(trajectory)
        pairs = self._pair(gold[:_MOST], made[:_MOST])
        missing = [_shown(call) for position, call in enumerate(gold) if position not in pairs]
        taken = set(pairs.values())
        extra = [_shown(call) for position, call in enumerate(made) if position not in taken]
        passed = not missing and not (self._mode == "exact" and extra)
        return Score(
            name="match",
            value=float(passed),
            reason=_reason(len(pairs), len(gold), missing, extra if self._mode == "exact" else []),
            details={
                "mode": self._mode,
                "matched": len(pairs),
                "gold": len(gold),
                "made": len(made),
                "missing": missing[:_SHOWN],
                "extra": extra[:_SHOWN],
            },
            evaluator=self.name,
        )

    def _pair(self, gold: Sequence[ToolCall], made: Sequence[ToolCall]) -> Pairs:
        fitting = [
            [position for position, call in enumerate(made) if self._fits(call, wanted)] for wanted in gold
        ]
        return _assign(fitting) if self._mode == "any_order" else _align(fitting, len(made))

    def _fits(self, call: ToolCall, wanted: ToolCall) -> bool:
        if call.name != wanted.name or (
            not self._ignore_extra and set(call.arguments) != set(wanted.arguments)
        ):
            return False
        return all(
            name in call.arguments and equal_json(call.arguments[name], value, tolerance=self._tolerance)
            for name, value in wanted.arguments.items()
        )


def equal_json(a: Any, b: Any, *, tolerance: float = 0.0) -> bool:
    """Whether two JSON values are equal: 1 and 1.0 are, 1 and true are not, the order of members is nothing.

    Args:
        a: A JSON value.
        b: Another.
        tolerance: Numbers that differ by no more, absolutely or relatively, are equal.
    """
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a == b or _close(a, b, tolerance)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal_json(a[k], b[k], tolerance=tolerance) for k in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(
            equal_json(x, y, tolerance=tolerance) for x, y in zip(a, b, strict=True)
        )
    return type(a) is type(b) and bool(a == b)


def _close(a: float, b: float, tolerance: float) -> bool:
    try:
        return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)
    except OverflowError:  # integers that no float holds
        return False


def _align(fitting: Sequence[Sequence[int]], made: int) -> Pairs:
    """Pair as many gold calls as can be paired with the order kept: the longest common subsequence."""
    best = [[0] * (made + 1) for _ in range(len(fitting) + 1)]
    for gold in range(len(fitting) - 1, -1, -1):
        fits = set(fitting[gold])
        for position in range(made - 1, -1, -1):
            with_both = best[gold + 1][position + 1] + 1 if position in fits else 0
            best[gold][position] = max(with_both, best[gold + 1][position], best[gold][position + 1])
    pairs: Pairs = {}
    gold = position = 0
    while gold < len(fitting) and position < made:
        here = best[gold][position]
        if position in fitting[gold] and here == best[gold + 1][position + 1] + 1:
            pairs[gold] = position
            gold, position = gold + 1, position + 1
        elif here == best[gold + 1][position]:
            gold += 1
        else:
            position += 1
    return pairs


def _assign(fitting: Sequence[Sequence[int]]) -> Pairs:
    """Pair as many gold calls as can be paired in any order: a maximum bipartite matching.

    Source: augmenting paths, Kuhn, "The Hungarian method for the assignment problem" (1955).
    """
    owner: Pairs = {}
    for start in range(len(fitting)):
        _augment(start, fitting, owner)
    return {gold: position for position, gold in owner.items()}


def _augment(start: int, fitting: Sequence[Sequence[int]], owner: Pairs) -> None:
    came_from: dict[int, int] = {}
    waiting = [start]
    while waiting:
        gold = waiting.pop(0)
        for position in fitting[gold]:
            if position in came_from:
                continue
            came_from[position] = gold
            if position in owner:
                waiting.append(owner[position])
                continue
            _take(position, came_from, owner)
            return


def _take(position: int, came_from: Pairs, owner: Pairs) -> None:
    """Give a free position to the gold call it was reached from, and so on back to the start."""
    held = {gold: taken for taken, gold in owner.items()}
    while True:
        gold = came_from[position]
        before = held.get(gold)
        owner[position] = gold
        if before is None:
            return
        position = before


def _shown(call: ToolCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": call.arguments}


def _reason(matched: int, wanted: int, missing: list[dict[str, Any]], extra: list[dict[str, Any]]) -> str:
    text = f"{matched} of {wanted} gold calls were made"
    if missing:
        return f"{text}; missing: {', '.join(dict.fromkeys(call['name'] for call in missing))}"
    if extra:
        return f"{text}, and others: {', '.join(dict.fromkeys(call['name'] for call in extra))}"
    return text
