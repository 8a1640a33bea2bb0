"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a check did not like.

    Attributes:
        check: What was checked, one word or two joined by a hyphen.
        what: One line: what is wrong.
        hint: What its author can do about it.
        severity: An ``error`` breaks something for others; a ``warning`` may.
    """

    check: str
    what: str
    hint: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        text = f"{self.severity}: {self.check}: {self.what}"
        return f"{text}. {self.hint}" if self.hint else text
