"""The limits that a schema sets to a value, as far as they are cheap and safe to check."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from toolhaft.models.heuristic.slots import Slot


def checked(slot: Slot, value: Any) -> bool:
    """Return whether a value keeps to the slot's bounds, lengths and (where it is plain) pattern."""
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int | float):
        return _bounded(slot.schema, value)
    if not isinstance(value, str):
        return True
    shortest, longest = slot.schema.get("minLength"), slot.schema.get("maxLength")
    if (isinstance(shortest, int) and len(value) < shortest) or (
        isinstance(longest, int) and len(value) > longest
    ):
        return False
    pattern = plain_pattern(slot.schema.get("pattern"))
    return pattern is None or pattern.search(value[:200]) is not None


def _bounded(schema: dict[str, Any], value: float) -> bool:
    tests: dict[str, Callable[[float], bool]] = {
        "minimum": lambda limit: value >= limit,
        "maximum": lambda limit: value <= limit,
        "exclusiveMinimum": lambda limit: value > limit,
        "exclusiveMaximum": lambda limit: value < limit,
    }
    limits = ((schema.get(key), test) for key, test in tests.items())
    return all(
        test(limit)
        for limit, test in limits
        if isinstance(limit, int | float) and not isinstance(limit, bool)
    )


def plain_pattern(pattern: Any) -> re.Pattern[str] | None:
    """Return a schema's pattern compiled, or None unless it is sure to run in linear time.

    Only sequences of literals and character classes with counted repeats and at most one open-ended repeat
    are run; groups, alternatives and references are not, because the pattern comes from outside.
    """
    if not isinstance(pattern, str) or len(pattern) > 120:
        return None
    bare = re.sub(r"\\.|\[[^\]]{1,60}\]", "x", pattern)
    if re.search(r"[()|]", bare) or len(re.findall(r"[*+]|\{\d*,\}", bare)) > 1:
        return None
    if any(int(count) > 64 for count in re.findall(r"\d+", "".join(re.findall(r"\{[\d,]+\}", bare)))):
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None
