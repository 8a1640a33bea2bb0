"""What the references of a rule mean while one request is carried out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolhaft.evaluators.pointer import MISSING, find

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_-]*)((?:/[^{}]*)?)\}")
RESERVED = frozenset({"today", "state", "item"})
"""Names that no argument and no record may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The names that references may use.

    Attributes:
        arguments: Of the request; those that were not given are not in it.
        state: The service's state in this run.
        today: The day it is, in ISO 8601.
        records: What ``find`` and ``insert`` have bound by name; grows while the request is carried out.
    """

    arguments: Mapping[str, Any]
    state: dict[str, Any]
    today: str
    records: dict[str, Any] = field(default_factory=dict)

    def look_up(self, name: str, pointer: str) -> Any:
        """Return what a reference stands for, or `MISSING`."""
        if name in self.records:
            return find(self.records[name], pointer)
        if name == "today":
            return self.today
        if name == "state":
            return find(self.state, pointer)
        return find(self.arguments.get(name, MISSING), pointer)

    def within(self, item: Any) -> Scope:
        """Return the scope in which ``item`` is one row of a list."""
        return Scope(
            arguments=self.arguments,
            state=self.state,
            today=self.today,
            records={**self.records, "item": item},
        )


def references(template: Any) -> Iterator[tuple[str, str]]:
    """Iterate over the references of a template: name and pointer."""
    waiting = [template]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield from ((match[1], match[2]) for match in REFERENCE.finditer(part))
        elif isinstance(part, Mapping):
            waiting.extend(part.values())
        elif isinstance(part, list | tuple):
            waiting.extend(part)
