"""What the user of a task says yes to when a call needs leave."""

from __future__ import annotations

from typing import Any

from toolhaft.tools.policy import Approver, CallRequest, Decision
from toolhaft.types import Task
from toolhaft.world.place import Place
from toolhaft.world.preparation import check_approvals
from toolhaft.world.templates import is_number


def approver_of(task: Task) -> Approver:
    """Return who answers for the user of a task.

    Reads and writes pass: a task is given to an agent that may write in its world. Of what is irreversible
    only that passes which the task's ``approve`` names, with the arguments that it names, if any.

    Raises:
        FormatError: The task's ``approve`` is malformed.
    """
    rows = task.metadata.get("approve", [])
    check_approvals(rows, Place(task.id, "/approve"))

    def approve(request: CallRequest, _decision: Decision) -> bool:
        if request.spec.effect != "irreversible":
            return True
        return approves(rows, request.spec.name, request.arguments)

    return approve


def approves(rows: Any, tool: str, arguments: dict[str, Any]) -> bool:
    """Whether one of the rows of a task's ``approve`` names a call."""
    for row in rows:
        name, wanted = (row, {}) if isinstance(row, str) else (row["tool"], row.get("arguments", {}))
        if name == tool and _holds(arguments, wanted):
            return True
    return False


def _holds(value: Any, wanted: Any) -> bool:
    """Whether a value is what is wanted; an object may hold more."""
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(
            name in value and _holds(value[name], part) for name, part in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and all(map(_holds, value, wanted))
    if is_number(value) and is_number(wanted):
        return bool(value == wanted)
    return type(value) is type(wanted) and bool(value == wanted)
