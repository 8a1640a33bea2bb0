"""A planned operation becomes a spec and a wire: the schemas are built here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolhaft.openapi.bodies import Body, ObjectView, object_view
from toolhaft.openapi.documents.cleaning import clean_string, clean_text, clean_value
from toolhaft.openapi.documents.document import as_dict, as_list
from toolhaft.openapi.documents.resolve import BrokenReferenceError
from toolhaft.openapi.names import KeyRequest, argument_keys
from toolhaft.openapi.parameters import Parameter
from toolhaft.openapi.plans import OperationPlan, Planner
from toolhaft.openapi.requests.wire import Wire, WireBody, WireField, WireParameter
from toolhaft.openapi.schemas.schema import Conversion
from toolhaft.openapi.security import describe
from toolhaft.types import ToolSpec

_MOST_RESPONSE_PARTS = 150
_LONGEST_EXAMPLE = 2000


@dataclass(slots=True)
class _Arguments:
    properties: dict[str, Any]
    required: list[str]
    open: Any = None


def build(plan: OperationPlan, name: str, planner: Planner) -> tuple[ToolSpec, Wire]:
    """Return the spec of an operation and how its requests are made."""
    view = _view(plan.body, planner)
    requests = [KeyRequest(parameter.place, parameter.name) for parameter in plan.parameters]
    fields = _field_names(view, planner)
    if view is not None:
        requests += [KeyRequest("body", field) for field in fields]
    elif plan.body is not None:
        requests.append(KeyRequest("body", "body"))
    keys = argument_keys(requests)
    parameter_keys, body_keys = keys[: len(plan.parameters)], keys[len(plan.parameters) :]

    conversion = Conversion(wanted={})
    arguments = _Arguments({}, [])
    for parameter, key in zip(plan.parameters, parameter_keys, strict=True):
        arguments.properties[key] = _parameter_schema(parameter, key, planner, conversion)
        if parameter.required:
            arguments.required.append(key)
    if plan.body is not None and view is None:
        _whole_body(plan.body, body_keys[0], arguments, planner, conversion)
    elif plan.body is not None and view is not None:
        _body_fields(
            plan.body, view, dict(zip(fields, body_keys, strict=True)), arguments, planner, conversion
        )
    dotted = planner.document.version in ("3.0.0", "3.0.1", "3.0.2", "3.0.3")
    wire = _wire(plan, parameter_keys, view, fields, body_keys, dotted=dotted)
    return _spec(plan, name, arguments, conversion, wire, planner), wire


def _view(body: Body | None, planner: Planner) -> ObjectView | None:
    if body is None or body.form not in ("json", "form"):
        return None
    return object_view(body.schema, planner.resolver, planner.document.dialect)


def _field_names(view: ObjectView | None, planner: Planner) -> list[str]:
    if view is None:
        return []
    for name in view.required:
        view.properties.setdefault(name, {})
    return [name for name, schema in view.properties.items() if not planner.schemas.hidden(schema)]


def _parameter_schema(
    parameter: Parameter, key: str, planner: Planner, conversion: Conversion
) -> dict[str, Any]:
    schema = dict(planner.schemas.convert(parameter.schema, conversion))
    description = parameter.description or schema.get("description", "")
    if key != parameter.name:
        description = f"{description} ({parameter.place} parameter {parameter.name[:80]})".strip()
    if description:
        schema["description"] = clean_text(description)
    if parameter.deprecated:
        schema["deprecated"] = True
    return schema


def _whole_body(
    body: Body, key: str, arguments: _Arguments, planner: Planner, conversion: Conversion
) -> None:
    if body.form == "bytes":
        schema: dict[str, Any] = {"type": "string", "contentEncoding": "base64"}
    elif body.form == "text":
        schema = {"type": "string"}
    else:
        schema = dict(planner.schemas.convert(body.schema, conversion))
    note = f"The request body, {body.media_type}."
    said = clean_text(body.description) or schema.get("description", "")
    schema["description"] = clean_text(f"{said} {note}" if body.form == "bytes" else said or note)
    arguments.properties[key] = schema
    if body.required:
        arguments.required.append(key)


def _body_fields(
    body: Body,
    view: ObjectView,
    keys: dict[str, str],
    arguments: _Arguments,
    planner: Planner,
    conversion: Conversion,
) -> None:
    for name, key in keys.items():
        schema = dict(planner.schemas.convert(view.properties[name], conversion))
        if key != name:
            note = f"(body property {name[:80]})"
            schema["description"] = clean_text(f"{schema.get('description', '')} {note}")
        arguments.properties[key] = schema
        if name in view.required and body.required:
            arguments.required.append(key)
    if view.open is not None:
        arguments.open = True if view.open is True else planner.schemas.convert(view.open, conversion)


def _wire(
    plan: OperationPlan,
    keys: list[str],
    view: ObjectView | None,
    fields: list[str],
    body_keys: list[str],
    *,
    dotted: bool,
) -> Wire:
    """Return how requests are made.

    ``dotted`` is of the versions before 3.0.4, which separate ``label`` by dots.
    """
    operation = plan.operation
    body = plan.body
    made: WireBody | None = None
    if body is not None and view is None:
        made = WireBody(
            media_type=body.media_type,
            form=body.form,
            required=body.required,
            key=body_keys[0],
            fields=tuple(_field(body, name, name) for name in body.encoding),
        )
    elif body is not None and view is not None:
        pairs = zip(fields, body_keys, strict=True)
        made = WireBody(
            media_type=body.media_type,
            form=body.form,
            required=body.required,
            fields=tuple(_field(body, name, key) for name, key in pairs),
            open=view.open is not None,
        )
    problems = plan.server.problems
    return Wire(
        method=operation.method,
        server=plan.server.url,
        server_problem=problems[0].message if problems and not plan.server.url else "",
        path=operation.path if operation.path.startswith("/") else f"/{operation.path}",
        parameters=tuple(
            WireParameter(
                key=key,
                name=parameter.name,
                place=parameter.place,
                style=parameter.style,
                explode=parameter.explode,
                content=parameter.content,
                reserved=parameter.reserved,
                empty=parameter.empty,
                delimiters=parameter.delimiters,
            )
            for parameter, key in zip(plan.parameters, keys, strict=True)
        ),
        body=made,
        accept=plan.accept,
        security=plan.security,
        secret_parameters=tuple((parameter.place, parameter.name) for parameter in plan.secrets),
        trusted=plan.trusted,
        dotted=dotted,
        effect=operation.effect,
        repeatable=operation.repeatable or bool(plan.key_header),
        key_header=plan.key_header,
    )


def _field(body: Body, name: str, key: str) -> WireField:
    style, explode, reserved = body.encoding_of(name)
    return WireField(
        key=key,
        name=name,
        style=style,
        explode=explode,
        reserved=reserved,
        delimiters=body.delimiters_of(name),
    )


def _spec(
    plan: OperationPlan,
    name: str,
    arguments: _Arguments,
    conversion: Conversion,
    wire: Wire,
    planner: Planner,
) -> ToolSpec:
    operation, document = plan.operation, planner.document
    node = operation.fields
    parameters: dict[str, Any] = {"type": "object", "properties": arguments.properties}
    if arguments.required:
        parameters["required"] = arguments.required
    parameters["additionalProperties"] = False if arguments.open is None else arguments.open
    if definitions := planner.schemas.definitions(conversion):
        parameters["$defs"] = definitions
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
    if wanted := describe(wire.security):
        found["security"] = wanted
    return found


def _returns(node: dict[str, Any], planner: Planner) -> dict[str, Any] | None:
    """Return the schema of the first success that has a JSON body, if it is small enough."""
    responses = as_dict(node.get("responses"))
    for status in sorted((str(key) for key in responses), key=lambda key: (key == "default", key)):
        if not status.startswith("2") and status != "default":
            continue
        try:
            response, _ = planner.resolver.follow(responses.get(status), "")
        except BrokenReferenceError:
            continue
        for media, entry in as_dict(as_dict(response).get("content")).items():
            if "json" in str(media).lower() and as_dict(entry).get("schema") is not None:
                return planner.schemas.response_schema(entry["schema"], _MOST_RESPONSE_PARTS)
    return None


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
