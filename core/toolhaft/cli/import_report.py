"""The report of an import, printed for people."""

from __future__ import annotations

from collections import Counter
from typing import Any

from toolhaft.cli.output import print_line
from toolhaft.tools.report import OperationReport, Report

_NOTED = 40
"""Lines of a report that are printed."""
_KINDS = 4
"""Kinds of losses of one operation that are printed."""
_LISTED = 12
"""Webhooks, callbacks and operations left out that are printed, of each."""


def print_report(report: Any) -> None:
    """Print the counts, then each operation that lost something and why, then what is listed only."""
    if not isinstance(report, Report):
        if report is not None:
            print_line(_summary(report) if isinstance(report, dict) else str(report))
        return
    print_line(str(report))
    lines = [f"note: {warning}" for warning in report.warnings]
    for outcome in ("skipped", "degraded"):
        lines += [
            f"{outcome}: {entry.title}: {'; '.join(_losses(entry))}"
            for entry in report.operations
            if entry.outcome == outcome
        ]
    for line in lines[:_NOTED]:
        print_line(f"  {line}")
    if len(lines) > _NOTED:
        print_line(f"  ... and {len(lines) - _NOTED} more; --json shows them all")
    _print_warned(report)
    _print_mentions(report)


def _losses(entry: OperationReport) -> list[str]:
    """Return the first loss of each kind, and how many more there are of it."""
    lost = [problem for problem in entry.problems if problem.severity != "warning"] or entry.problems
    counted = Counter(problem.code for problem in lost)
    first = {problem.code: problem for problem in reversed(lost)}
    kinds = list(dict.fromkeys(problem.code for problem in lost))
    said = []
    for code in kinds[:_KINDS]:
        more = f" (and {counted[code] - 1} more like it)" if counted[code] > 1 else ""
        said.append(f"{first[code]}{more}")
    if len(kinds) > _KINDS:
        said.append(f"{len(kinds) - _KINDS} other kinds of loss; --json shows them")
    return said


def _print_warned(report: Report) -> None:
    """Print how often each kind of warning was given of operations that became tools whole."""
    counted = Counter(
        problem.code
        for entry in report.operations
        for problem in entry.problems
        if problem.severity == "warning"
    )
    if counted:
        shown = ", ".join(f"{code} ({count})" for code, count in counted.most_common(_LISTED))
        print_line(f"Warnings that cost nothing: {shown}; --json shows them")


def _print_mentions(report: Report) -> None:
    said = {
        "webhook": "Webhooks, which the API calls, are no tools",
        "callback": "Callbacks, which the API calls, are no tools",
        "left out": "Left out by the filter",
    }
    for kind, text in said.items():
        found = [mention for mention in report.mentions if mention.kind == kind]
        if found:
            shown = ", ".join(f"{each.method} {each.path}".strip() for each in found[:_LISTED])
            more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
            print_line(f"{text}: {shown}{more}")


def _summary(report: dict[str, Any]) -> str:
    return ", ".join(f"{report.get(key, 0)} {key}" for key in ("imported", "degraded", "skipped"))
