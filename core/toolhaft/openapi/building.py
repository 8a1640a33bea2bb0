"""A planned operation becomes a spec and a wire: the schemas are built here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from toolhaft.auth.schemes import describe
from toolhaft.openapi.arguments import Arguments
from toolhaft.openapi.documents.cleaning import clean_string, clean_text, clean_value
from toolhaft.openapi.documents.document import as_dict, as_list
from toolhaft.openapi.plans import OperationPlan, Planner
from toolhaft.openapi.requests.request import media_types
from toolhaft.openapi.requests.wire import Wire
from toolhaft.openapi.responses.promises import success_schema
from toolhaft.openapi.wiring import wire_of
from toolhaft.tools.report import outcome_of
from toolhaft.types import ToolSpec

_MOST_RESPONSE_PARTS = 150
_LONGEST_EXAMPLE = 2000


def build(plan: OperationPlan, name: str, planner: Planner) -> tuple[ToolSpec, Wire]:
    """Return the spec of an operation and how its requests are made."""
    wire = wire_of(plan, planner)
    whole = Arguments(plan, planner, wire.body).schema()
    parameters = planner.sizing.fit(whole, name, describe_operation(plan.operation.fields))
    return _spec(plan, name, parameters, wire, planner), wire


def note_cuts(plan: OperationPlan, name: str, planner: Planner) -> OperationPlan:
    """Return a plan that says what its tool loses for its size."""
    sizing = planner.sizing
    if outcome_of(plan.problems) == "skipped" or not sizing.may_cut(plan):
        return plan
    if not sizing.may_weigh():
        return replace(plan, problems=(*plan.problems, sizing.suspicion(plan)))
    whole = Arguments(plan, planner, wire_of(plan, planner).body).schema()
    cuts = sizing.cuts(whole, name, describe_operation(plan.operation.fields))
    return replace(plan, problems=(*plan.problems, *sizing.problems(cuts, plan))) if cuts else plan


def _spec(
    plan: OperationPlan, name: str, parameters: dict[str, Any], wire: Wire, planner: Planner
) -> ToolSpec:
    operation, document = plan.operation, planner.document
    node = operation.fields
    example = _example(plan, wire)
    return ToolSpec(
        name=name,
        description=describe_operation(node),
        parameters=parameters,
        effect=operation.effect,
        repeatable=operation.repeatable or bool(plan.key_header),
        tags=tuple(clean_text(tag, 80) for tag in as_list(node.get("tags"))[:20] if isinstance(tag, str)),
        source=f"openapi:{document.location}#{operation.pointer}",
        parent=clean_text(document.title, 200),
        returns=_returns(node, planner),
        private=operation.private,
        untrusted=True,
        hosts=(plan.server.origin,) if plan.server.url else (),
        examples=(example,) if example else (),
        metadata=_metadata(plan, wire),
    )


def describe_operation(node: dict[str, Any]) -> str:
    """Return summary and description as one text of at most 1,024 characters."""
    summary, description = clean_text(node.get("summary")), clean_text(node.get("description"))
    if summary and description and not description.startswith(summary):
        glue = " " if summary[-1] in ".!?:" else ". "
        text = f"{summary}{glue}{description}"
    else:
        text = description or summary
    return clean_text(f"Deprecated. {text}" if node.get("deprecated") is True else text)


def _metadata(plan: OperationPlan, wire: Wire) -> dict[str, Any]:
    node = plan.operation.fields
    found: dict[str, Any] = {"method": plan.operation.method, "path": clean_string(plan.operation.path)}
    if isinstance(node.get("operationId"), str):
        found["operation_id"] = clean_string(node["operationId"])[:500]
    if node.get("deprecated") is True:
        found["deprecated"] = True
    if reason := plan.operation.read_effect().reason:
        found["effect"] = reason
    docs = as_dict(node.get("externalDocs")).get("url")
    if isinstance(docs, str) and docs.startswith(("https://", "http://")):
        found["docs"] = clean_text(docs, 500)
    if len(takes := media_types(wire)) > 1 or (takes and wire.body and wire.body.form != "json"):
        found["media_types"] = list(takes)
    if wanted := describe(wire.security):
        found["security"] = wanted
    return found


def _returns(node: dict[str, Any], planner: Planner) -> dict[str, Any] | None:
    """Return the schema of the first success that has, or may have, a JSON body, if it is small enough."""
    schema, _ = success_schema(node.get("responses"), planner.resolver)
    return None if schema is None else planner.schemas.response_schema(schema, _MOST_RESPONSE_PARTS)


def _example(plan: OperationPlan, wire: Wire) -> dict[str, Any]:
    """Return arguments from the document's examples, if every required argument has one."""
    found: dict[str, Any] = {}
    for parameter, made in zip(plan.parameters, wire.parameters, strict=True):
        if parameter.example is not None:
            found[made.key] = parameter.example
        elif parameter.required:
            return {}
    body = wire.body
    if plan.body is not None and body is not None:
        example = plan.body.example
        if body.key and example is not None:
            found[body.key] = example
        elif isinstance(example, dict):
            found.update({field.key: example[field.name] for field in body.fields if field.name in example})
        elif body.required:
            return {}
    kept = clean_value(found)
    return kept if len(repr(kept)) <= _LONGEST_EXAMPLE else {}
