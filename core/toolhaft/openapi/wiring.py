"""A planned operation as its requests need it."""

from __future__ import annotations

from toolhaft.openapi.bodies import Body
from toolhaft.openapi.layout import Layout, schema_of
from toolhaft.openapi.parameters import Parameter
from toolhaft.openapi.plans import OperationPlan, Planner
from toolhaft.openapi.requests.wire import Wire, WireBody, WireParameter

_DOTTED = frozenset({"3.0.0", "3.0.1", "3.0.2", "3.0.3"})
"""Versions whose table of examples separates the style ``label`` by dots, exploded or not."""


def wire_of(plan: OperationPlan, planner: Planner) -> Wire:
    """Return how the requests of an operation are made."""
    operation, layout = plan.operation, plan.layout
    problems = plan.server.problems
    return Wire(
        method=operation.method,
        server=plan.server.url,
        server_problem=problems[0].message if problems and not plan.server.url else "",
        path=plan.path,
        parameters=tuple(
            _parameter(parameter, key)
            for parameter, key in zip(plan.parameters, layout.parameters, strict=True)
        ),
        body=_body(plan.body, layout, planner) if plan.body is not None else None,
        bodies=tuple(_body(other, layout, planner) for other in layout.others),
        accept=plan.accept,
        security=plan.security,
        secret_parameters=tuple((parameter.place, parameter.name) for parameter in plan.secrets),
        trusted=plan.trusted,
        dotted=planner.document.version in _DOTTED,
        deep_lists=planner.options.deep_lists,
        effect=operation.effect,
        repeatable=operation.repeatable or bool(plan.key_header),
        key_header=plan.key_header,
    )


def _parameter(parameter: Parameter, key: str) -> WireParameter:
    return WireParameter(
        key=key,
        name=parameter.name,
        place=parameter.place,
        style=parameter.style,
        explode=parameter.explode,
        content=parameter.content,
        reserved=parameter.reserved,
        empty=parameter.empty,
        delimiters=parameter.delimiters,
        fields=parameter.fields,
        xml=parameter.xml,
    )


def _body(body: Body, layout: Layout, planner: Planner) -> WireBody:
    encodings = planner.encodings
    first, rest = encodings.positions(body)
    if layout.view is None:
        fields = tuple(encodings.field(body, name, None, name) for name in body.encoding)
    else:
        fields = tuple(
            encodings.field(body, name, schema_of(layout, name), key, layout.headers.get(name, ""))
            for name, key in layout.fields.items()
        )
    return WireBody(
        media_type=body.media_type,
        form=body.form,
        required=body.required,
        key=layout.body,
        fields=fields,
        open=layout.view is not None and not layout.view.closed,
        parts=first,
        rest=rest,
        xml=planner.xml.read(body.schema) if body.form == "xml" else (),
    )
