"""Whether a task can be checked at all: found out before anything is spent on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from toolhaft.errors import UsageError
from toolhaft.types import Gold, Task

OPERATORS = frozenset({"at_least", "at_most", "contains", "one_of", "exists", "length"})
_CHECK_KEYS = frozenset({"path", "where", "count", "equals"})


def check_gold(task: Task) -> Gold:
    """Return the task's gold if it says what is to be checked, in words that can hold.

    Raises:
        UsageError: There is no gold or nothing to check in it, a row of ``gold.state`` is malformed or can
            never hold, a fact is empty, or the gold contradicts itself.
    """
    gold = task.gold
    if gold is None or not (gold.state or gold.facts or gold.asks or not gold.solvable):
        raise UsageError(
            "the task has nothing to be checked by",
            where=task.id,
            hint="Give it gold.state, gold.facts or gold.asks, or say solvable: false",
        )
    if gold.asks and not gold.solvable:
        raise UsageError(
            "the task has asks and is not solvable: it cannot be done by asking and by declining",
            where=task.id,
            hint="Take one of the two away",
        )
    for position, row in enumerate(gold.state):
        _check_row(row, f"{task.id}#/gold/state/{position}")
    for name, texts in (("facts", gold.facts), ("asks", gold.asks)):
        for position, text in enumerate(texts):
            if not all(spelling.strip() for spelling in text.split("|")):
                raise UsageError(
                    f"{text!r} has an empty spelling, which no answer holds",
                    where=f"{task.id}#/gold/{name}/{position}",
                )
    return gold


def has_operator(wanted: Any) -> bool:
    """Whether a wanted value is a comparison instead of a value."""
    return isinstance(wanted, Mapping) and any(key in OPERATORS for key in wanted)


def check_comparison(wanted: Any, where: str) -> None:
    """Raise unless a wanted value is a plain value, or a comparison that something can fit.

    Args:
        wanted: What stands in a check.
        where: For the message.

    Raises:
        UsageError: It names no comparison, or one with an operand that nothing fits.
    """
    if not has_operator(wanted):
        return
    if unknown := [str(key) for key in wanted if key not in OPERATORS]:
        raise UsageError(f"no such comparison: {', '.join(sorted(unknown))}", where=where)
    for operator, operand in wanted.items():
        if not _fitting(operator, operand):
            raise UsageError(f"{operator} cannot be {operand!r:.80}", where=where, hint=_WANTS[operator])
    if wanted.get("at_least", -math.inf) > wanted.get("at_most", math.inf):
        raise UsageError("at_least is more than at_most, so nothing fits", where=where)
    if has_operator(wanted.get("length")):
        check_comparison(wanted["length"], where)


_WANTS = {
    "at_least": "Give a finite number",
    "at_most": "Give a finite number",
    "one_of": "Give a list with something in it",
    "exists": "Give true or false",
    "length": "Give a number of at least 0, or a comparison",
    "contains": "",
}


def _fitting(operator: str, operand: Any) -> bool:
    if operator in ("at_least", "at_most"):
        return _is_number(operand)
    if operator == "one_of":
        return isinstance(operand, list | tuple) and bool(operand)
    if operator == "exists":
        return isinstance(operand, bool)
    if operator == "length":
        return has_operator(operand) or (_is_number(operand) and operand >= 0)
    return True


def _is_number(value: Any) -> bool:
    """Whether a value is a number that is compared as such: no infinity, no NaN, none beyond a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _check_row(row: Mapping[str, Any], where: str) -> None:
    unknown = set(row) - _CHECK_KEYS
    counts = "count" in row or "where" in row
    if unknown or "path" not in row or ("equals" in row) == counts:
        raise UsageError(
            f"not a check: {dict(row)!r:.200}", where=where, hint="path with equals, or with where and count"
        )
    if not isinstance(row["path"], str):
        raise UsageError(
            f"path is {row['path']!r:.80}", where=where, hint="Write a JSON pointer: /shop/orders"
        )
    if "equals" in row:
        check_comparison(row["equals"], f"{where}/equals")
        return
    conditions = row.get("where", {})
    if not isinstance(conditions, Mapping) or not all(isinstance(name, str) for name in conditions):
        raise UsageError("where is no mapping of names", where=where, hint="Write where: {status: open}")
    for name, wanted in conditions.items():
        check_comparison(wanted, f"{where}/where/{name}")
    count = row.get("count", 1)
    if has_operator(count):
        check_comparison(count, f"{where}/count")
    elif not _is_number(count) or count < 0 or count != int(count):
        raise UsageError(
            f"count is {count!r:.80}, which no list has",
            where=where,
            hint="Give a whole number of at least 0, or a comparison such as {at_least: 1}",
        )
