"""What changed between two states of an environment, as checks that tell whether it was done again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolhaft.types.pointer import json_pointer

_COUNTERS = frozenset({"last_id"})
_LONGEST = 300
_MOST = 60


def check_rows(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return rows for ``Gold.state`` that hold after the same was done, in whatever way.

    A field that was changed must have its new value, a record that is gone must be gone, and one that is new
    must be there with its plain fields, whatever its identifier; collections must be as long as they are
    now, so that nothing more was added or removed. Lists at the top, such as a log of writes, count even if
    nothing changed: who was to read must not have written.

    Args:
        before: The state at the beginning.
        after: The state when it was done.
    """
    rows = [*_logs(after), *_differences((), before, after)]
    found: list[dict[str, Any]] = []
    for row in rows[:_MOST]:
        if row not in found:
            found.append(row)
    return tuple(found)


def _logs(after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, value in after.items():
        if isinstance(value, list):
            yield {"path": json_pointer([name]), "equals": {"length": len(value)}}


def _differences(path: tuple[str, ...], before: Any, after: Any) -> Iterator[dict[str, Any]]:
    if before == after:
        return
    pointer = json_pointer(path)
    if isinstance(before, dict) and isinstance(after, dict):
        added = [name for name in after if name not in before]
        gone = [name for name in before if name not in after]
        if (added or gone) and len(path) > 1:
            yield {"path": pointer, "equals": {"length": len(after)}}
        for name in gone:
            yield {"path": json_pointer([*path, name]), "equals": {"exists": False}}
        for name in added:
            yield from _addition(path, name, after[name])
        for name in before:
            if name in after and name not in _COUNTERS:
                yield from _differences((*path, name), before[name], after[name])
    elif isinstance(before, list) and isinstance(after, list) and all(map(_is_record, (*before, *after))):
        yield {"path": pointer, "equals": {"length": len(after)}}
        for item in after:
            if item not in before and (wanted := _plain(item, "")):
                same = sum(_plain(other, "") == wanted for other in after)
                yield {"path": pointer, "where": wanted, "count": {"at_least": same}}
    elif _is_checkable(after):
        yield {"path": pointer, "equals": after}


def _addition(path: tuple[str, ...], name: str, value: Any) -> Iterator[dict[str, Any]]:
    if _is_record(value):
        if wanted := _plain(value, name):
            yield {"path": json_pointer(path), "where": wanted, "count": {"at_least": 1}}
    elif _is_checkable(value):
        yield {"path": json_pointer([*path, name]), "equals": value}


def _plain(record: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the plain fields of a record but for its identifier, by pointer into it."""
    return {
        json_pointer([name]): value
        for name, value in record.items()
        if isinstance(value, str | int | float | bool) and _is_checkable(value) and str(value) != key
    }


def _is_record(value: Any) -> bool:
    return isinstance(value, dict)


def _is_checkable(value: Any) -> bool:
    """Whether a value can stand in a check: no operator is mistaken for it, and it is no long text."""
    if isinstance(value, dict):
        return False
    return len(value) <= _LONGEST if isinstance(value, str) else True
