"""Comparisons of rules: what a value must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolhaft.evaluators.pointer import MISSING

OPERATORS = frozenset(
    {
        "equals",
        "differs",
        "at_least",
        "at_most",
        "above",
        "below",
        "contains",
        "lacks",
        "one_of",
        "none_of",
        "exists",
        "length",
        "is",
    }
)
"""What may be asked of a value; ``is`` says whether the others are to hold or not, see `compare_all`."""


def compare(value: Any, operator: str, operand: Any) -> bool:
    """Whether a value stands in a relation to another.

    Args:
        value: What is looked at; `MISSING` counts as null.
        operator: One of `OPERATORS`.
        operand: What it is held against. ``at_least``, ``at_most``, ``above`` and ``below`` compare numbers
            with numbers and texts with texts, so that dates in ISO 8601 can be compared.
    """
    if operator == "exists":
        return (value is not MISSING and value is not None) is bool(operand)
    if operator in ("differs", "lacks", "none_of"):
        positive = {"differs": "equals", "lacks": "contains", "none_of": "one_of"}[operator]
        return not compare(value, positive, operand)
    if operator == "equals":
        return same(None if value is MISSING else value, operand)
    if operator == "one_of":
        return isinstance(operand, list | tuple) and any(same(value, choice) for choice in operand)
    if operator == "contains":
        if isinstance(value, str):
            return str(operand).casefold() in value.casefold()
        return isinstance(value, list) and any(same(item, operand) for item in value)
    if operator == "length":
        return isinstance(value, list | dict | str) and same(len(value), operand)
    return _in_order(value, operator, operand)


def compare_all(value: Any, comparisons: Mapping[str, Any]) -> bool:
    """Whether a value stands in every relation, or with ``is`` of false: not in every one.

    Args:
        value: What is looked at.
        comparisons: Operand by operator; an operand that is `MISSING` was not given, and its comparison
            is left out; if that of ``is`` was not given, all are.
    """
    wanted = comparisons.get("is", True)
    if wanted is MISSING or wanted is None:
        return True
    held = all(
        compare(value, operator, operand)
        for operator, operand in comparisons.items()
        if operator != "is" and operand is not MISSING
    )
    return held is bool(wanted)


def same(value: Any, other: Any) -> bool:
    """Whether two values are the same; letter case and a rounding error do not count."""
    if isinstance(value, str) and isinstance(other, str):
        return value.casefold() == other.casefold()
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    if _is_number(value) and _is_number(other):
        return bool(abs(value - other) < 1e-6)
    return bool(value == other)


def _in_order(value: Any, operator: str, operand: Any) -> bool:
    numbers = _is_number(value) and _is_number(operand)
    if not numbers and not (isinstance(value, str) and isinstance(operand, str)):
        return False
    if operator == "at_least":
        return bool(value >= operand)
    if operator == "at_most":
        return bool(value <= operand)
    return bool(value > operand) if operator == "above" else bool(value < operand)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
