"""One thing about a tool that a model would struggle with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mend = Literal["", "describe", "rename", "select", "hide", "fix", "examples", "effect"]
"""The curation rule that would mend a finding; empty if only the API's owner can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong with one tool, and what to do.

    Attributes:
        rule: Stable name, for example ``description-missing``.
        tool: Name of the tool.
        what: One sentence that says what is wrong and what to do, without a full stop.
        pointer: JSON pointer of the place in the spec; empty for the tool as a whole.
        cost: Points of 100 that it costs the tool.
        mend: The curation rule that would mend it.
    """

    rule: str
    tool: str
    what: str
    pointer: str = ""
    cost: int = 0
    mend: Mend = ""

    def __str__(self) -> str:
        place = f"{self.pointer}: " if self.pointer else ""
        return f"{place}{self.what}"
