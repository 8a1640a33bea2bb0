"""A value that a text states, with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "quoted",
    "url",
    "email",
    "path",
    "when",
    "list",
    "id",
    "phone",
    "number",
    "unit",
    "entity",
    "phrase",
    "tail",
    "formula",
]


@dataclass(frozen=True, slots=True)
class Mention:
    """A value that a text states.

    Attributes:
        start: First character; ``end`` is one past the last.
        text: As written, without quotation marks.
        value: The number, list or `When`; else the text.
        unit: Stem of the unit of a number: ``meter``, ``percent``, ``USD`` for money.
        group: Mentions joined by commas and ``and`` share a number above 0.
        weight: How sure the reading is, in (0, 1].
    """

    kind: Kind
    start: int
    end: int
    text: str
    value: Any
    unit: str = ""
    group: int = 0
    weight: float = 1.0

    def overlaps(self, other: Mention) -> bool:
        """Return whether the two share characters."""
        return self.start < other.end and other.start < self.end
