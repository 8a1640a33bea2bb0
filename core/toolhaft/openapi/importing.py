"""A document becomes named plans and a report; nothing is built before it is used."""

from __future__ import annotations

from dataclasses import dataclass

from toolhaft.errors import SpecError
from toolhaft.openapi.building import build, note_cuts
from toolhaft.openapi.documents.cleaning import clean_text
from toolhaft.openapi.documents.document import Document, as_dict
from toolhaft.openapi.mentions import list_mentions
from toolhaft.openapi.names import tool_names
from toolhaft.openapi.operations import Operation, list_operations
from toolhaft.openapi.options import ImportOptions
from toolhaft.openapi.plans import OperationPlan, Planner
from toolhaft.openapi.requests.wire import Wire
from toolhaft.openapi.responses.described import describe_answers
from toolhaft.tools.report import Mention, OperationReport, Problem, Report, outcome_of
from toolhaft.types import ToolSpec

_SHARED = ("schemas", "definitions", "parameters", "responses", "requestBodies", "pathItems", "headers")
"""What a document may be written for, to be used by others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What an import found.

    Attributes:
        location: Of the document.
        report: What became of every operation.
        plans: Name -> the operation; those that can be called.
        secret_names: What ``auth`` may name.
        bare: Whether the document describes no operation and means to: it has webhooks, or components for
            other documents, and nothing of it was lost.
        planner: What the plans are made and built with.
    """

    location: str
    report: Report
    plans: dict[str, Operation]
    secret_names: tuple[str, ...]
    planner: Planner
    bare: bool = False

    def build(self, name: str) -> tuple[ToolSpec, Wire]:
        """Build the spec and the wire of one operation."""
        plan = self.planner.plan(self.plans[name])
        spec, wire = build(plan, name, self.planner)
        responses = plan.operation.fields.get("responses")
        return spec, describe_answers(wire, spec, responses, self.planner.resolver)


def import_document(document: Document, options: ImportOptions) -> Import:
    """Read every operation of a document; those that cannot be called are reported, not raised.

    Raises:
        SpecError: ``paths`` is not an object.
        UsageError: An option makes no sense.
    """
    paths = document.root.get("paths")
    if paths is not None and not isinstance(paths, dict):
        raise SpecError("`paths` is not an object", where=f"{document.location}#/paths")
    planner = Planner(document, options)
    operations, problems = list_operations(document, planner.resolver)
    names = tool_names([one.name_request for one in operations], options.prefix, options.names)
    entries: list[OperationReport] = []
    plans: dict[str, Operation] = {}
    parameter_names: dict[str, None] = {}
    server_problems: dict[Problem, None] = {}
    left_out: list[Mention] = []
    for operation, name in zip(operations, names, strict=True):
        if options.choice.reason(operation):
            left_out.append(_left_out(operation))
            continue
        plan = note_cuts(planner.plan(operation), name, planner)
        entry = _entry(plan, name)
        entries.append(entry)
        server_problems.update(dict.fromkeys(plan.server.problems))
        if options.auth:
            parameter_names.update((parameter.name, None) for parameter in (*plan.parameters, *plan.secrets))
        if entry.outcome != "skipped":
            plans[name] = operation
    bare = not operations and not problems and is_bare(document)
    if bare:
        message = "the document describes no operation that could be called"
        problems = [Problem(code="no-operations", message=message, pointer="/paths")]
    report = Report(
        title=clean_text(document.title, 200),
        operations=tuple(entries),
        problems=(*document.problems, *problems, *server_problems),
        mentions=(*list_mentions(document, operations, planner.resolver), *left_out),
    )
    return Import(
        location=document.location,
        report=report,
        plans=plans,
        secret_names=tuple(dict.fromkeys([*planner.security.names, *parameter_names])),
        planner=planner,
        bare=bare,
    )


def is_bare(document: Document) -> bool:
    """Whether a document without operations is one by design, rather than by mistake."""
    if any(problem.code.startswith(("reference-", "file-")) for problem in document.problems):
        return False
    root = document.root
    if root.get("webhooks") and isinstance(root["webhooks"], dict):
        return True
    if document.dialect == "3.0" and not isinstance(root.get("paths"), dict):
        return False  # the field may be left out from 3.1 on
    shared = root if document.swagger else as_dict(root.get("components"))
    return any(as_dict(shared.get(kind)) for kind in _SHARED)


def _left_out(operation: Operation) -> Mention:
    return Mention(kind="left out", method=operation.method, path=operation.path, pointer=operation.pointer)


def _entry(plan: OperationPlan, name: str) -> OperationReport:
    outcome = outcome_of(plan.problems)
    return OperationReport(
        method=plan.operation.method,
        path=plan.operation.path,
        name="" if outcome == "skipped" else name,
        outcome=outcome,
        pointer=plan.operation.pointer,
        problems=plan.problems,
    )
