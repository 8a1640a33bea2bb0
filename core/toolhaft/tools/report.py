"""How an import went: what became a tool whole, what lost something, what was left out, and why.

Each source counts what its documents hold: operations of an OpenAPI document, APIs of a tool file, rows of a
file of model cards. The report calls every one of them an operation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["warning", "degraded", "skipped"]
Outcome = Literal["imported", "degraded", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something about what was imported that the reader should know.

    Attributes:
        code: Stable name of the kind of problem, for example ``reference-dangling``.
        message: One sentence without a full stop.
        pointer: JSON pointer of the place, as a URI fragment without the ``#``; empty if unknown.
        line: Line in the text, counted from 1; 0 if unknown.
        file: Where there are several: which of them; empty otherwise.
        severity: ``warning`` costs nothing; ``degraded`` costs the tool something; ``skipped`` costs the
            tool.
    """

    code: str
    message: str
    pointer: str = ""
    line: int = 0
    severity: Severity = "warning"
    file: str = ""

    def __str__(self) -> str:
        place = f"{self.file}#{self.pointer}" if self.pointer else self.file
        if self.line:
            place = f"{place} line {self.line}".strip()
        return f"{place}: {self.message}" if place else self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationReport:
    """What became of one operation, API or row.

    Attributes:
        method: Of HTTP, upper case; empty where it is none.
        path: As the document writes it, or what names the entry in its file; may be empty.
        name: The tool's name; empty if the operation was skipped.
        pointer: JSON pointer of the operation; may be empty.
        problems: What was noticed, in the order it was noticed.
        file: Where there are several: which of them, with the line of JSON lines; empty otherwise.
    """

    method: str = ""
    path: str = ""
    name: str = ""
    outcome: Outcome = "imported"
    pointer: str = ""
    problems: tuple[Problem, ...] = ()
    file: str = ""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The problems as sentences."""
        return tuple(str(problem) for problem in self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of everything that a source found.

    Attributes:
        title: The API's title, or the name of the file or folder.
        operations: One entry per operation, API or row, in their order.
        problems: About the whole.
    """

    title: str = ""
    operations: tuple[OperationReport, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def imported(self) -> int:
        """Operations that became tools whole."""
        return self._count("imported")

    @property
    def degraded(self) -> int:
        """Operations that became tools and lost something on the way."""
        return self._count("degraded")

    @property
    def skipped(self) -> int:
        """Operations that did not become tools."""
        return self._count("skipped")

    @property
    def warnings(self) -> tuple[str, ...]:
        """The problems of the whole, as sentences."""
        return tuple(str(problem) for problem in self.problems)

    def _count(self, outcome: Outcome) -> int:
        return sum(operation.outcome == outcome for operation in self.operations)

    def __str__(self) -> str:
        return f"{self.imported} imported, {self.degraded} degraded, {self.skipped} skipped"

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "title": self.title,
            "imported": self.imported,
            "degraded": self.degraded,
            "skipped": self.skipped,
            "warnings": list(self.warnings),
            "operations": [
                {
                    "method": operation.method,
                    "path": operation.path,
                    "name": operation.name,
                    "outcome": operation.outcome,
                    "pointer": operation.pointer,
                    "reasons": list(operation.reasons),
                    **({"file": operation.file} if operation.file else {}),
                }
                for operation in self.operations
            ],
        }

    def commonest(self, n: int = 3) -> str:
        """Return the commonest reasons for which operations were skipped, as one line."""
        messages = Counter(
            problem.message
            for operation in self.operations
            for problem in operation.problems
            if problem.severity == "skipped"
        )
        return "; ".join(f"{message} ({count})" for message, count in messages.most_common(n))


def outcome_of(problems: Iterable[Problem]) -> Outcome:
    """Return what the problems of an operation make of it."""
    severities = {problem.severity for problem in problems}
    if "skipped" in severities:
        return "skipped"
    return "degraded" if "degraded" in severities else "imported"
