"""How an import went: what became a tool whole, what lost something, what was left out, and why.

Each source counts what its documents hold: operations of an OpenAPI document, APIs of a tool file, rows of a
file of model cards. The report calls every one of them an operation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal

from toolhaft.errors import FormatError, SpecError

Severity = Literal["warning", "degraded", "skipped"]
Outcome = Literal["imported", "degraded", "skipped"]
MentionKind = Literal["webhook", "callback", "left out"]
_OWN = ("curation-", "overlay-")
"""Beginnings of the codes of problems of what the owner wrote beside the document."""
_SHOWN = 20
"""Losses that an error names; its details have them all."""


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
        # The pointer of a place in another file of a document has that file before it.
        elsewhere = "#" in self.pointer and not self.pointer.startswith("/")
        within = self.pointer if elsewhere else f"#{self.pointer}"
        place = f"{self.file}{within}" if self.pointer else self.file
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

    @property
    def lost(self) -> tuple[str, ...]:
        """The problems that cost something, as sentences; all of them where none says so."""
        found = tuple(str(problem) for problem in self.problems if problem.severity != "warning")
        return found or self.reasons

    @property
    def title(self) -> str:
        """What a person calls it: method and path, or its place in a file."""
        return " ".join(part for part in (self.method, self.path) if part) or self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Something that is listed and never became a tool, on purpose.

    Attributes:
        kind: ``webhook`` and ``callback`` are calls that the API makes; ``left out`` is an operation that the
            caller's filter did not choose.
        method: Of HTTP, upper case.
        path: As the document writes it; for a webhook its name, for a callback its URL expression.
        pointer: JSON pointer of the place.
    """

    kind: MentionKind
    method: str = ""
    path: str = ""
    pointer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of everything that a source found.

    Attributes:
        title: The API's title, or the name of the file or folder.
        operations: One entry per operation, API or row, in their order.
        problems: About the whole.
        mentions: What is listed only: webhooks, callbacks, and what the caller's filter left out.
    """

    title: str = ""
    operations: tuple[OperationReport, ...] = ()
    problems: tuple[Problem, ...] = ()
    mentions: tuple[Mention, ...] = ()

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

    def mentioned(self, kind: MentionKind) -> tuple[Mention, ...]:
        """Return what is listed of one kind."""
        return tuple(mention for mention in self.mentions if mention.kind == kind)

    def of_tool(self, name: str) -> OperationReport | None:
        """Return the entry of the operation that became the tool of this name."""
        return next((operation for operation in self.operations if operation.name == name), None)

    @property
    def losses(self) -> tuple[str, ...]:
        """What was lost: a sentence for each operation that is degraded or skipped, and for idle rules."""
        found = [
            f"{operation.outcome}: {operation.title}: {'; '.join(operation.lost)}"
            for operation in self.operations
            if operation.outcome != "imported"
        ]
        idle = [str(problem) for problem in self.problems if problem.code.startswith(_OWN)]
        return (*found, *idle)

    def require_whole(self) -> None:
        """Raise unless everything became a tool whole.

        Raises:
            SpecError: Something did not; ``details`` has the whole list.
        """
        if losses := self.losses:
            shown = "; ".join(losses[:_SHOWN])
            more = f"; and {len(losses) - _SHOWN} more" if len(losses) > _SHOWN else ""
            raise SpecError(
                f"{len(losses)} operations or rules did not come through whole: {shown}{more}",
                where=self.title,
                hint="Leave out strict to import the rest",
                details={"losses": list(losses)},
                code="E-SPEC-STRICT",
            )

    def _count(self, outcome: Outcome) -> int:
        return sum(operation.outcome == outcome for operation in self.operations)

    def __str__(self) -> str:
        return f"{self.imported} imported, {self.degraded} degraded, {self.skipped} skipped"

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values; `from_dict` reads them."""
        return {
            "title": self.title,
            "imported": self.imported,
            "degraded": self.degraded,
            "skipped": self.skipped,
            "warnings": list(self.warnings),
            "problems": [_plain(problem) for problem in self.problems],
            "operations": [_entry(operation) for operation in self.operations],
            "mentions": [_plain(mention) for mention in self.mentions],
        }

    @classmethod
    def from_dict(cls, value: Any, *, where: str = "") -> Report:
        """Read what `to_dict` wrote, also that of older versions, which kept reasons as sentences alone.

        Raises:
            FormatError: It is no report.
        """
        from pydantic import TypeAdapter, ValidationError

        try:
            entries = [_with_problems(entry) for entry in value.get("operations") or ()]
            problems = value.get("problems")
            if problems is None:
                problems = [{"code": "kept", "message": text} for text in value.get("warnings") or ()]
            return TypeAdapter(cls).validate_python(
                {
                    "title": value.get("title") or "",
                    "operations": entries,
                    "problems": problems,
                    "mentions": value.get("mentions") or (),
                }
            )
        except (AttributeError, TypeError, ValidationError):
            raise FormatError("not a report of an import", where=where) from None

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


def _plain(record: Problem | Mention) -> dict[str, Any]:
    """Return the fields that say something."""
    shown = {field.name: getattr(record, field.name) for field in fields(record)}
    return {key: value for key, value in shown.items() if value}


def _entry(operation: OperationReport) -> dict[str, Any]:
    return {
        "method": operation.method,
        "path": operation.path,
        "name": operation.name,
        "outcome": operation.outcome,
        "pointer": operation.pointer,
        "reasons": list(operation.reasons),
        **({"problems": [_plain(problem) for problem in operation.problems]} if operation.problems else {}),
        **({"file": operation.file} if operation.file else {}),
    }


def _with_problems(entry: dict[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in entry.items() if key != "reasons"}
    if "problems" not in found:
        outcome = entry.get("outcome")
        severity = outcome if outcome in ("degraded", "skipped") else "warning"
        found["problems"] = [
            {"code": "kept", "message": text, "severity": severity} for text in entry.get("reasons") or ()
        ]
    return found
