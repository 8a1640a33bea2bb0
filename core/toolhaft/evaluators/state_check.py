"""Whether a task was done: by the state it left and the answer it gave, without a judge."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from toolhaft.errors import UsageError
from toolhaft.evaluators.pointer import MISSING, find
from toolhaft.types import Gold, Score, Task

_OPERATORS = frozenset({"at_least", "at_most", "contains", "one_of", "exists", "length"})
_CHECK_KEYS = frozenset({"path", "where", "count", "equals"})
_DECLINES = re.compile(
    r"\b(?:can(?:not|\s+not|'t)|could(?:\s+not|n't)|unable|not\s+able|impossible|not\s+possible|unavailable"
    r"|unsupported|not\s+(?:supported|available|offered|provided)|no\s+(?:\w+\s+){0,3}(?:tools?|way|operations?|services?)"
    r"|none\s+of\s+(?:the|my|these)(?:\s+\w+){0,3}\s+(?:tools?|operations?|services?)"
    r"|(?:do|does)(?:\s+not|n't)\s+(?:have|offer|support|provide|allow))\b",
    re.IGNORECASE,
)


def check(task: Task, answer: str, state: Mapping[str, Any], *, status: str = "answered") -> Score:
    """Score what was done: 1 if every check of the task's gold holds, else 0.

    Args:
        task: With ``gold``.
        answer: What the user was told.
        state: The run's state at the end, as `World.state` returns it.
        status: How the rollout ended; ``gave_up`` counts as saying that a task cannot be done.

    Returns:
        A score whose ``details`` hold ``failed``: one sentence for each check that does not hold.

    Raises:
        UsageError: The task has no gold, or a check of its gold is malformed.
    """
    gold = task.gold
    if gold is None or not (gold.state or gold.facts or not gold.solvable):
        raise UsageError("the task has nothing to be checked by", where=task.id)
    failed = [problem for row in gold.state if (problem := _check_state(row, state, task.id))]
    failed += _check_answer(gold, answer, status)
    total = len(gold.state) + len(gold.facts) + (not gold.solvable)
    return Score(
        name="check",
        value=0.0 if failed else 1.0,
        reason=failed[0] if failed else f"{total} of {total} checks hold",
        details={"checks": total, "failed": failed},
        evaluator="state",
    )


def states_fact(answer: str, fact: str) -> bool:
    """Whether an answer holds a fact, or one of the spellings of it that ``|`` separates.

    Letter case, spacing and thousands separators do not count; a number is not found within another.
    """
    text = _normal(answer)
    return any(_holds(text, _normal(spelling)) for spelling in fact.split("|"))


def declines(answer: str) -> bool:
    """Whether an answer says that something cannot be done."""
    return bool(_DECLINES.search(answer.replace("\u2019", "'")))


def _check_answer(gold: Gold, answer: str, status: str) -> list[str]:
    failed = [f"the answer does not state {fact!r}" for fact in gold.facts if not states_fact(answer, fact)]
    if not gold.solvable and status != "gave_up" and not declines(answer):
        failed.append("the answer does not say that this cannot be done")
    return failed


def _check_state(row: Mapping[str, Any], state: Mapping[str, Any], task: str) -> str:
    """Return why a check of the state does not hold, or nothing."""
    unknown = set(row) - _CHECK_KEYS
    if unknown or "path" not in row or ("equals" in row) == ("count" in row or "where" in row):
        raise UsageError(
            f"not a check: {dict(row)}", where=task, hint="path with equals, or with where and count"
        )
    found = find(state, row["path"])
    if "equals" in row:
        if _fits(found, row["equals"], task):
            return ""
        shown = "nothing" if found is MISSING else f"{found!r:.200}"
        return f"{row['path']} is {shown}, not {row['equals']!r}"
    items = list(found.values()) if isinstance(found, dict) else found if isinstance(found, list) else []
    where = row.get("where", {})
    count = sum(
        all(_fits(find(item, name), wanted, task) for name, wanted in where.items()) for item in items
    )
    wanted = row.get("count", {"at_least": 1})
    if _fits(count, wanted, task):
        return ""
    return f"{row['path']} has {count} with {where}, not {wanted}"


def _fits(value: Any, wanted: Any, task: str) -> bool:
    if isinstance(wanted, Mapping) and any(key in _OPERATORS for key in wanted):
        if unknown := set(wanted) - _OPERATORS:
            raise UsageError(f"no such comparison: {', '.join(sorted(unknown))}", where=task)
        return all(_compare(value, operator, operand, task) for operator, operand in wanted.items())
    return _equal(value, wanted)


def _compare(value: Any, operator: str, operand: Any, task: str) -> bool:
    if operator == "exists":
        return (value is not MISSING) is bool(operand)
    if operator == "one_of":
        return any(_equal(value, choice) for choice in operand)
    if operator == "contains":
        if isinstance(value, str):
            return _normal(str(operand)) in _normal(value)
        return isinstance(value, list) and any(_equal(item, operand) for item in value)
    if operator == "length":
        return isinstance(value, list | dict | str) and _fits(len(value), operand, task)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return bool(value >= operand) if operator == "at_least" else bool(value <= operand)


def _equal(value: Any, wanted: Any) -> bool:
    """Compare as a person would: letter case, spacing and a rounding error do not count."""
    if isinstance(value, str) and isinstance(wanted, str):
        return _normal(value) == _normal(wanted)
    if isinstance(wanted, Mapping):
        return (
            isinstance(value, dict)
            and set(value) == set(wanted)
            and all(_equal(value[k], wanted[k]) for k in wanted)
        )
    if isinstance(wanted, list | tuple):
        return isinstance(value, list) and len(value) == len(wanted) and all(map(_equal, value, wanted))
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return abs(value - wanted) < 1e-6
    return bool(value == wanted)


def _normal(text: str) -> str:
    text = " ".join(text.casefold().split())
    return re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)


def _holds(text: str, fact: str) -> bool:
    if not fact:
        return False
    if re.fullmatch(r"-?\d+(\.\d+)?", fact):
        return _holds_number(text, fact)
    after = r"(?!\d)" if fact[-1].isdigit() else r"(?!\w)" if fact[-1].isalpha() else ""
    return re.search(rf"(?<!\w){re.escape(fact)}{after}", text) is not None


def _holds_number(text: str, fact: str) -> bool:
    """Look for a number by value: 448 is found in ``448.00 euros``, not in ``1448`` or ``448.5``."""
    numbers = re.findall(r"(?<![\w.,:/-])[-+]?\d+(?:\.\d+)?(?!\d|[.,:/-]\d)", text)
    return any(float(number) == float(fact) for number in numbers)
