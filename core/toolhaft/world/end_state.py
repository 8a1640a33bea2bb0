"""What of a run's state belongs into a record: what was changed, and what is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolhaft.types import Task
from toolhaft.types.pointer import unescape
from toolhaft.world.service import State

LEFT_OUT = "as_at_the_beginning"
"""Member of the state that names the collections that nobody touched and no check is about."""


def end_state(state: State, beginning: Mapping[str, Any], task: Task) -> State:
    """Return a state without the collections that are as at the beginning and not checked by the task.

    Args:
        state: Of a run; its parts are shared, not copied.
        beginning: The state of a run that nothing was done in.
        task: Its gold names what is checked.

    Returns:
        The state, with the collections that were left out as ``SERVICE/COLLECTION`` under `LEFT_OUT`.
    """
    checked = _checked(task)
    kept: State = {}
    left_out: list[str] = []
    for service, held in state.items():
        if not isinstance(held, dict) or (service,) in checked:
            kept[service] = held
            continue
        start = beginning.get(service, {})
        kept[service] = {}
        for name, value in held.items():
            if (service, name) in checked or name not in start or start[name] != value:
                kept[service][name] = value
            else:
                left_out.append(f"{service}/{name}")
    return {**kept, LEFT_OUT: left_out}


def _checked(task: Task) -> set[tuple[str, ...]]:
    """Return the beginnings of the pointers that a task's checks are about: a service, or its collection."""
    found: set[tuple[str, ...]] = set()
    for row in task.gold.state if task.gold is not None else ():
        parts = [unescape(part) for part in str(row.get("path", "")).split("/")]
        found.add(tuple(parts[1:3]))
    return found
