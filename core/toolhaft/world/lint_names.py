"""Whether the names in a task are names of something: tools, services, collections."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolhaft.errors import ToolhaftError, nearest_names
from toolhaft.http.retry import Retry, is_worth_repeating
from toolhaft.types import Effect, Gold
from toolhaft.world.contract import Contract
from toolhaft.world.finding import Finding, finding_of
from toolhaft.world.tasks import LocatedTask, preparation_of


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOperation:
    """An operation of the world, as tasks may use it.

    Attributes:
        service: Whose it is.
        contract: What the document says of it.
        effect: Of the tool that it becomes.
        repeatable: Whether a client may send a call twice.
    """

    service: str
    contract: Contract
    effect: Effect
    repeatable: bool = False


class NameLint:
    """Looks the names over that a task uses; nothing is carried out.

    Args:
        located: The task and where it stands.
        operations: All that tasks may use.
    """

    def __init__(self, located: LocatedTask, operations: Mapping[str, KnownOperation]) -> None:
        self.located = located
        self.task = located.task
        self.gold = located.task.gold or Gold()
        self.operations = operations

    def findings(self) -> Iterator[Finding]:
        """Iterate over what is wrong with the names of tools, and with the faults and approvals on them."""
        for pointer, name in self.named():
            if name not in self.operations:
                yield self.unknown_tool(name, pointer)
        for position, row in enumerate(self.task.metadata.get("approve", ())):
            name, pointer = (row, "") if isinstance(row, str) else (row["tool"], "/tool")
            if name in self.operations and self.operations[name].effect != "irreversible":
                message = f"{name} needs no approval"
                yield self.tell("approval-unneeded", message, f"/approve/{position}{pointer}")
        yield from self._hidden_faults()

    def pointers(self, state: Mapping[str, Any]) -> Iterator[Finding]:
        """Iterate over checks that look where no state has anything.

        Args:
            state: Of a run at its beginning; every run has its services and their collections.
        """
        for position, row in enumerate(self.gold.state):
            pointer = f"/gold/state/{position}/path"
            path = row.get("path", "") if isinstance(row, Mapping) else ""
            first, second = (*str(path).lstrip("/").split("/"), "", "")[:2]
            if first not in state:
                yield self.unknown_service(first, state, pointer)
                continue
            named = isinstance(state[first], Mapping) and second and not second.startswith("[")
            if named and second not in state[first]:
                message = f"there is nothing at {path}{_meant(second, state[first])}"
                yield self.tell("pointer-nowhere", message, pointer)

    def tell(self, code: str, message: str, pointer: str = "") -> Finding:
        """Return a finding about a place in the task."""
        located = self.located
        return Finding(
            code=code,
            message=message,
            task=self.task.id,
            file=located.file,
            pointer=f"{located.pointer}{pointer}",
        )

    def unknown_tool(self, name: str, pointer: str) -> Finding:
        """Return the finding for a name that no tool has."""
        message = f"there is no tool {name!r:.80}{_meant(name, self.operations)}"
        return self.tell("tool-unknown", message, pointer)

    def unknown_service(self, name: str, state: Collection[str], pointer: str) -> Finding:
        """Return the finding for a pointer whose first part is no part of a state."""
        return self.tell("service-unknown", f"the state has no {name!r:.80}{_meant(name, state)}", pointer)

    def named(self) -> Iterator[tuple[str, str]]:
        """Iterate over the names of tools, each with where it stands."""
        metadata = self.task.metadata
        yield from ((f"/gold/tools/{n}", tool) for n, tool in enumerate(self.gold.tools))
        calls = metadata.get("solution", {}).get("calls", ())
        yield from ((f"/solution/calls/{n}/tool", call["tool"]) for n, call in enumerate(calls))
        yield from ((f"/faults/{n}/tool", row["tool"]) for n, row in enumerate(metadata.get("faults", ())))
        for position, row in enumerate(metadata.get("approve", ())):
            pointer = f"/approve/{position}"
            yield (pointer, row) if isinstance(row, str) else (f"{pointer}/tool", row["tool"])
        for position, row in enumerate(self.gold.state):
            conditions = row.get("where") if str(row.get("path", "")).strip("/") == "writes" else None
            operation = conditions.get("operation") if isinstance(conditions, Mapping) else None
            if isinstance(operation, str):
                yield f"/gold/state/{position}/where/operation", operation

    def _hidden_faults(self) -> Iterator[Finding]:
        """Iterate over faults that no agent meets: what the client tries again by itself, it never sees."""
        for position, fault in enumerate(preparation_of(self.task).faults):
            operation = self.operations.get(fault.tool)
            hidden = operation is not None and operation.repeatable and is_worth_repeating(fault.status)
            if hidden and fault.times < Retry().attempts:
                message = f"a client tries {fault.tool} {Retry().attempts} times: no agent sees {fault.times}"
                yield self.tell("fault-hidden", message, f"/faults/{position}/times")


def rests_on(located: LocatedTask, operations: Mapping[str, KnownOperation], lost: Collection[str]) -> bool:
    """Whether a task uses services that did not load: by its tags, its pointers, or tools of nobody else's.

    Args:
        located: The task and where it stands.
        operations: Of the services that did load.
        lost: Names of those that did not.
    """
    task = located.task
    rows = [row.get("path") for row in (task.gold or Gold()).state]
    rows += [text for row in task.metadata.get("setup", ()) for text in row.values()]
    places = {str(text).strip("/").split("/")[0] for text in rows if isinstance(text, str)}
    if not places.union(task.tags).isdisjoint(lost):
        return True
    return any(name not in operations for _, name in NameLint(located, operations).named())


def name_findings(
    located: LocatedTask, operations: Mapping[str, KnownOperation], state: Mapping[str, Any]
) -> list[Finding]:
    """Return what is wrong with the names in a task, a malformed one included.

    Args:
        located: The task and where it stands.
        operations: All that tasks may use.
        state: Of a run at its beginning.
    """
    lint = NameLint(located, operations)
    found: list[Finding] = []
    try:
        found += lint.findings()
        found += lint.pointers(state)
    except ToolhaftError as error:
        finding = finding_of(error, "task-malformed")
        found.append(lint.tell(finding.code, finding.message, finding.pointer))
    except (KeyError, TypeError, AttributeError):  # metadata that no reader of tasks has looked at
        found.append(lint.tell("task-malformed", "setup, faults, approve or solution are malformed"))
    return found


def _meant(name: str, known: Collection[str]) -> str:
    nearest = nearest_names(name, list(known))
    return f"; did you mean {' or '.join(nearest)}?" if nearest else ""
