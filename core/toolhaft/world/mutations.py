"""Whether a check of the state could fail: it is held against states that went wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from toolhaft.evaluators.gold import has_operator
from toolhaft.evaluators.pointer import MISSING, find
from toolhaft.types.pointer import unescape
from toolhaft.world.copying import copy_json

SELECTION = re.compile(r"\[([^\]=]+)=([^\]]*)\]")
_OTHERS: tuple[Any, ...] = (None, "something else", -987_654_321, 987_654_321, True, False, [], {})
_UNLIKELY_KEY = "nobody-has-this-key"


def mutations(row: Mapping[str, Any], state: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Iterate over states in which what a check looks at is different.

    Args:
        row: A check of the state.
        state: What is changed, in copies.
    """
    parts = row["path"].lstrip("/").split("/")
    pointer, last, first = "/".join(parts[:-1]), parts[-1], parts[0]
    if "equals" in row:
        for value in (MISSING, *_OTHERS):
            changed = _copy(state, first)
            if _put(find(changed, pointer) if pointer else changed, last, value):
                yield changed
        return
    conditions = row.get("where", {})
    for change in (_with_fitting, _without_any, _with_other):
        changed = _copy(state, first)
        rows = find(changed, row["path"])
        if isinstance(rows, dict | list):
            change(rows, conditions)
            yield changed


def _copy(state: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Return a state of which one part can be changed."""
    return {**state, part: copy_json(state.get(part))}


def _put(container: Any, token: str, value: Any) -> bool:
    """Put a value where a token leads, or take away what is there; tell whether there is such a place."""
    if isinstance(container, list) and token.isdecimal() and int(token) < len(container):
        container[int(token)] = None if value is MISSING else value
        return True
    selection = SELECTION.fullmatch(token)
    if selection and isinstance(container, dict | list):
        if value is MISSING:
            container.clear()
        else:
            _add(container, _UNLIKELY_KEY, {selection[1]: selection[2]})
        return True
    if not isinstance(container, dict):
        return False
    name = unescape(token)
    if value is MISSING:
        container.pop(name, None)
    else:
        container[name] = value
    return True


def _with_fitting(rows: Any, conditions: Mapping[str, Any]) -> None:
    """Add many records that fit."""
    for number in range(3):
        _add(rows, f"{_UNLIKELY_KEY}-{number}", fitting_record(conditions))


def _without_any(rows: Any, _conditions: Mapping[str, Any]) -> None:
    rows.clear()


def _with_other(rows: Any, _conditions: Mapping[str, Any]) -> None:
    """Make of every record one that fits nothing."""
    keys = list(rows) if isinstance(rows, dict) else range(len(rows))
    for key in keys:
        rows[key] = {}


def _add(rows: Any, key: str, record: Any) -> None:
    if isinstance(rows, dict):
        rows[key] = record
    else:
        rows.append(record)


def fitting_record(conditions: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record that fits the conditions of a check, as far as one can be made."""
    record: dict[str, Any] = {}
    for pointer, wanted in conditions.items():
        place = record
        *parents, last = pointer.lstrip("/").split("/")
        for token in parents:
            inner = place.setdefault(token, {})
            place = inner if isinstance(inner, dict) else {}
        value = fitting_value(wanted)
        if value is not MISSING:
            place[last] = value
    return record


def fitting_value(wanted: Any) -> Any:
    """Return a value that a check wants, or `MISSING` if nothing is to be there."""
    if not has_operator(wanted):
        return wanted
    if "one_of" in wanted:
        return next(iter(wanted["one_of"]), None)
    if "at_least" in wanted:
        return wanted["at_least"]
    if "at_most" in wanted:
        return wanted["at_most"]
    if "contains" in wanted:
        return wanted["contains"] if isinstance(wanted["contains"], str) else [wanted["contains"]]
    if "length" in wanted:
        number = fitting_value(wanted["length"])
        return ["x"] * int(number) if isinstance(number, int | float) and number < 1_000 else []
    return "x" if wanted.get("exists") else MISSING
