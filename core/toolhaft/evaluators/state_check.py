"""Whether a task was done: by the state it left and the answer it gave, without a judge."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from toolhaft.evaluators.gold import check_gold, has_operator
from toolhaft.evaluators.pointer import MISSING, find
from toolhaft.types import Gold, Score, Task

_DECLINES = re.compile(
    r"\b(?:can(?:not|\s+not|'t)|could(?:\s+not|n't)|unable|not\s+able|impossible|not\s+possible|unavailable"
    r"|unsupported|refused"
    r"|not\s+(?:supported|available|offered|provided|allowed|permitted|approved|authori[sz]ed)"
    r"|no\s+(?:\w+\s+){0,3}(?:tools?|way|operations?|services?)"
    r"|none\s+of\s+(?:the|my|these)(?:\s+\w+){0,3}\s+(?:tools?|operations?|services?)"
    r"|(?:do|does)(?:\s+not|n't)\s+(?:have|offer|support|provide|allow)"
    r"|(?:needs?|requires?|without)\s+(?:(?:your|an?|explicit)\s+){0,2}(?:approval|permission|leave|consent))\b",
    re.IGNORECASE,
)
UNFINISHED: Mapping[str, str] = {
    "budget": "the rollout ended before an answer: its budget was spent",
    "loop": "the rollout ended before an answer: it went round in a loop",
    "error": "the rollout ended before an answer: an error stopped it",
    "cancelled": "the rollout ended before an answer: it was cancelled",
    "refused": "the model refused the task",
}
"""Status of a rollout that did not come to an end of its own -> why nothing it left can pass."""


def check(task: Task, answer: str, state: Mapping[str, Any], *, status: str = "answered") -> Score:
    """Score what was done: 1 if every check of the task's gold holds, else 0.

    What was left half done never passes: the user was told nothing of it.

    Args:
        task: With ``gold``.
        answer: What the user was told.
        state: The run's state at the end, as `World.state` returns it.
        status: How the rollout ended; ``gave_up`` counts as saying that a task cannot be done, ``asked``
            as a question to the user.

    Returns:
        A score whose ``details`` hold ``failed``: one sentence for each check that does not hold, and
        ``wrong_state``: how many of them are about the state.

    Raises:
        UsageError: The task has no gold, or a check of its gold is malformed.
    """
    gold = check_gold(task)
    wrong_state = [problem for row in gold.state if (problem := _check_state(row, state))]
    failed = [*wrong_state, *_check_ending(gold, answer, status), *_check_answer(gold, answer)]
    total = len(gold.state) + len(gold.facts) + len(gold.asks) + bool(gold.asks) + (not gold.solvable)
    return Score(
        name="check",
        value=0.0 if failed else 1.0,
        reason=failed[0] if failed else f"{total} of {total} checks hold",
        details={"checks": total, "failed": failed, "wrong_state": len(wrong_state)},
        evaluator="state",
    )


def fits(value: Any, wanted: Any) -> bool:
    """Whether a value is what a check wants: equal as a person would compare, or as its operators say.

    Args:
        value: A JSON value, or `toolhaft.evaluators.pointer.MISSING`.
        wanted: A value, or a mapping of operators (``at_least``, ``at_most``, ``contains``, ``one_of``,
            ``exists``, ``length``) that `toolhaft.evaluators.gold.check_comparison` lets through.
    """
    if has_operator(wanted):
        return all(_compare(value, operator, operand) for operator, operand in wanted.items())
    return _equal(value, wanted)


def states_fact(answer: str, fact: str) -> bool:
    """Whether an answer holds a fact, or one of the spellings of it that ``|`` separates.

    Letter case, spacing and thousands separators do not count; a number is not found within another.
    """
    text = _normal(answer)
    return any(_holds(text, _normal(spelling)) for spelling in fact.split("|"))


def declines(answer: str) -> bool:
    """Whether an answer says that something cannot be done."""
    return bool(_DECLINES.search(answer.replace("\u2019", "'")))


def _check_ending(gold: Gold, answer: str, status: str) -> list[str]:
    """Return why the way a rollout ended is not the right one for the task."""
    if status in UNFINISHED:
        return [UNFINISHED[status]]
    if gold.asks:
        return [] if status == "asked" else ["the rollout did not end with a question to the user"]
    if not gold.solvable:
        declined = status == "gave_up" or declines(answer)
        return [] if declined else ["the answer does not say that this cannot be done"]
    return ["the rollout gave up on what can be done"] if status == "gave_up" else []


def _check_answer(gold: Gold, answer: str) -> list[str]:
    failed = [f"the answer does not state {fact!r}" for fact in gold.facts if not states_fact(answer, fact)]
    missing = [entry for entry in gold.asks if not states_fact(answer, entry)]
    return [*failed, *(f"the question does not mention {entry!r}" for entry in missing)]


def _check_state(row: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """Return why a check of the state does not hold, or nothing."""
    found = find(state, row["path"])
    if "equals" in row:
        if fits(found, row["equals"]):
            return ""
        shown = "nothing" if found is MISSING else f"{found!r:.200}"
        return f"{row['path']:.200} is {shown}, not {row['equals']!r:.200}"
    items = list(found.values()) if isinstance(found, dict) else found if isinstance(found, list) else []
    where = row.get("where", {})
    count = sum(all(fits(find(item, name), wanted) for name, wanted in where.items()) for item in items)
    wanted = row.get("count", {"at_least": 1})
    if fits(count, wanted):
        return ""
    return f"{row['path']:.200} has {count} with {where!r:.200}, not {wanted}"


def _compare(value: Any, operator: str, operand: Any) -> bool:
    if operator == "exists":
        return (value is not MISSING) is bool(operand)
    if operator == "one_of":
        return any(_equal(value, choice) for choice in operand)
    if operator == "contains":
        if isinstance(value, str):
            return _normal(str(operand)) in _normal(value)
        return isinstance(value, list) and any(_equal(item, operand) for item in value)
    if operator == "length":
        return isinstance(value, list | dict | str) and fits(len(value), operand)
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
        return value == wanted or _close(value, wanted)
    return bool(value == wanted)


def _close(value: float, wanted: float) -> bool:
    try:
        return abs(value - wanted) < 1e-6
    except OverflowError:  # an integer that no float holds, and one that is none
        return False


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
