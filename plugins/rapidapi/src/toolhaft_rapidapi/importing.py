"""Records become named tools and a report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from toolhaft.tools.report import OperationReport, Problem, Report, outcome_of
from toolhaft_rapidapi.building import METHODS, Built, build
from toolhaft_rapidapi.naming import Naming, collisions, tool_names
from toolhaft_rapidapi.reading import Reading
from toolhaft_rapidapi.record import APIRecord
from toolhaft_rapidapi.redaction import redact


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What an import found.

    Attributes:
        report: What became of every API.
        records: Name -> the API; those that can be called.
        naming: Which names they have.
    """

    report: Report
    records: dict[str, APIRecord]
    naming: Naming

    def build(self, name: str) -> Built:
        """Build one tool."""
        return build(self.records[name], name, self.naming)


def import_records(
    reading: Reading, *, naming: Naming = "readable", title: str = "", live: bool = True
) -> Import:
    """Name the APIs and say what became of each.

    Args:
        reading: What was read.
        naming: Which names.
        title: Of the report.
        live: Calls go to the APIs themselves, so that one without an address is worth a note.
    """
    kept, repeated = _distinct(reading.records, silent=reading.from_queries)
    usable = [record for record in kept if not _unusable(record)]
    names = dict(zip(map(id, usable), tool_names(usable, naming), strict=True))
    wanted = dict(zip(map(id, usable), collisions(usable, naming), strict=True))
    records: dict[str, APIRecord] = {}
    entries: list[OperationReport] = []
    for record in reading.records if not reading.from_queries else kept:
        reason = _unusable(record) or (
            ("api-repeated", "the same API stands in the files before") if id(record) in repeated else None
        )
        if reason:
            entries.append(_entry(record, "", (_problem(record, *reason, "skipped"),)))
            continue
        name = names[id(record)]
        records[name] = record
        built = build(record, name, naming)
        problems = built.problems
        if wanted[id(record)] > 1 and naming == "toolbench":
            message = f"{wanted[id(record)]} APIs have this function name in ToolBench; it is named {name}"
            problems += (_problem(record, "name-collision", message),)
        if live and not built.wire.server:
            message = f"{built.wire.server_problem}: calls need virtual=True or server="
            problems += (_problem(record, "address-missing", message, "degraded"),)
        entries.append(_entry(record, name, problems))
    report = Report(title=title, operations=tuple(entries), problems=tuple(reading.problems))
    return Import(report=report, records=records, naming=naming)


def _distinct(records: Sequence[APIRecord], *, silent: bool) -> tuple[list[APIRecord], set[int]]:
    """Return every API once, and the ids of what repeats one.

    APIs are the same if category, tool, name, method and URL are; of those that say different things, the
    one with an answer's shape and the longest text is kept, so that the order of files does not matter.
    """
    best: dict[tuple[str, ...], APIRecord] = {}
    for record in records:
        key = (*record.identity, record.method, record.url)
        if key not in best or _richness(record) > _richness(best[key]):
            best[key] = record
    kept = {id(record) for record in best.values()}
    distinct = [record for record in records if id(record) in kept]
    if silent:
        return sorted(distinct, key=lambda record: record.identity), set()
    return distinct, {id(record) for record in records if id(record) not in kept}


def _richness(record: APIRecord) -> tuple[bool, int, str]:
    text = json.dumps(
        [record.description, [repr(parameter) for parameter in record.parameters], record.response],
        default=str,
        sort_keys=True,
    )
    return record.response is not None, len(text), text


def _unusable(record: APIRecord) -> tuple[str, str] | None:
    if not record.api or not record.tool:
        missing = "tool" if record.api else "API"
        return f"{missing.lower()}-nameless", f"the {missing} has no name"
    if record.method not in METHODS:
        return "method-unknown", f"{record.method[:20]!r} is no HTTP method"
    return None


def _entry(record: APIRecord, name: str, problems: tuple[Problem, ...]) -> OperationReport:
    return OperationReport(
        method=record.method,
        path=redact(record.url.partition("?")[0]) or " / ".join(record.identity),  # queries may hold keys
        name=name,
        outcome=outcome_of(problems),
        pointer=record.pointer,
        problems=problems,
        file=f"{record.file} line {record.line}" if record.line else record.file,
    )


def _problem(record: APIRecord, code: str, message: str, severity: str = "warning") -> Problem:
    return Problem(
        code=code,
        message=message,
        pointer=record.pointer,
        line=record.line,
        file=record.file,
        severity="skipped" if severity == "skipped" else "degraded" if severity == "degraded" else "warning",
    )
