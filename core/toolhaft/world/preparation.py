"""How a run differs from others at its beginning: what a task sets up, and what is to fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolhaft.world.changes import ROWS
from toolhaft.world.place import Place
from toolhaft.world.scope import references

_FAULT = ("tool", "times", "after", "status", "detail", "retry_after")
_WHOLE = {"times": (1, 1_000), "after": (0, 1_000), "status": (400, 599), "retry_after": (0, 600)}
_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A failure that a run is to meet.

    Attributes:
        tool: The operation that fails.
        times: How often.
        after: Calls of it that go well before.
        status: Of the refusal.
        detail: One sentence for the caller.
        retry_after: Seconds for the header ``Retry-After``; None leaves it out.
    """

    tool: str
    times: int = 1
    after: int = 0
    status: int = 503
    detail: str = "The service is not available at the moment"
    retry_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """How a run differs from others at its beginning.

    Attributes:
        setup: Changes of the whole state.
        faults: What fails.
    """

    setup: tuple[Mapping[str, Any], ...] = ()
    faults: tuple[Fault, ...] = ()


def make_preparation(setup: Sequence[Mapping[str, Any]], faults: Sequence[Mapping[str, Any]]) -> Preparation:
    """Make a preparation of rows that were checked."""
    return Preparation(setup=tuple(setup), faults=tuple(Fault(**row) for row in faults))


def check_setup(value: Any, place: Place) -> None:
    """Raise unless a value is a list of changes of the whole state.

    Raises:
        FormatError: It is not.
    """
    for position, row in enumerate(_rows(value, place)):
        where = place / position
        row = where.mapping(row)
        kinds = [kind for kind in ROWS if kind in row]
        if len(kinds) != 1 or kinds == ["insert"]:
            known = ", ".join(kind for kind in ROWS if kind != "insert")
            raise where.refuse("not a change of the state", hint=f"One of {known}; set adds a record, too")
        (kind,) = kinds
        needed, optional = ROWS[kind]
        where.mapping(row, {kind} | needed | optional)
        for name in needed:
            if name not in row:
                raise where.refuse(f"{kind} needs {name}")
        if not (where / kind).text(row[kind]).startswith("/"):
            raise (where / kind).refuse("a pointer begins with /")
        for name in ("values", "where"):
            if name in row:
                (where / name).mapping(row[name])
        for name, _ in references(row):
            if name != "today":
                raise where.refuse(f"a setup knows no {name!r}", hint="Only ${today} may be referred to")


def check_faults(value: Any, place: Place) -> None:
    """Raise unless a value is a list of faults.

    Raises:
        FormatError: It is not.
    """
    for position, row in enumerate(_rows(value, place)):
        where = place / position
        fault = where.mapping(row, _FAULT)
        (where / "tool").text(fault.get("tool"))
        if "detail" in fault:
            (where / "detail").text(fault["detail"])
        for name, (least, most) in _WHOLE.items():
            if name in fault and (type(fault[name]) is not int or not least <= fault[name] <= most):
                raise (where / name).refuse(f"not a whole number from {least} to {most}: {fault[name]!r:.40}")


def check_approvals(value: Any, place: Place) -> None:
    """Raise unless a value is a list of what the user says yes to.

    Raises:
        FormatError: It is not.
    """
    for position, row in enumerate(_rows(value, place)):
        where = place / position
        if isinstance(row, dict):
            where.mapping(row, ("tool", "arguments"))
            (where / "tool").text(row.get("tool"))
            (where / "arguments").mapping(row.get("arguments", {}))
        else:
            where.text(row)


def _rows(value: Any, place: Place) -> list[Any]:
    rows = place.rows(value)
    if len(rows) > _MOST:
        raise place.refuse(f"more than {_MOST} rows")
    return rows
