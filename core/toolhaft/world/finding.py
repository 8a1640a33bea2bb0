"""What is wrong with a world."""

from __future__ import annotations

from dataclasses import dataclass

from toolhaft.errors import ToolhaftError


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a world or one of its tasks.

    Attributes:
        code: Stable name of the kind of problem.
        message: One sentence without a full stop.
        task: Its id; empty if it is not about a task.
        file: Where it stands.
        pointer: JSON pointer into the file.
    """

    code: str
    message: str
    task: str = ""
    file: str = ""
    pointer: str = ""

    @property
    def where(self) -> str:
        """File and pointer as one text."""
        return f"{self.file}#{self.pointer}" if self.pointer else self.file

    def __str__(self) -> str:
        parts = [self.where, self.task, f"{self.message} [{self.code}]"]
        return ": ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was looked over in a world, and what is wrong with it.

    Attributes:
        findings: What is wrong.
        services: How many were looked over.
        operations: How many of them all.
        tasks: How many were looked over, or tried.
    """

    findings: tuple[Finding, ...]
    services: int
    operations: int
    tasks: int


def finding_of(error: ToolhaftError, code: str, *, file: str = "") -> Finding:
    """Return the finding that an error stands for."""
    where, _, pointer = error.where.partition("#")
    message = f"{error.what}. {error.hint}" if error.hint else error.what
    return Finding(code=code, message=message, file=where or file, pointer=pointer)
